"""A room's updater: what the site wants is tried at a quiet moment, kept or taken back, and told."""

import asyncio
import errno
import json
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.releases import Site, write_release
from tests.fakes.updating_room import QUICK, ROLE, RoomNode, Wire, direct, published, published_voice, until

from forge_edge.__main__ import main
from forge_edge.errors import UpdateRefusedError
from forge_edge.update import wishes
from forge_edge.update.trial import LEAST_MEASUREMENTS
from forge_edge.update.wishes import Wish
from forge_edge.updating.parts import Pace
from forge_edge.updating.ports import Measured
from forge_edge.updating.updater import STATUS
from forge_shared.clock import SystemClock


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.begun(tmp_path / "releases", SystemClock())


@pytest.fixture
def node(site: Site, tmp_path: Path) -> RoomNode:
    return RoomNode(tmp_path / "node", Wire(site))


async def test_a_release_is_fetched_proved_tried_and_kept(site: Site, node: RoomNode, tmp_path: Path) -> None:
    target = published(site, tmp_path, "1.0.0", 1)
    direct(site, target)
    clock = FakeClock()
    node.clock = clock
    node = node.restarted()
    async with node.running():
        await until(lambda: node.outcomes == [("on-trial", None)])
        assert node.room.serves == target
        assert node.prover.proved == [target]
        await until(lambda: node.line is not None and node.line.state == "on-trial")
        line = node.line
        assert line is not None
        assert (line.serving, line.rollout) == (target, "rollout-7")
        clock.advance(3601)
        await until(lambda: node.outcomes[-1] == ("committed", None))
        assert node.slots.state(ROLE).good is not None
        assert node.room.switches == [None, target], "what is kept goes on as it is"
        assert list((node.folder / "fetched").iterdir()) == []
        assert json.loads((node.folder / STATUS).read_text())


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        (Measured(faults=1), "inference-failed"),
        (Measured(took_ms=[81.0] * LEAST_MEASUREMENTS), "latency"),
        (Measured(memory_mb=900.0), "memory"),
    ],
)
async def test_what_does_badly_is_taken_back_within_ten_seconds_and_never_taken_again(
    site: Site, node: RoomNode, tmp_path: Path, shown: Measured, reason: str
) -> None:
    release = write_release(tmp_path / "release")
    manifest = json.loads((release / "manifest.json").read_text())
    manifest["limits"]["memory_mb"] = 500
    (release / "manifest.json").write_text(json.dumps(manifest))
    target = site.publish(release)
    direct(site, target)
    async with node.running():
        await until(lambda: node.room.serves == target)
        began = asyncio.get_running_loop().time()
        node.room.shown = shown
        await until(lambda: node.room.serves is None)
        assert asyncio.get_running_loop().time() - began < 10
        await until(lambda: node.outcomes[-1] == ("rolled-back", reason))
        assert node.room.told[-1][1].sha256 is None, "what came with the node serves"
        node.updater.wake()
        await until(lambda: node.line is not None and node.line.state == "refused")
        assert node.room.switches == [None, target, None]
        assert len(node.room.told) == 2, "that it is not taken again is no news"


async def test_what_did_well_serves_again_when_its_successor_does_badly(
    site: Site, node: RoomNode, tmp_path: Path
) -> None:
    first, second = published(site, tmp_path, "1.0.0", 1), published(site, tmp_path, "2.0.0", 2)
    direct(site, first)
    clock = FakeClock()
    node.clock = clock
    node = node.restarted()
    async with node.running():
        await until(lambda: node.updater.trials.observed(ROLE) is not None)
        clock.advance(3601)
        await until(lambda: len(node.outcomes) == 2)
        direct(site, second)
        node.updater.wake()
        await until(lambda: node.room.serves == second)
        node.room.shown = Measured(faults=1)
        await until(lambda: node.room.serves == first)
        await until(lambda: node.outcomes[-1] == ("rolled-back", "inference-failed"))
        assert node.room.told[-1][1].sha256 == node.slots.state(ROLE).good


