"""The first roots of the site's releases, as this node trusts them: taken once, and from then on changed by TUF alone.

They are taken from the hub that enrolled the node, over the line that its claim has secured, and never again: whoever
takes that hub over later changes nothing of it. `forge-edge updates show` prints their digests for who compares them.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root

from forge_edge.errors import UpdateRefusedError
from forge_edge.update.trusted import DIRECTOR, IMAGES
from forge_shared.files import replace

MOST_ROOT_BYTES: Final = 512_000
"""As ngclient's own limit (``root_max_length``)."""

Read = Callable[[str], Iterator[bytes]]
"""Yields a file of the site's releases by its path.

Raises:
    UpdateUnreachableError: It cannot be had.
"""


class Roots:
    """The pinned roots. Blocks; one caller at a time.

    Args:
        folder: Where they are kept.
        read: Reads from the hub.
    """

    def __init__(self, folder: Path, read: Read) -> None:
        self._folder = folder
        self._read = read

    def pinned(self) -> Mapping[str, bytes]:
        """Return the first root of each repository; take them from the hub where there are none.

        Raises:
            UpdateRefusedError: What the hub gives is no root that its own keys have signed.
            UpdateUnreachableError: The hub has none, or cannot be reached.
        """
        return {name: self._pinned(name) for name in (IMAGES, DIRECTOR)}

    def _pinned(self, name: str) -> bytes:
        path = self._folder / f"{name}.json"
        try:
            return path.read_bytes()
        except FileNotFoundError:
            content = self._taken(name)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace(path, content, mode=0o600)
        return content

    def _taken(self, name: str) -> bytes:
        content = b""
        for piece in self._read(f"{name}/metadata/1.root.json"):
            content += piece
            if len(content) > MOST_ROOT_BYTES:
                raise UpdateRefusedError("root-too-large")
        try:
            root = Metadata[Root].from_bytes(content)
            root.signed.verify_delegate(Root.type, root.signed_bytes, root.signatures)
        except (RepositoryError, ValueError):
            raise UpdateRefusedError("root-unsigned") from None
        return content


def fingerprints(folder: Path) -> Mapping[str, str]:
    """Return the SHA-256 of each root that is pinned, by its repository's name."""
    found = {}
    for name in (IMAGES, DIRECTOR):
        try:
            found[name] = hashlib.sha256((folder / f"{name}.json").read_bytes()).hexdigest()
        except OSError:
            continue
    return found
