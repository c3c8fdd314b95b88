"""Tells what the hub has signed from what merely came in its name. What is refused is not done, and is reported.

A hub of protocol 3 signs. That this site's hub does is known from the node's own certificate, in which the authority
has written what the hub spoke when it was made, or from the first signature that was seen; from then on nothing
unsigned is taken. Before that the hub is older than this node, and what it says is taken as that protocol knew it.
"""

import hashlib
from collections import deque
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from forge_shared import hub_word
from forge_shared.certificates import protocol_of
from forge_shared.clock import Clock
from forge_shared.enrolment import Credentials
from forge_shared.errors import SignatureError
from forge_shared.files import replace
from forge_shared.logs import get_logger
from forge_shared.wire import SIGNED_SINCE

REMEMBERED = 256
"""Commands that are not taken a second time. Ours: more than come within the half minute in which one holds."""
REPORTED_SECONDS = 3600.0
"""How long after a refusal the node says so. Ours: long enough to be seen by whoever looks after a round."""

log = get_logger()


class HubVoice:
    """Reads what comes in the hub's name. Its methods are called on the event loop.

    Args:
        credentials: Returns whom the node trusts and its certificate of now.
        mark: File that remembers by which authority a hub was seen to sign.
        clock: The room's time.
        is_told: Tells whether the node knows how the hub wants it to be: from then on the revisions rise.
    """

    def __init__(
        self, credentials: Callable[[], Credentials], mark: Path, clock: Clock, *, is_told: Callable[[], bool]
    ) -> None:
        self._credentials, self._mark, self._clock, self._is_told = credentials, mark, clock, is_told
        self._signs: str | None = _marked(mark)
        self._seen: deque[bytes] = deque(maxlen=REMEMBERED)
        self._refused_at: float | None = None

    @property
    def refuses(self) -> bool:
        """Whether something was refused within the last hour."""
        at = self._refused_at
        return at is not None and self._clock.monotonic_seconds() - at < REPORTED_SECONDS

    def read(self, topic: str, message: bytes) -> bytes:
        """Return what a message says, JSON.

        Raises:
            SignatureError: It is not the hub's, or nobody can tell; it has no effect, and the trouble is noted.
        """
        try:
            return self._read(topic, message)
        except SignatureError as error:
            if not self.refuses:
                log.error("word.refused", topic_kind=topic.rsplit("/", 1)[-1][:40], reason=str(error))  # noqa: TRY400 (no fault of ours)
            self._refused_at = self._clock.monotonic_seconds()
            raise

    def is_repeated(self, topic: str, content: bytes) -> bool:
        """Tell whether a command came before: brokers repeat, and whoever has one could repeat it on purpose."""
        digest = hashlib.sha256(topic.encode() + b"\0" + content).digest()
        if digest in self._seen:
            return True
        self._seen.append(digest)
        return False

    def _read(self, topic: str, message: bytes) -> bytes:
        credentials = self._credentials()
        try:
            own = x509.load_pem_x509_certificate(credentials.certificate.encode())
            authority = x509.load_pem_x509_certificate(credentials.authority.encode())
        except ValueError:
            raise SignatureError("the node's own certificates cannot be read") from None
        of_site = authority.fingerprint(hashes.SHA256()).hex()
        word = hub_word.read(topic, message, credentials.authority.encode(), self._clock.now())
        if word.at is None:
            if protocol_of(own) >= SIGNED_SINCE or self._signs == of_site:
                raise SignatureError("it is not signed, and this site's hub signs")
            return word.content
        if not self._is_told() and word.at < own.not_valid_before_utc:
            raise SignatureError("it was signed before this node had its certificate")
        self._remember(of_site)
        return word.content

    def _remember(self, of_site: str) -> None:
        if self._signs == of_site:
            return
        self._signs = of_site
        try:
            replace(self._mark, of_site.encode(), mode=0o600)
        except OSError:
            log.warning("hub.signing-not-saved")  # it holds until the next start, and is seen again then


def _marked(mark: Path) -> str | None:
    try:
        return mark.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
