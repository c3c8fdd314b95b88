"""How a node comes to what a hub publishes for it: it proves itself with its key, and reads with a token of its own.

The token is made by the node, and only its digest is told and signed. So what an eavesdropper or a log could get hold
of when a token is granted opens nothing, and saying it again later helps only who has the token already.
"""

from typing import Annotated

from pydantic import Field

from forge_shared.enrolment import NodeName
from forge_shared.model import Frozen
from forge_shared.releases import Sha256

RELEASES_PATH = "/v1/releases"
"""Below it lie ``images`` and ``director``, each with ``metadata``, and the images' ``targets``."""
TOKEN_PATH = f"{RELEASES_PATH}/token"
TOKEN_CONTEXT = b"personaforge.org node release token v1\n"
"""Put before the digest that a node signs with its current key, so that no other signature of it fits here."""
TOKEN_BYTES = 32
"""256 bits from the system's source of chance; written as 64 hexadecimal digits."""


class TokenRequest(Frozen):
    """What a node sends to `TOKEN_PATH`.

    ``serial`` is that of its current certificate, decimal; ``signature`` hexadecimal, ECDSA with SHA-256 by that
    certificate's key over `TOKEN_CONTEXT` and ``digest``, which is the SHA-256 of the token's 64 digits.
    """

    serial: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,49}$")]
    digest: Sha256
    signature: Annotated[str, Field(pattern=r"^(?:[0-9a-f]{2}){8,80}$")]


class TokenGrant(Frozen):
    """What the hub answers: whose the token is, and for how many seconds it opens what is published for that node."""

    node: NodeName
    seconds: Annotated[int, Field(ge=1, le=86_400)]
