"""The hub's own events enter the log as those of rooms do, and nothing else may pass for them."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.fakes.clock import FakeClock
from tests.fakes.sent import WATER, FakeNode, utterance

from forge_hub.errors import EnrolmentError, RecordsError
from forge_hub.fleet.enrolment import check_node
from forge_hub.ingest.journal import Journal
from forge_hub.ingest.store import IngestStore
from forge_hub.projection import catch_up
from forge_hub.records.database import Database, open_database
from forge_hub.records.projector import RecordsProjection
from forge_hub.records.schema import EventLog, Person, Quarantine, Room
from forge_shared.events import InferenceReviewed, UtteranceCorrected
from forge_shared.ids import new_id

RIGHT = InferenceReviewed(inference="0" * 32, verdict="right", by="account-1")


def correction(number: int = 0) -> UtteranceCorrected:
    return UtteranceCorrected(
        utterance=new_id(), session=new_id(), speaker="patient", text=f"Made {number}.", by="account-1"
    )


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'records.db'}"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = open_database(url)
    yield database
    database.close()


def opened(database: Database) -> Journal:
    clock = FakeClock()
    return Journal(IngestStore("site", database, clock), "site", clock)


def numbers(database: Database) -> list[tuple[str, int]]:
    with database.read() as transaction:
        query = select(EventLog.epoch, EventLog.sequence).where(EventLog.node == "hub").order_by(EventLog.position)
        return [(epoch, sequence) for epoch, sequence in transaction.execute(query)]


def test_what_a_clinician_decides_is_in_the_log_under_the_hubs_own_name(database: Database) -> None:
    committed = opened(database).append(RIGHT, "p-1")
    assert (committed.events, committed.quarantined) == (1, 0)
    with database.read() as transaction:
        row = transaction.scalars(select(EventLog)).one()
    assert (row.node, row.lane, row.sequence, row.subject) == ("hub", "record", 1, "p-1")
    assert row.type == "org.personaforge.inference.reviewed.v1"


def test_a_hub_that_starts_again_goes_on_with_the_next_number(database: Database) -> None:
    for _ in range(3):
        journal = opened(database)
        journal.append(RIGHT, "p-1")
        journal.append(correction(), "p-2")
    epochs = {epoch for epoch, _ in numbers(database)}
    assert len(epochs) == 1
    assert [number for _, number in numbers(database)] == [1, 2, 3, 4, 5, 6]


def test_many_who_decide_at_once_are_numbered_without_gap_or_double(database: Database) -> None:
    clock = FakeClock()
    store = IngestStore("site", database, clock)
    shared, another = (Journal(store, "site", clock) for _ in range(2))
    threads = [
        threading.Thread(target=lambda journal=journal: [journal.append(correction(), "p-1") for _ in range(5)])
        for journal in (shared, shared, another)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(number for _, number in numbers(database)) == list(range(1, 16))


_WRITER = """
import sys
from forge_hub.ingest.journal import Journal
from forge_hub.ingest.store import IngestStore
from forge_hub.records.database import open_database
from forge_shared.clock import SystemClock
from forge_shared.events import InferenceReviewed
clock = SystemClock()
journal = Journal(IngestStore("site", open_database(sys.argv[1]), clock), "site", clock)
while True:
    journal.append(InferenceReviewed(inference="0" * 32, verdict="wrong", by="account-1"), "p-1")
    print("one", flush=True)
"""


def test_a_hub_that_is_killed_while_it_writes_leaves_no_gap(url: str, database: Database) -> None:
    told = 0
    for lines in (1, 4, 9):
        writer = subprocess.Popen([sys.executable, "-c", _WRITER, url], stdout=subprocess.PIPE, env=os.environ)
        assert writer.stdout is not None
        for _ in range(lines):
            assert writer.stdout.readline() == b"one\n"
        time.sleep(0.003 * lines)
        writer.send_signal(signal.SIGKILL)
        told += lines + writer.stdout.read().count(b"one\n")
        writer.wait()
        writer.stdout.close()
    written = [number for _, number in numbers(database)]
    assert written == list(range(1, len(written) + 1))
    assert len(written) >= told, "what it said to have written is there"


def test_what_was_committed_is_told_to_whoever_waits_for_it(database: Database) -> None:
    clock = FakeClock()
    told: list[int] = []
    journal = Journal(
        IngestStore("site", database, clock),
        "site",
        clock,
        on_committed=lambda committed: told.append(committed.events),
    )
    journal.append(RIGHT, "p-1")
    assert told == [1]


def test_an_event_that_no_log_can_hold_is_refused_aloud(database: Database) -> None:
    with pytest.raises(RecordsError, match="did not take"):
        Journal(IngestStore("site", database, FakeClock()), "another-site", FakeClock()).append(RIGHT, "p-1")


@pytest.mark.parametrize("name", ["hub", "transcripts"])
def test_a_message_of_the_broker_under_a_name_of_the_hub_is_set_aside(database: Database, name: str) -> None:
    store = IngestStore("site", database, FakeClock())
    forger = FakeNode(FakeClock(), name)
    committed = store.commit([forger.send(RIGHT), forger.send(WATER)])
    assert (committed.events, committed.quarantined, committed.acknowledgements) == (0, 2, {})
    assert (store.replay().entered, numbers(database)) == (0, [])
    with database.read() as transaction:
        reasons = list(transaction.scalars(select(Quarantine.reason)))
    assert all("the hub's own" in reason for reason in reasons)


@pytest.mark.parametrize("name", ["hub", "transcripts"])
def test_no_node_is_enrolled_under_a_name_of_the_hub(name: str) -> None:
    with pytest.raises(EnrolmentError, match="not 'hub' or 'transcripts'"):
        check_node(name)


def test_what_the_hub_writes_makes_it_no_room(database: Database) -> None:
    opened(database).append(correction(), "p-1")
    catch_up(database, RecordsProjection(database, {}))
    with database.read() as transaction:
        assert transaction.scalar(select(func.count()).select_from(Room)) == 0
        assert transaction.scalar(select(func.count()).select_from(Person)) == 0, "nor whom it writes of a patient"


def test_a_person_whom_a_transcript_told_of_first_is_then_found_in_their_room(database: Database) -> None:
    clock = FakeClock()
    store = IngestStore("site", database, clock)
    spoken = FakeNode(clock, "transcripts").send(utterance(new_id()))
    store.commit([dataclasses.replace(spoken, own=True)])
    store.commit([FakeNode(clock).send(WATER)])
    catch_up(database, RecordsProjection(database, {}))
    with database.read() as transaction:
        assert [(person.pseudonym, person.node) for person in transaction.scalars(select(Person))] == [
            ("p-1", "room-1")
        ]
