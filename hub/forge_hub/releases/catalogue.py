"""The two repositories of a site, in Uptane's shape.

**Images**: which releases exist, signed by people whose keys are never on the hub; two of them for each. **Director**:
which of them each room shall have, signed by the hub, a repository for each room. A room installs only what both name,
so who steals the hub's key can choose among approved releases and nothing else.

Source: Uptane Standard 2.1.0, sections 5.2 and 5.3.
"""

import fcntl
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from securesystemslib.signer import CryptoSigner, Key, Signer
from tuf.api.metadata import TargetFile

from forge_hub.errors import ReleaseError
from forge_hub.releases.approval import Approval, digest, read_document
from forge_hub.releases.keys import online_key
from forge_hub.releases.package import Release, pack, packed_manifest, read_release
from forge_hub.releases.repository import Repository, RoleKeys
from forge_shared.clock import Clock
from forge_shared.releases import Manifest
from forge_shared.topics import is_name

APPROVALS: Final = 2
"""People who must sign a release. Ours: one alone, or one stolen key, puts nothing into a room."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a room shall have in one role, and on whose behalf: ``rollout`` is its id, or "manual"."""

    target: str
    rollout: str


class Catalogue:
    """The releases of a site and what each room shall have. Blocks on the disk.

    Threads and processes may change the set of releases at once: each waits for the one before. What the rooms are
    told is one process's.

    Args:
        folder: ``releases`` in the hub's state folder.
        clock: Dates what is signed.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self.images = Repository(folder / "images", clock)
        self._packed = folder / "images" / "targets"

    def begin(self, root: Sequence[Key], root_threshold: int, approvers: Sequence[Key]) -> None:
        """Stage both first roots with the keys of the site's people and the hub's own.

        Raises:
            ReleaseError: It was begun before, or there are too few keys.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        online = self._online().public_key
        self.images.create(RoleKeys(root, root_threshold, approvers, APPROVALS, online))
        self._director_root().create(RoleKeys(root, root_threshold, [online], 1, online))

    def sign_roots(self, signer: Signer) -> int:
        """Add a root person's signature to both staged roots; return how many are still missing.

        Raises:
            ReleaseError: Nothing is staged, or the key has no say.
        """
        return max(self.images.sign("root", signer), self._director_root().sign("root", signer))

    def add(self, folder: Path) -> Manifest:
        """Check a release, pack it and stage it for approval.

        Raises:
            ReleaseError: It is not what its manifest says, or not newer than the newest of its name.
            OSError: It could not be written.
        """
        release = read_release(folder)
        with self._alone():
            return self._add(release)

    def _add(self, release: Release) -> Manifest:
        manifest = release.manifest
        wanted = dict(self._wanted())
        counters = [
            _custom(target)["release_counter"] for target in wanted.values() if _custom(target)["name"] == manifest.name
        ]
        if manifest.release_counter <= max(counters, default=0):
            raise ReleaseError(
                f"release_counter {manifest.release_counter} of {manifest.name} is not above {max(counters)}"
            )
        self._packed.mkdir(mode=0o755, parents=True, exist_ok=True)
        packed = pack(release, self._packed)
        target = TargetFile.from_file(manifest.target, str(packed), ["sha256"])
        target.unrecognized_fields["custom"] = {
            "name": manifest.name,
            "version": manifest.version,
            "role": manifest.role,
            "hardware": list(manifest.hardware),
            "release_counter": manifest.release_counter,
        }
        # Consistent snapshots: rooms ask for the file by its digest.
        packed.rename(packed.with_name(f"{target.hashes['sha256']}.{packed.name}"))
        self.images.stage_targets({**wanted, manifest.target: target})
        return manifest

    def withdraw(self, target: str) -> None:
        """Stage the set without a release. It takes the same approvals, so that nobody alone can empty a site.

        Raises:
            ReleaseError: There is no such release.
        """
        with self._alone():
            wanted = dict(self._wanted())
            if target not in wanted:
                raise ReleaseError(f"there is no release {target}")
            del wanted[target]
            self._restage(wanted)

    def take_back(self, target: str) -> None:
        """Undo what is staged for one release: an addition or a withdrawal that is not published yet.

        Raises:
            ReleaseError: Nothing waits for this release.
        """
        with self._alone():
            published, wanted = self.images.targets(), dict(self._wanted())
            if wanted.get(target) == published.get(target):
                raise ReleaseError(f"nothing waits for {target}")
            staged = wanted.pop(target, None)
            if target in published:
                wanted[target] = published[target]
            self._restage(wanted)
            if staged is not None:
                self._file(target, staged).unlink(missing_ok=True)

    def approve(self, signer: Signer) -> int:
        """Add a person's approval to what is staged; return how many are still missing.

        Raises:
            ReleaseError: Nothing is staged, or the key has no say.
        """
        with self._alone():
            return self.images.sign("targets", signer)

    def attach(self, approval: Approval) -> int:
        """Add an approval that was signed on a person's own machine; return how many are still missing.

        Raises:
            ReleaseError: Nothing is staged, the key has no say, or it is over something else than what is staged.
        """
        with self._alone():
            document = self.images.staged_document()
            if document is None:
                raise ReleaseError("nothing waits for approval")
            signed = read_document(document)
            if (approval.version, approval.over) != (signed.signed.version, digest(signed.signed_bytes)):
                raise ReleaseError("what waits has changed since this was signed: download it anew and sign that")
            return self.images.attach(approval.signature)

    def publish(self) -> None:
        """Publish what is approved, sign the daily metadata anew, and delete packed releases that are no longer named.

        Raises:
            ReleaseError: Approvals are missing.
        """
        with self._alone():
            self.images.publish(self._online())
            named = {**self.images.targets(), **(self.images.staged_targets() or {})}
            kept = {self._file(target, found) for target, found in named.items()}
            for packed in self._packed.glob("*.tar"):
                if packed not in kept:
                    packed.unlink(missing_ok=True)

    @property
    def uploads(self) -> Path:
        """The folder for what is being uploaded; it may be emptied at any time."""
        return self._folder / "uploads"

    def packed(self, target: str) -> Path:
        """Return the packed file of a release that is published or waits.

        Raises:
            ReleaseError: There is no such release.
        """
        found = {**self.images.targets(), **(self.images.staged_targets() or {})}.get(target)
        if found is None:
            raise ReleaseError(f"there is no release {target}")
        return self._file(target, found)

    def direct(self, node: str, wishes: Sequence[Wish]) -> int:
        """Tell one room all the releases that it shall have, one a role; return the version of what it is told.

        A role that is not named goes back to the model that came with the node.

        Raises:
            ReleaseError: The node's name is none, a release is not published, or two are of one role.
        """
        if not is_name(node):
            raise ReleaseError("a node's name is lower-case letters, digits and hyphens, at most 63")
        published = self.images.targets()
        chosen: dict[str, TargetFile] = {}
        roles: set[str] = set()
        for wish in wishes:
            if wish.target not in published:
                raise ReleaseError(f"{wish.target} is not published")
            image = published[wish.target]
            role = str(_custom(image)["role"])
            if role in roles:
                raise ReleaseError(f"two releases for {role}: a room has one active")
            roles.add(role)
            chosen[wish.target] = TargetFile(
                image.length, dict(image.hashes), wish.target, {"custom": {**_custom(image), "rollout": wish.rollout}}
            )
        director, online = self.director(node), self._online()
        director.stage_targets(chosen, is_dated=True)
        director.sign("targets", online)
        director.publish(online)
        return director.targets_version

    def renew(self, nodes: Collection[str]) -> None:
        """Sign anew what holds for a day: of the images, and of the rooms' own parts. What waits goes on waiting.

        Raises:
            ReleaseError: The hub's key is not the one that the root names.
        """
        online = self._online()
        with self._alone():
            if self.images.targets_version:
                self.images.renew(online)
        for node in nodes:
            self.renew_director(node)

    def renew_director(self, node: str) -> None:
        """Sign anew what one room is told; nothing where it is told nothing.

        Raises:
            ReleaseError: The hub's key is not the one that the root names.
        """
        director, online = self.director(node), self._online()
        if director.targets_version:
            # All of it: a hub that was restored from a backup may have an older word than the room remembers.
            director.stage_targets(director.targets(), is_dated=True)
            director.sign("targets", online)
            director.publish(online)

    def manifest(self, target: str) -> Manifest:
        """Return what a published release says of itself.

        Raises:
            ReleaseError: It is not published, or its file is not there whole.
        """
        found = self.images.targets().get(target)
        if found is None:
            raise ReleaseError(f"{target} is not published")
        return packed_manifest(self._packed / f"{found.hashes['sha256']}.{target}")

    def director(self, node: str) -> Repository:
        """Return a room's own repository; it is made with the director's roots where there is none."""
        repository = Repository(self._folder / "director" / "nodes" / node, self._clock)
        roots = self._director_root().roots()
        if len(repository.roots()) != len(roots):
            repository.adopt(roots)
        return repository

    def forget(self, node: str) -> None:
        """Take away a room's repository: it was revoked."""
        shutil.rmtree(self._folder / "director" / "nodes" / node, ignore_errors=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the set of releases: the hub that serves and the command line may both change it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _restage(self, wanted: Mapping[str, TargetFile]) -> None:
        """Stage a set of releases; what is published needs no approval."""
        if wanted == self.images.targets():
            self.images.unstage_targets()
        else:
            self.images.stage_targets(wanted)

    def _file(self, target: str, found: TargetFile) -> Path:
        return self._packed / f"{found.hashes['sha256']}.{target}"

    def _director_root(self) -> Repository:
        return Repository(self._folder / "director" / "root", self._clock)

    def _wanted(self) -> Mapping[str, TargetFile]:
        staged = self.images.staged_targets()
        return self.images.targets() if staged is None else staged

    def _online(self) -> CryptoSigner:
        return online_key(self._folder / "online.pem")


def _custom(target: TargetFile) -> Mapping[str, Any]:
    custom: Mapping[str, Any] = target.custom or {}
    return custom
