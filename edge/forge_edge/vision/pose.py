"""Follows people from picture to picture: BlazePose's two networks, and who is who between them.

The detector looks at the whole picture, which costs as much as a body's points do. It is asked while nobody is known,
and now and then for somebody who came in; who is known is looked for where the last picture had them.
Source of the procedure: Bazarevsky et al., BlazePose, 2020 (arXiv 2006.10204). For more than one person it is ours.
"""

from dataclasses import dataclass, field
from math import hypot
from typing import Final

import numpy as np

from forge_edge.vision.detection import detector_input, sightings
from forge_edge.vision.landmarks import Body, body, landmark_input
from forge_edge.vision.ports import Keypoints, Picture
from forge_edge.vision.region import Region, person
from forge_edge.vision.runtime import Runtime
from forge_edge.vision.smoothing import VISIBILITY_SHARE, OneEuro, Values

PEOPLE: Final = 3
"""Most people who are followed. Ours: a patient and two who help; each costs a run of the landmark network."""
SEARCH_EVERY: Final = 10
"""Pictures from one search for others to the next. Ours: once in a second of movement, at 10 pictures a second."""
SAME: Final = 0.3
"""Two squares whose centres are nearer than this share of the smaller one's half side hold one person. Ours: that is a
fifth of a body's length, less than the shoulders' width (a quarter, Drillis and Contini, 1966), so that two who stand
side by side are two; two squares of one person are nearer by far."""
_SMALLEST: Final = 1e-6  # of a person, in pixels; below it nothing is smoothed, as in the published solution


@dataclass(slots=True)
class _Followed:
    """Somebody who was seen in the last picture."""

    region: Region
    presence: float
    visibility: Values | None = None
    # Cut-offs and speeds of the published solution: of the body's points, and, steadier, of where to look next.
    points: OneEuro = field(default_factory=lambda: OneEuro(0.05, 80.0))
    next: OneEuro = field(default_factory=lambda: OneEuro(0.01, 10.0))


class BlazePose:
    """Finds people with two networks that somebody else opened. See `PoseReader`.

    Args:
        detector: Runs `DETECTOR`.
        landmarker: Runs `LANDMARKER`.
        people: Most people who are followed, at least 1.
        search_every: Pictures from one search for others to the next, at least 1; 0: search only while nobody is known.
        smooth: Whether points are kept from trembling; of people who are looked for now and then, they need not be.
    """

    def __init__(
        self,
        detector: Runtime,
        landmarker: Runtime,
        *,
        people: int = PEOPLE,
        search_every: int = SEARCH_EVERY,
        smooth: bool = True,
    ) -> None:
        self._detector, self._landmarker = detector, landmarker
        self._people, self._search_every, self._smooth = people, search_every, smooth
        self._followed: list[_Followed] = []
        self._size = (0, 0)
        self._since_search = 0

    def read(self, picture: Picture) -> list[Keypoints]:
        """Return everybody that is seen; see `PoseReader`."""
        height, width = picture.shape[:2]
        if (width, height) != self._size:  # of another camera, or of one that was turned
            self._followed, self._size = [], (width, height)
        self._since_search += 1
        due = self._search_is_due()
        seen = self._look_at(picture, self._followed + (self._search(picture, self._followed) if due else []))
        if len(seen) < len(self._followed) and not due:
            # Who was lost moved fast, and may have fallen: they are searched for at once.
            still = [someone for someone, _ in seen]
            seen += self._look_at(picture, self._search(picture, still))
        self._followed = _distinct([someone for someone, _ in seen])
        return [keypoints for someone, keypoints in seen if any(someone is other for other in self._followed)]

    def _search_is_due(self) -> bool:
        if not self._followed:
            return True
        return 0 < self._search_every <= self._since_search and len(self._followed) < self._people

    def _search(self, picture: Picture, known: list[_Followed]) -> list[_Followed]:
        """Return who is in a picture and not known yet, as many as may be followed beside those who are."""
        self._since_search = 0
        height, width = picture.shape[:2]
        answer = self._detector.run({"input": detector_input(picture)})
        everybody = list(known)
        for sighting in sightings(answer["boxes"], answer["scores"], width, height, faint=not known):
            if not any(_same(sighting.region, someone.region) for someone in everybody):
                everybody.append(_Followed(sighting.region, sighting.score))
        return everybody[len(known) : self._people]

    def _look_at(self, picture: Picture, people: list[_Followed]) -> list[tuple[_Followed, Keypoints]]:
        """Return those of some people who are where they were expected, and their points."""
        seen = []
        for someone in people:
            found = self._look(picture, someone.region)
            keypoints = None if found is None else self._follow(someone, found)
            if keypoints is not None:
                seen.append((someone, keypoints))
        return seen

    def _look(self, picture: Picture, region: Region) -> Body | None:
        answer = self._landmarker.run({"input": landmark_input(picture, region)})
        return body(answer["landmarks"], answer["presence"], answer["heatmap"], region)

    def _follow(self, someone: _Followed, found: Body) -> Keypoints | None:
        """Remember where somebody is, and return their points; None where they have shrunk to nothing."""
        hips, circle = found.next[:, :2].astype(float)
        scale = 2 * hypot(*(circle - hips))
        if scale < _SMALLEST:
            return None
        points, visibility = found.points, found.visibility
        if self._smooth:
            points = someone.points.smooth(points, scale)
            before = visibility if someone.visibility is None else someone.visibility
            visibility = before + np.float32(VISIBILITY_SHARE) * (visibility - before)
            someone.visibility = visibility
        hips, circle = someone.next.smooth(found.next[:, :2], scale).astype(float)
        region = person(hips[0], hips[1], circle[0], circle[1])
        if region is None:
            return None
        someone.region, someone.presence = region, found.presence
        width, height = self._size
        shares = points / np.array((width, height, width), np.float32)
        return np.concatenate((shares, visibility[:, np.newaxis]), axis=1).astype(np.float32)


def _same(one: Region, other: Region) -> bool:
    return hypot(one.x - other.x, one.y - other.y) < SAME * min(one.size, other.size) / 2


def _distinct(people: list[_Followed]) -> list[_Followed]:
    """Leave out who is followed twice: of two in one place the one that is less sure."""
    kept: list[_Followed] = []
    for someone in sorted(people, key=lambda one: -one.presence):
        if not any(_same(someone.region, other.region) for other in kept):
            kept.append(someone)
    return [someone for someone in people if any(someone is other for other in kept)]
