"""Who may draw: the room's own screen, once, for minutes. Pure.

The core gives the eyes a token after somebody touched the PIN, and its screen sends it here in the body of a form, so
that it stands in no address. It opens one page, which gets a key of its own and must show it in a header of every
further request: no cookie, and so nothing that another page in the same browser could send.
"""

import hmac
import secrets
from collections.abc import Mapping
from typing import Final

from forge_edge.errors import DrawingRefusedError

TOKEN_SECONDS: Final = 60.0
"""How long the token opens the page. Ours: it is sent at once; a slow machine's browser takes some seconds."""
MOST_SECONDS: Final = 600.0
"""How long a page is open at most. Ours: five zones and two masks take two to four minutes."""
SILENT_SECONDS: Final = 10.0
"""A page that is not heard of for so long is gone; it says every two seconds that it is there."""
KEY_HEADER: Final = "drawing-key"
OPEN_PATH: Final = "/"


class DrawingDoor:
    """Decides who comes in and for how long. Moments are monotonic seconds.

    Args:
        token: Opens the page, once.
        port: The port that the page is served on.
        screen_port: That of the room's screen.
        now: When it was opened.
    """

    def __init__(self, token: str, port: int, screen_port: int, now: float) -> None:
        self._token = token
        self._key: str | None = None
        self._opened_s = self._heard_s = now
        self._left = False
        self.origin = f"http://127.0.0.1:{port}"
        self.screen = f"http://127.0.0.1:{screen_port}"

    def check(self, method: str, path: str, headers: Mapping[str, str], hosts: int, now: float) -> None:
        """Check one request.

        Args:
            method: HTTP's method.
            path: What is asked for.
            headers: Its headers, names in lower case.
            hosts: How many ``Host`` headers it has.
            now: When it came.

        Raises:
            DrawingRefusedError: It does not come from where it may, or when it may.
        """
        if hosts != 1 or f"http://{headers.get('host', '')}" != self.origin:
            raise DrawingRefusedError("this address has one name only")
        if self.is_over(now):
            raise DrawingRefusedError("nothing is drawn any more")
        if method in ("GET", "HEAD"):
            if not path.startswith(("/static/", "/look/")):
                raise DrawingRefusedError("this is not the room's screen")
            return
        opens = path == OPEN_PATH
        if method != "POST" or headers.get("origin") != (self.screen if opens else self.origin):
            raise DrawingRefusedError("this comes from another page")
        if opens:
            return
        key = headers.get(KEY_HEADER, "")
        if self._key is None or not hmac.compare_digest(key.encode(), self._key.encode()):
            raise DrawingRefusedError("this is not the page that was opened")
        self._heard_s = now

    def open(self, token: str, now: float) -> str:
        """Return the key of the one page that the token opens.

        Raises:
            DrawingRefusedError: It is not the token, comes too late, or was used.
        """
        if self._key is not None or now - self._opened_s > TOKEN_SECONDS:
            raise DrawingRefusedError("the token was used, or is too old")
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            raise DrawingRefusedError("this is not the token")
        self._key = secrets.token_urlsafe(32)
        self._opened_s = self._heard_s = now
        return self._key

    def leave(self) -> None:
        """Let nobody draw any more."""
        self._left = True

    def is_over(self, now: float) -> bool:
        """Tell whether nobody draws any more: who did has left, is not heard of, or has taken too long."""
        if self._left:
            return True
        if self._key is None:
            return now - self._opened_s > TOKEN_SECONDS
        return now - self._opened_s > MOST_SECONDS or now - self._heard_s > SILENT_SECONDS
