"""Roles of one room that go different ways, trials that end while something waits, and what is told of each."""

import asyncio
import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.releases import Site
from tests.fakes.updating_room import ROLE, RoomNode, Wire, direct, published, published_voice, until

from forge_edge.errors import UpdateRefusedError, UpdateUnreachableError
from forge_edge.update import slots
from forge_edge.update.trial import LEAST_MEASUREMENTS
from forge_edge.updating.ports import ROLES, Measured
from forge_edge.updating.trials import KEEP_SECONDS
from forge_shared.clock import SystemClock
from forge_shared.files import replace
from forge_shared.releases import ReleaseRole


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.begun(tmp_path / "releases", SystemClock())


@pytest.fixture
def node(site: Site, tmp_path: Path) -> RoomNode:
    return RoomNode(tmp_path / "node", Wire(site))


def roles_in_order(*first: ReleaseRole) -> tuple[ReleaseRole, ...]:
    return (*first, *(role for role in ROLES if role not in first))


@pytest.mark.parametrize("roles", [roles_in_order("pose", "voice"), roles_in_order("voice", "pose")])
async def test_what_is_withdrawn_of_one_role_waits_for_no_download_of_another(
    site: Site, node: RoomNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, roles: tuple[ReleaseRole, ...]
) -> None:
    monkeypatch.setattr("forge_edge.updating.updater.ROLES", roles)
    direct(site, published_voice(site, tmp_path))
    await node.start()
    await node.look()
    assert node.slots.state("voice").active is not None
    direct(site, published(site, tmp_path, "1.0.0", 1))
    served: list[str | None] = []
    node.wire.on_piece = lambda: served.append(node.slots.state("voice").active)
    await node.look()
    assert served
    assert set(served) == {None}, "it was withdrawn before the first byte of another came"


@pytest.mark.parametrize("roles", [roles_in_order("pose", "voice"), roles_in_order("voice", "pose")])
@pytest.mark.parametrize("broken", ["fall-pose", "voice"])
async def test_a_role_whose_release_cannot_be_fetched_holds_no_other_up(  # noqa: PLR0913 (fixtures)
    site: Site,
    node: RoomNode,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    roles: tuple[ReleaseRole, ...],
    broken: str,
) -> None:
    monkeypatch.setattr("forge_edge.updating.updater.ROLES", roles)
    direct(site, published(site, tmp_path, "1.0.0", 1), published_voice(site, tmp_path))
    node.wire.alter = lambda path, content: None if path.endswith(".tar") and broken in path else content
    await node.start()
    with pytest.raises(UpdateUnreachableError):
        await node.updater.look()
    await node.updater.switch_ready()
    other: ReleaseRole = "voice" if broken == "fall-pose" else ROLE
    assert node.slots.state(other).active is not None


async def in_its_second_trial(site: Site, node: RoomNode, folder: Path, clock: FakeClock) -> tuple[str, str]:
    """Let one release do well and another serve on trial; return both."""
    first, second = published(site, folder, "1.0.0", 1), published(site, folder, "2.0.0", 2)
    direct(site, first)
    await node.start()
    await node.look()
    await node.updater.trials.watch(ROLE)
    clock.advance(3601)
    await node.updater.trials.watch(ROLE)
    direct(site, second)
    await node.look()
    await node.updater.trials.watch(ROLE)
    assert node.outcomes == [("on-trial", None), ("committed", None), ("on-trial", None)]
    return first, second


async def test_a_trial_that_is_withdrawn_is_not_kept_while_its_end_waits_for_a_quiet_moment(
    site: Site, tmp_path: Path
) -> None:
    clock = FakeClock()
    node = RoomNode(tmp_path / "node", Wire(site), clock)
    first, _ = await in_its_second_trial(site, node, tmp_path, clock)
    good = node.slots.state(ROLE).good
    node.room.need = "form"
    direct(site, first)
    looking = asyncio.create_task(node.updater.look())
    await until(lambda: node.room.asked > 0)
    clock.advance(3601)
    await node.updater.trials.watch(ROLE)
    node.room.need = None
    await looking
    assert node.room.serves == first
    assert node.slots.state(ROLE).active == good
    assert node.outcomes[3:] == [("rolled-back", "withdrawn")]
    # Once it is back, the next trial ends as any other.
    direct(site, published(site, tmp_path, "3.0.0", 3))
    await node.look()
    await node.updater.trials.watch(ROLE)
    clock.advance(3601)
    await node.updater.trials.watch(ROLE)
    assert node.outcomes[4:] == [("on-trial", None), ("committed", None)]


