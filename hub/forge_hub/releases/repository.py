"""One TUF repository in a folder: what is published, and what still lacks signatures.

``metadata/`` is what rooms read, with consistent snapshots; ``staged/`` holds root and targets while people sign them,
each at home with a key of their own. What is published is written in an order in which every moment is a whole
repository: targets, snapshot, and the timestamp last.

Source: The Update Framework specification 1.0.34, sections 5 and 6; built on python-tuf's metadata API.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal

from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Key, Signature, Signer
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, MetaFile, Role, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from forge_hub.errors import ReleaseError
from forge_shared.clock import Clock
from forge_shared.files import replace

SignedByPeople = Literal["root", "targets"]
Staged = Metadata[Root] | Metadata[Targets]

VALID: Final[Mapping[str, timedelta]] = {
    Root.type: timedelta(days=365),
    Targets.type: timedelta(days=365),
    Snapshot.type: timedelta(days=7),
    Timestamp.type: timedelta(days=1),
}
"""How long metadata hold. Ours: people sign once a year; a room that hears nothing new for a day installs nothing any
more, and goes on with what it has."""

KEPT: Final = 5
"""How many versions of targets and snapshot stay. Ours: who has read the timestamp asks for the rest at once, and four
renewals within those seconds are more than happen. All roots stay: a room that was away follows them one by one."""

TIMESTAMP: Final = "timestamp.json"
_MODE: Final = 0o644
_INDENTED: Final = JSONSerializer(compact=False)


@dataclass(frozen=True, slots=True)
class RoleKeys:
    """Who signs what, and how many of them must.

    Attributes:
        root: Public keys of those who may change keys; at least ``root_threshold`` of them sign together.
        targets: Public keys of those who approve releases.
        online: The hub's own key, for snapshot and timestamp.
    """

    root: Sequence[Key]
    root_threshold: int
    targets: Sequence[Key]
    targets_threshold: int
    online: Key


class Repository:
    """One TUF repository.

    Args:
        folder: Where it lives; made on `create`.
        clock: Dates what is signed.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._published = folder / "metadata"
        self._staged = folder / "staged"
        self._clock = clock

    @property
    def exists(self) -> bool:
        """Whether a root was published: then a room can begin to trust it."""
        return (self._published / "1.root.json").exists()

    def create(self, keys: RoleKeys) -> None:
        """Stage the first root; it is published once enough of the root's people have signed it.

        Raises:
            ReleaseError: There is a repository already, or fewer keys than signatures that are asked for.
        """
        if self.exists:
            raise ReleaseError("there is a repository of releases here already")
        self._stage(Metadata(self._root(keys, version=1)))

    def adopt(self, roots: Sequence[bytes]) -> None:
        """Publish roots that were signed for another repository of the same keys, the oldest first."""
        self._published.mkdir(mode=0o755, parents=True, exist_ok=True)
        for content in roots:
            root = Metadata[Root].from_bytes(content)
            replace(self._published / f"{root.signed.version}.root.json", content, mode=_MODE)

    def roots(self) -> list[bytes]:
        """Return every published root, the oldest first. The first is what a room is given to begin with."""
        found: list[bytes] = []
        while (path := self._published / f"{len(found) + 1}.root.json").exists():
            found.append(path.read_bytes())
        return found

    def root(self) -> Metadata[Root]:
        """Return the newest published root.

        Raises:
            ReleaseError: None is published yet.
        """
        roots = self.roots()
        if not roots:
            raise ReleaseError("the first root is not signed yet: see `forge-hub keys`")
        return Metadata[Root].from_bytes(roots[-1])

    def targets(self) -> Mapping[str, TargetFile]:
        """Return what is published, by target path."""
        published = self._newest_targets()
        return published.signed.targets if published is not None else {}

    def staged_targets(self) -> Mapping[str, TargetFile] | None:
        """Return what waits for signatures, by target path; None when nothing does."""
        staged = self._read_staged(Targets.type)
        return staged.signed.targets if staged is not None and isinstance(staged.signed, Targets) else None

    @property
    def targets_version(self) -> int:
        """The version of the published targets; 0: none are."""
        return self._version(Targets.type)

    def stage_targets(self, targets: Mapping[str, TargetFile], *, is_dated: bool = False) -> None:
        """Stage another set of targets. Signatures on what was staged before are void.

        Args:
            targets: By target path.
            is_dated: Whether the version is to be above any that a hub signed before it was restored from a backup;
                else it counts the sets that people have signed.
        """
        last = self.targets_version
        version = self._dated(last) if is_dated else last + 1
        self._stage(
            Metadata(Targets(version=version, expires=self._clock.now() + VALID[Targets.type], targets=dict(targets)))
        )

    def unstage_targets(self) -> None:
        """Forget what waits for signatures, and the signatures on it."""
        (self._staged / "targets.json").unlink(missing_ok=True)

    def staged_document(self) -> bytes | None:
        """Return the staged set of targets as the file that people sign; None when nothing waits."""
        path = self._staged / "targets.json"
        return path.read_bytes() if path.exists() else None

    def approvers(self) -> Sequence[tuple[Key, bool]]:
        """Return whose keys may sign targets, and whether each has signed what is staged.

        Raises:
            ReleaseError: No root is published yet.
        """
        root, staged = self.root().signed, self._read_staged(Targets.type)
        if staged is None:
            signed: Mapping[str, Key] = {}
        else:
            signed = root.get_verification_result(Targets.type, staged.signed_bytes, staged.signatures).signed
        return [(root.keys[keyid], keyid in signed) for keyid in root.roles[Targets.type].keyids]

    def root_missing(self) -> int | None:
        """Return how many signatures the staged root lacks; None when none is staged."""
        staged = self._read_staged(Root.type)
        return None if staged is None else _missing(Root.type, staged, self._judges(staged))

    def stage_root(self, keys: RoleKeys) -> None:
        """Stage a root with other keys. It needs the signatures of the old root's people and of the new one's.

        Raises:
            ReleaseError: No root is published yet, or fewer keys than signatures that are asked for.
        """
        self._stage(Metadata(self._root(keys, version=self.root().signed.version + 1)))

    def sign(self, role: SignedByPeople, signer: Signer) -> int:
        """Add a person's signature to what is staged, and return how many are still missing.

        A root that has all of its signatures is published at once; targets wait for `publish`.

        Raises:
            ReleaseError: Nothing is staged, or this key has no say in it.
        """
        staged = self._read_staged(role)
        if staged is None:
            raise ReleaseError(f"nothing of {role} waits for a signature")
        judges = self._judges(staged)
        if not any(signer.public_key.keyid in judge.roles[role].keyids for judge in judges):
            raise ReleaseError(f"this key has no say in {role}")
        staged.sign(signer, append=True)
        return self._signed(role, staged, judges)

    def attach(self, signature: Signature) -> int:
        """Add a signature over the staged targets that was made elsewhere, and return how many are still missing.

        Raises:
            ReleaseError: Nothing is staged, the key has no say, or the signature is over something else.
        """
        root, staged = self.root().signed, self._read_staged(Targets.type)
        if staged is None:
            raise ReleaseError("nothing waits for a signature")
        if signature.keyid not in root.roles[Targets.type].keyids:
            raise ReleaseError("this key has no say in releases")
        try:
            root.keys[signature.keyid].verify_signature(signature, staged.signed_bytes)
        except UnverifiedSignatureError:
            raise ReleaseError("this signature is not over what waits here: download it anew and sign that") from None
        staged.signatures[signature.keyid] = signature
        return self._signed(Targets.type, staged, [root])

    def _signed(self, role: str, staged: Staged, judges: Sequence[Root]) -> int:
        self._stage(staged)
        missing = _missing(role, staged, judges)
        if missing == 0 and role == Root.type:
            self._published.mkdir(mode=0o755, parents=True, exist_ok=True)
            self._publish_file(f"{staged.signed.version}.root.json", staged)
            (self._staged / "root.json").unlink()
        return missing

    def publish(self, online: Signer) -> None:
        """Publish staged targets, if there are any, with a new snapshot and timestamp.

        Raises:
            ReleaseError: Signatures are missing, or the hub's key is not the one that the root names.
        """
        root = self._checked(online)
        staged = self._read_staged(Targets.type)
        if staged is not None:
            if missing := _missing(Targets.type, staged, [root]):
                raise ReleaseError(f"{missing} signature(s) are missing")
            self._publish_file(f"{staged.signed.version}.targets.json", staged)
            (self._staged / "targets.json").unlink()
        self.renew(online)

    def renew(self, online: Signer) -> None:
        """Sign a new snapshot and timestamp of what is published; what is staged stays as it is.

        Raises:
            ReleaseError: Nothing is published yet, or the hub's key is not the one that the root names.
        """
        self._checked(online)
        newest = self._newest_targets()
        if newest is None:
            raise ReleaseError("there is nothing to publish yet")
        now, version = self._clock.now(), self._dated(self._version(Snapshot.type))
        snapshot = Metadata(
            Snapshot(
                version=version,
                expires=now + VALID[Snapshot.type],
                meta={"targets.json": MetaFile(newest.signed.version)},
            )
        )
        snapshot.sign(online)
        self._publish_file(f"{version}.snapshot.json", snapshot)
        timestamp = Metadata(
            Timestamp(
                version=self._dated(self._timestamp_version()),
                expires=now + VALID[Timestamp.type],
                snapshot_meta=MetaFile(version),
            )
        )
        timestamp.sign(online)
        self._publish_file(TIMESTAMP, timestamp)
        for role in (Targets.type, Snapshot.type):
            for old in sorted(self._versions(role))[:-KEPT]:
                (self._published / f"{old}.{role}.json").unlink(missing_ok=True)

    def _checked(self, online: Signer) -> Root:
        root = self.root().signed
        if online.public_key.keyid not in root.roles[Timestamp.type].keyids:
            raise ReleaseError("the hub's own key is not the one that the root names: its people must sign a new root")
        return root

    def _root(self, keys: RoleKeys, *, version: int) -> Root:
        for whose, given, threshold in (
            ("root", keys.root, keys.root_threshold),
            ("targets", keys.targets, keys.targets_threshold),
        ):
            if not 1 <= threshold <= len({key.keyid for key in given}):
                raise ReleaseError(f"{threshold} signatures for {whose} need as many different keys")
        online = [keys.online]
        roles = {
            Root.type: (keys.root, keys.root_threshold),
            Targets.type: (keys.targets, keys.targets_threshold),
            Snapshot.type: (online, 1),
            Timestamp.type: (online, 1),
        }
        return Root(
            version=version,
            expires=self._clock.now() + VALID[Root.type],
            keys={key.keyid: key for given, _ in roles.values() for key in given},
            roles={role: Role([key.keyid for key in given], threshold) for role, (given, threshold) in roles.items()},
        )

    def _judges(self, staged: Staged) -> list[Root]:
        """Return the roots whose people must agree: for a new root the one before it too."""
        published = [self.root().signed] if self.exists else []
        return [*published, staged.signed] if isinstance(staged.signed, Root) else published

    def _stage(self, metadata: Staged) -> None:
        self._staged.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace(self._staged / f"{metadata.signed.type}.json", metadata.to_bytes(_INDENTED), mode=_MODE)

    def _read_staged(self, role: str) -> Staged | None:
        path = self._staged / f"{role}.json"
        return Metadata.from_bytes(path.read_bytes()) if path.exists() else None

    def _publish_file(self, name: str, metadata: Staged | Metadata[Snapshot] | Metadata[Timestamp]) -> None:
        replace(self._published / name, metadata.to_bytes(_INDENTED), mode=_MODE)

    def _dated(self, last: int) -> int:
        """Return the version after one, and no less than the minutes since 1970.

        After a restore from a backup the last version is behind what rooms remember, and they would believe nothing
        until as many had been signed again. Minutes fit the 32 bits of the records until the year 6053.
        """
        return max(last + 1, int(self._clock.now().timestamp()) // 60)

    def _version(self, role: str) -> int:
        return max(self._versions(role), default=0)

    def _versions(self, role: str) -> list[int]:
        suffix = f".{role}.json"
        names = [path.name.removesuffix(suffix) for path in self._published.glob(f"*{suffix}")]
        return [int(name) for name in names if name.isdigit()]

    def _timestamp_version(self) -> int:
        path = self._published / TIMESTAMP
        return Metadata[Timestamp].from_bytes(path.read_bytes()).signed.version if path.exists() else 0

    def _newest_targets(self) -> Metadata[Targets] | None:
        version = self._version(Targets.type)
        return (
            Metadata[Targets].from_bytes((self._published / f"{version}.targets.json").read_bytes())
            if version
            else None
        )


def _missing(role: str, staged: Staged, judges: Sequence[Root]) -> int:
    try:
        results = [judge.get_verification_result(role, staged.signed_bytes, staged.signatures) for judge in judges]
    except (ValueError, RepositoryError):
        raise ReleaseError("what is staged cannot be read") from None
    return max((result.missing for result in results), default=1)
