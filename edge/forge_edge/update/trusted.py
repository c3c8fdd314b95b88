"""Which releases this room shall have: what the site's people approved and the hub chose, and nothing else.

Two TUF repositories are read (Uptane's shape): *images*, signed by people off the hub, and this room's *director*,
signed by the hub. A release counts only where both name the same bytes. Whatever is refused leaves what runs as it is:
expired metadata stop installs and never inference.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, get_args

from tuf.api.exceptions import DownloadError, RepositoryError
from tuf.api.metadata import TargetFile
from tuf.ngclient import FetcherInterface, Updater

from forge_edge.errors import UpdateRefusedError, UpdateUnreachableError
from forge_shared.clock import Clock
from forge_shared.files import replace
from forge_shared.releases import ReleaseRole

IMAGES: Final = "images"
DIRECTOR: Final = "director"
_FLOOR: Final = "trusted-until"
"""File with the latest time at which metadata were trusted: a clock that is behind it is wrong."""
_ROLES: Final[tuple[ReleaseRole, ...]] = get_args(ReleaseRole)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A release that both repositories name.

    Attributes:
        target: Its TUF target path.
        role: What it does in the room.
        version: As it calls itself.
        counter: Its release counter.
        length: Bytes of the packed release.
        sha256: Digest of them.
        rollout: On whose behalf: id of a roll-out, or "manual".
        hardware: Profiles of machines that it was made for.
    """

    target: str
    role: ReleaseRole
    version: str
    counter: int
    length: int
    sha256: str
    rollout: str
    hardware: tuple[str, ...] = ()


class TrustedReleases:
    """Reads both repositories. Blocks on the network; one caller at a time.

    Args:
        folder: Where metadata are remembered.
        roots: The first root of each repository by its name, as the node was given them when it was enrolled.
        fetcher: Brings files of a repository by address.
        addresses: Returns the address of a repository's folder by its name.
        clock: The machine's clock.
    """

    def __init__(
        self,
        folder: Path,
        roots: Mapping[str, bytes],
        fetcher: FetcherInterface,
        addresses: Callable[[str], str],
        clock: Clock,
    ) -> None:
        self._folder = folder
        self._roots = roots
        self._fetcher = fetcher
        self._addresses = addresses
        self._clock = clock

    def wanted(self) -> Mapping[ReleaseRole, Wanted]:
        """Return what this room shall have, by role; without an entry that is what came with the node.

        Raises:
            UpdateRefusedError: Metadata are not trusted, the two repositories disagree, or the clock is behind what it
                was; ``reason`` says which.
            UpdateUnreachableError: The hub cannot be reached, or gave out something incomplete.
        """
        now = self._clock.now()
        if now < self._floor():
            raise UpdateRefusedError("clock-behind")
        images, director = self._updater(IMAGES), self._updater(DIRECTOR)
        try:
            images.refresh()
            director.refresh()
            found = {}
            for target in _named(director):
                directed = director.get_targetinfo(target)
                image = images.get_targetinfo(target)
                each = _agreed(target, image, directed)
                if each.role in found:
                    raise UpdateRefusedError("two-for-one-role")
                found[each.role] = each
        except DownloadError:
            raise UpdateUnreachableError("the hub's releases cannot be fetched") from None
        except RepositoryError as error:
            raise UpdateRefusedError(f"metadata-{type(error).__name__.removesuffix('Error').lower()}") from None
        # Before the floor: what was believed is what later metadata must not fall behind, after a power cut too.
        for name in (IMAGES, DIRECTOR):
            _sync(self._folder / name)
        replace(self._folder / _FLOOR, now.isoformat().encode(), mode=0o600)
        return found

    def _updater(self, name: str) -> Updater:
        memory = self._folder / name
        memory.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            return Updater(
                str(memory),
                f"{self._addresses(name)}/metadata/",
                fetcher=self._fetcher,
                bootstrap=self._roots[name],
            )
        except RepositoryError as error:
            raise UpdateRefusedError(f"root-{type(error).__name__.removesuffix('Error').lower()}") from None

    def _floor(self) -> datetime:
        try:
            return datetime.fromisoformat((self._folder / _FLOOR).read_text())
        except (OSError, ValueError):
            return datetime.min.replace(tzinfo=UTC)


def versions(folder: Path) -> Mapping[str, int]:
    """Return the versions of the sets of releases that were believed last, by the repository's name.

    Below them nothing is believed any more, as after a restore of the hub from a backup: docs/updates.md.

    Args:
        folder: Where metadata are remembered.
    """
    found = {}
    for name in (IMAGES, DIRECTOR):
        try:
            found[name] = int(json.loads((folder / name / "targets.json").read_bytes())["signed"]["version"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def _sync(memory: Path) -> None:
    """Ask the disk to keep what ngclient has written; it does not itself."""
    for path in [*memory.rglob("*.json"), memory / "root_history", memory]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _named(director: Updater) -> list[str]:
    """Return the targets that the director names: ngclient looks one up, and a room does not know what to ask for."""
    return sorted(director._trusted_set.targets.targets)  # noqa: SLF001 (ngclient 7 has no other way)


def _agreed(target: str, image: TargetFile | None, directed: TargetFile | None) -> Wanted:
    if image is None or directed is None:
        raise UpdateRefusedError("not-approved")
    if (image.length, image.hashes) != (directed.length, directed.hashes):
        raise UpdateRefusedError("repositories-disagree")
    said: Mapping[str, Any] = image.custom or {}
    chosen: Mapping[str, Any] = directed.custom or {}
    try:
        role = next(each for each in _ROLES if each == said["role"])
        return Wanted(
            target=target,
            role=role,
            version=str(said["version"]),
            counter=int(said["release_counter"]),
            length=image.length,
            sha256=image.hashes["sha256"],
            rollout=str(chosen.get("rollout", "manual")),
            hardware=tuple(str(each) for each in said.get("hardware", ())),
        )
    except (KeyError, StopIteration, TypeError, ValueError):
        raise UpdateRefusedError("release-not-understood") from None
