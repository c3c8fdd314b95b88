"""Zones and masks on the node's disk: what holds now, and what held before, so that one step can be taken back.

What holds is in the two files that the room and the eyes read, each replaced whole; both notice a change by themselves.
"""

import json
from pathlib import Path
from typing import Final

from forge_edge.drawing.drawn import Drawn
from forge_edge.errors import DrawingError, DrawingInvalidError, NodeConfigError
from forge_edge.judgement import ZONES_FILE, read_zones
from forge_edge.vision.masks import MASKS_FILE, Polygon, load
from forge_shared.files import replace

PREVIOUS_FILE: Final = "drawing.previous.json"
"""In the state folder: what held before the last change."""


def current(folder: Path) -> Drawn:
    """Return what holds now; nothing where nothing was ever drawn.

    Args:
        folder: The node's state folder.

    Raises:
        NodeConfigError: A file cannot be read; the message says which.
    """
    zones = read_zones(folder / ZONES_FILE)
    try:
        masks = load(folder / MASKS_FILE).polygons
    except FileNotFoundError:
        masks = ()
    # Written by hand they may lie beyond the picture's edge, where nothing is seen; they are shown up to it.
    return Drawn.model_construct(zones={name: _within(one) for name, one in zones.polygons.items()}, masks=masks)


def previous(folder: Path) -> Drawn | None:
    """Return what held before the last change; None where there was none.

    Raises:
        NodeConfigError: The file cannot be read.
    """
    try:
        return Drawn.read((folder / PREVIOUS_FILE).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, DrawingInvalidError):
        raise NodeConfigError(f"what was drawn before cannot be read: {PREVIOUS_FILE}") from None


def keep(folder: Path, drawn: Drawn) -> None:
    """Let a drawing hold from now on, and remember the one before.

    Raises:
        DrawingError: The disk does not take it; what held before holds.
    """
    try:
        before = current(folder)
    except NodeConfigError:
        before = None  # what cannot be read is worth no step back
    try:
        if before is not None:
            replace(folder / PREVIOUS_FILE, _written(before), mode=0o600)
        # Masks first: if the power goes between the two, what is to be hidden is hidden.
        masks = {"masks": drawn.masks}
        replace(folder / MASKS_FILE, json.dumps(masks).encode(), mode=0o600)
        replace(folder / ZONES_FILE, json.dumps(dict(drawn.zones)).encode(), mode=0o600)
    except OSError as error:
        raise DrawingError(f"the drawing could not be kept: {error.strerror}") from None


def undo(folder: Path) -> Drawn:
    """Take the last change back and return what holds now; a second time it is made again.

    Raises:
        DrawingError: There is nothing to take back, or the disk does not take it.
        NodeConfigError: What was drawn before cannot be read.
    """
    before = previous(folder)
    if before is None:
        raise DrawingError("nothing was drawn before that could be taken back")
    keep(folder, before)
    return before


def _written(drawn: Drawn) -> bytes:
    return json.dumps({"zones": dict(drawn.zones), "masks": drawn.masks}).encode()


def _within(polygon: Polygon) -> Polygon:
    return tuple((min(1.0, max(0.0, x)), min(1.0, max(0.0, y))) for x, y in polygon)
