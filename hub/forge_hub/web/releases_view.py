"""Model releases as pages and the API show them: what is published, what waits, and whose signature is missing."""

from typing import Literal

from tuf.api.metadata import TargetFile

from forge_hub.errors import NotFoundError, ReleaseError
from forge_hub.releases.approval import Change, changes
from forge_hub.releases.catalogue import APPROVALS, Catalogue
from forge_hub.releases.keys import label_of
from forge_hub.releases.reading import Inspected, inspect_packed
from forge_shared.model import Frozen
from forge_shared.releases import Hardware, Manifest, ReleaseRole

Ceremony = Literal["not-begun", "unsigned", "held"]
State = Literal["published", "waiting", "withdrawal-waiting"]


class ReleaseSummary(Frozen):
    """One release.

    Attributes:
        target: Its TUF target path, by which it is addressed everywhere.
        state: ``published``; ``waiting``: for approval; ``withdrawal-waiting``: published until that is approved.
        sha256: Digest of the packed release.
        size_bytes: Its size.
    """

    target: str
    name: str
    version: str
    role: ReleaseRole
    hardware: tuple[Hardware, ...]
    release_counter: int
    state: State
    sha256: str
    size_bytes: int


class ChangeSummary(Frozen):
    """One release that approving would change; ``kind`` as in `forge_hub.releases.approval.Change`."""

    target: str
    kind: Literal["new", "other bytes", "withdrawn"]
    sha256: str
    size_bytes: int


class Approver(Frozen):
    """Somebody who may approve.

    Attributes:
        keyid: Id of their key.
        label: Whose key it is, as it was labelled; empty: it was not.
        has_signed: Whether they have signed what waits now.
    """

    keyid: str
    label: str
    has_signed: bool


class Waiting(Frozen):
    """What waits for approval.

    Attributes:
        version: Version of the set of releases that is signed.
        changes: What approving changes.
        missing: Signatures that are still missing; 0: it can be published.
    """

    version: int
    changes: tuple[ChangeSummary, ...]
    missing: int


class ReleasesState(Frozen):
    """The model releases of the site.

    Attributes:
        ceremony: ``not-begun``: the site's people are not named; ``unsigned``: the first root lacks signatures;
            ``held``.
        root_missing: Signatures that the first root still lacks.
        approvals: People who must sign each set of releases.
        releases: By name and version, what is published and what waits.
        waiting: What waits for approval; None: nothing.
        approvers: Who may approve.
    """

    ceremony: Ceremony
    root_missing: int
    approvals: int
    releases: tuple[ReleaseSummary, ...]
    waiting: Waiting | None
    approvers: tuple[Approver, ...]


class ReleaseDetail(Frozen):
    """A release with all that it says of itself.

    Attributes:
        card: Its card as text.
        golden_input: The beginning of its golden input; None: it is no text.
        golden_output: Likewise.
    """

    summary: ReleaseSummary
    manifest: Manifest
    card: str
    golden_input: str | None
    golden_output: str | None


def read_state(catalogue: Catalogue) -> ReleasesState:
    """Read the site's releases. Blocks on the disk."""
    images = catalogue.images
    published, staged = images.targets(), images.staged_targets()
    root_missing = images.root_missing()
    ceremony: Ceremony = "held" if images.exists else "not-begun" if root_missing is None else "unsigned"
    approvers = tuple(
        Approver(keyid=key.keyid, label=label_of(key), has_signed=signed)
        for key, signed in (images.approvers() if ceremony == "held" else ())
    )
    waiting = None
    if staged is not None:
        waiting = Waiting(
            version=images.targets_version + 1,
            changes=tuple(_change(each) for each in changes(published, staged)),
            missing=max(0, APPROVALS - sum(each.has_signed for each in approvers)),
        )
    return ReleasesState(
        ceremony=ceremony,
        root_missing=root_missing or 0,
        approvals=APPROVALS,
        releases=_summaries(catalogue),
        waiting=waiting,
        approvers=approvers,
    )


def read_release(catalogue: Catalogue, target: str) -> tuple[ReleaseSummary, Inspected]:
    """Read one release. Blocks on the disk.

    Raises:
        NotFoundError: There is no such release, or its file cannot be read.
    """
    try:
        summary = next(each for each in _summaries(catalogue) if each.target == target)
        return summary, inspect_packed(catalogue.packed(target))
    except (StopIteration, ReleaseError):
        raise NotFoundError("there is no such release") from None


def read_detail(catalogue: Catalogue, target: str) -> ReleaseDetail:
    """Read one release for the API; as `read_release`."""
    summary, found = read_release(catalogue, target)
    return ReleaseDetail(
        summary=summary,
        manifest=found.manifest,
        card=found.card,
        golden_input=found.golden_input,
        golden_output=found.golden_output,
    )


def _summaries(catalogue: Catalogue) -> tuple[ReleaseSummary, ...]:
    published, staged = catalogue.images.targets(), catalogue.images.staged_targets()
    wanted = published if staged is None else staged
    found = [
        _summary(
            target, "waiting" if name not in published else "published" if name in wanted else "withdrawal-waiting"
        )
        for name, target in {**published, **wanted}.items()
    ]
    return tuple(sorted(found, key=lambda each: (each.role, each.name, -each.release_counter)))


def _summary(target: TargetFile, state: State) -> ReleaseSummary:
    custom = target.custom or {}
    return ReleaseSummary.model_validate(
        {
            **{name: custom[name] for name in ("name", "version", "role", "hardware", "release_counter")},
            "target": target.path,
            "state": state,
            "sha256": target.hashes["sha256"],
            "size_bytes": target.length,
        }
    )


def _change(change: Change) -> ChangeSummary:
    return ChangeSummary(target=change.target, kind=change.kind, sha256=change.sha256, size_bytes=change.size_bytes)
