"""What a person signs to approve a set of releases, and the signature that comes back from their own machine.

The hub hands out the staged metadata as one file; whoever signs it sees the same list on a machine that the hub cannot
reach, and brings back a small file. Pure: no disk, no network.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError
from securesystemslib.signer import Signature, Signer
from tuf.api.metadata import Metadata, TargetFile, Targets
from tuf.api.serialization import DeserializationError

from forge_hub.errors import ReleaseError
from forge_shared.model import Frozen
from forge_shared.releases import Sha256

MOST_DOCUMENT_BYTES: Final = 4_000_000
"""A document to sign. Ours: thousands of releases have less."""
MOST_APPROVAL_BYTES: Final = 4_096
"""A signature with its key's id has about 300 bytes."""

Kind = Literal["new", "other bytes", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Change:
    """One release that approving would change.

    Attributes:
        target: Its TUF target path.
        kind: ``new``; ``other bytes``: the name is published with another content; ``withdrawn``.
        sha256: Digest of the packed release, of the published one where it is withdrawn.
        size_bytes: Its size.
        custom: Name, version, role, hardware and counter as the metadata carry them.
    """

    target: str
    kind: Kind
    sha256: str
    size_bytes: int
    custom: Mapping[str, Any]


class Approval(Frozen):
    """A person's signature over a staged set of releases.

    Attributes:
        keyid: Id of the key.
        sig: Ed25519 signature, hexadecimal.
        version: Version of the signed metadata, so that a stale file is told from a wrong one.
        over: SHA-256 of the signed bytes.
    """

    keyid: Sha256
    sig: Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]
    version: Annotated[int, Field(ge=1, le=2**31 - 1)]
    over: Sha256

    @property
    def signature(self) -> Signature:
        """The signature as TUF's metadata hold it."""
        return Signature(self.keyid, self.sig)


def changes(before: Mapping[str, TargetFile], after: Mapping[str, TargetFile]) -> tuple[Change, ...]:
    """Return what differs between two sets of releases, by target."""
    found = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if new is None and old is not None:
            found.append(_change(name, "withdrawn", old))
        elif new is not None and old is None:
            found.append(_change(name, "new", new))
        elif new is not None and old is not None and new.hashes != old.hashes:
            found.append(_change(name, "other bytes", new))
    return tuple(found)


def read_document(content: bytes) -> Metadata[Targets]:
    """Read what is to be signed.

    Raises:
        ReleaseError: It is none, or it holds more than releases: a signature over a delegation would let its keys
            approve in the signer's place.
    """
    if len(content) > MOST_DOCUMENT_BYTES:
        raise ReleaseError("this is too large to be a set of releases to sign")
    try:
        document = Metadata[Targets].from_bytes(content)
    except (DeserializationError, ValueError, RecursionError):
        raise ReleaseError("this is no set of releases to sign") from None
    if not isinstance(document.signed, Targets):
        raise ReleaseError("this is signed metadata of another kind than a set of releases")
    if document.signed.delegations is not None or document.signed.unrecognized_fields:
        raise ReleaseError("this gives others a say, or holds fields that are not known here: do not sign it")
    return document


def sign_document(content: bytes, signer: Signer) -> Approval:
    """Sign a set of releases.

    Raises:
        ReleaseError: It is none; see `read_document`.
    """
    document = read_document(content)
    signed = document.signed_bytes
    made = signer.sign(signed)
    return Approval(keyid=made.keyid, sig=made.signature, version=document.signed.version, over=digest(signed))


def read_approval(content: bytes) -> Approval:
    """Read a signature as `forge-hub model sign` wrote it.

    Raises:
        ReleaseError: It is none.
    """
    if len(content) > MOST_APPROVAL_BYTES:
        raise ReleaseError("this is no signature of `forge-hub model sign`: it is too large")
    try:
        return Approval.model_validate_json(content)
    except ValidationError:
        raise ReleaseError("this is no signature of `forge-hub model sign`") from None


def digest(signed: bytes) -> str:
    """Return the SHA-256 of signed bytes, hexadecimal."""
    return hashlib.sha256(signed).hexdigest()


def _change(name: str, kind: Kind, target: TargetFile) -> Change:
    return Change(name, kind, target.hashes["sha256"], target.length, target.custom or {})
