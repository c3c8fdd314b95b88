"""How this node gets its identity and keeps it: its own key, the hub's signature on it, and a new one in good time.

The private key is made here and never leaves the node. Whom the claim's secret is told to is known before it is told:
the claim carries the fingerprint of the hub's certificate, and the connection is verified against exactly that one.
"""

import asyncio
import hashlib
import http.client
import json
import os
import ssl
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from mnemonic import Mnemonic
from pydantic import SecretStr, ValidationError

from forge_edge import trust
from forge_edge.errors import EnrolmentError
from forge_shared import signatures
from forge_shared.backoff import Backoff
from forge_shared.clock import Clock, SystemClock
from forge_shared.enrolment import (
    CLAIM_WORDS,
    ENROL_PATH,
    FINGERPRINT_BYTES,
    RENEW_PATH,
    RENEWAL_CONTEXT,
    SECRET_BYTES,
    Credentials,
    EnrolmentRequest,
    Identity,
    RenewalRequest,
)
from forge_shared.files import replace
from forge_shared.logs import get_logger

TIMEOUT_SECONDS = 15.0
"""For each step over the network: with three of them an enrolment ends within its minute."""
ANSWER_BYTES = 64 * 1024
CHECK_SECONDS = 600.0
"""How often the certificate's age is looked at. Ours: small against days."""
RETRY_SECONDS = (10.0, 3600.0)
"""First and longest wait after a renewal that failed; a third of the certificate's life is left by then."""
RENEWED_AT = 2 / 3
"""The share of its life after which a certificate is renewed; RFC 9773 section 4.1 advises two thirds."""

log = get_logger()


def enrol(url: str, words: Sequence[str], out: Path) -> Credentials:
    """Make a key, have the hub sign it, and write the credentials file.

    Args:
        url: The hub's address, ``https://...``.
        words: The claim's words, in any case.
        out: The file to write; its folder is made.

    Raises:
        EnrolmentError: A word is mistyped, the machine that answers is not the hub, it does not accept the claim, or
            the file cannot be written. The message says which.
    """
    secret, fingerprint = read_claim(words)
    place = urlsplit(url)
    if place.scheme != "https" or not place.hostname:
        raise EnrolmentError("the hub's address begins with https://")
    try:
        # The file's folder first: a claim must not be used up for an identity that cannot be kept.
        out.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EnrolmentError(f"cannot make the folder of {out.name} ({type(error).__name__})") from None
    context = _trusting_exactly(place, fingerprint)
    key = ec.generate_private_key(ec.SECP256R1())
    asked = EnrolmentRequest(secret=secret.hex(), request=_request(key))
    identity = _identity(_post(place, ENROL_PATH, asked.model_dump(), context))
    credentials = _credentials(identity, place.hostname, url.rstrip("/"), key)
    _keep(out, credentials)
    return credentials


def read_claim(words: Sequence[str]) -> tuple[bytes, bytes]:
    """Return secret and fingerprint of a claim's words, ten bytes each.

    Raises:
        EnrolmentError: They are not a claim; the message says where the slip is, as far as that can be known.
    """
    list_of_words = Mnemonic("english")
    given = [word.strip().lower() for word in words]
    if len(given) != CLAIM_WORDS:
        raise EnrolmentError(f"a claim has {CLAIM_WORDS} words, these are {len(given)}")
    known = set(list_of_words.wordlist)
    unknown = [str(place) for place, word in enumerate(given, 1) if word not in known]
    if unknown:
        raise EnrolmentError(f"mistyped, for there is no such word in any claim: number {', '.join(unknown)}")
    if not list_of_words.check(" ".join(given)):
        raise EnrolmentError("a word is mistyped or out of its place: the words do not fit each other")
    content = bytes(list_of_words.to_entropy(given))
    return content[:SECRET_BYTES], content[SECRET_BYTES:]


def client_context(credentials: Credentials, clock: Clock | None = None) -> ssl.SSLContext:
    """Return the TLS settings with which the node connects to the broker.

    Args:
        credentials: Who the node is, and whom it trusts.
        clock: The room's best knowledge of the time; default: the machine's.

    Raises:
        EnrolmentError: Certificate and key cannot be used.
    """
    try:
        context = trust.context_of(credentials.authority, (clock or SystemClock()).now)
        # OpenSSL reads a chain from a file only; this one is in memory: the disk may be full.
        with os.fdopen(os.memfd_create("certificate"), "wb") as file:
            file.write(f"{credentials.certificate}\n{credentials.key.get_secret_value()}".encode())
            file.flush()
            context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
    except (OSError, ssl.SSLError) as error:
        raise EnrolmentError(f"the node's certificate cannot be used ({type(error).__name__})") from None
    return context


