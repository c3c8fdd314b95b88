"""Where releases lie on a node: an active and an inactive slot for each role, and what became of each.

What is true stands in one small file that is replaced whole; a release's folder gets its name only once every file of
it is on the disk. So a kill or a power cut at any point leaves a node that starts with what it had. The last release
that did well is never deleted before another has done well.
"""

import json
import os
import shutil
import tarfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ValidationError

from forge_edge.errors import UpdateRefusedError
from forge_shared.files import replace as replace_file
from forge_shared.logs import get_logger
from forge_shared.releases import MANIFEST, Manifest, ReleaseRole

MODELS: Final = "models"
"""Name of the slots' folder in the node's state folder."""
STATE: Final = "state.json"
MOST_QUARANTINED: Final = 50
"""How many failed releases are remembered of a role; the oldest go. Ours."""

Outcome = Literal["on-trial", "committed", "rolled-back", "refused"]

log = get_logger()


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a release, as it is to be told; fields as in `forge_shared.events.ReleaseChanged`."""

    outcome: Outcome
    release: str
    release_version: str | None
    sha256: str | None
    rollout: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Serving:
    """A release that serves: where its files lie, what it is, and whether it does so on trial."""

    folder: Path
    manifest: Manifest
    is_on_trial: bool


@dataclass(frozen=True, slots=True)
class RoleState:
    """What a role runs. Digests are SHA-256 of packed releases.

    Attributes:
        good: The last release that did well; None: the one that came with the node.
        trial: The one that serves on trial; None: no trial.
        trial_starts: How often the node has started during this trial.
        trial_target: TUF target path of the trial; None: none is, or an older node began it.
        trial_version: Version of the trial; None: as for `trial_target`.
        trial_seconds: For how long the trial's release has served and worked, as far as it was written.
        rollout: On whose behalf the trial is.
        quarantined: Digests that failed here with the reason, the newest last; they are not taken again.
        untold: What became of releases and has not been told yet: it is written with what it tells of.
        answered: Digests that are not taken again, each with a roll-out that was told so, the newest last.
    """

    good: str | None = None
    trial: str | None = None
    trial_starts: int = 0
    rollout: str | None = None
    quarantined: tuple[tuple[str, str], ...] = ()
    untold: tuple[Change, ...] = ()
    answered: tuple[tuple[str, str], ...] = ()
    trial_target: str | None = None
    trial_version: str | None = None
    trial_seconds: float = 0.0

    @property
    def active(self) -> str | None:
        """What serves now; None: what came with the node."""
        return self.trial if self.trial is not None else self.good

    def began(self, digest: str, rollout: str, *, target: str | None = None, version: str | None = None) -> "RoleState":
        """Return the state in which a release serves on trial."""
        begun = replace(self, trial=digest, trial_target=target, trial_version=version)
        return replace(begun, trial_starts=0, trial_seconds=0.0, rollout=rollout)

    def started(self) -> "RoleState":
        """Return the state after a start of the node."""
        return replace(self, trial_starts=self.trial_starts + 1) if self.trial is not None else self

    def served(self, seconds: float) -> "RoleState":
        """Return the state in which the trial's release has served for so long."""
        return replace(self, trial_seconds=seconds)

    def committed(self) -> "RoleState":
        """Return the state after a trial that went well."""
        return replace(self.withdrawn(), good=self.trial)

    def failed(self, reason: str) -> "RoleState":
        """Return the state after a trial that did not: back to what did well, and never this one again."""
        if self.trial is None:
            return self
        return self.withdrawn().refused(self.trial, reason).answering(self.trial, self.rollout or "manual")

    def withdrawn(self) -> "RoleState":
        """Return the state after a trial that was ended without a verdict: what did well serves again."""
        ended = replace(self, trial=None, trial_target=None, trial_version=None)
        return replace(ended, trial_starts=0, trial_seconds=0.0, rollout=None)

    def bare(self) -> "RoleState":
        """Return the state in which what came with the node serves."""
        return replace(self.withdrawn(), good=None)

    def telling(self, *changes: Change) -> "RoleState":
        """Return the state with something more to tell."""
        return replace(self, untold=(*self.untold, *changes)[-MOST_QUARANTINED:])

    def told(self) -> "RoleState":
        """Return the state after everything was told."""
        return replace(self, untold=())

    def refused(self, digest: str, reason: str) -> "RoleState":
        """Return the state in which a release is not taken again."""
        others = tuple(each for each in self.quarantined if each[0] != digest)
        return replace(self, quarantined=(*others, (digest, reason))[-MOST_QUARANTINED:])

    def answering(self, digest: str, rollout: str) -> "RoleState":
        """Return the state in which a roll-out is told that a release is not taken again; the same where it may be."""
        if not self.is_quarantined(digest):
            return self
        others = tuple(each for each in self.answered if each != (digest, rollout))
        return replace(self, answered=(*others, (digest, rollout))[-MOST_QUARANTINED:])

    def has_answered(self, digest: str, rollout: str) -> bool:
        """Tell whether a roll-out was told that a release is not taken again."""
        return self.is_quarantined(digest) and (digest, rollout) in self.answered

    def why_quarantined(self, digest: str) -> str | None:
        """Return why a release is not taken again; None: it is no such release."""
        return next((reason for each, reason in self.quarantined if each == digest), None)

    def is_quarantined(self, digest: str) -> bool:
        """Tell whether a release failed here before."""
        return self.why_quarantined(digest) is not None


