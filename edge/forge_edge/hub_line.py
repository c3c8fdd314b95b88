"""The line to the hub on which model releases come: HTTPS as at a renewal, this node's own token, and limits of time.

Whoever answers may be slow, may say too much, or may be nobody: each step has an end, and what it brings is believed
only for its signature.
"""

import hashlib
import http.client
import json
import secrets
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from pydantic import ValidationError
from tuf.api.exceptions import DownloadError, DownloadHTTPError, SlowRetrievalError
from tuf.ngclient import FetcherInterface

from forge_edge import trust
from forge_edge.enrolment import serial_of, sign_with_key
from forge_edge.errors import EnrolmentError, UpdateUnreachableError
from forge_edge.update.fetching import CHUNK_BYTES
from forge_edge.update.roots import Roots
from forge_edge.update.trusted import TrustedReleases, Wanted
from forge_shared.clock import Clock, SystemClock
from forge_shared.enrolment import Credentials
from forge_shared.release_access import (
    RELEASES_PATH,
    TOKEN_BYTES,
    TOKEN_CONTEXT,
    TOKEN_PATH,
    TokenGrant,
    TokenRequest,
)
from forge_shared.releases import ReleaseRole

ROOTS: Final = "release-roots"
TRUSTED: Final = "release-metadata"
"""Folders of the node's state folder: the first roots, and what was believed last."""
TIMEOUT_SECONDS: Final = 15.0
"""For each read and for a handshake; as at a renewal."""
ANSWER_SECONDS: Final = 30.0
"""For a connection's beginning and an answer's head, together: a hub that drips its headers is let go. Ours."""
METADATA_SECONDS: Final = 60.0
"""For a file of metadata, some thousand bytes. Ours: it would be 100 bytes a second."""
GRANT_BYTES: Final = 4096
_TOO_EARLY_SECONDS: Final = 60.0
"""A token is not used in its last minute, so that it does not end on the way."""