async def test_a_trial_that_fails_while_its_withdrawal_waits_is_told_of_once(site: Site, tmp_path: Path) -> None:
    clock = FakeClock()
    node = RoomNode(tmp_path / "node", Wire(site), clock)
    first, _ = await in_its_second_trial(site, node, tmp_path, clock)
    node.room.need = "form"
    direct(site, first)
    looking = asyncio.create_task(node.updater.look())
    await until(lambda: node.room.asked > 0)
    node.room.shown = Measured(faults=1)
    await node.updater.trials.watch(ROLE)
    node.room.need = None
    await looking
    assert node.room.serves == first
    assert node.outcomes[3:] == [("rolled-back", "inference-failed")]


async def test_each_roll_out_is_told_that_a_release_cannot_serve_here(site: Site, tmp_path: Path) -> None:
    target = published(site, tmp_path, "1.0.0", 1)
    direct(site, target, rollout="rollout-7")
    node = RoomNode(tmp_path / "node", Wire(site))
    node.room.obstacles[ROLE] = "no-camera"
    await node.start()
    for rollout in ("rollout-7", "rollout-8"):
        direct(site, target, rollout=rollout)
        for _ in range(2):
            await node.look()
        assert node.line is not None
        assert (node.line.state, node.line.next, node.line.rollout) == ("refused", target, rollout)
        assert node.line.reason == "no-camera"
    assert [(change.outcome, change.rollout) for _, change in node.room.told] == [
        ("refused", "rollout-7"),
        ("refused", "rollout-8"),
    ]


async def test_a_trial_counts_only_while_its_model_works_and_ends_well_only_once_it_was_used(
    site: Site, tmp_path: Path
) -> None:
    clock = FakeClock()
    direct(site, published(site, tmp_path, "1.0.0", 1))
    node = RoomNode(tmp_path / "node", Wire(site), clock)
    await node.start()
    await node.look()

    async def after_an_hour_as(shown: Measured) -> float | None:
        node.room.shown = shown
        await node.updater.trials.watch(ROLE)
        clock.advance(3601)
        await node.updater.trials.watch(ROLE)
        return None if node.line is None else node.line.trial_seconds

    assert await after_an_hour_as(Measured(works=False)) == 0
    assert await after_an_hour_as(Measured(took_ms=[20.0])) == 3601
    assert node.outcomes == [("on-trial", None)], "one inference shows nothing"
    node.room.shown = Measured(took_ms=[20.0] * LEAST_MEASUREMENTS)
    await node.updater.trials.watch(ROLE)
    assert node.outcomes[1:] == [("committed", None)]


@pytest.mark.parametrize("found_at", ["a start", "a look at the trial"])
async def test_a_release_whose_files_are_gone_is_told_of_by_its_own_name(
    site: Site, tmp_path: Path, found_at: str
) -> None:
    clock = FakeClock()
    node = RoomNode(tmp_path / "node", Wire(site), clock)
    first, second = await in_its_second_trial(site, node, tmp_path, clock)
    good, trial = node.slots.state(ROLE).good, node.slots.state(ROLE).trial
    assert trial is not None
    shutil.rmtree(node.slots.place(ROLE, trial))
    if found_at == "a start":
        node = node.restarted()
        await node.start()
        (told,) = node.slots.state(ROLE).untold
    else:
        await node.updater.trials.watch(ROLE)
        told = node.room.told[-1][1]
    assert node.room.serves == first
    assert (told.outcome, told.reason) == ("rolled-back", "files-gone")
    assert (told.release, told.release_version) == (second, "2.0.0")
    assert (told.sha256, told.rollout) == (good, "rollout-7")


async def test_a_first_release_whose_files_are_gone_is_told_of_too(site: Site, node: RoomNode, tmp_path: Path) -> None:
    target = published(site, tmp_path, "1.0.0", 1)
    direct(site, target)
    await node.start()
    await node.look()
    trial = node.slots.state(ROLE).trial
    assert trial is not None
    shutil.rmtree(node.slots.place(ROLE, trial))
    await node.updater.trials.watch(ROLE)
    assert node.outcomes == [("on-trial", None), ("rolled-back", "files-gone")]
    assert node.room.told[-1][1].release == target


