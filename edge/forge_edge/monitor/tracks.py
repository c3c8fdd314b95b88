"""Who is who from look to look: each person keeps a number while they are seen, and for a while after."""

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from statistics import median
from typing import Final

from forge_edge.monitor.body import HIGH_HIPS, Body, Posture, is_low, is_up, posture_of

LOST_SECONDS: Final = 30.0
"""After this long unseen a track ends. Ours: a fallen person is seen in a tenth of the looks (a small detector) and
lost for up to 4.3 s on end (BlazePose on GMDCSA-24)."""
GONE_SECONDS: Final = 3.0
"""The same for who was last seen upright at a door."""
UNSEEN_SECONDS: Final = 300.0
"""For so long somebody who was lost elsewhere is still taken to be there."""
REACH: Final = 0.35
REACH_A_SECOND: Final = 0.5
"""How far a body may be from where it was, and how much farther for each second unseen, as shares of its own size in
the picture: nobody leapt by more than 0.6 trunk lengths (0.17 of the height) from one look to the next (BlazePose on
GMDCSA-24), and a quick walk is 0.9 of the height a second."""
FARTHEST: Final = 0.75
JUST_SECONDS: Final = 2.0
LEAP: Final = 1.2
"""The only one who is missing since just now is the only one who is found anew, this far away: falling people are lost
for moments (0.3 to 0.9 s on GMDCSA-24)."""
SURE_LOOKS: Final = 4
SURE_SIGHT: Final = 0.5
"""A track is somebody once it was seen this often with this mean visibility: cushions and coats are found for moments,
and hardly visible."""
MEMORY_SECONDS: Final = 45.0
STANDS_SECONDS: Final = 2.5
FEWEST_STANDING: Final = 4
"""Over so many looks: who sits on the edge of a bed seems to stand in single ones, since depth trembles."""
SMOOTH_SECONDS: Final = 0.55
FEWEST_SMOOTHED: Final = 3
MOST_SMOOTHED: Final = 8
HEIGHT_SECONDS: Final = 4.0
FEWEST_HEIGHTS: Final = 5
"""Looks at somebody on their feet: depth trembles to either side in each."""
LEAST_DROP: Final = 0.2
"""Of the feet below the camera, as a share of the distance: with less a height cannot be told."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A body at a time, and the posture of the looks up to it."""

    at_s: float
    body: Body
    posture: Posture


@dataclass(slots=True)
class Track:
    """Somebody followed.

    Attributes:
        number: By which they are known.
        first: How they were seen first, at ``began_s``.
        moments: The last `MEMORY_SECONDS`, oldest first.
        clear_looks: In how many looks they were well visible.
        raised_s: When they were last neither lying nor sitting on the ground.
        height: How tall they were when they stood last, as of `middle_height`; None: not seen standing.
    """

    number: int
    first: Body
    began_s: float
    moments: deque[Moment] = field(default_factory=deque)
    clear_looks: int = 0
    raised_s: float = float("-inf")
    height: float | None = None

    @property
    def last(self) -> Moment:
        """When and how they were seen last."""
        return self.moments[-1]

    @property
    def is_sure(self) -> bool:
        """Whether this is somebody."""
        return self.clear_looks >= SURE_LOOKS

    def within(self, seconds: float, now: float) -> list[Moment]:
        """Return the moments of the last seconds, oldest first."""
        return [moment for moment in self.moments if moment.at_s >= now - seconds]

    @property
    def stands(self) -> bool:
        """Whether they stand, surely: for some looks on end."""
        recent = self.within(STANDS_SECONDS, self.last.at_s)
        if len(recent) < FEWEST_STANDING:
            recent = list(islice(reversed(self.moments), FEWEST_STANDING))
        heights = [moment.posture.hip_height for moment in recent]
        return len(heights) >= FEWEST_STANDING and median(heights) > HIGH_HIPS

    def add(self, at_s: float, body: Body) -> None:
        """Note how they are seen now."""
        recent = [body]
        for moment in islice(reversed(self.moments), MOST_SMOOTHED - 1):
            if at_s - moment.at_s > SMOOTH_SECONDS and len(recent) >= FEWEST_SMOOTHED:
                break
            recent.append(moment.body)
        posture = posture_of(recent)
        self.moments.append(Moment(at_s, body, posture))
        if not is_low(posture):
            self.raised_s = at_s
        if is_up(posture):
            self.height = middle_height(self.within(HEIGHT_SECONDS, at_s)) or self.height
        if body.sight >= SURE_SIGHT:
            self.clear_looks += 1
        while self.moments[0].at_s < at_s - MEMORY_SECONDS:
            self.moments.popleft()


