"""Where in the picture the bed, the chair and the doors are, as staff drew them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from forge_shared.events import Zone

Point = tuple[float, float]
Polygon = tuple[Point, ...]

DRAWN: Final[tuple[Zone, ...]] = ("bed", "chair", "door", "bathroom_door", "floor")
"""What can be drawn. Where two overlap, the first that is asked for counts."""
FEWEST_CORNERS = 3


@dataclass(frozen=True, slots=True)
class Zones:
    """The zones of one camera; corners are shares of the picture's width and height."""

    polygons: Mapping[Zone, Polygon]

    @classmethod
    def read(cls, drawn: Mapping[str, Sequence[Sequence[float]]]) -> Self:
        """Return zones as they are written in JSON: a list of corners ``[x, y]`` for each name.

        Raises:
            ValueError: A zone is unknown or is no area.
        """
        if unknown := set(drawn) - set(DRAWN):
            raise ValueError(f"{len(unknown)} of the zones are none of {', '.join(DRAWN)}")
        polygons: dict[Zone, Polygon] = {}
        for name in DRAWN:
            if name in drawn:
                corners = tuple((float(x), float(y)) for x, y in drawn[name])
                if len(corners) < FEWEST_CORNERS:
                    raise ValueError(f"the zone {name} needs three corners or more")
                polygons[name] = corners
        return cls(polygons)

    def __bool__(self) -> bool:
        return bool(self.polygons)

    def holds(self, name: Zone, point: Point, margin: float = 0.0) -> bool:
        """Tell whether a point lies in a zone, or no further from it than a share of the picture's width."""
        corners = self.polygons.get(name)
        return corners is not None and (_inside(corners, point) or _near(corners, point, margin))

    def at(self, point: Point) -> Zone:
        """Return the zone of a point: the first furniture or door that holds it, else the floor."""
        for name in DRAWN[:-1]:
            if self.holds(name, point):
                return name
        return "floor" if self.polygons else "unknown"


def _inside(corners: Polygon, point: Point) -> bool:
    """Even-odd rule (Shimrat, Comm. ACM 5 (8), 1962, algorithm 112)."""
    x, y = point
    inside = False
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            inside = not inside
    return inside


def _near(corners: Polygon, point: Point, margin: float) -> bool:
    if margin <= 0:
        return False
    x, y = point
    for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
        dx, dy = bx - ax, by - ay
        length = dx * dx + dy * dy
        share = min(1.0, max(0.0, ((x - ax) * dx + (y - ay) * dy) / length)) if length else 0.0
        if (x - ax - share * dx) ** 2 + (y - ay - share * dy) ** 2 <= margin * margin:
            return True
    return False
