"""What a node keeps on its disk can be read by nobody who has the disk but not the key."""

import shutil
import sqlite3
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.golden.make_unsealed_outbox import FORGOTTEN, PLANTED

from forge_edge.anonymiser import Anonymiser, AnonymousEvent
from forge_edge.dialogue.conversation import Conversation
from forge_edge.dialogue.saved import SavedConversation
from forge_edge.errors import OutboxError
from forge_edge.observations import RequestObserved, SessionOpened, UtteranceHeard
from forge_edge.outbox.store import Outbox
from forge_shared.ids import new_id
from forge_shared.sealing import Keyring

GOLDEN = Path(__file__).parents[1] / "golden" / "unsealed_outbox.db"
WORDS = "planted words nobody else may read"


class Unsealed(Keyring):
    """Sealing bypassed: it proves that the search would find what was planted."""

    def __init__(self) -> None:
        super().__init__({b"k" * 8: b"1" * 32})

    def seal(self, plain: bytes, context: bytes) -> bytes:
        return b"\x01" + plain + context


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def open_outbox(folder: Path, clock: FakeClock, keyring: Keyring | None = None) -> Outbox:
    keyring = keyring or Keyring.open(folder / "keys" / "device.key")
    return Outbox(folder / "outbox.db", "site", "room-1", clock, limit_bytes=10_000_000, keyring=keyring)


def said(clock: FakeClock, text: str = WORDS) -> AnonymousEvent:
    anonymiser = Anonymiser("p-1", clock)
    anonymiser.event_of(SessionOpened(new_id(), new_id()))
    event = anonymiser.event_of(UtteranceHeard(text=text, confidence=0.9))
    assert event is not None
    return event


def water(clock: FakeClock) -> AnonymousEvent:
    event = Anonymiser("p-1", clock).event_of(RequestObserved("water", "voice"))
    assert event is not None
    return event


def places(folder: Path, words: str) -> set[str]:
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and words.encode() in path.read_bytes()
    }


def live(folder: Path, clock: FakeClock, keyring: Keyring | None = None) -> None:
    outbox = open_outbox(folder, clock, keyring)
    outbox.append(said(clock))
    assert places(folder, '"sequence"') == set() or keyring is not None
    outbox.close()
    saved = SavedConversation(folder / "conversation.json", keyring or Keyring.open(folder / "keys" / "device.key"))
    saved.save(Conversation(session=WORDS))


def test_nothing_planted_in_a_node_is_found_on_its_disk(tmp_path: Path, clock: FakeClock) -> None:
    live(tmp_path, clock)
    assert places(tmp_path, WORDS) == set()


def test_with_sealing_bypassed_the_same_search_finds_it(tmp_path: Path, clock: FakeClock) -> None:
    live(tmp_path, clock, Unsealed())
    assert "conversation.json" in places(tmp_path, WORDS)
    assert any(place.startswith("outbox.db") for place in places(tmp_path, WORDS))


def test_an_outbox_from_before_sealing_is_sealed_without_loss_and_opens_twice(tmp_path: Path, clock: FakeClock) -> None:
    shutil.copy(GOLDEN, tmp_path / "outbox.db")
    assert places(tmp_path, PLANTED) == places(tmp_path, FORGOTTEN) == {"outbox.db"}
    seen = []
    for _ in range(2):
        outbox = open_outbox(tmp_path, clock)
        waiting = [*outbox.pending("record", 0, 100), *outbox.pending("alarm", 0, 100)]
        assert places(tmp_path, PLANTED) == places(tmp_path, FORGOTTEN) == set()
        seen.append((outbox.epoch, waiting))
        outbox.close()
    assert seen[0] == seen[1]
    _, waiting = seen[0]
    assert [envelope.sequence for envelope in waiting] == [42, 43, 44, 45, 46, 2, 3]
    assert {envelope.data.get("text") for envelope in waiting[:5]} == {PLANTED}


def test_events_that_change_places_on_the_disk_are_not_sent(tmp_path: Path, clock: FakeClock) -> None:
    outbox = open_outbox(tmp_path, clock)
    for _ in range(2):
        outbox.append(water(clock))
    with sqlite3.connect(tmp_path / "outbox.db") as connection:
        connection.execute("UPDATE event SET sequence = -sequence")
        connection.execute("UPDATE event SET sequence = sequence + 3")
    connection.close()
    with pytest.raises(OutboxError):
        outbox.pending("alarm", 0, 10)
    outbox.close()


def test_events_whose_key_is_gone_are_kept_aside_and_the_room_can_still_raise_alarms(
    tmp_path: Path, clock: FakeClock
) -> None:
    outbox = open_outbox(tmp_path, clock)
    lost = [outbox.append(water(clock)), outbox.append(said(clock))]
    before = outbox.epoch
    outbox.close()
    (tmp_path / "keys" / "device.key").unlink()
    outbox = open_outbox(tmp_path, clock)
    alarm = outbox.append(water(clock))
    assert outbox.epoch != before
    assert (alarm.epoch, alarm.sequence) == (outbox.epoch, 1)
    assert [envelope.id for envelope in outbox.pending("alarm", 0, 10)] == [alarm.id]
    assert outbox.pending("record", 0, 10) == []
    outbox.close()
    with sqlite3.connect(tmp_path / "outbox.db") as connection:
        kept = connection.execute("SELECT epoch, lane, sequence FROM unreadable ORDER BY lane").fetchall()
    connection.close()
    assert kept == [(before, envelope.lane, envelope.sequence) for envelope in lost]


def test_an_event_that_rots_costs_only_itself(tmp_path: Path, clock: FakeClock) -> None:
    outbox = open_outbox(tmp_path, clock)
    ids = [outbox.append(water(clock)).id for _ in range(3)]
    outbox.close()
    with sqlite3.connect(tmp_path / "outbox.db") as connection:
        connection.execute("UPDATE event SET envelope = zeroblob(100) WHERE sequence = 2")
    connection.close()
    outbox = open_outbox(tmp_path, clock)
    waiting = outbox.pending("alarm", 0, 10)
    outbox.close()
    assert [(envelope.sequence, envelope.id) for envelope in waiting] == [(1, ids[0]), (2, ids[2])]


def test_an_open_form_is_kept_over_a_restart_and_one_from_before_sealing_is_sealed(tmp_path: Path) -> None:
    path, keyring = tmp_path / "conversation.json", Keyring.open(tmp_path / "device.key")
    conversation = Conversation(session=WORDS)
    path.write_text(conversation.model_dump_json())
    for _ in range(2):
        assert SavedConversation(path, keyring).load() == conversation
        assert places(tmp_path, WORDS) == set()


@pytest.mark.parametrize("content", [b"", b"{", b"\x01" + bytes(60), b'{"session": 3}'])
def test_a_saved_conversation_that_cannot_be_read_begins_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "conversation.json"
    path.write_bytes(content)
    assert SavedConversation(path, Keyring.open(tmp_path / "device.key")).load() == Conversation()
