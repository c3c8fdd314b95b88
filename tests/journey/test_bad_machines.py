"""Rooms on machines that fail them: a disk that is full, and a clock that was never set. Their alarms arrive."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from tests.journey.world import Site, until

FULL, TIMELESS = "room-1", "room-2"
CALLED = "SELECT count(*) FROM event_log WHERE node = ? AND type LIKE '%request.made%'"
CALLS = {"turns": [["water"], ["nurse"]], "repeat": True, "pause_seconds": 0.2}


@contextlib.contextmanager
def small_disk(place: Path) -> Iterator[None]:
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("no right to mount a small file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path, number: int) -> None:
    with contextlib.suppress(OSError), (disk / f"filler-{number}").open("wb", buffering=0) as output:
        while True:
            output.write(bytes(4096))


def has_called(site: Site, times: int) -> bool | None:
    return site.records(CALLED, FULL)[0][0] >= times or None


@pytest.mark.alone
def test_alarms_arrive_from_a_full_disk_and_from_1970_and_the_pages_say_what_is_wrong(tmp_path: Path) -> None:
    troubles = "SELECT troubles FROM room WHERE node = ?"
    with small_disk(tmp_path / FULL), Site(tmp_path) as site:
        site.make_account("admin")
        site.make_account("staff")
        site.start_scripted_room(FULL, CALLS)
        site.start_scripted_room(TIMELESS, CALLS, program="wrong_clock_node.py")
        pid = site.room_pid(FULL)

        until("a call", partial(has_called, site, 1))
        for number in range(8):
            fill(site.room_folder(FULL), number)
            goal = site.records(CALLED, FULL)[0][0] + 2
            until("calls from a full disk", partial(has_called, site, goal))
        until("the room to say so", lambda: site.records(troubles, FULL) == [("disk.full",)] or None, seconds=30)
        until("the time to be known", lambda: site.records(troubles, TIMELESS) == [("clock.wrong",)] or None)
        with closing(site.sign_in("staff")) as staff:
            page = staff.get("/rooms").text
        assert "(disk.full)" in page
        assert "years behind" in page

        epochs = site.records("SELECT DISTINCT epoch FROM event_log WHERE node = ?", FULL)
        for filler in site.room_folder(FULL).glob("filler-*"):
            filler.unlink()
        until("the disk to be well", lambda: site.records(troubles, FULL) == [("",)] or None, seconds=30)
        assert (site.room_pid(FULL), site.room_is_alive(FULL)) == (pid, True), "no restart was needed"
        assert 1 <= len(epochs) <= 2

        alerts = site.records("SELECT late, happened_at, raised_at FROM alert WHERE kind = 'request'")
        assert alerts
        for late, happened, raised in alerts:
            assert not late
            when, then = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (happened, raised))
            assert timedelta() <= then - when < timedelta(seconds=60)
        stamped = site.records("SELECT max(time) FROM event_log WHERE node = ?", TIMELESS)[0][0]
        assert datetime.fromisoformat(stamped).year >= 2026, "the room goes by the hub's time"
