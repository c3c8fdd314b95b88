"""What a node's certificate says about the hub that had it made, under the authority's signature."""

from cryptography import x509

PROTOCOL_OID = x509.ObjectIdentifier("2.25.94751356268622431903938387308001264223")
"""Extension with the protocol that the site's hub spoke when the certificate was made, a DER INTEGER. The arc 2.25 is
for whoever has made a UUID (ITU-T X.667, clause 6); it is not critical: older readers pass over it (RFC 5280, 4.2)."""

_INTEGER = 0x02
"""Tag of a DER INTEGER (ITU-T X.690, clause 8.3)."""
_MOST = 127
"""The highest protocol in one byte; another form is needed by then."""


def protocol_extension(protocol: int) -> x509.UnrecognizedExtension:
    """Return the extension that names a protocol, 1 to 127."""
    if not 1 <= protocol <= _MOST:
        raise ValueError("a protocol of one byte")
    return x509.UnrecognizedExtension(PROTOCOL_OID, bytes((_INTEGER, 1, protocol)))


def protocol_of(certificate: x509.Certificate) -> int:
    """Return the protocol that the hub spoke when it had a node's certificate made; 1 where it did not say."""
    try:
        value = certificate.extensions.get_extension_for_oid(PROTOCOL_OID).value
    except (x509.ExtensionNotFound, ValueError):
        return 1
    said = value.value if isinstance(value, x509.UnrecognizedExtension) else b""
    return said[2] if len(said) == 3 and said[:2] == bytes((_INTEGER, 1)) else 1  # noqa: PLR2004 (tag, length, value)