class Tracks:
    """Follows everybody. Tracks in ``gone`` ended with the last look, those in ``unseen`` before, not at a door.

    Args:
        leaving: Whether somebody who was seen last like this may have left the room.
    """

    def __init__(self, leaving: Callable[[Moment], bool]) -> None:
        self._leaving = leaving
        self.live: list[Track] = []
        self.gone: list[Track] = []
        self.unseen: list[Track] = []
        self._numbers = 0

    def see(self, at_s: float, bodies: list[Body]) -> None:
        """Follow everybody to the next look."""
        self.gone = [track for track in self.live if self._is_gone(track, at_s)]
        self.live = [track for track in self.live if track not in self.gone]
        lost = [*self.unseen, *(track for track in self.gone if not self._leaving(track.last))]
        self.unseen = [track for track in lost if at_s - track.last.at_s <= UNSEEN_SECONDS]
        pairs = sorted(
            (distance, place, track.number)
            for place, body in enumerate(bodies)
            for track in self.live
            if (distance := _distance(track.last.body, body)) <= _reach(track, body, at_s)
        )
        by_number = {track.number: track for track in self.live}
        taken: set[int] = set()
        for _, place, number in pairs:
            if place in taken or number not in by_number:
                continue
            taken.add(place)
            by_number.pop(number).add(at_s, bodies[place])
        new = [place for place in range(len(bodies)) if place not in taken]
        missing = [track for track in by_number.values() if at_s - track.last.at_s <= JUST_SECONDS and track.is_sure]
        if len(new) == len(missing) == 1:
            body, track = bodies[new[0]], missing[0]
            if _distance(track.last.body, body) <= LEAP * max(track.last.body.size, body.size):
                taken.add(new[0])
                track.add(at_s, body)
        for place, body in enumerate(bodies):
            if place not in taken:
                self._numbers += 1
                track = Track(self._numbers, body, at_s)
                track.add(at_s, body)
                self.live.append(track)

    def forget(self) -> None:
        """Let go of everybody: nothing that was seen before counts any more."""
        self.live, self.gone, self.unseen = [], [], []

    def _is_gone(self, track: Track, at_s: float) -> bool:
        unseen = at_s - track.last.at_s
        return unseen > LOST_SECONDS or (unseen > GONE_SECONDS and self._leaving(track.last))


def middle_height(moments: Sequence[Moment]) -> float | None:
    """Return how tall somebody is: nose above hips while they stand, as a share of the camera's height over their feet.

    Returns:
        None where they are hardly seen standing, or the camera hangs too low to tell.
    """
    shares = [
        (moment.body.hip_drop - moment.body.nose_drop) / moment.body.foot_drop
        for moment in moments
        if is_up(moment.posture) and moment.body.foot_drop >= LEAST_DROP
    ]
    return median(shares) if len(shares) >= FEWEST_HEIGHTS else None


def _reach(track: Track, body: Body, at_s: float) -> float:
    unseen_s = at_s - track.last.at_s
    return max(track.last.body.size, body.size) * min(FARTHEST, REACH + REACH_A_SECOND * unseen_s)


def _distance(one: Body, other: Body) -> float:
    """Return how far two bodies are apart, by hips and shoulders: a swap of left and right changes neither."""
    return sum(math.dist(_middle(one, left), _middle(other, left)) for left in (11, 23)) / 2


def _middle(body: Body, left: int) -> tuple[float, float]:
    x, y = (body.points[left] + body.points[left + 1]) / 2
    return float(x), float(y)