@pytest.mark.parametrize("fails", ["proof", "trial"])
async def test_each_roll_out_is_told_once_that_a_release_has_failed_here_before(
    site: Site, tmp_path: Path, fails: str
) -> None:
    target = published(site, tmp_path, "1.0.0", 1)
    direct(site, target, rollout="rollout-7")
    node = RoomNode(tmp_path / "node", Wire(site))
    await node.start()
    if fails == "proof":
        node.prover.error = UpdateRefusedError("golden-differs")
    await node.look()
    reason = "golden-differs" if fails == "proof" else "inference-failed"
    if fails == "trial":
        node.room.shown = Measured(faults=1)
        await node.updater.trials.watch(ROLE)
        await node.updater.trials.watch(ROLE)
    known = [(change.outcome, change.rollout) for _, change in node.room.told]
    assert known[-1] == ("refused" if fails == "proof" else "rolled-back", "rollout-7")
    again = node.restarted()
    await again.start()
    await again.look()
    assert again.room.told == [], "this roll-out knows it"
    direct(site, target, rollout="rollout-8")
    await again.look()
    assert [(change.outcome, change.rollout, change.reason) for _, change in again.room.told] == [
        ("refused", "rollout-8", reason)
    ]
    assert again.line is not None
    assert (again.line.state, again.line.next, again.line.rollout, again.line.reason) == (
        "refused",
        target,
        "rollout-8",
        reason,
    )
    once_more = again.restarted()
    await once_more.start()
    await once_more.look()
    assert once_more.room.told == []


async def after_restarts(site: Site, folder: Path, clock: FakeClock, *, minutes: Sequence[float]) -> RoomNode:
    """Let a release of an hour's trial serve, and the node start again after each of so many minutes."""
    direct(site, published(site, folder, "1.0.0", 1))
    node = RoomNode(folder / "node", Wire(site), clock)
    await node.start()
    await node.look()
    await node.updater.trials.watch(ROLE)
    for each in minutes:
        for _ in range(int(each * 60)):
            clock.advance(1)
            await node.updater.trials.look()
        node = node.restarted()
        await node.start()
        await node.updater.trials.watch(ROLE)
    return node


async def test_what_a_release_has_served_on_trial_counts_after_a_restart_of_the_node_too(
    site: Site, tmp_path: Path
) -> None:
    clock = FakeClock()
    node = await after_restarts(site, tmp_path, clock, minutes=(29.5, 29.5))
    assert node.line is not None
    assert 2 * 29 * 60 <= (node.line.trial_seconds or 0) <= 2 * 29.5 * 60, "at most a minute of each start is lost"
    clock.advance(2 * 60 + 1)
    await node.updater.trials.watch(ROLE)
    assert node.outcomes[-1:] == [("committed", None)]


async def test_another_trial_begins_with_nothing_served(site: Site, tmp_path: Path) -> None:
    clock = FakeClock()
    node = await after_restarts(site, tmp_path, clock, minutes=(29.5,))
    direct(site, published(site, tmp_path, "2.0.0", 2))
    await node.look()
    again = node.restarted()
    await again.start()
    await again.updater.trials.watch(ROLE)
    assert again.line is not None
    assert again.line.trial_seconds == 0


async def test_the_disk_is_written_once_a_minute_at_most_for_it(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, written = FakeClock(), list[float]()

    def noted(path: Path, content: bytes, *, mode: int) -> None:
        written.append(clock.monotonic_seconds())
        replace(path, content, mode=mode)

    direct(site, published(site, tmp_path, "1.0.0", 1), published_voice(site, tmp_path))
    node = RoomNode(tmp_path / "node", Wire(site), clock)
    await node.start()
    await node.look()
    began = clock.monotonic_seconds()
    await node.updater.trials.look()
    monkeypatch.setattr("forge_edge.update.slots.replace_file", noted)
    for _ in range(10 * 60):
        clock.advance(1)
        await node.updater.trials.look()
    assert 8 <= len(written) <= 10
    kept = round(written[-1] - began)
    assert all(after - before >= KEEP_SECONDS for before, after in itertools.pairwise(written))
    again = node.restarted()
    await again.start()
    await again.updater.trials.look()
    assert [line.trial_seconds for line in again.updater.releases] == [kept, kept], "both were kept"


async def test_a_release_that_hardly_worked_writes_nothing(site: Site, tmp_path: Path) -> None:
    clock = FakeClock()
    direct(site, published(site, tmp_path, "1.0.0", 1))
    node = RoomNode(tmp_path / "node", Wire(site), clock)
    await node.start()
    await node.look()
    node.room.shown = Measured(works=False)
    state = (tmp_path / "node" / slots.MODELS / slots.STATE).stat().st_mtime_ns
    for _ in range(10):
        clock.advance(60)
        await node.updater.trials.look()
    assert (tmp_path / "node" / slots.MODELS / slots.STATE).stat().st_mtime_ns == state
