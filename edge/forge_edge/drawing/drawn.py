"""What staff draw over a camera's picture, and what is to be asked before it is taken. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationError, field_validator

from forge_edge.errors import DrawingInvalidError
from forge_edge.monitor.zones import DRAWN, Zones
from forge_edge.redrawn import version
from forge_edge.vision.masks import Masks, Polygon, crosses_itself
from forge_shared.events import Zone
from forge_shared.model import Frozen

LEAST_AREA: Final = 0.0005
"""Share of the picture; ours: 12 by 12 pixels of 640 by 480. What is smaller is a slip of the finger."""
GRID: Final = (64, 48)
"""Points at which shares of the picture are counted: within 1 % of anything that staff would draw (ours)."""
HIDDEN_SHARE: Final = 0.3
"""Of a zone, from which a mask over it is asked about. Ours: who lies in bed still shows trunk and legs with less."""
MOSTLY: Final = 0.5
"""Of the picture, from which masks, a bed or a chair are asked about. Ours: no bed fills half of a room's picture."""
DOOR_SHARE: Final = 0.25
"""Of the picture, or of the floor, from which a door is asked about. Ours: who is lost at a door counts as gone."""

WORDS: Final[Mapping[Zone, str]] = {
    "bed": "bed",
    "chair": "chair",
    "door": "door",
    "bathroom_door": "bathroom door",
    "floor": "floor",
}
_DOORS: Final[tuple[Zone, ...]] = ("door", "bathroom_door")


class Drawn(Frozen):
    """Zones and privacy masks of one camera; corners are shares of the picture's width and height.

    Attributes:
        zones: Where the furniture and the doors are.
        masks: What nothing may look at.
    """

    zones: Mapping[Zone, Polygon] = {}
    masks: Annotated[tuple[Polygon, ...], Field(max_length=32)] = ()

    @field_validator("zones")
    @classmethod
    def _known(cls, value: Mapping[Zone, Polygon]) -> Mapping[Zone, Polygon]:
        if not set(value) <= set(DRAWN):
            raise ValueError("a zone has a name that no zone has")
        return value

    @field_validator("zones", "masks")
    @classmethod
    def _areas(cls, value: Mapping[Zone, Polygon] | tuple[Polygon, ...]) -> object:
        for polygon in value.values() if isinstance(value, Mapping) else value:
            if crosses_itself(polygon):
                raise ValueError("a line crosses itself")
            if _area(polygon) < LEAST_AREA:
                raise ValueError("an area is too small")
        return value

    @classmethod
    def read(cls, content: bytes | str) -> Self:
        """Read ``{"zones": {name: corners}, "masks": [corners]}``, each corner ``[x, y]``.

        Raises:
            DrawingInvalidError: It is none; the message says what is wrong and repeats nothing of it.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            found = error.errors(include_input=False, include_url=False)[0]
            raise DrawingInvalidError(f"this is no drawing: {found['msg'].removeprefix('Value error, ')}") from None

    @property
    def zones_version(self) -> str:
        """Short digest of the zones, the same wherever they are the same; ``none`` without any."""
        return version(Zones(dict(self.zones)))

    @property
    def masks_version(self) -> str:
        """The masks' version, as it stands in events."""
        return Masks.of(self.masks).version


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something about a drawing that staff are asked about before it is taken.

    Attributes:
        code: ``hidden``: masks lie over a zone; ``mostly-hidden``: over the picture; ``too-large``: a zone is most of
            the picture; ``over-floor``: a door lies over the floor.
        zone: Which zone; None: the picture.
        share: How much of it, 0 to 1.
    """

    code: Literal["hidden", "mostly-hidden", "too-large", "over-floor"]
    zone: Zone | None
    share: float

    @property
    def sentence(self) -> str:
        """What staff read."""
        percent = f"{round(100 * self.share)} %"
        name = WORDS[self.zone] if self.zone else ""
        match self.code:
            case "hidden":
                return f"A hidden area covers {percent} of the {name}: nobody is watched there, and no fall is seen."
            case "mostly-hidden":
                return f"{percent} of the picture is hidden: nobody is watched there."
            case "too-large" if self.zone in _DOORS:
                return f"The {name} is {percent} of the picture: whoever is not seen there counts as gone."
            case "too-large":
                return f"The {name} is {percent} of the picture: who lies there is not taken for fallen."
            case "over-floor":
                return f"The {name} covers {percent} of the floor: whoever is not seen there counts as gone."


def doubts(drawn: Drawn) -> tuple[Doubt, ...]:
    """Return what staff are asked about, most dangerous first."""
    masks = tuple(Zones({"floor": mask}) for mask in drawn.masks)
    hidden = {point for point in _POINTS if any(mask.holds("floor", point) for mask in masks)}
    zones = Zones(dict(drawn.zones))
    held = {name: {point for point in _POINTS if zones.holds(name, point)} for name in drawn.zones}
    found: list[Doubt] = []
    for name, points in held.items():
        if (share := _share(hidden & points, points)) >= HIDDEN_SHARE:
            found.append(Doubt("hidden", name, share))
    if (share := len(hidden) / len(_POINTS)) >= MOSTLY:
        found.append(Doubt("mostly-hidden", None, share))
    floor = held.get("floor", set())
    over = [(name, _share(held.get(name, set()) & floor, floor)) for name in _DOORS]
    found += [Doubt("over-floor", name, share) for name, share in over if share >= DOOR_SHARE]
    for name, points in held.items():
        limit = DOOR_SHARE if name in _DOORS else MOSTLY
        if name != "floor" and (share := len(points) / len(_POINTS)) >= limit:
            found.append(Doubt("too-large", name, share))
    return tuple(found)


def _share(part: set[tuple[float, float]], whole: set[tuple[float, float]]) -> float:
    return len(part) / len(whole) if whole else 0.0


def _area(polygon: Polygon) -> float:
    sides = zip(polygon, polygon[1:] + polygon[:1], strict=True)
    return abs(sum(ax * by - bx * ay for (ax, ay), (bx, by) in sides)) / 2


_POINTS: Final = frozenset(
    ((column + 0.5) / GRID[0], (row + 0.5) / GRID[1]) for column in range(GRID[0]) for row in range(GRID[1])
)