@pytest.mark.parametrize("need", ["alarm", "conversation", "drawing", "form", "session"])
async def test_nothing_is_switched_while_somebody_needs_the_room_and_that_is_said(
    site: Site, node: RoomNode, tmp_path: Path, need: str
) -> None:
    target = published(site, tmp_path, "1.0.0", 1)
    direct(site, target)
    node.room.need = need  # type: ignore[assignment]
    async with node.running():
        await until(lambda: node.line is not None and node.line.reason == need)
        line = node.line
        assert line is not None
        assert (line.state, line.next, line.serving) == ("waiting", target, None)
        assert node.room.serves is None
        node.room.need = None
        await until(lambda: node.room.serves == target)


async def test_a_room_that_is_needed_for_long_is_said_to_be_overdue_and_waited_for(site: Site, tmp_path: Path) -> None:
    target = published(site, tmp_path, "1.0.0", 1)
    direct(site, target)
    node = RoomNode(tmp_path / "node", Wire(site), pace=Pace(overdue=0.1, quiet=0.0, step=0.01))
    node.room.need = "form"
    async with node.running():
        await until(lambda: node.line is not None and node.line.reason == "overdue")
        await asyncio.sleep(0.1)
        assert node.room.serves is None
        node.room.need = None
        await until(lambda: node.room.serves == target)


async def test_a_role_that_waits_holds_no_other_up(site: Site, node: RoomNode, tmp_path: Path) -> None:
    eyes = published(site, tmp_path, "1.0.0", 1)
    direct(site, published_voice(site, tmp_path), eyes)
    node.room.needs["voice"] = "form"
    async with node.running():
        await until(lambda: node.slots.state(ROLE).active is not None)
        assert node.slots.state("voice").active is None
        await until(lambda: [line.state for line in node.updater.releases] == ["waiting", "on-trial"])
        del node.room.needs["voice"]
        await until(lambda: node.slots.state("voice").active is not None)


async def test_what_is_withdrawn_goes_and_may_come_again(site: Site, node: RoomNode, tmp_path: Path) -> None:
    target = published(site, tmp_path, "1.0.0", 1)
    direct(site, target)
    async with node.running():
        await until(lambda: node.room.serves == target)
        node.room.need = "conversation"
        direct(site)
        node.updater.wake()
        # Somebody speaks with the room, but not for ever.
        await until(lambda: node.room.serves is None)
        await until(lambda: node.outcomes[-1] == ("rolled-back", "withdrawn"))
        node.room.need = None
        direct(site, target)
        node.updater.wake()
        await until(lambda: node.room.serves == target)


async def test_a_release_that_is_withdrawn_while_it_waits_never_serves(
    site: Site, node: RoomNode, tmp_path: Path
) -> None:
    direct(site, published(site, tmp_path, "1.0.0", 1))
    node.room.need = "form"
    async with node.running():
        await until(lambda: node.line is not None and node.line.state == "waiting")
        direct(site)
        node.updater.wake()
        await until(lambda: node.line is None)
        node.room.need = None
        await asyncio.sleep(0.05)
        assert node.room.switches == [None]


@pytest.mark.parametrize(
    ("obstacle", "hardware", "reason"),
    [("no-camera", "x86", "no-camera"), ("no-engine", "x86", "no-engine"), (None, "pi-4", "other-hardware")],
)
async def test_a_role_that_cannot_load_a_release_here_says_why_and_fetches_nothing(
    site: Site, tmp_path: Path, obstacle: str | None, hardware: str, reason: str
) -> None:
    direct(site, published(site, tmp_path, "1.0.0", 1))
    node = RoomNode(tmp_path / "node", Wire(site), hardware=hardware)
    if obstacle is not None:
        node.room.obstacles[ROLE] = obstacle
    async with node.running():
        await until(lambda: node.outcomes == [("refused", reason)])
        for _ in range(3):
            node.updater.wake()
            await asyncio.sleep(0.03)
        assert node.outcomes == [("refused", reason)]
        assert node.wire.given < 10_000, "metadata and nothing else"


async def test_a_release_that_misses_its_golden_output_never_serves(site: Site, node: RoomNode, tmp_path: Path) -> None:
    direct(site, published(site, tmp_path, "1.0.0", 1))
    node.prover.error = UpdateRefusedError("golden-differs")
    async with node.running():
        await until(lambda: node.outcomes == [("refused", "golden-differs")])
        node.prover.error = None
        node.updater.wake()
        await asyncio.sleep(0.1)
        assert node.room.switches == [None]
        assert list((node.folder / "models" / ROLE).iterdir()) == []