def certificate_ends(credentials: Credentials) -> datetime:
    """Return until when the node's certificate holds.

    Raises:
        EnrolmentError: It cannot be read.
    """
    return _certificate(credentials).not_valid_after_utc


def certificate_begins(credentials: Credentials) -> datetime:
    """Return since when the node's certificate holds: the hub made it at most a day after that.

    Raises:
        EnrolmentError: It cannot be read.
    """
    return _certificate(credentials).not_valid_before_utc


def renew(credentials: Credentials, path: Path, clock: Clock | None = None) -> Credentials:
    """Make a new key, have the hub sign it on the word of the current one, and replace the credentials file.

    Args:
        credentials: What the node has now.
        path: The file they are in.
        clock: The room's best knowledge of the time; default: the machine's.

    Raises:
        EnrolmentError: The hub cannot be reached or refuses, or the file cannot be written; the old one stands.
    """
    place = urlsplit(credentials.hub)
    key = ec.generate_private_key(ec.SECP256R1())
    request = _request(key)
    asked = RenewalRequest(
        serial=serial_of(credentials),
        request=request,
        signature=sign_with_key(credentials, RENEWAL_CONTEXT + request.encode()).hex(),
    )
    try:
        own = trust.context_of(credentials.authority, (clock or SystemClock()).now)
        answer = _post(place, RENEW_PATH, asked.model_dump(), own)
    except _WrongCertificateError:
        # Not the hub's own: that of a proxy before it, perhaps, which the machine's own list of authorities knows.
        answer = _post(place, RENEW_PATH, asked.model_dump(), ssl.create_default_context())
    except ssl.SSLError as error:
        raise EnrolmentError(f"the site's authority cannot be used ({type(error).__name__})") from None
    identity = _identity(answer)
    if (identity.site, identity.node) != (credentials.site, credentials.node):
        raise EnrolmentError("the hub answered for another node")
    renewed = _credentials(identity, place.hostname or credentials.host, credentials.hub, key)
    # Where the broker is was settled at enrolment, and may have been changed by hand since.
    renewed = renewed.model_copy(update={"host": credentials.host, "port": credentials.port})
    client_context(renewed, clock)  # what cannot be used must not replace what can
    _keep(path, renewed)
    return renewed


class Renewal:
    """Keeps the node's certificate young. Runs on the event loop; `context` may be called at any time.

    Args:
        path: The credentials file.
        credentials: What it holds now.
        clock: Says how old the certificate is.
    """

    def __init__(self, path: Path, credentials: Credentials, clock: Clock) -> None:
        self._path = path
        self._credentials = credentials
        self._clock = clock

    def credentials(self) -> Credentials:
        """Return the credentials of now."""
        return self._credentials

    def context(self) -> ssl.SSLContext:
        """Return TLS settings with the certificate of now."""
        return client_context(self._credentials, self._clock)

    def sign(self, content: bytes) -> str:
        """Return a detached JWS over ``content`` by the node's key of now.

        Raises:
            SignatureError: The key cannot be used.
        """
        credentials = self._credentials
        key = credentials.key.get_secret_value().encode()
        return signatures.sign(content, key, credentials.certificate.encode())

    async def run(self, on_renewed: Callable[[], None]) -> None:
        """Renew at two thirds of the certificate's life, until cancelled. Trouble is logged once, recovery once."""
        backoff = Backoff(*RETRY_SECONDS)
        while True:
            wait = CHECK_SECONDS
            if renewal_is_due(self._credentials, self._clock.now()):
                try:
                    self._credentials = await asyncio.to_thread(renew, self._credentials, self._path, self._clock)
                except EnrolmentError as error:
                    if backoff.failures == 0:
                        log.warning("certificate.not-renewed", code=error.code)
                    wait = backoff.failed()
                else:
                    log.info("certificate.renewed", after_failures=backoff.succeeded())
                    on_renewed()
            await asyncio.sleep(wait)


