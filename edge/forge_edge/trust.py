"""TLS that a room can speak before it knows what time it is.

OpenSSL judges certificates by the machine's clock, and Python lets nobody give it another. A Pi that starts in 1970
would refuse the hub's certificate as not yet valid, and no alarm of it would get out. So the time is judged here, by
what the room knows of it; signature, name, purpose and everything else are judged by OpenSSL as always.

Two things differ from OpenSSL's own judgement. A certificate has ended when the room's best knowledge says so, which is
never earlier than the beginning of its own certificate: a clock that was set back brings no old one back to life. And
one that has not begun yet is taken: only the site's authority can have signed it, so it is the clock that is behind.
"""

import ssl
from collections.abc import Callable
from datetime import datetime

from cryptography import x509

NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL's x509_vfy.h, since 1.1.0; Python's ssl has no name for it."""
CERTIFICATE_HAS_EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED of OpenSSL's x509_vfy.h."""


def context_of(authority: str, now: Callable[[], datetime]) -> ssl.SSLContext:
    """Return TLS settings that trust one authority, judging time by ``now`` wherever the chain is known to be short.

    Where the authority lets others sign for it, OpenSSL judges the time: their certificates do not come into our hands.

    Args:
        authority: Its certificate, PEM.
        now: The best knowledge of the time; asked at every handshake.

    Raises:
        OSError: OpenSSL cannot read the authority (`ssl.SSLError`).
    """
    context = ssl.create_default_context(cadata=authority)
    found = _end_of_one_that_signs_by_itself(authority)
    if found is None:
        return context
    ends = found

    class _Judged(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 (the signature of the library)
            super().do_handshake(block)
            shown = self.getpeercert(binary_form=True)
            if shown is None or now() > min(ends, x509.load_der_x509_certificate(shown).not_valid_after_utc):
                self.close()
                raise ssl.SSLCertVerificationError(CERTIFICATE_HAS_EXPIRED, "certificate has expired")

    class _Refused(ssl.SSLObject):
        def do_handshake(self) -> None:
            raise ssl.SSLError("time is judged on sockets only")

    context.verify_flags |= NO_CHECK_TIME
    context.sslsocket_class, context.sslobject_class = _Judged, _Refused
    return context


def _end_of_one_that_signs_by_itself(authority: str) -> datetime | None:
    """Return the end of the one authority in a PEM text, where nothing may stand between it and a server."""
    try:
        (certificate,) = x509.load_pem_x509_certificates(authority.encode())
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, x509.ExtensionNotFound):
        return None
    return certificate.not_valid_after_utc if constraints.ca and constraints.path_length == 0 else None
