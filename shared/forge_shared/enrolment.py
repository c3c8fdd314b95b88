"""How a node comes to its identity: what a claim carries, and what node and hub say to each other about certificates.

A claim is 20 bytes, spoken as 15 words of BIP-39's English list, whose checksum finds most slips: ten bytes of secret,
and ten bytes of the SHA-256 of the hub's own certificate, by which the node knows whom it tells the secret to.
"""

import json
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from forge_shared import topics
from forge_shared.model import Frozen

SECRET_BYTES = 10
FINGERPRINT_BYTES = 10
"""80 bits each: guessing one takes 2^80 tries, and a claim lives 15 minutes. Ours: the fewest words for it."""
CLAIM_WORDS = 15
"""160 bits and a checksum of 5 (BIP-39, "Generating the mnemonic")."""

ENROL_PATH = "/enrol"
RENEW_PATH = "/enrol/renew"
RENEWAL_CONTEXT = b"personaforge.org node certificate renewal v1\n"
"""Put before the request that a node signs with its current key, so that no other signature of it fits here."""

Pem = Annotated[str, Field(min_length=1, max_length=8192, pattern=r"^-----BEGIN [A-Z ]+-----\n")]
"""One PEM block or several; a P-256 certificate of ours has about 800 characters."""


def _check_name(value: str) -> str:
    if not topics.is_name(value):
        raise ValueError("a name is lower-case letters, digits and hyphens, at most 63")
    return value


def _check_node(value: str) -> str:
    if value in topics.RESERVED:
        raise ValueError(f"no node may be called {' or '.join(sorted(topics.RESERVED))}")
    return value


Name = Annotated[str, AfterValidator(_check_name)]
"""What topics can carry as a site or a node."""
NodeName = Annotated[Name, AfterValidator(_check_node)]
Host = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^\S+$")]


class EnrolmentRequest(Frozen):
    """What a node sends to `ENROL_PATH`: the claim's secret (hexadecimal) and a PKCS #10 request for its own key."""

    secret: Annotated[str, Field(pattern=rf"^[0-9a-f]{{{2 * SECRET_BYTES}}}$")]
    request: Pem


class RenewalRequest(Frozen):
    """What a node sends to `RENEW_PATH`: a request for a new key, signed with the new key and with the current one.

    ``serial`` is that of the current certificate, decimal (at most 20 bytes: RFC 5280, section 4.1.2.2). ``signature``
    is hexadecimal: ECDSA with SHA-256 by the current key over `RENEWAL_CONTEXT` and the request's PEM.
    """

    serial: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,49}$")]
    request: Pem
    signature: Annotated[str, Field(pattern=r"^(?:[0-9a-f]{2}){8,80}$")]


class Identity(Frozen):
    """What the hub answers: who the node is, its certificate, and whom it shall trust. None of it is secret.

    ``host`` is None where the broker is on the machine that the node has just spoken to.
    """

    site: Name
    node: NodeName
    host: Host | None
    port: Annotated[int, Field(ge=1, le=65535)]
    authority: Pem
    certificate: Pem


class Credentials(Frozen):
    """A node's credentials file: where the broker and the hub are, who this node is there, and its private key."""

    site: Name
    node: NodeName
    host: Host
    port: Annotated[int, Field(ge=1, le=65535)]
    hub: Annotated[str, Field(pattern=r"^https?://\S+$", max_length=300)]
    authority: Pem
    certificate: Pem
    key: Annotated[SecretStr, Field(min_length=1)]

    def to_json(self) -> bytes:
        """Return the file's content, the private key in clear: for a file that only its owner can read."""
        content = {**self.model_dump(), "key": self.key.get_secret_value()}
        return json.dumps(content, indent=1).encode() + b"\n"
