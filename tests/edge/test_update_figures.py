"""What a room tells of the models that serve it, on trial or not, so that the next one can be compared with them."""

from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.releases import Site
from tests.fakes.updating_room import ROLE, RoomNode, Wire, direct, published, until

from forge_edge.update.trial import LEAST_MEASUREMENTS
from forge_edge.updating.ports import Measured
from forge_edge.updating.served import LOOK_SECONDS, REFRESH_SECONDS, SETTLED_SECONDS
from forge_shared.clock import SystemClock
from forge_shared.releases import ReleaseRole
from forge_shared.wire import RoomRelease

DAY_SECONDS = 86_400
SEEN = Measured(took_ms=[20.0] * 19 + [31.26, 90.0], memory_mb=412.4)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.begun(tmp_path / "releases", SystemClock())


@pytest.fixture
def node(site: Site, tmp_path: Path, clock: FakeClock) -> RoomNode:
    node = RoomNode(tmp_path / "node", Wire(site), clock, celsius=51.0)
    for role in ("wake-word", "transcriber", "voice", "language-model"):
        node.room.obstacles[role] = "not-here"
    return node


def lives(node: RoomNode, clock: FakeClock, seconds: float) -> None:
    """Let a node be looked at for a while, as often as it is in truth."""
    for _ in range(round(seconds / LOOK_SECONDS)):
        clock.advance(LOOK_SECONDS)
        node.updater.served.look()


def told(node: RoomNode) -> list[RoomRelease]:
    return list(node.updater.releases)


def figures(line: RoomRelease | None) -> tuple[float | None, ...]:
    assert line is not None
    return line.latency_ms, line.memory_mb, line.temperature_celsius


async def test_the_model_that_came_with_the_node_is_measured_before_the_first_release_comes(
    node: RoomNode, clock: FakeClock
) -> None:
    await node.start()
    node.room.shown = SEEN
    node.updater.served.look()
    assert told(node) == []
    lives(node, clock, SETTLED_SECONDS - LOOK_SECONDS)
    assert told(node) == [], "a process that has just started shows too little"
    lives(node, clock, LOOK_SECONDS)
    assert told(node) == [RoomRelease(role=ROLE, latency_ms=31.3, memory_mb=412.0)]


async def test_figures_of_what_serves_change_once_in_ten_minutes_and_not_with_every_look(
    node: RoomNode, clock: FakeClock
) -> None:
    await node.start()
    node.room.shown = SEEN
    node.updater.served.look()
    lives(node, clock, SETTLED_SECONDS)
    node.room.shown = Measured(took_ms=[45.0] * LEAST_MEASUREMENTS, memory_mb=300.0)
    node.celsius = 64.0
    lives(node, clock, REFRESH_SECONDS - LOOK_SECONDS)
    assert figures(node.line) == (31.3, 412.0, None)
    lives(node, clock, LOOK_SECONDS)
    assert figures(node.line) == (45.0, 412.0, None), "the most memory"


async def test_heat_is_told_of_a_whole_day_since_the_trial_of_the_next_release_sees_its_afternoon_too(
    node: RoomNode, clock: FakeClock
) -> None:
    await node.start()
    node.room.shown = SEEN
    node.celsius = 35.0
    node.updater.served.look()
    lives(node, clock, DAY_SECONDS / 2)
    node.celsius = 46.0
    lives(node, clock, DAY_SECONDS / 4)
    assert figures(node.line)[2] is None
    node.celsius = 40.0
    lives(node, clock, DAY_SECONDS / 4)
    assert figures(node.line)[2] == 46.0
    lives(node, clock, DAY_SECONDS)
    assert figures(node.line)[2] == 40.0, "of the last day"


async def test_time_in_which_a_model_cannot_work_and_few_inferences_show_nothing(
    node: RoomNode, clock: FakeClock
) -> None:
    await node.start()
    node.room.shown = Measured(took_ms=[20.0], memory_mb=400.0, works=False)
    node.updater.served.look()
    lives(node, clock, 3 * SETTLED_SECONDS)
    assert told(node) == [], "its camera is closed"
    node.room.shown = Measured(took_ms=[20.0] * (LEAST_MEASUREMENTS - 1), memory_mb=400.0)
    lives(node, clock, SETTLED_SECONDS + LOOK_SECONDS)
    assert figures(node.line) == (None, 400.0, None)


async def test_what_was_on_trial_is_measured_on_as_before_once_it_serves_and_so_is_what_it_goes_back_to(
    site: Site, node: RoomNode, tmp_path: Path, clock: FakeClock
) -> None:
    target = published(site, tmp_path, "1.0.0", 1)
    await node.start()
    node.room.shown = SEEN
    node.updater.served.look()
    lives(node, clock, SETTLED_SECONDS)
    direct(site, target)
    await node.look()
    node.room.shown = Measured(took_ms=[20.0] * (LEAST_MEASUREMENTS - 1), memory_mb=500.0)
    await node.updater.trials.watch(ROLE)
    assert figures(node.line) == (None, 500.0, 51.0), "too few inferences to compare"
    node.room.shown = Measured(took_ms=[25.0] * LEAST_MEASUREMENTS, memory_mb=500.0)
    clock.advance(3601)
    await node.updater.trials.watch(ROLE)
    assert node.outcomes[-1] == ("committed", None)
    assert node.line == RoomRelease(role=ROLE, serving=target), "what served before is not told under its name"
    node.updater.served.look()
    lives(node, clock, SETTLED_SECONDS)
    assert node.line == RoomRelease(role=ROLE, serving=target, latency_ms=25.0, memory_mb=500.0)
    direct(site)
    await node.look()
    assert told(node) == []


@pytest.mark.parametrize("role", ["language-model", ROLE])
async def test_a_role_that_nothing_can_serve_here_is_not_told(
    node: RoomNode, clock: FakeClock, role: ReleaseRole
) -> None:
    node.room.obstacles[role] = "no-engine"
    await node.start()
    node.room.shown = SEEN
    node.updater.served.look()
    lives(node, clock, 2 * SETTLED_SECONDS)
    assert role not in {line.role for line in node.updater.releases}


async def test_a_running_node_looks_by_itself(node: RoomNode, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[bool] = []
    monkeypatch.setattr(node.updater.served, "look", lambda: looks.append(True))
    async with node.running():
        await until(lambda: bool(looks))
