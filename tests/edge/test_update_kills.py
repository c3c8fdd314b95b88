"""A node that is killed or loses power while a release is fetched, switched or tried starts and serves.

The long form, 200 of each with seeds, is ``python -m benchmarks.update_kills``.
"""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fakes.cut_power import CutDisk, PowerCut
from tests.fakes.releases import Site
from tests.fakes.updating_life import live, make_site, starts_and_serves, takes_the_next

CUTS = 12
KILLS = 4
MOST_KILLS = 16
SEED = 7


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return make_site(tmp_path_factory.mktemp("site"))


def cut_lives(
    site: Site, folder: Path, seed: int, cuts: int, left: Callable[[CutDisk, Path, random.Random], None]
) -> list[str | None]:
    """Live on one disk, cut again and again at a step by chance; return what served after each cut."""
    chance, served = random.Random(seed), []
    disk = folder / "0"
    disk.mkdir(parents=True)
    for number in range(1, cuts + 1):
        cut = CutDisk(disk, cut_at=chance.randint(1, 250))
        with cut.watching(), pytest.raises(PowerCut):
            asyncio.run(live(site, disk, chance.randrange(1000), cut.step))
        disk = folder / str(number)
        left(cut, disk, chance)
        served.append(starts_and_serves(site, disk))
    asyncio.run(takes_the_next(site, disk))
    return served


def killed(cut: CutDisk, to: Path, _: random.Random) -> None:
    cut.after_kill(to)


def without_what_was_not_synced(cut: CutDisk, to: Path, _: random.Random) -> None:
    cut.after_cut(to)


def with_some_of_what_was_not_synced(cut: CutDisk, to: Path, chance: random.Random) -> None:
    cut.after_cut(to, chance)


def test_a_process_that_is_killed_leaves_a_node_that_starts_and_serves(site: Site, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    served: list[str | None] = []
    for number in range(MOST_KILLS):
        if number >= KILLS and any(served):
            break
        # Two lives of one disk: what did badly is never taken again, and in a long life all releases will have done so.
        folder = tmp_path / f"node-{number // 2}"
        folder.mkdir(exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "tests.fakes.updating_life",
            str(site.folder.parent),
            str(folder),
            str(number),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as node:
            assert node.stdout is not None
            node.stdout.readline()  # it has started
            # Later and later, so that a slow machine comes to serve something too.
            time.sleep(chance.uniform(0.05, 0.4) * (1 + number / KILLS))
            node.send_signal(signal.SIGKILL)
        served.append(starts_and_serves(site, folder))
    assert any(served), "nothing ever served: this would prove nothing"


@pytest.mark.parametrize("left", [killed, without_what_was_not_synced, with_some_of_what_was_not_synced])
def test_a_node_whose_life_ends_at_any_step_starts_and_serves_a_whole_release(
    site: Site, tmp_path: Path, left: Callable[[CutDisk, Path, random.Random], None]
) -> None:
    served = cut_lives(site, tmp_path, SEED, CUTS, left)
    assert any(served), "nothing ever served: this would prove nothing"


def test_a_disk_that_syncs_nothing_is_found_out(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The guard taken away: slots that do not ask the disk to keep a release before its name is given.
    monkeypatch.setattr("forge_edge.update.slots._sync", lambda _: None)
    with pytest.raises((AssertionError, FileNotFoundError)):
        cut_lives(site, tmp_path, SEED, 10 * CUTS, without_what_was_not_synced)


def test_what_is_not_synced_is_lost_on_the_disk_of_these_tests(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    cut = CutDisk(disk, cut_at=4)

    def work() -> None:
        (disk / "unsynced").write_text("words")
        with (disk / "nameless").open("w") as file:
            file.write("words")
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(disk, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
        (disk / "late").write_text("words")
        (disk / "nameless").rename(disk / "renamed")
        cut.step()

    with cut.watching(), pytest.raises(PowerCut):
        work()
    cut.after_cut(tmp_path / "left")
    assert {path.name: path.read_text() for path in (tmp_path / "left").iterdir()} == {
        "unsynced": "",
        "nameless": "words",
    }
    cut.after_kill(tmp_path / "killed")
    assert {path.name for path in (tmp_path / "killed").iterdir()} == {"unsynced", "renamed", "late"}
