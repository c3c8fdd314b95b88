"""Who may connect to the broker and what each may read and write. Both brokers are held to this one table.

A user file has one ``name:hash`` line each, in Mosquitto's own format, so that Mosquitto reads it as it is.
"""

import base64
import fcntl
import hashlib
import hmac
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from forge_hub.errors import BrokerError
from forge_shared import topics
from forge_shared.files import replace

HUB_USER = topics.HUB
ITERATIONS = 1000
"""PBKDF2 rounds; Mosquitto's default is 101. Passwords here are 256 random bits, so stretching adds nothing."""
_SALT_BYTES = 12
_HASH_BYTES = 64
_BASE64 = "(?:[A-Za-z0-9+/]{4}){1,32}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
_LINE = re.compile(rf"(?P<name>[^:]+):(?P<hash>\$7\$[1-9][0-9]{{0,6}}\${_BASE64}\${_BASE64})")
"""Mosquitto's format 7: PBKDF2 with SHA-512, rounds, salt, hash (mosquitto_passwd's source, ``password_mosq.h``)."""
LOCK_SECONDS = 5.0
"""How long a writer of the user file waits for another, such as `enrol` beside a hub that starts."""

Action = Literal["read", "write"]

_NODE_RULES: tuple[tuple[Action, str], ...] = (
    ("write", "{node}/event/#"),
    ("write", "{node}/status"),
    ("write", "{node}/twin/reported"),
    ("read", "{node}/ack"),
    ("read", "{node}/command/+"),
    ("read", "{node}/twin/desired"),
    ("read", f"{topics.HUB}/status"),
)


class BrokerUsers:
    """The user file. Written whole and replaced atomically, by one writer at a time.

    A line of another kind, or a damaged one, is no user; it is gone after the next `issue`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def issue(self, name: str) -> str:
        """Make a new password for a user, replacing an old one, and return it. It is not stored in clear.

        Raises:
            BrokerError: ``name`` is no user name, the file cannot be written, or another writer keeps it for too long.
        """
        if not topics.is_name(name):
            raise BrokerError("a user's name is lower-case letters, digits and hyphens, at most 63")
        password = secrets.token_urlsafe(32)
        hashed = _hash(password, os.urandom(_SALT_BYTES), ITERATIONS)
        try:
            with self._alone():
                users = {**self._read(), name: hashed}
                text = "".join(f"{user}:{kept}\n" for user, kept in sorted(users.items()))
                replace(self._path, text.encode(), mode=0o600)
        except OSError as error:
            raise BrokerError(f"cannot write the broker's user file ({type(error).__name__})") from None
        return password

    def verify(self, name: str, password: str) -> bool:
        """Tell whether the password is the user's."""
        stored = self._read().get(name)
        if stored is None:
            return False
        _, _, iterations, salt, _ = stored.split("$")
        return hmac.compare_digest(stored, _hash(password, base64.b64decode(salt), int(iterations)))

    def names(self) -> frozenset[str]:
        """Return every user's name."""
        return frozenset(self._read())

    def _read(self) -> dict[str, str]:
        try:
            lines = self._path.read_text(encoding="ascii", errors="replace").splitlines()
        except FileNotFoundError:
            return {}
        users = [match for line in lines if (match := _LINE.fullmatch(line))]
        return {match["name"]: match["hash"] for match in users if topics.is_name(match["name"])}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        # The file itself is replaced, so the lock lies beside it.
        with self._path.with_name(f"{self._path.name}.lock").open("w") as lock:
            deadline = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise BrokerError("another program is writing the broker's user file") from None
                    time.sleep(0.02)
            yield


def may(site: str, user: str, action: Action, topic: str) -> bool:
    """Tell whether a user may read (subscribe to) or write (publish on) a topic or filter."""
    prefix = f"{topics.PREFIX}/{site}/"
    if user == HUB_USER:
        return _covers(f"{prefix}#", topic)
    return any(action == allowed and _covers(prefix + rule.format(node=user), topic) for allowed, rule in _NODE_RULES)


def mosquitto_acl(site: str) -> str:
    """Return the same table as Mosquitto's ACL file; ``%u`` stands for the user's name."""
    prefix = f"{topics.PREFIX}/{site}/"
    lines = [f"pattern {action} {prefix}{rule.format(node='%u')}" for action, rule in _NODE_RULES]
    return "\n".join([*lines, "", f"user {HUB_USER}", f"topic readwrite {prefix}#", ""])


def _covers(allowed: str, requested: str) -> bool:
    """Tell whether every topic that ``requested`` matches is matched by ``allowed``."""
    wanted = requested.split("/")
    for place, part in enumerate(allowed.split("/")):
        if part == "#":
            return True
        if place >= len(wanted) or wanted[place] == "#" or (part not in ("+", wanted[place])):
            return False
    return len(wanted) == len(allowed.split("/"))


def _hash(password: str, salt: bytes, iterations: int) -> str:
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, _HASH_BYTES)
    return f"$7${iterations}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
