"""Who is with somebody, and what happens to them though somebody is."""

import math
from typing import Final

from forge_edge.monitor.drops import FAST_SECONDS, VANISHED_SECONDS, Sink, dropped, lies_after_a_drop
from forge_edge.monitor.tracks import Moment, Track, Tracks, middle_height

COMPANY_SECONDS: Final = 60.0
"""Somebody else who is up and was seen in this time is with them."""
HIDDEN_SECONDS: Final = 300.0
"""The same of who went down slowly beside somebody: who kneels before or behind them is hidden for minutes. Who went
out by a door is not there any more."""
RAISED_SECONDS: Final = 900.0
"""Who was up or sat within this time is with somebody by their own will, kneeling on the floor too."""
CLEAR_DROP: Final = 1.4
"""Of a head within a second, in trunk lengths. From standing it comes down by 3, from a chair by 2.1, in the picture of
a camera that looks down by up to a half less; who squats by 1.4, who sits down heavily by 0.8 (Drillis and Contini
1966). Who bends to the floor as quickly comes down as far and is level, hence the hips."""
CLEAR_HIP_SINK: Final = 0.8
"""The same of the hips in some seconds: from standing 1.7, from a chair 1.0; bending towards such a camera 0.65."""
STOOD_SECONDS: Final = 6.0
STILL_SECONDS: Final = 1.0
STILL: Final = 0.35
"""How far hips may be, in trunk lengths, from where they were a second ago, of who has come to lie."""
CHILD_SHARE: Final = 0.78
"""Of the height of a grown-up who is there: children up to some eight years (girls of eight 1.27 m, women 1.63 m in the
mean, WHO growth reference 2007), who throw themselves on the floor in play."""
SMALL_SHARE: Final = 0.86
"""Below it somebody may be a child, too: heights are measured by up to a tenth wrong from place to place, and one child
within minutes at 0.75 to 0.84. So may a small old woman beside a tall visitor be: nobody is silenced by this alone."""


def company_of(track: Track, at_s: float, tracks: Tracks, *, slowly: bool = False) -> list[Track]:
    """Return who else is there, seen beside this one, and was not on the floor a short while ago.

    Args:
        track: Whom it is about.
        at_s: The time of the look.
        tracks: Everybody.
        slowly: Whether they were not seen to come down. Then who was with them since they are down counts for longer.
    """
    return [
        other
        for other in (*tracks.live, *tracks.unseen)
        if other is not track
        and other.is_sure
        and other.last.at_s >= track.began_s
        and at_s - other.last.at_s
        <= (HIDDEN_SECONDS if slowly and other.last.at_s >= track.raised_s else COMPANY_SECONDS)
        and at_s - other.raised_s <= RAISED_SECONDS
    ]


def dropped_clearly(track: Track, sink: Sink, at_s: float, company: list[Track]) -> bool:
    """Tell whether somebody grown up came down as nobody does by their own will, and lies still or is unseen since."""
    return (
        sink.fast
        and sink.hips >= CLEAR_HIP_SINK
        and dropped(track, sink.at_s - FAST_SECONDS) >= CLEAR_DROP
        and (at_s - track.last.at_s >= VANISHED_SECONDS or _lies_still(track))
        and not _is_child(track, company)
    )


def is_small(track: Track, company: list[Track]) -> bool:
    """Tell whether somebody may be a child, by their height; who was not measured may not."""
    share = _share(track, company)
    return share is not None and share < SMALL_SHARE


def _lies_still(track: Track) -> bool:
    last = track.last
    moments = track.within(STILL_SECONDS, last.at_s)
    moved = max(math.dist(_hips(moment), _hips(last)) for moment in moments)
    return all(lies_after_a_drop(moment) for moment in moments) and moved <= STILL * last.body.trunk_seen


def _hips(moment: Moment) -> tuple[float, float]:
    x, y = (moment.body.points[23] + moment.body.points[24]) / 2
    return float(x), float(y)


def _is_child(track: Track, company: list[Track]) -> bool:
    share = _share(track, company)
    return share is not None and share < CHILD_SHARE


def _share(track: Track, company: list[Track]) -> float | None:
    heights = [other.height for other in company if other.height is not None]
    # Who stood just now is measured anew: people who meet are taken for each other.
    theirs = middle_height(track.within(STOOD_SECONDS, track.last.at_s)) or track.height
    return theirs / max(heights) if theirs is not None and heights else None