async def test_a_node_that_keeps_starting_takes_back_what_it_tries_before_its_children_start(
    site: Site, node: RoomNode, tmp_path: Path
) -> None:
    target = published(site, tmp_path, "1.0.0", 1)
    direct(site, target)
    async with node.running():
        await until(lambda: bool(node.outcomes) and not node.slots.state(ROLE).untold)
    served = []
    for _ in range(3):
        node = node.restarted()
        await node.start()
        served.append(node.room.serves)
    assert served == [target, target, None]
    async with node.running():
        await until(lambda: ("rolled-back", "restarts") in node.outcomes)


async def test_what_a_killed_node_had_not_told_is_told_at_its_next_start(
    site: Site, node: RoomNode, tmp_path: Path
) -> None:
    direct(site, published(site, tmp_path, "1.0.0", 1))

    node.room.on_tell = lambda: asyncio.current_task().cancel()  # type: ignore[union-attr]  # killed in this moment
    with pytest.raises(asyncio.CancelledError):
        await node.look()
    node = node.restarted()
    async with node.running():
        await until(lambda: node.outcomes == [("on-trial", None)])
        await until(lambda: node.slots.state(ROLE).untold == ())


async def test_a_person_at_the_node_takes_a_role_back(site: Site, node: RoomNode, tmp_path: Path) -> None:
    target = published(site, tmp_path, "1.0.0", 1)
    direct(site, target)
    async with node.running():
        await until(lambda: node.room.serves == target)
        wishes.leave(node.folder, Wish("back", ROLE))
        await until(lambda: node.room.serves is None)
        await until(lambda: node.outcomes[-1] == ("rolled-back", "by-hand"))
        wishes.leave(node.folder, Wish("check"))
        await until(lambda: node.line is not None and node.line.reason == "by-hand")
        assert node.room.serves is None


async def test_a_person_takes_a_role_back_while_the_node_does_not_run(
    site: Site,
    node: RoomNode,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = published(site, tmp_path, "1.0.0", 1)
    direct(site, target)
    await node.start()
    await node.look()
    monkeypatch.setenv("FORGE_EDGE_STATE_DIR", str(node.folder))
    assert main(["updates", "show"]) == 0
    assert target in capsys.readouterr().out
    assert main(["updates", "check"]) == 1, "nobody would look"
    assert main(["updates", "back", "pose"]) == 0
    assert main(["updates", "back", "pose"]) == 1, "it is back already"
    again = node.restarted()
    async with again.running():
        await until(lambda: again.outcomes == [("rolled-back", "by-hand")])
        assert again.room.switches == [None]


async def test_an_updater_that_fails_is_started_again_and_its_room_goes_on(
    site: Site, node: RoomNode, tmp_path: Path
) -> None:
    target = published(site, tmp_path, "1.0.0", 1)
    direct(site, target)
    node.prover.error = RuntimeError("nobody thought of it")
    async with node.running() as running:
        await until(lambda: node.line is not None and node.line.state == "proving")
        await asyncio.sleep(0.05)
        running.prover.error = None
        await until(lambda: node.room.serves == target)


async def test_a_room_whose_disk_takes_nothing_starts_with_what_it_has(
    site: Site, node: RoomNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = published(site, tmp_path, "1.0.0", 1)
    direct(site, target)
    await node.start()
    await node.look()
    again = node.restarted()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr("forge_edge.update.slots.replace_file", full)
    await again.start()
    assert again.room.serves == target


async def test_a_hub_that_is_away_changes_nothing_and_is_found_again(site: Site, tmp_path: Path) -> None:
    target = published(site, tmp_path, "1.0.0", 1)
    node = RoomNode(tmp_path / "node", Wire(site, is_cut=True), pace=QUICK)
    async with node.running():
        await asyncio.sleep(0.1)
        assert node.updater.releases == ()
        node.wire.is_cut = False
        direct(site, target)
        await until(lambda: node.room.serves == target)
