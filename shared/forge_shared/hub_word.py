"""What the hub says to a room, signed: a broker carries it, and can neither change it nor take it elsewhere.

A message is one JSON object. What is signed (`forge_shared.signatures`) is its topic, which names site, node and kind,
the time of signing, and everything that it says; the signature is added to it as ``signed``, which readers that know no
signatures ignore. Numbers are written alike on both sides, since both are this program.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from forge_shared import signatures, topics
from forge_shared.errors import SignatureError

SIGNED = "signed"
"""The member of a message that holds its signature: ``at`` (ISO 8601, with its zone) and ``jws``."""

_CONTEXT = "personaforge.org hub to room v1"
"""In what is signed, so that no other signature of the hub's key fits here."""


@dataclass(frozen=True, slots=True)
class Word:
    """A message as it was said.

    Attributes:
        content: The message without its signature, JSON, written as it was for the signature: read this and no other.
        at: When the hub signed it; None: it is not signed.
    """

    content: bytes
    at: datetime | None


def payload(topic: str, content: Mapping[str, Any], at: datetime, sign: Callable[[bytes], str]) -> bytes:
    """Return a message to a room with the hub's signature.

    Args:
        topic: Where it is published.
        content: JSON values.
        at: Now.
        sign: Makes a detached JWS with the key of the hub's own certificate.
    """
    jws = sign(_signed(topic, _json(content), at))
    return _json({**content, SIGNED: {"at": at.isoformat(), "jws": jws}}).encode()


def read(topic: str, message: bytes, authority_pem: bytes, now: datetime) -> Word:
    """Read a message and check its signature, if it has one.

    Args:
        topic: Where it came.
        message: What came.
        authority_pem: PEM of the site's authority; of several certificates the first counts, as in
            `Credentials.authority`.
        now: The room's best knowledge of the time. The hub's certificate must not have ended; one that seems not to
            have begun yet is judged by the time of signing, since only the authority can have made it.

    Raises:
        SignatureError: It is no JSON object, or its signature is not the hub's over this message on this topic.
    """
    try:
        said = json.loads(message)
        signature = said.pop(SIGNED, None) if isinstance(said, dict) else None
        content = _json(said)
    except (ValueError, RecursionError):
        raise SignatureError("it is no JSON") from None
    if not isinstance(said, dict):
        raise SignatureError("it is no JSON object")
    if signature is None:
        return Word(content.encode(), None)
    try:
        at, jws = datetime.fromisoformat(signature["at"]), signature["jws"]
        if at.tzinfo is None or not isinstance(jws, str):
            raise SignatureError("its signature has no time or is no text")
    except (KeyError, TypeError, ValueError):
        raise SignatureError("its signature cannot be read") from None
    if signatures.signer(_signed(topic, content, at), jws, authority_pem, max(at, now)) != topics.HUB:
        raise SignatureError("somebody else than the hub has signed it")
    return Word(content.encode(), at)


def _signed(topic: str, content: str, at: datetime) -> bytes:
    return _json({"context": _CONTEXT, "topic": topic, "at": at.isoformat(), "content": content}).encode()


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
