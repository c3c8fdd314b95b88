"""Ends a node's updater at points by chance, and counts the nodes that do not start and serve afterwards.

    python benchmarks/update_kills.py [--times N] [--seed N] [--way WAY]

Four ways: killed at a step, without what was not synced, with some of it, and ``kill -9`` of a process of its own while
it fetches, proves, switches and tries. One JSON line for each; ``failed`` must be 0.
"""

import argparse
import asyncio
import json
import logging
import random
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import structlog
from tests.fakes.cut_power import CutDisk, PowerCut
from tests.fakes.releases import Site
from tests.fakes.updating_life import live, make_site, starts_and_serves, takes_the_next

TIMES, SEED = 20, 20
LIVES = 2
"""Ends of one disk, before a fresh one: what did badly is never taken again, and in the end nothing is left to take."""


def main() -> None:
    """Run all four ways."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=TIMES, help=f"points of each way (default: {TIMES})")
    parser.add_argument("--seed", type=int, default=SEED, help=f"default: {SEED}")
    parser.add_argument("--way", choices=[*WAYS, "kill-9"], help="only this one")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with tempfile.TemporaryDirectory() as folder:
        site = make_site(Path(folder) / "site")
        for way, left in WAYS.items():
            if options.way in (None, way):
                _say(way, options, _cut_lives(site, Path(folder) / way, options.seed, options.times, left))
        if options.way in (None, "kill-9"):
            _say("kill-9", options, _killed_lives(site, Path(folder) / "kill-9", options.seed, options.times))


def _say(way: str, options: argparse.Namespace, served: list[str | None]) -> None:
    failed = served.count("failed")
    released = len(served) - failed - served.count(None)
    print(
        json.dumps(
            {
                "figure": "a node whose updater ends at a point by chance",
                "way": way,
                "seed": options.seed,
                "points": len(served),
                "failed": failed,
                "served_a_release": released,
                "served_what_came_with_the_node": served.count(None),
            }
        ),
        flush=True,
    )


def _cut_lives(
    site: Site, folder: Path, seed: int, times: int, left: Callable[[CutDisk, Path, random.Random], None]
) -> list[str | None]:
    chance, served, disk = random.Random(seed), [], folder
    for number in range(times):
        if number % LIVES == 0:
            disk = folder / f"fresh-{number}"
            disk.mkdir(parents=True)
        cut = CutDisk(disk, cut_at=chance.randint(1, 250))
        with cut.watching():
            try:
                asyncio.run(live(site, disk, chance.randrange(1000), cut.step))
            except PowerCut:
                disk = folder / f"left-{number}"
        left(cut, disk, chance)
        served.append(_served(site, disk))
    return served


def _killed_lives(site: Site, folder: Path, seed: int, times: int) -> list[str | None]:
    chance, served, disk = random.Random(seed), [], folder
    for number in range(times):
        if number % LIVES == 0:
            disk = folder / f"fresh-{number}"
            disk.mkdir(parents=True)
        command = [sys.executable, "-m", "tests.fakes.updating_life", str(site.folder.parent), str(disk), str(number)]
        node = subprocess.Popen([*command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert node.stdout is not None
        node.stdout.readline()  # it has started
        time.sleep(chance.uniform(0, 0.5))
        node.send_signal(signal.SIGKILL)
        node.wait()
        node.stdout.close()
        served.append(_served(site, disk))
    return served


def _served(site: Site, disk: Path) -> str | None:
    try:
        serves = starts_and_serves(site, disk)
        asyncio.run(takes_the_next(site, disk))
    except Exception as error:  # noqa: BLE001 (whatever keeps a node from serving is what is counted)
        traceback.print_exception(error)
        return "failed"
    return serves


WAYS: dict[str, Callable[[CutDisk, Path, random.Random], None]] = {
    "killed": lambda cut, to, _: cut.after_kill(to),
    "unsynced-lost": lambda cut, to, _: cut.after_cut(to),
    "unsynced-by-chance": lambda cut, to, chance: cut.after_cut(to, chance),
}

if __name__ == "__main__":
    main()
