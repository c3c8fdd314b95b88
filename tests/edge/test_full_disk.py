"""A disk that takes no more: alarms are kept, records become tombstones, and the room says so and goes on by itself."""

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.edge.test_outbox import acknowledge, alarm, open_outbox, record, sequences
from tests.fakes.clock import FakeClock

from forge_edge.dialogue.conversation import Conversation
from forge_edge.dialogue.saved import SavedConversation
from forge_edge.errors import DiskFullError, OutboxError
from forge_edge.outbox.outboxes import Outboxes
from forge_edge.outbox.reserve import RESERVE_BYTES, Reserve
from forge_edge.outbox.store import Outbox
from forge_shared.events import EventsWithheld, RequestMade
from forge_shared.mqtt import VersionChoice
from forge_shared.sealing import Keyring

SMALL_MEGABYTES = 5


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_MEGABYTES}m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("no right to mount a small file system")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path, number: int = 0) -> Path:
    filler = disk / f"filler-{number}"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as output:
        while True:
            output.write(bytes(4096))
    return filler


def is_full(outbox: Outbox) -> bool:
    return outbox.is_full


def troubles(both: Outboxes) -> tuple[str, ...]:
    return both.troubles


def takes(outbox: Outbox, clock: FakeClock) -> bool:
    try:
        outbox.append(alarm(clock))
    except DiskFullError:
        return False
    return True


def types(outbox: Outbox, lane: Any) -> list[str]:
    return [envelope.type for envelope in outbox.pending(lane, 0, 10_000)]


def test_on_a_full_disk_every_alarm_is_kept_and_records_become_tombstones(small_disk: Path, clock: FakeClock) -> None:
    with closing(open_outbox(small_disk, clock)) as outbox:
        for _ in range(300):
            outbox.append(record(clock))
        filler = fill(small_disk)
        for _ in range(300):
            outbox.append(alarm(clock))
        outbox.append(record(clock))
        assert is_full(outbox)
        assert types(outbox, "alarm") == [RequestMade.type_name()] * 300
        assert sequences(outbox, "record") == list(range(1, 302)), "a tombstone keeps its place"
        assert types(outbox, "record")[-1] == EventsWithheld.type_name()
        outbox.tend()
        assert is_full(outbox), "nothing is free yet"
        assert acknowledge(outbox, "alarm", 300) == 300, "what the hub has is forgotten on a full disk too"
        filler.unlink()
        outbox.tend()
        assert not is_full(outbox)
        outbox.append(record(clock))
        assert types(outbox, "record")[-1] != EventsWithheld.type_name()


def test_an_outbox_opens_on_a_full_disk_with_all_that_was_in_it(small_disk: Path, clock: FakeClock) -> None:
    with closing(open_outbox(small_disk, clock)) as outbox:
        sent = outbox.append(alarm(clock))
    fill(small_disk)
    with closing(open_outbox(small_disk, clock)) as outbox:
        outbox.append(alarm(clock))
        assert outbox.pending("alarm", 0, 10)[0].id == sent.id
        assert sequences(outbox, "alarm") == [1, 2]


def test_a_file_that_may_not_grow_takes_alarms_while_a_record_can_be_thinned(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = sqlite3.Connection(*arguments, **options)
        connection.execute("PRAGMA max_page_count = 120")
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect)
    with closing(open_outbox(tmp_path, clock)) as outbox:
        made = 0
        while not is_full(outbox):
            outbox.append(record(clock))
            made += 1
        kept = 0
        while takes(outbox, clock):
            kept += 1
        assert kept > made / 10
        assert sequences(outbox, "alarm") == list(range(1, kept + 1)), "what was refused has taken no number"
        assert len(sequences(outbox, "record")) == made
        assert set(types(outbox, "record")) == {EventsWithheld.type_name()}


def test_the_reserve_is_there_is_given_up_and_is_taken_again(small_disk: Path) -> None:
    reserve = Reserve(small_disk / "outbox.reserve")
    free = os.statvfs(small_disk).f_bavail
    assert reserve.hold()
    held = os.statvfs(small_disk)
    assert (free - held.f_bavail) * held.f_frsize >= RESERVE_BYTES
    filler = fill(small_disk)
    reserve.give_up()
    assert not reserve.hold(), "it is not taken from those who need what is left"
    filler.unlink()
    assert reserve.hold()


def outboxes(folder: Path, clock: FakeClock) -> Outboxes:
    keyring = Keyring.open(folder.parent / "device.key")
    make = partial(Outbox, site="site", node="room-1", clock=clock, limit_bytes=10_000_000, keyring=keyring)
    return Outboxes(partial(make, folder / "outbox.db"), partial(make, Path(":memory:")))


def test_what_the_disk_does_not_take_waits_in_memory_under_an_epoch_of_its_own_and_goes_to_the_disk_later(
    small_disk: Path, clock: FakeClock
) -> None:
    with closing(outboxes(small_disk, clock)) as both:
        first = both.append(alarm(clock))
        assert not troubles(both)
        fillers: list[Path] = []
        kept = [first]
        while kept[-1].epoch == first.epoch:
            fillers.append(fill(small_disk, len(fillers)))  # someone else takes whatever is freed
            kept.append(both.append(alarm(clock)))
        last = kept[-1]
        assert troubles(both) == ("disk.full",)
        both.tend()
        assert both.state().pending == len(kept)
        assert [len(each.pending("alarm", 0, 9999)) for each in both.each()] == [len(kept) - 1, 1]
        for filler in fillers:
            filler.unlink()
        both.tend()
        disk, memory = both.each()
        assert not troubles(both)
        assert [envelope.id for envelope in disk.pending("alarm", 0, 9999)] == [envelope.id for envelope in kept]
        assert memory.state().pending == 0
        assert memory.epoch != last.epoch, "what the hub still says of the old one does no harm"


def test_a_node_whose_outbox_does_not_open_still_keeps_alarms_and_opens_it_when_it_can(
    small_disk: Path, clock: FakeClock
) -> None:
    remount(small_disk, "ro")
    with closing(outboxes(small_disk, clock)) as both:
        kept = both.append(alarm(clock))
        assert troubles(both) == ("disk.failed",)
        remount(small_disk, "rw")
        both.tend()
        assert not troubles(both)
        assert [envelope.id for envelope in both.each()[0].pending("alarm", 0, 9)] == [kept.id]


def test_an_outbox_that_cannot_be_read_is_opened_anew(tmp_path: Path, clock: FakeClock) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    with closing(outboxes(folder, clock)) as both:
        ids = [both.append(alarm(clock)).id for _ in range(2)]
        (disk,) = both.each()
        with closing(sqlite3.connect(folder / "outbox.db")) as connection:
            connection.execute("UPDATE event SET envelope = zeroblob(100) WHERE sequence = 1")
            connection.commit()
        with pytest.raises(OutboxError):
            disk.pending("alarm", 0, 9)
        both.unreadable(disk)
        both.tend()
        (disk,) = both.each()
        assert [envelope.id for envelope in disk.pending("alarm", 0, 9)] == ids[1:]


def test_files_that_only_help_do_not_end_a_node_on_a_full_disk(small_disk: Path) -> None:
    keyring = Keyring.open(small_disk / "device.key")
    saved = SavedConversation(small_disk / "conversation.json", keyring)
    (small_disk / "conversation.json").write_text(Conversation().model_dump_json())
    choice = VersionChoice(small_disk / "mqtt-version")
    choice.failed(TimeoutError())
    fill(small_disk)
    assert saved.load() == Conversation()
    choice.succeeded()
    assert choice.version == "3.1.1"


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)