class Slots:
    """The releases of a node on its disk. One caller at a time, but that `put_in` may go on beside the others.

    Args:
        folder: ``models`` in the node's state folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._inactive: dict[str, str] = {}
        self._states = _read(folder)
        self._tidy()

    def state(self, role: ReleaseRole) -> RoleState:
        """Return what a role runs."""
        return self._states.get(role, RoleState())

    def set(self, role: ReleaseRole, state: RoleState) -> None:
        """Make a state true, durably, and delete what no state names any more.

        Raises:
            OSError: It could not be written; the state before holds.
        """
        self.set_all({role: state})

    def set_all(self, changed: Mapping[ReleaseRole, RoleState]) -> None:
        """As `set`, for several roles at once.

        Raises:
            OSError: It could not be written; the states before hold.
        """
        states = {**self._states, **{str(role): state for role, state in changed.items()}}
        content = {name: asdict(each) for name, each in states.items()}
        replace_file(self._folder / STATE, json.dumps(content, indent=1, sort_keys=True).encode(), mode=0o600)
        self._states = states
        for role, state in changed.items():
            if self._inactive.get(role) == state.active:
                self._inactive.pop(role, None)
        self._tidy()

    def let_go(self, role: ReleaseRole) -> None:
        """Delete what was put in and does not serve."""
        self._inactive.pop(role, None)
        self._tidy()

    def place(self, role: ReleaseRole, digest: str) -> Path:
        """Return the folder of a release that was put in."""
        return self._folder / role / digest

    def active(self, role: ReleaseRole) -> Path | None:
        """Return the folder of what serves; None: what came with the node.

        A release whose folder is gone (a disk that was repaired) gives way to what did well before it.
        """
        found = self.serving(role)
        return None if found is None else found.folder

    def serving(self, role: ReleaseRole) -> Serving | None:
        """Return what serves; None: what came with the node."""
        return _serving(self._folder, role, self.state(role))

    def put_in(self, role: ReleaseRole, digest: str, packed: Path) -> Manifest:
        """Unpack a verified release into the inactive slot and return its manifest.

        Raises:
            UpdateRefusedError: It is no release, of another role, or holds anything but the files that it lists.
            OSError: It could not be written.
        """
        self._inactive[role] = digest
        final = self.place(role, digest)
        if (final / MANIFEST).is_file():
            # It may be what serves. Whatever has its name is whole: it gets it last and loses it first.
            return Manifest.model_validate_json((final / MANIFEST).read_bytes())
        growing = final.with_name(f".{digest}")
        shutil.rmtree(growing, ignore_errors=True)
        growing.mkdir(mode=0o700, parents=True)
        manifest = _unpack(packed, growing)
        if manifest.role != role:
            shutil.rmtree(growing)
            raise UpdateRefusedError("another-role")
        for path in [*growing.rglob("*"), growing]:
            _sync(path)
        growing.rename(final)
        _sync(final.parent)
        return manifest

    def _tidy(self) -> None:
        """Delete folders that no state names: what was half unpacked, and what has been superseded.

        What cannot be deleted now is tried again at the next change.
        """
        try:
            self._delete_unnamed()
        except OSError:
            log.exception("releases.not-tidied")

    def _delete_unnamed(self) -> None:
        for role in (path for path in self._folder.iterdir() if path.is_dir()):
            # Listed first: a release that another thread puts in now is named before it is there.
            slots = list(role.iterdir())
            state = self._states.get(role.name, RoleState())
            inactive = self._inactive.get(role.name)
            for slot in slots:
                if slot.name not in {state.good, state.trial, inactive, f".{inactive}"}:
                    gone = slot.with_name(f".{slot.name.strip('.').removesuffix('.gone')}.gone")
                    if slot != gone:
                        shutil.rmtree(gone, ignore_errors=True)
                        slot.rename(gone)
                    shutil.rmtree(gone, ignore_errors=True)


def serving(folder: Path, role: ReleaseRole) -> Serving | None:
    """Return what serves a role, for who only reads: the room's children.

    Args:
        folder: ``models`` in the node's state folder.
        role: Which one.
    """
    return _serving(folder, role, _read(folder).get(role, RoleState()))


def _serving(folder: Path, role: ReleaseRole, state: RoleState) -> Serving | None:
    for digest in (state.trial, state.good):
        if digest is None:
            continue
        place = folder / role / digest
        try:
            manifest = Manifest.model_validate_json((place / MANIFEST).read_bytes())
        except (OSError, ValidationError):
            continue
        return Serving(place, manifest, is_on_trial=digest == state.trial)
    return None


def _read(folder: Path) -> dict[str, RoleState]:
    try:
        content: Mapping[str, Any] = json.loads((folder / STATE).read_bytes())
        return {
            role: RoleState(
                good=each["good"],
                trial=each["trial"],
                trial_starts=int(each["trial_starts"]),
                rollout=each["rollout"],
                quarantined=tuple((str(digest), str(reason)) for digest, reason in each["quarantined"]),
                untold=tuple(Change(**change) for change in each.get("untold", ())),
                answered=tuple((str(digest), str(rollout)) for digest, rollout in each.get("answered", ())),
                trial_target=each.get("trial_target"),
                trial_version=each.get("trial_version"),
                trial_seconds=float(each.get("trial_seconds", 0.0)),
            )
            for role, each in content.items()
        }
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # What came with the node serves; the hub sends the rest again.
        log.exception("releases.state-unreadable")
        return {}


def _unpack(packed: Path, into: Path) -> Manifest:
    """Unpack the files that the manifest lists, each checked by name and size; digests follow from the whole's."""
    try:
        with tarfile.open(packed, mode="r:") as tar:
            first = tar.next()
            if first is None or first.name != MANIFEST or not first.isreg():
                raise UpdateRefusedError("no-manifest")
            manifest = Manifest.model_validate_json(_content(tar, first))
            wanted = {file.path: file.bytes for file in manifest.files}
            (into / MANIFEST).write_bytes(_content(tar, first))
            while (entry := tar.next()) is not None:
                if not entry.isreg() or wanted.pop(entry.name, None) != entry.size:
                    raise UpdateRefusedError("unlisted-file")
                path = into / entry.name
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                source = tar.extractfile(entry)
                assert source is not None, "a regular file has content"  # noqa: S101 (for the type checker)
                with path.open("wb") as file:
                    shutil.copyfileobj(source, file)
    except (tarfile.TarError, ValidationError):
        raise UpdateRefusedError("no-release") from None
    if wanted:
        raise UpdateRefusedError("missing-file")
    return manifest


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    source = tar.extractfile(entry)
    return source.read() if source is not None else b""


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
