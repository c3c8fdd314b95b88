"""Notices that staff have drawn zones or masks anew while the room runs."""

import hashlib
import json
from pathlib import Path
from typing import Final

from forge_edge.judgement import ZONES_FILE, read_zones
from forge_edge.monitor.zones import DRAWN, Zones

NO_ZONES: Final = "none"
"""The version of no zones at all, as of no masks."""


def version(zones: Zones) -> str:
    """Return a short digest of zones, the same wherever they are the same."""
    if not zones:
        return NO_ZONES
    drawn = {name: zones.polygons[name] for name in DRAWN if name in zones.polygons}
    return hashlib.sha256(json.dumps(drawn, separators=(",", ":")).encode()).hexdigest()[:12]


class Redrawn:
    """Compares what is drawn with what the room judges by.

    Args:
        folder: The node's state folder.

    Attributes:
        zones: Version of the zones that the room judges by.

    Raises:
        NodeConfigError: The zones cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / ZONES_FILE
        self._stamp = self._now()
        self._masks: str | None = None
        self.zones = version(read_zones(self._path))

    def is_news(self, masks: str) -> bool:
        """Tell whether zones or masks are others than those judged by. Asks the file system; call it every second.

        Args:
            masks: Version of the masks in the newest picture.
        """
        if self._masks is None:
            self._masks = masks
        return masks != self._masks or self._now() != self._stamp

    def take(self, masks: str) -> None:
        """Take what is drawn now for what the room judges by from here on.

        Raises:
            NodeConfigError: The zones cannot be read; they are news again only once they change.
        """
        self._stamp, self._masks = self._now(), masks
        self.zones = version(read_zones(self._path))

    def _now(self) -> tuple[int, int, int] | None:
        try:
            stat = self._path.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