def renewal_is_due(credentials: Credentials, now: datetime) -> bool:
    """Tell whether the node's certificate has lived two thirds of its life.

    Raises:
        EnrolmentError: It cannot be read.
    """
    certificate = _certificate(credentials)
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now >= begin + RENEWED_AT * (end - begin)


def serial_of(credentials: Credentials) -> str:
    """Return the serial number of a node's certificate, decimal.

    Raises:
        EnrolmentError: It cannot be read.
    """
    return str(_certificate(credentials).serial_number)


def sign_with_key(credentials: Credentials, content: bytes) -> bytes:
    """Return the signature of a node's key over something: ECDSA with SHA-256, DER.

    Raises:
        EnrolmentError: The key cannot be used.
    """
    try:
        key = serialization.load_pem_private_key(credentials.key.get_secret_value().encode(), password=None)
    except ValueError:
        raise EnrolmentError("the node's key cannot be read") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise EnrolmentError("the node's key is of another kind")
    return key.sign(content, ec.ECDSA(hashes.SHA256()))


class _WrongCertificateError(EnrolmentError):
    """What answers shows a certificate that does not fit."""


def _trusting_exactly(place: SplitResult, fingerprint: bytes) -> ssl.SSLContext:
    """Fetch the certificate that the hub shows, which is public; trust it alone, if it is the claim's."""
    try:
        shown = ssl.get_server_certificate((place.hostname or "", place.port or 443), timeout=TIMEOUT_SECONDS)
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).digest()
    except (OSError, ValueError) as error:
        raise EnrolmentError(f"the hub does not answer by HTTPS at this address ({type(error).__name__})") from None
    if digest[:FINGERPRINT_BYTES] != fingerprint:
        raise EnrolmentError(
            "what answers at this address is not the hub that made the claim. Nothing was told to it. "
            "Is the address right, and does no proxy stand before the hub?"
        )
    context = ssl.create_default_context(cadata=shown)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _post(place: SplitResult, path: str, content: dict[str, Any], context: ssl.SSLContext) -> bytes:
    host = place.hostname or ""
    if place.scheme == "https":
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, place.port, timeout=TIMEOUT_SECONDS, context=context
        )
    else:
        # Only what is public goes this way: a renewal is a signed request, and its answer is signed by the authority.
        connection = http.client.HTTPConnection(host, place.port, timeout=TIMEOUT_SECONDS)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", f"{place.path.rstrip('/')}{path}", json.dumps(content), headers)
        answer = connection.getresponse()
        body = answer.read(ANSWER_BYTES)
    except ssl.SSLCertVerificationError:
        raise _WrongCertificateError(
            "the hub's certificate does not fit its address: add the address to FORGE_HUB_TLS_NAMES on the hub"
        ) from None
    except (OSError, http.client.HTTPException) as error:
        raise EnrolmentError(f"the hub does not answer ({type(error).__name__})") from None
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise EnrolmentError(f"the hub refused ({answer.status}): {_reason(body)}")
    return body


def _reason(body: bytes) -> str:
    try:
        message = json.loads(body).get("message", "")
    except (ValueError, AttributeError, RecursionError):
        message = ""
    return message[:200] if isinstance(message, str) and message.isprintable() and message else "its log says why"


def _identity(body: bytes) -> Identity:
    try:
        return Identity.model_validate_json(body)
    except ValidationError:
        raise EnrolmentError("the hub's answer cannot be read: is it of another version?") from None


def _credentials(identity: Identity, hub_host: str, hub: str, key: ec.EllipticCurvePrivateKey) -> Credentials:
    content = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    credentials = Credentials(
        site=identity.site,
        node=identity.node,
        host=identity.host or hub_host,
        port=identity.port,
        hub=hub,
        authority=identity.authority,
        certificate=identity.certificate,
        key=SecretStr(content.decode()),
    )
    names = _certificate(credentials).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if [name.value for name in names] != [identity.node]:
        raise EnrolmentError("the hub's certificate is for another name")
    return credentials


def _request(key: ec.EllipticCurvePrivateKey) -> str:
    # The hub decides the name; the request only proves that the key is ours.
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _certificate(credentials: Credentials) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(credentials.certificate.encode())
    except ValueError:
        raise EnrolmentError("the node's certificate cannot be read") from None


def _keep(path: Path, credentials: Credentials) -> None:
    try:
        replace(path.resolve(), credentials.to_json(), mode=0o600)
    except OSError as error:
        raise EnrolmentError(f"cannot write {path.name} ({type(error).__name__})") from None
