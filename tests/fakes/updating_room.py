"""A room that takes releases from a site over a wire that a test can tamper with, and what it serves meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.fakes.releases import Site, write_release
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface

from forge_edge.errors import UpdateUnreachableError
from forge_edge.update.fetching import CHUNK_BYTES
from forge_edge.update.roots import Roots
from forge_edge.update.slots import MODELS, Change, Slots, serving
from forge_edge.update.trusted import TrustedReleases, Wanted
from forge_edge.updating.parts import Pace, Parts
from forge_edge.updating.ports import Measured, Need
from forge_edge.updating.updater import Updater
from forge_hub.releases.catalogue import Wish
from forge_shared.clock import Clock, SystemClock
from forge_shared.releases import Manifest, ReleaseRole
from forge_shared.wire import RoomRelease

NODE = "room-1"
ROLE: ReleaseRole = "pose"
QUICK = Pace(look=3600.0, retry=(0.01, 0.05), quiet=0.0, overdue=3600.0, withdraw=0.2, step=0.01)


@dataclass
class Wire(FetcherInterface):
    """What the hub gives out to one room, as files of the site's folder.

    Attributes:
        alter: Returns what arrives instead of a file, by its path below the releases; None: nothing does.
        given: Bytes of releases that were ever given out.
        piece: Bytes that arrive at once of a release.
        is_cut: Whether nothing comes at all.
        on_piece: Called before each piece arrives.
    """

    site: Site
    alter: Callable[[str, bytes], bytes | None] = lambda _, content: content
    given: int = 0
    piece: int = CHUNK_BYTES
    is_cut: bool = False
    on_piece: Callable[[], None] = lambda: None

    def content(self, path: str) -> bytes | None:
        place = path
        if path.startswith("director/"):
            name = path.rsplit("/", 1)[-1]
            place = f"director/{'root' if name.endswith('.root.json') else f'nodes/{NODE}'}/metadata/{name}"
        try:
            content = (self.site.folder / place).read_bytes()
        except OSError:
            return None
        return self.alter(path, content)

    def read(self, path: str, offset: int = 0) -> Iterator[bytes]:
        content = None if self.is_cut else self.content(path)
        if content is None:
            raise UpdateUnreachableError("nothing comes")
        for start in range(offset, len(content), self.piece):
            if self.is_cut:
                raise UpdateUnreachableError("the line broke")
            piece = content[start : start + self.piece]
            self.given += len(piece)
            self.on_piece()
            yield piece

    def _fetch(self, url: str) -> Iterator[bytes]:
        content = None if self.is_cut else self.content(urlsplit(url).path.lstrip("/"))
        if content is None:
            raise DownloadHTTPError("there is no such file", 404)
        return iter([content])


@dataclass
class FakeRoom:
    """A room whose people, faults and measurements a test decides."""

    folder: Path
    need: Need | None = None
    needs: dict[ReleaseRole, Need] = field(default_factory=dict)
    obstacles: dict[ReleaseRole, str] = field(default_factory=dict)
    shown: Measured = field(default_factory=Measured)
    told: list[tuple[ReleaseRole, Change]] = field(default_factory=list)
    serves: str | None = None
    switches: list[str | None] = field(default_factory=list)
    reports: int = 0
    asked: int = 0
    """How often a switch was asked for that had to wait."""
    on_tell: Callable[[], object] = lambda: None

    def needed(self, role: ReleaseRole) -> Need | None:
        return self.needs.get(role, self.need)

    def obstacle(self, role: ReleaseRole) -> str | None:
        return self.obstacles.get(role)

    async def switch(self, role: ReleaseRole, change: Callable[[], None], *, at_once: bool) -> bool:
        if self.needed(role) is not None and not at_once:
            self.asked += 1
            return False
        await asyncio.to_thread(change)
        self.start(role)
        return True

    async def tell(self, role: ReleaseRole, change: Change) -> None:
        self.on_tell()
        await asyncio.sleep(0)
        self.told.append((role, change))

    def measured(self, role: ReleaseRole) -> Measured:
        del role
        return self.shown

    def report(self) -> None:
        self.reports += 1

    def start(self, role: ReleaseRole = ROLE) -> None:
        """Start the child that serves a role: it reads what is active, as the real ones do."""
        found = serving(self.folder / MODELS, role)
        self.serves = None if found is None else found.manifest.target
        self.switches.append(self.serves)
        self.shown = Measured()


class Believes:
    """Proves whatever it is given; or refuses it, or waits."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.proved: list[str] = []

    async def prove(self, folder: Path, manifest: Manifest) -> None:
        del folder
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        self.proved.append(manifest.target)


@dataclass
class RoomNode:
    """A node with its updater; `restarted` gives the one that is started again on the same disk."""

    folder: Path
    wire: Wire
    clock: Clock = field(default_factory=SystemClock)
    hardware: str | None = "x86"
    pace: Pace = QUICK
    celsius: float | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.room = FakeRoom(self.folder)
        self.prover = Believes()
        self.slots = Slots(self.folder / MODELS)
        self.updater = Updater(
            Parts(
                folder=self.folder,
                slots=self.slots,
                look=self._look,
                source=self.wire,
                hang_up=lambda: None,
                prover=self.prover,
                room=self.room,
                clock=self.clock,
                hardware=self.hardware,
                pace=self.pace,
            ),
            hottest=lambda: self.celsius,
        )

    def _look(self) -> Mapping[ReleaseRole, Wanted]:
        roots = Roots(self.folder / "roots", self.wire.read)
        trusted = TrustedReleases(
            self.folder / "trusted", roots.pinned(), self.wire, "http://hub/{}".format, SystemClock()
        )
        return trusted.wanted()

    async def look(self) -> None:
        """Look once, and let what is ready serve."""
        await self.updater.look()
        await self.updater.switch_ready()

    async def start(self) -> None:
        """Start as the node does: count the start, then the children."""
        await self.updater.prepare()
        self.room.start()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["RoomNode"]:
        """Let the updater run as a task of the node."""
        await self.start()
        task = asyncio.create_task(self.updater.run())
        try:
            yield self
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def restarted(self) -> "RoomNode":
        return RoomNode(self.folder, self.wire, self.clock, self.hardware, self.pace, self.celsius)

    @property
    def line(self) -> RoomRelease | None:
        return next((line for line in self.updater.releases if line.role == ROLE), None)

    @property
    def outcomes(self) -> list[tuple[str, str | None]]:
        return [(change.outcome, change.reason) for _, change in self.room.told]


async def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


def published(site: Site, folder: Path, version: str, counter: int) -> str:
    """Publish a release of `ROLE`; return its target."""
    return site.publish(write_release(folder / f"release-{version}", version=version, counter=counter))


def published_voice(site: Site, folder: Path) -> str:
    """Publish a release of another role; return its target."""
    release = write_release(folder / "voice", name="voice")
    manifest = json.loads((release / "manifest.json").read_text())
    (release / "manifest.json").write_text(json.dumps({**manifest, "role": "voice"}))
    return site.publish(release)


def direct(site: Site, *targets: str, rollout: str = "rollout-7") -> None:
    """Name all that the room shall have."""
    site.catalogue.direct(NODE, [Wish(target, rollout) for target in targets])
