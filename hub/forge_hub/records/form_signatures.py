"""Whether a form that arrived was signed by the room that it came from."""

from typing import Literal

from forge_shared import signatures
from forge_shared.errors import SignatureError
from forge_shared.events import Envelope, FormRecorded
from forge_shared.logs import get_logger

Verdict = Literal["room", "missing", "wrong"]
"""Signed by its room; not signed; or signed by another, altered, or under a certificate that is not of this site."""

log = get_logger()


def verdict(envelope: Envelope, data: FormRecorded, authority_pem: bytes | None) -> Verdict:
    """Return whether ``data``, as it was sent in ``envelope``, was signed by the room that sent it.

    Args:
        envelope: The event, with the data as they were sent.
        data: The same, read.
        authority_pem: The site's authority; None where there is none: then nothing can be proved.
    """
    if data.signature is None:
        return "missing"
    if authority_pem is None:
        return "wrong"
    content = signatures.payload(envelope.subject, envelope.data)
    try:
        name = signatures.signer(content, data.signature.jws, authority_pem, data.signature.when)
    except SignatureError as error:
        log.warning("form.signature-wrong", node=envelope.node, reason=error.code)
        return "wrong"
    return "room" if name == envelope.node else "wrong"
