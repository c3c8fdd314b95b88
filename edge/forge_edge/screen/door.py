"""Who may use the screen: the browser that was given the key in a file, and no other program, user or web page.

The node listens on loopback, where every user of the machine can knock, and every web page that a browser on it shows.
So the key is in a file that only the node's user can read (systemd hands a copy to the kiosk's user alone); the page
in that file exchanges it for a cookie. Every request must name this very address in ``Host`` (a page that rebinds its
name to 127.0.0.1 cannot), and one that changes something must come from our own page by ``Origin`` and by
``Sec-Fetch-Site``.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from string import Template

from forge_edge.errors import DoorError
from forge_shared.files import replace

KEY_FILE = "screen.key"
DOOR_FILE = "screen.html"
COOKIE = "forge-screen"
KEY_BYTES = 32
KEY_PATTERN = re.compile(r"[A-Za-z0-9_-]{43}")
ENTRANCE = "/open"
"""Where the key is given; everything else but the style, the script and the font needs the cookie."""
_PAGE = Path(__file__).parent / "templates" / "door.html"


class Door:
    """Decides who comes in. Pure but for `open_door`.

    Args:
        key: The key of this room's screen, 43 characters of base64url.
        port: The port that the page is served on.
    """

    def __init__(self, key: str, port: int) -> None:
        self._key = key
        self.origin = f"http://127.0.0.1:{port}"
        self.cookie = hmac.new(key.encode(), b"cookie", hashlib.sha256).hexdigest()
        """What the cookie holds: it opens the screen, and the key cannot be found from it."""

    def takes(self, key: str) -> bool:
        """Tell whether this is the key."""
        return hmac.compare_digest(key.encode(), self._key.encode())

    def check(self, method: str, path: str, headers: Mapping[str, str], hosts: int) -> None:
        """Check one request.

        Args:
            method: HTTP's method.
            path: What is asked for, without its query.
            headers: Its headers, names in lower case.
            hosts: How many ``Host`` headers it has.

        Raises:
            DoorError: It does not come from this screen's own page.
        """
        if hosts != 1 or f"http://{headers.get('host', '')}" != self.origin:
            raise DoorError("this address has one name only")
        entrance = path == ENTRANCE
        if method not in ("GET", "HEAD"):
            # The page with the key is a file, and browsers call the origin of a file "null".
            allowed = (self.origin, "null") if entrance else (self.origin,)
            if headers.get("origin") not in allowed:
                raise DoorError("this comes from another page")
            if not entrance and headers.get("sec-fetch-site", "same-origin") != "same-origin":
                raise DoorError("this comes from another page")
        if not entrance and not path.startswith("/static/") and not self._knows(headers.get("cookie", "")):
            raise DoorError("this browser is not the room's screen")

    def _knows(self, header: str) -> bool:
        try:
            morsel = SimpleCookie(header).get(COOKIE)
        except CookieError:
            return False
        return morsel is not None and hmac.compare_digest(morsel.value.encode(), self.cookie.encode())


def open_door(folder: Path, port: int) -> Door:
    """Return the door, with the key that is kept in ``folder``, and write the file that opens it.

    The key stays the same over restarts: the browser of a kiosk cannot go back to the file by itself.

    Args:
        folder: The node's state folder, which only its user can enter.
        port: The port that the page is served on.

    Raises:
        OSError: The folder cannot be written.
    """
    path = folder / KEY_FILE
    try:
        key = path.read_text(encoding="ascii").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        key = ""
    if not KEY_PATTERN.fullmatch(key):
        key = secrets.token_urlsafe(KEY_BYTES)
        replace(path, key.encode(), mode=0o600)
    door = Door(key, port)
    page = Template(_PAGE.read_text(encoding="utf-8")).substitute(origin=door.origin, key=key)
    replace(folder / DOOR_FILE, page.encode(), mode=0o600)
    return door
