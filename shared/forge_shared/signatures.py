"""A room's signature on what it records: who says so, and that nobody has altered it since.

A detached JSON Web Signature (RFC 7515, appendix F) with its payload unencoded (RFC 7797), ES256, which carries the
certificate of the node that signs (``x5c``). The payload is JSON with sorted keys and without white space, UTF-8; both
sides are this program, so that numbers are written alike.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.x509.oid import NameOID

from forge_shared.errors import SignatureError

FORMAT = "application/jose"
"""FHIR R4 ``Signature.sigFormat`` of a JWS."""
PURPOSE = {
    "system": "urn:iso-astm:E1762-95:2013",
    "code": "1.2.840.10065.1.12.1.5",
    "display": "Verification Signature",
}
"""FHIR R4 ``Signature.type``: that what was recorded is what was said. Source: ASTM E1762-95(2013)."""

_CONTEXT = "personaforge.org form signature v1"
"""In every payload, so that no other signature of a node's key fits here."""
_NUMBER_BYTES = 32
"""ES256: each half of a signature (RFC 7518, section 3.4)."""
_PARTS = 3


def payload(subject: str, content: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed: whom ``content`` is about, and the content, without a signature of its own.

    Args:
        subject: The pseudonym of the stay.
        content: JSON values.
    """
    signed = {name: value for name, value in content.items() if name != "signature"}
    whole = {"context": _CONTEXT, "subject": subject, "content": signed}
    return json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sign(content: bytes, key_pem: bytes, certificate_pem: bytes) -> str:
    """Return a detached JWS over ``content``.

    Raises:
        SignatureError: The key or the certificate cannot be used.
    """
    try:
        key = serialization.load_pem_private_key(key_pem, password=None)
        certificate = x509.load_pem_x509_certificate(certificate_pem)
    except ValueError:
        raise SignatureError("the node's key or certificate cannot be read") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SignatureError("the node's key is of another kind")
    chain = [base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()]
    header = {"alg": "ES256", "b64": False, "crit": ["b64"], "x5c": chain}
    protected = _encoded(json.dumps(header, separators=(",", ":")).encode())
    made = key.sign(protected.encode() + b"." + content, ec.ECDSA(hashes.SHA256()))
    raw = b"".join(number.to_bytes(_NUMBER_BYTES, "big") for number in decode_dss_signature(made))
    return f"{protected}..{_encoded(raw)}"


def signer(content: bytes, jws: str, authority_pem: bytes, at: datetime) -> str:
    """Return the name of the node that signed ``content``.

    Args:
        content: What must have been signed.
        jws: The signature.
        authority_pem: The site's authority, which must have signed the node's certificate.
        at: When it was signed; the certificate must have been valid then. Who is revoked later has still signed.

    Raises:
        SignatureError: It is no signature of a node of this site over this content.
    """
    parts = jws.split(".")
    if len(parts) != _PARTS or parts[1]:
        raise SignatureError("it is no detached signature")
    try:
        header = json.loads(_decoded(parts[0]))
        if (header["alg"], header["b64"], header["crit"]) != ("ES256", False, ["b64"]):
            raise SignatureError("it is a signature of another kind")
        certificate = x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0], validate=True))
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority_pem))
        key = certificate.public_key()
        raw = _decoded(parts[2])
        if not isinstance(key, ec.EllipticCurvePublicKey) or len(raw) != 2 * _NUMBER_BYTES:
            raise SignatureError("its key or length is of another kind")
        halves = (int.from_bytes(raw[:_NUMBER_BYTES], "big"), int.from_bytes(raw[_NUMBER_BYTES:], "big"))
        key.verify(encode_dss_signature(*halves), parts[0].encode() + b"." + content, ec.ECDSA(hashes.SHA256()))
        (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except (ValueError, TypeError, KeyError, IndexError, binascii.Error, InvalidSignature):
        raise SignatureError("it does not fit what was signed, or is not of this site") from None
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise SignatureError("the certificate was not valid then")
    return str(name.value)


def as_fhir(jws: str, when: datetime, who: str) -> dict[str, Any]:
    """Return a signature as a FHIR R4 Signature.

    Args:
        jws: The detached JWS.
        when: When it was made.
        who: The node, as the wire names it.
    """
    return {
        "type": [PURPOSE],
        "when": when.isoformat(timespec="milliseconds"),
        "who": {"identifier": {"value": who}},
        "sigFormat": FORMAT,
        "data": base64.b64encode(jws.encode()).decode(),
    }


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
