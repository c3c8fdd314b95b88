"""How somebody came down, and whether they lie. Coming down is judged in the picture: depth trembles too much."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from forge_edge.monitor.body import is_low, is_up
from forge_edge.monitor.tracks import Moment, Track

FEWEST_LOOKS: Final = 3
SINK_SECONDS: Final = 4.0
FAST_SINK: Final = 1.1
FAST_SECONDS: Final = 1.2
"""A head that comes down by more than a trunk's length within a second: free fall takes 0.3 s for it, sitting down and
bending more than a second."""
LEAST_HIP_SINK: Final = 0.3
"""With such a drop hips that come down by this are enough; onto a bed they come no farther."""
LEVEL_HEAD: Final = 0.35
"""Height of the head above the hips, in trunk lengths, of who lies along the camera's line of sight."""
UNSEEN_COUNTS_SECONDS: Final = 1.0
"""A time in which somebody was not seen counts as no more than this: what happened in it is not known."""
VANISHED_SECONDS: Final = 1.5
"""Who came down and is not seen since: the fallen are found seldom."""
MOST_LOOKS: Final = 60
SINK: Final = 0.75
"""How far down the picture a head comes in a fall within that time, in lengths of the trunk: from standing to the floor
some 2.9 seen from the side, half of that seen along the body from above."""
HIP_SINK: Final = 0.6
"""The same of the hips: from standing 1.7, from a bed 1.0, from a chair 0.7; lying down on a bed 0.3. The picture alone
is taken here, since depth trembles."""


@dataclass(frozen=True, slots=True)
class Sink:
    """Somebody came down.

    Attributes:
        at_s: When it began.
        hips: How far their hips came down the picture, in trunk lengths.
        fast: Whether as fast as only a fall is.
    """

    at_s: float
    hips: float
    fast: bool

    @property
    def onto_something(self) -> bool:
        """Whether their hips came down less far than to the floor."""
        return self.hips < HIP_SINK


def lay_flat(moments: list[Moment]) -> bool:
    """Tell whether somebody lies at full length, which who squats or sits down on the floor does not."""
    return all(is_low(moment.posture) and moment.posture.head_height < LEVEL_HEAD for moment in moments)


def lies(moment: Moment) -> bool:
    """Tell whether somebody lies or sits on the ground."""
    return is_low(moment.posture)


def lies_after_a_drop(moment: Moment) -> bool:
    """Tell whether somebody who dropped lies, though the network's depth says otherwise: by head and hips."""
    body = moment.body
    hips = float(body.points[23, 1] + body.points[24, 1]) / 2
    in_picture = (hips - float(body.points[0, 1])) / body.trunk_seen
    return is_low(moment.posture) or moment.posture.head_height < LEVEL_HEAD or in_picture < LEVEL_HEAD


def sink_of(track: Track) -> Sink | None:
    """Return how somebody's head and hips came down as in a fall, or None if they did not."""
    moments = list(track.moments)[-MOST_LOOKS:]
    trunk = _trunk(moments)
    head, hips = _heights(moments[-FEWEST_LOOKS:])
    passed, found, lies_flat = 0.0, None, lay_flat(moments[-FEWEST_LOOKS:])
    for place in range(len(moments) - 2, 0, -1):
        passed += min(moments[place + 1].at_s - moments[place].at_s, UNSEEN_COUNTS_SECONDS)
        if passed > SINK_SECONDS:
            break
        before_head, before_hips = _heights(moments[max(0, place - FEWEST_LOOKS + 1) : place + 1])
        down_head, down_hips = (head - before_head) / trunk, (hips - before_hips) / trunk
        if down_hips <= (0.0 if found is None else found.hips):
            continue
        fast = down_head >= FAST_SINK and down_hips >= LEAST_HIP_SINK and _was_fast(moments[place:], trunk)
        # Who stood some seconds ago and lies at full length did not lie down, however little of it the picture shows.
        laid_low = lies_flat and is_up(moments[place].posture)
        if fast or (down_head >= SINK and down_hips >= (LEAST_HIP_SINK if laid_low else HIP_SINK)):
            found = Sink(moments[place].at_s, down_hips, fast=fast or (found is not None and found.fast))
    return found


def dropped(track: Track, since_s: float) -> float:
    """Return by how much a head came down the picture within a second, at most, since a time; in trunk lengths."""
    moments = [moment for moment in track.moments if moment.at_s >= since_s]
    places = range(len(moments))
    heads = [_heights(moments[max(0, place - 1) : place + 2])[0] for place in places]
    drops = (
        heads[later] - heads[place]
        for place in places
        for later in range(place + 1, len(moments))
        if moments[later].at_s - moments[place].at_s <= FAST_SECONDS
    )
    return max(drops, default=0.0) / _trunk(moments) if moments else 0.0


def _trunk(moments: Sequence[Moment]) -> float:
    """Return the length of a trunk in the picture, by the looks at which it was up where there are any."""
    raised = [moment for moment in moments if not is_low(moment.posture)] or moments
    return median(moment.body.trunk_seen for moment in raised)


def _was_fast(moments: list[Moment], trunk: float) -> bool:
    """Tell whether a head came down within a second by as much as in a fall."""
    heads = [float(moment.body.points[0, 1]) for moment in moments]
    for place, moment in enumerate(moments):
        for later in range(place + 1, len(moments)):
            if moments[later].at_s - moment.at_s > FAST_SECONDS:
                break
            if heads[later] - heads[place] >= FAST_SINK * trunk:
                return True
    return False


def _heights(moments: Sequence[Moment]) -> tuple[float, float]:
    """Return how far down the picture head and hips are, as shares of its width."""
    heads = median(float(moment.body.points[0, 1]) for moment in moments)
    hips = median(float(moment.body.points[23, 1] + moment.body.points[24, 1]) / 2 for moment in moments)
    return heads, hips
