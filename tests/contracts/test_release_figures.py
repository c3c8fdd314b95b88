"""What a room tells of its models is what the hub compares the next release with."""

from pathlib import Path

import pytest
from sqlalchemy import select
from tests.fakes.clock import FakeClock
from tests.fakes.releases import Site
from tests.fakes.updating_room import NODE, ROLE, RoomNode, Wire, direct, published

from forge_edge.update.trial import LEAST_MEASUREMENTS
from forge_edge.updating.ports import Measured
from forge_edge.updating.served import LOOK_SECONDS, SETTLED_SECONDS
from forge_hub.fleet.rooms import Rooms
from forge_hub.records.database import Database, open_database
from forge_hub.records.schema import ReleaseFigure, RoomRelease
from forge_hub.releases.verdicts import Evidence, Figures, TriedRoom, judge
from forge_shared.clock import SystemClock
from forge_shared.wire import TwinReported

BEFORE = Measured(took_ms=[20.0] * LEAST_MEASUREMENTS, memory_mb=300.0)
SLOWER = Measured(took_ms=[40.0] * LEAST_MEASUREMENTS, memory_mb=310.0)


class Hub:
    """The part of a hub that hears how rooms are."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        self.database: Database = open_database(f"sqlite:///{folder / 'records.db'}")
        self._rooms, self._clock = Rooms(self.database, clock), clock

    def hears(self, node: RoomNode) -> None:
        twin = TwinReported(
            hearing="ok",
            sight="ok",
            activity="idle",
            session_on=False,
            pending_events=0,
            version="1",
            at=self._clock.now(),
            releases=node.updater.releases,
        )
        self._rooms.note(NODE, "twin/reported", twin.model_dump_json().encode())

    def knows(self, release: str) -> Figures | None:
        with self.database.read() as transaction:
            row = transaction.get(ReleaseFigure, (NODE, ROLE, release))
            return None if row is None else Figures(row.latency_ms, row.memory_mb, row.temperature_celsius)

    def roles(self) -> set[str]:
        with self.database.read() as transaction:
            return set(transaction.scalars(select(RoomRelease.role)))


def works(node: RoomNode, clock: FakeClock, seconds: float = SETTLED_SECONDS) -> None:
    """Let what serves work for an hour, or longer."""
    node.updater.served.look()
    for _ in range(round(seconds / LOOK_SECONDS)):
        clock.advance(LOOK_SECONDS)
        node.updater.served.look()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def node(tmp_path: Path, clock: FakeClock) -> RoomNode:
    site = Site.begun(tmp_path / "releases", SystemClock())
    node = RoomNode(tmp_path / "node", Wire(site), clock, celsius=50.0)
    for role in ("wake-word", "transcriber", "voice", "language-model"):
        node.room.obstacles[role] = "not-here"
    return node


async def test_the_first_release_of_a_role_is_compared_with_the_model_that_came_with_the_node(
    node: RoomNode, clock: FakeClock, tmp_path: Path
) -> None:
    hub = Hub(tmp_path, clock)
    target = published(node.wire.site, tmp_path, "1.0.0", 1)
    await node.start()
    node.room.shown = BEFORE
    works(node, clock)
    hub.hears(node)
    assert hub.roles() == {ROLE}
    direct(node.wire.site, target)
    await node.look()
    node.room.shown = SLOWER
    await node.updater.trials.watch(ROLE)
    hub.hears(node)
    before, now = hub.knows(""), hub.knows(target)
    assert (before, now) == (Figures(20.0, 300.0, None), Figures(40.0, 310.0, 50.0))
    assert before is not None
    assert now is not None
    found = judge(Evidence([TriedRoom(NODE, "x86", "on-trial", before=before, now=now)]))
    assert [each.measure for each in found if each.finding == "bad"] == ["latency"]
    hub.database.close()


async def test_a_quiet_room_that_started_anew_does_not_take_away_what_it_had_measured(
    node: RoomNode, clock: FakeClock, tmp_path: Path
) -> None:
    hub = Hub(tmp_path, clock)
    await node.start()
    node.room.shown = BEFORE
    works(node, clock, seconds=86_400)
    hub.hears(node)
    again = node.restarted()
    again.room.obstacles = node.room.obstacles
    await again.start()
    hub.hears(again)
    assert hub.knows("") == Figures(20.0, 300.0, 50.0)
    again.room.shown = Measured(took_ms=[700.0], memory_mb=280.0)
    works(again, clock)
    hub.hears(again)
    assert hub.knows("") == Figures(20.0, 280.0, 50.0)
    hub.database.close()
