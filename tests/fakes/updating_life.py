"""The life of a room's updater, at speed: releases come, do well, do badly, are withdrawn; and what must hold after it.

As a program it lives until it is killed: ``python -m tests.fakes.updating_life SITE NODE SEED``.
"""

import asyncio
import hashlib
import random
import sys
from collections.abc import Callable
from pathlib import Path

from tests.fakes.clock import FakeClock
from tests.fakes.releases import Site, write_release
from tests.fakes.updating_room import NODE, ROLE, RoomNode, Wire

from forge_edge.errors import UpdateRefusedError
from forge_edge.update.slots import MODELS, Slots, serving
from forge_edge.updating.ports import Measured
from forge_edge.updating.trials import KEEP_SECONDS
from forge_hub.releases.catalogue import Catalogue, Wish
from forge_shared.clock import SystemClock
from forge_shared.releases import MANIFEST, Manifest

RELEASES = 6


def make_site(folder: Path) -> Site:
    """Make a site with some releases."""
    site = Site.begun(folder / "releases", SystemClock())
    for number in range(1, RELEASES + 1):
        site.catalogue.add(write_release(folder / f"release-{number}", version=f"{number}.0.0", counter=number))
    for signer in site.approvers:
        site.catalogue.approve(signer)
    site.catalogue.publish()
    direct(site, f"fall-pose-{RELEASES}.0.0.tar")
    return site


def direct(site: Site, *targets: str) -> None:
    site.catalogue.direct(NODE, [Wish(target, "manual") for target in targets])


async def live(
    site: Site, folder: Path, seed: int, on_piece: Callable[[], None], on_start: Callable[[], None] = lambda: None
) -> None:
    """Start, and let releases come and go, for ever."""
    chance, clock = random.Random(seed), FakeClock()
    wire = Wire(site, piece=1024, on_piece=on_piece)
    node = RoomNode(folder, wire, clock)
    await node.start()
    on_start()
    while True:
        direct(site, f"fall-pose-{chance.randint(1, RELEASES)}.0.0.tar")
        node.prover.error = UpdateRefusedError("golden-differs") if chance.random() < 0.1 else None
        await node.look()
        await node.updater.trials.look()
        clock.advance(KEEP_SECONDS)
        await node.updater.trials.look()
        match chance.choice(("well", "well", "badly", "withdrawn")):
            case "well":
                clock.advance(3601)
            case "badly":
                node.room.shown = Measured(faults=1)
            case "withdrawn":
                direct(site)
                await node.look()
        await node.updater.trials.watch(ROLE)


def starts_and_serves(site: Site, folder: Path) -> str | None:
    """Start a node on a disk as it was left, as its core and its children do; return what it serves.

    Raises:
        AssertionError: It does not start, or serves what is not whole.
    """
    node = RoomNode(folder, Wire(site), FakeClock())
    asyncio.run(node.start())
    found = serving(folder / MODELS, ROLE)
    if found is None:
        assert node.room.serves is None
        assert Slots(folder / MODELS).state(ROLE).active is None, "a release is named that is not there"
        return None
    manifest = Manifest.model_validate_json((found.folder / MANIFEST).read_bytes())
    for file in manifest.files:
        assert hashlib.sha256((found.folder / file.path).read_bytes()).hexdigest() == file.sha256, file.path
    assert not Slots(folder / MODELS).state(ROLE).is_quarantined(found.folder.name)
    return manifest.target


async def takes_the_next(site: Site, folder: Path) -> None:
    """Let the node on a disk as it was left take a release that it was not told of before."""
    direct(site, f"fall-pose-{RELEASES}.0.0.tar")
    node = RoomNode(folder, Wire(site), FakeClock())
    await node.start()
    await node.look()
    assert node.room.serves == f"fall-pose-{RELEASES}.0.0.tar" or node.line is not None


def _say_at_work() -> None:
    sys.stdout.write("at work\n")
    sys.stdout.flush()


if __name__ == "__main__":
    place = Path(sys.argv[1])
    killed = Site(place / "releases", Catalogue(place / "releases", SystemClock()), [], [])
    asyncio.run(live(killed, Path(sys.argv[2]), int(sys.argv[3]), lambda: None, _say_at_work))