class HubLine:
    """Reads what the hub gives out to this node. Blocks; ask it from a thread. `hang_up` may come from another one.

    Args:
        credentials: Returns who the node is now, where the hub is and whom it trusts.
        clock: The room's best knowledge of the time.
    """

    def __init__(self, credentials: Callable[[], Credentials], clock: Clock) -> None:
        self._credentials = credentials
        self._clock = clock
        self._token: tuple[str, float] | None = None
        self._behind_a_proxy = False
        self._socket: socket.socket | None = None
        self._is_over = threading.Event()

    def hang_up(self) -> None:
        """End what is going on, and let nothing begin any more."""
        self._is_over.set()
        self._cut()

    def pieces(self, path: str, offset: int = 0) -> Iterator[bytes]:
        """Yield a file below `RELEASES_PATH` from a byte on, in pieces of at most `CHUNK_BYTES`.

        Raises:
            HubAnsweredError: The hub has no such file or does not give it.
            UpdateUnreachableError: It cannot be reached, or the line broke.
        """
        try:
            yield from self._pieces(path, offset)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # ValueError: a socket that was closed from another thread.
            raise UpdateUnreachableError(f"the hub does not answer ({type(error).__name__})") from None

    def _pieces(self, path: str, offset: int) -> Iterator[bytes]:
        headers = {} if offset == 0 else {"Range": f"bytes={offset}-"}
        for is_last in (False, True):
            token = self._valid_token()
            with self._asked("GET", f"{RELEASES_PATH}/{path}", {**headers, "Authorization": f"Bearer {token}"}) as got:
                if got.status == http.HTTPStatus.FORBIDDEN and not is_last:
                    self._token = None  # the hub was started anew
                    continue
                if got.status not in (http.HTTPStatus.OK, http.HTTPStatus.PARTIAL_CONTENT):
                    raise HubAnsweredError(got.status)
                # A proxy that knows no ranges gives all of it.
                skip = offset if got.status == http.HTTPStatus.OK else 0
                while piece := got.read1(CHUNK_BYTES):
                    if self._is_over.is_set():
                        raise UpdateUnreachableError("the node ends")
                    if len(piece) > skip:
                        yield piece[skip:]
                    skip = max(0, skip - len(piece))
                if got.length:
                    # Of the stated length so much is missing: `read1` does not say so itself.
                    raise UpdateUnreachableError("the line broke")
                return

    def _valid_token(self) -> str:
        now = self._clock.monotonic_seconds()
        if self._token is None or now >= self._token[1]:
            token = secrets.token_hex(TOKEN_BYTES)
            self._token = token, now + self._granted(token) - _TOO_EARLY_SECONDS
        return self._token[0]

    def _granted(self, token: str) -> int:
        """Prove who this node is and have a token granted; return for how many seconds."""
        credentials = self._credentials()
        digest = hashlib.sha256(token.encode()).hexdigest()
        try:
            signature = sign_with_key(credentials, TOKEN_CONTEXT + digest.encode())
            asked = TokenRequest(serial=serial_of(credentials), digest=digest, signature=signature.hex())
        except EnrolmentError:
            raise UpdateUnreachableError("this node cannot prove itself: enrol it again") from None
        content = json.dumps(asked.model_dump()).encode()
        with self._asked("POST", TOKEN_PATH, {"Content-Type": "application/json"}, content) as answer:
            if answer.status != http.HTTPStatus.OK:
                raise HubAnsweredError(answer.status)
            body = answer.read(GRANT_BYTES)
        try:
            granted = TokenGrant.model_validate_json(body)
        except ValidationError:
            raise UpdateUnreachableError("the hub's answer cannot be read: is it of another version?") from None
        if granted.node != credentials.node:
            raise UpdateUnreachableError("the hub answered for another node")
        return granted.seconds

    @contextmanager
    def _asked(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        if self._is_over.is_set():
            raise UpdateUnreachableError("the node ends")
        place = urlsplit(self._credentials().hub)
        connection = self._connected(place.scheme, place.hostname or "", place.port)
        try:
            # What follows reads line by line, each in time: all together need a limit of their own.
            limit = threading.Timer(ANSWER_SECONDS, self._cut)
            limit.daemon = True
            limit.start()
            try:
                connection.request(method, f"{place.path.rstrip('/')}{path}", content, dict(headers))
                answer = connection.getresponse()
            finally:
                limit.cancel()
            yield answer
        finally:
            self._socket = None
            connection.close()

    def _connected(self, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
        if scheme != "https":
            # Only what is public or signed goes this way, as at a renewal: a hub that is tried on one machine.
            connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
            connection.connect()
        elif self._behind_a_proxy:
            connection = self._secured(host, port, ssl.create_default_context())
        else:
            own = trust.context_of(self._credentials().authority, self._clock.now)
            try:
                connection = self._secured(host, port, own)
            except ssl.SSLCertVerificationError:
                # Not the hub's own: that of a proxy before it, perhaps, which the machine's own list knows.
                connection = self._secured(host, port, ssl.create_default_context())
                self._behind_a_proxy = True
        self._socket = connection.sock
        return connection

    def _secured(self, host: str, port: int | None, context: ssl.SSLContext) -> http.client.HTTPConnection:
        connection = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_SECONDS, context=context)
        connection.connect()
        return connection

    def _cut(self) -> None:
        line = self._socket
        if line is not None:
            try:
                # Not the TLS socket's own: that would take away what another thread is reading with.
                socket.socket.shutdown(line, socket.SHUT_RDWR)
            except OSError:
                return


class HubAnsweredError(UpdateUnreachableError):
    """The hub answered, and not with what was asked for. ``status`` is HTTP's word for it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the hub refused ({status})")
        self.status = status


class FromHub:
    """Packed releases as the hub gives them out; a `fetching.Source`."""

    def __init__(self, line: HubLine) -> None:
        self._line = line

    def read(self, path: str, offset: int) -> Iterator[bytes]:
        """Yield the rest of a packed release.

        Raises:
            UpdateUnreachableError: As the port says.
        """
        return self._line.pieces(path, offset)


class MetadataFromHub(FetcherInterface):
    """Metadata as the hub gives them out, each file within `METADATA_SECONDS`."""

    def __init__(self, line: HubLine, clock: Clock) -> None:
        self._line = line
        self._clock = clock

    def _fetch(self, url: str) -> Iterator[bytes]:
        began = self._clock.monotonic_seconds()
        try:
            for piece in self._line.pieces(urlsplit(url).path.lstrip("/")):
                if self._clock.monotonic_seconds() - began > METADATA_SECONDS:
                    raise SlowRetrievalError("a file of metadata takes too long")
                yield piece
        except HubAnsweredError as error:
            raise DownloadHTTPError(str(error), error.status) from None
        except UpdateUnreachableError as error:
            raise DownloadError(str(error)) from None


def from_hub(folder: Path, line: HubLine) -> Callable[[], Mapping[ReleaseRole, Wanted]]:
    """Return what tells which releases this room shall have; see `TrustedReleases.wanted`.

    Args:
        folder: The node's state folder.
        line: To the hub.
    """
    # TUF judges expiry by the machine's clock; the floor of `TrustedReleases` must be of the same one.
    clock = SystemClock()
    roots, fetcher = Roots(folder / ROOTS, line.pieces), MetadataFromHub(line, clock)

    def look() -> Mapping[ReleaseRole, Wanted]:
        trusted = TrustedReleases(folder / TRUSTED, roots.pinned(), fetcher, "https://hub/{}".format, clock)
        return trusted.wanted()

    return look
