"""Privacy masks: what of the picture nothing may look at. They are burnt in before anything does."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, field_validator

from forge_edge.errors import NodeConfigError
from forge_edge.vision.opencv import opencv
from forge_edge.vision.ports import Picture
from forge_shared.model import Frozen

MASKS_FILE = "masks.json"
"""In the node's state folder: ``{"masks": [[[0.1, 0.2], [0.4, 0.2], [0.4, 0.9]]]}``, shares of width and height."""
NONE = "none"
"""The version of no masks at all."""

Share = Annotated[float, Field(ge=0, le=1)]
Point = tuple[Share, Share]
Polygon = Annotated[tuple[Point, ...], Field(min_length=3, max_length=64)]


class MasksFile(Frozen):
    """What `MASKS_FILE` holds."""

    masks: Annotated[tuple[Polygon, ...], Field(max_length=32)]

    @field_validator("masks")
    @classmethod
    def _simple(cls, value: tuple[Polygon, ...]) -> tuple[Polygon, ...]:
        # Where a line crosses itself the filling has holes: something would show that was meant to be hidden.
        if any(crosses_itself(polygon) for polygon in value):
            raise ValueError("the line around a mask crosses itself")
        return value


@dataclass(frozen=True, slots=True)
class Masks:
    """Polygons over a picture.

    Attributes:
        polygons: Corners in shares of the picture's width and height.
        version: Short digest of the polygons, the same wherever they are the same; ``none`` without any.
    """

    polygons: tuple[Polygon, ...]
    version: str

    @classmethod
    def of(cls, polygons: Sequence[Polygon]) -> Self:
        """Return masks of these polygons."""
        if not polygons:
            return cls((), NONE)
        canonical = json.dumps(polygons, separators=(",", ":")).encode()
        return cls(tuple(polygons), hashlib.sha256(canonical).hexdigest()[:12])

    def burn(self, picture: Picture) -> None:
        """Blacken what is masked, in place; a pixel that a mask's edge touches is masked.

        Args:
            picture: RGB, shape ``(height, width, 3)``, contiguous.
        """
        if not self.polygons:
            return
        height, width = picture.shape[:2]
        cv2 = opencv()
        for polygon in self.polygons:  # one by one: where two that are filled together overlap, OpenCV leaves a hole
            corners = np.rint(np.array(polygon) * (width - 1, height - 1)).astype(np.int32)
            cv2.fillPoly(picture, [corners], (0, 0, 0))
            cv2.polylines(picture, [corners], True, (0, 0, 0), thickness=3)


class MasksInForce:
    """The masks of a file, read anew when it changes.

    Args:
        path: The file; where there is none nothing is masked.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self._masks = Masks.of(())

    def now(self) -> Masks:
        """Return the masks that hold now. Asks the file system: for every picture.

        Raises:
            NodeConfigError: They cannot be read. Whoever would look must not, for what is to be hidden is not known.
        """
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if stamp != self._stamp:
                self._masks = load(self._path)
                self._stamp = stamp
        except FileNotFoundError:
            self._masks, self._stamp = Masks.of(()), None
        except OSError:
            raise _unreadable(self._path) from None
        return self._masks


def load(path: Path) -> Masks:
    """Read a file of masks.

    Raises:
        FileNotFoundError: There is none.
        NodeConfigError: It cannot be read, or holds no masks.
    """
    try:
        return Masks.of(MasksFile.model_validate_json(path.read_bytes()).masks)
    except FileNotFoundError:
        raise
    except (OSError, ValidationError):
        raise _unreadable(path) from None


def _unreadable(path: Path) -> NodeConfigError:
    return NodeConfigError(
        f"the privacy masks {path.name} cannot be read, and without them nothing looks: mend or remove the file"
    )


def crosses_itself(polygon: Polygon) -> bool:
    """Tell whether the line around a polygon crosses itself, so that its inside has holes."""
    corners: NDArray[np.float64] = np.array(polygon)
    sides = list(zip(corners, np.roll(corners, -1, axis=0), strict=True))
    return any(_cross(*one, *other) for one, other in combinations(sides, 2))


def _cross(a: NDArray[np.float64], b: NDArray[np.float64], c: NDArray[np.float64], d: NDArray[np.float64]) -> bool:
    """Tell whether the segments a-b and c-d cross inside both: each has its ends on both sides of the other."""

    def side(p: NDArray[np.float64], q: NDArray[np.float64], r: NDArray[np.float64]) -> float:
        return float((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]))

    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
