"""Make ``unsealed_outbox.db``: an outbox as version 0.1.0 wrote it, before events were sealed.

Run it as ``python tests/golden/make_unsealed_outbox.py`` only to see how the saved file came about: a test opens the
saved one.
"""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from forge_shared.events import Envelope, EventData, RequestMade, SessionStarted, UtteranceSaid, source_of
from forge_shared.ids import new_id

TARGET = Path(__file__).with_name("unsealed_outbox.db")
PLANTED = "planted words of someone called Wilhelmina"
FORGOTTEN = "planted words that the hub already has"
SCHEMA = """
CREATE TABLE epoch (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), id TEXT NOT NULL);
CREATE TABLE position (lane TEXT PRIMARY KEY, last_sequence INTEGER NOT NULL, acknowledged INTEGER NOT NULL);
CREATE TABLE event (
    lane TEXT NOT NULL, sequence INTEGER NOT NULL, envelope TEXT NOT NULL,
    boot TEXT NOT NULL, appended_seconds REAL NOT NULL, thinned INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (lane, sequence)
);
"""


def make(path: Path) -> None:
    """Write the database."""
    session, epoch, boot = new_id(), new_id(), new_id()
    records: list[EventData] = [
        SessionStarted(session=session, consent=new_id()),
        *(
            UtteranceSaid(session=session, speaker="unknown", text=text, redactions={}, confidence=0.5)
            for text in [FORGOTTEN] * 40 + [PLANTED] * 5
        ),
    ]
    alarms = [RequestMade(request="water", mode="voice")] * 3
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        # As SQLite is built where it does not overwrite what is deleted.
        connection.execute("PRAGMA secure_delete=OFF")
        connection.executescript(SCHEMA)
        connection.execute("INSERT INTO epoch VALUES (1, ?)", (epoch,))
        for lane, events, acknowledged in (("record", records, 41), ("alarm", alarms, 1)):
            for sequence, data in enumerate(events, 1):
                envelope = Envelope.model_validate(
                    {
                        "id": new_id(),
                        "source": source_of("site", "room-1"),
                        "type": data.type_name(),
                        "time": datetime(2026, 11, 1, 2, 0, tzinfo=UTC),
                        "subject": "p-1",
                        "epoch": epoch,
                        "lane": lane,
                        "sequence": sequence,
                        "data": data.model_dump(mode="json"),
                    }
                )
                connection.execute(
                    "INSERT INTO event VALUES (?, ?, ?, ?, ?, 0)",
                    (lane, sequence, envelope.model_dump_json(), boot, float(sequence)),
                )
            connection.commit()
            connection.execute("DELETE FROM event WHERE lane = ? AND sequence <= ?", (lane, acknowledged))
            connection.execute("INSERT INTO position VALUES (?, ?, ?)", (lane, len(events), acknowledged))
    connection.close()


if __name__ == "__main__":
    make(TARGET)
