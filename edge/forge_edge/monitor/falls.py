"""Falls, in two stages: suspected within two seconds, confirmed after a while on the floor or by the voice."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from forge_edge.monitor.body import is_low, is_up
from forge_edge.monitor.company import company_of, dropped_clearly, is_small
from forge_edge.monitor.drops import FEWEST_LOOKS, VANISHED_SECONDS, lay_flat, lies, lies_after_a_drop, sink_of
from forge_edge.monitor.tracks import Moment, Track, Tracks
from forge_edge.monitor.zones import Zones
from forge_shared.events import DangerStage, Zone

LOOKS_BACK_SECONDS: Final = 1.2
LOW_SHARE: Final = 0.7
"""Of the looks: left and right, or a limb, are taken for something else in some."""
LONG_SECONDS: Final = 6.0
"""Low on the floor for this long is a fall, however somebody came there."""
FLOOR_HIPS: Final = 0.4
"""In trunk lengths: who was not seen to come down must surely lie or sit on the floor (0 to 0.3); who crouches beside
somebody is at 0.65 and up."""
CONFIRM_SECONDS: Final = 14.0
"""On the floor for this long after the suspicion. Ours: in 10 to 15 s who can get up alone has
begun to, and the room has asked and waited for an answer (some 11 s)."""
CONFIRM_BESIDE_SECONDS: Final = 30.0
"""The same of who fell beside somebody. Ours: the room asks (11 s); who is there answers, or helps the fallen up, which
takes somebody well a quarter to half a minute. Who sleeps, cannot call, or is a child does neither."""
UP_SECONDS: Final = 1.5
"""Upright for this long: got up."""
FOUND_SECONDS: Final = 30.0
"""Nobody lies there any more, and somebody is seen elsewhere, for this long."""
FOUND_BESIDE_SECONDS: Final = 120.0
"""The same where somebody was beside them, and is seen all the time: the fallen are lost for up to 48 s on end."""
REASSURED_SECONDS: Final = 60.0
"""For so long after "I am fine" nobody is suspected anew; who lies on the floor after it is."""
PLAY_LIES_SECONDS: Final = 90.0
"""Somebody small who falls beside somebody is told once they have stayed down for this long. Ours: a child at play
seldom lies for a minute, and who is there sees what has happened and can call."""
NEAR: Final = 0.2
"""How far, as a share of the picture's width, from where somebody fell another body is taken for theirs."""


@dataclass(slots=True)
class Fall:
    """One that is going on.

    ``beside`` is how many people were seen with who fell, who were not down themselves; ``small`` whether who fell may
    be a child, by their height beside them; ``up_since_s`` since when they are up again.
    """

    began_s: float
    suspected_s: float
    zone: Zone
    confidence: float
    where: tuple[float, float]
    beside: int = 0
    small: bool = False
    confirmed: bool = False
    up_since_s: float | None = None
    lay_s: float = 0.0


class Falls:
    """Judges falls. ``current`` is the one that is going on: one incident, not ten alarms.

    Args:
        zones: What staff drew.
        lay_there: Whether at a time somebody else lay in the bed already than the track of this number.
    """

    def __init__(self, zones: Zones, lay_there: Callable[[int, float], bool]) -> None:
        self._zones = zones
        self._lay_there = lay_there
        self.current: Fall | None = None
        self._play: Fall | None = None
        self._reassured_until_s = float("-inf")

    def see(self, at_s: float, tracks: Tracks, *, steady: bool = True) -> DangerStage | None:
        """Judge everybody that is followed; return what became of the current fall.

        Args:
            at_s: The time of the look.
            tracks: Everybody that is followed.
            steady: Whether the picture can be trusted; nobody falls while the camera moves.
        """
        if self._play is not None:
            self._wait(self._play, at_s, tracks.live)
        if self.current is not None:
            return self._follow(self.current, at_s, tracks.live)
        for track in tracks.live if at_s >= self._reassured_until_s else ():
            if steady and track.is_sure and (fall := self._fallen(track, at_s, tracks)):
                if fall.small:
                    self._play = self._play or fall
                    continue
                self.current = fall
                return "suspected"
        if self._play is not None and at_s - self._play.suspected_s >= PLAY_LIES_SECONDS:
            self.current, self._play = replace(self._play, suspected_s=at_s, up_since_s=None), None
            return "suspected"
        return None

    def reassure(self, at_s: float) -> None:
        """Take the current fall back, since somebody said that they are well; who still lies there later may not be."""
        self.current = None
        self._reassured_until_s = at_s + REASSURED_SECONDS

    def end(self) -> None:
        """Forget the current fall: it is over or was taken back."""
        self.current = None

    def _fallen(self, track: Track, at_s: float, tracks: Tracks) -> Fall | None:
        sink = sink_of(track)
        lying = lies_after_a_drop if sink is not None and sink.fast else lies
        unseen = at_s - track.last.at_s
        recent = track.within(LOOKS_BACK_SECONDS + unseen, at_s)
        if len(recent) < FEWEST_LOOKS:
            recent = list(track.moments)[-FEWEST_LOOKS:]
        low = sum(lying(moment) for moment in recent)
        surely = unseen >= VANISHED_SECONDS or low >= max(FEWEST_LOOKS, LOW_SHARE * len(recent))
        briefly = sink is not None and sink.fast and lay_flat(list(track.moments)[-FEWEST_LOOKS:])
        if not lying(track.last) or not (surely or briefly):
            return None
        zone = self._zones.at(track.last.body.hips)
        if sink is None and (zone in {"bed", "chair", "unknown"} or not _long(track, at_s)):
            return None
        on_something = sink is not None and sink.onto_something and zone != "floor"
        if on_something and zone != "unknown":
            return None
        began = recent[0].at_s if sink is None else sink.at_s
        if zone == "bed" and self._lay_there(track.number, began):
            return None
        company = company_of(track, at_s, tracks, slowly=sink is None)
        if company and (sink is None or not dropped_clearly(track, sink, at_s, company)):
            return None
        if on_something:
            zone = "bed"
        confidence = _confidence(recent, sank=sink is not None)
        small = is_small(track, company)
        return Fall(began, at_s, zone, confidence, track.last.body.hips, beside=len(company), small=small)

    def _wait(self, play: Fall, at_s: float, tracks: list[Track]) -> None:
        """Forget that somebody small went down who is up again, on their knees too, beside as many as before."""
        seen = [track.last for track in tracks if track.last.at_s == at_s and track.is_sure]
        theirs = [moment for moment in seen if math.dist(moment.body.hips, play.where) <= NEAR]
        if any(is_low(moment.posture) for moment in theirs):
            play.up_since_s = None
        elif theirs and _raised(seen) > play.beside and play.up_since_s is None:
            play.up_since_s = at_s
        if play.up_since_s is not None and at_s - play.up_since_s >= UP_SECONDS:
            self._play = None

    def _follow(self, fall: Fall, at_s: float, tracks: list[Track]) -> DangerStage | None:
        seen = [track.last for track in tracks if track.last.at_s == at_s and track.is_sure]
        theirs = [moment for moment in seen if math.dist(moment.body.hips, fall.where) <= NEAR]
        if any(is_low(moment.posture) for moment in theirs):
            fall.up_since_s, fall.lay_s = None, at_s
        elif any(is_up(moment.posture) for moment in theirs) and _raised(seen) > fall.beside:
            fall.up_since_s = at_s if fall.up_since_s is None else fall.up_since_s
        if fall.up_since_s is not None and at_s - fall.up_since_s >= UP_SECONDS:
            return "over" if fall.confirmed else "withdrawn"
        found = FOUND_BESIDE_SECONDS if fall.beside else FOUND_SECONDS
        if fall.confirmed and seen and at_s - max(fall.lay_s, fall.suspected_s) >= found:
            return "over"
        waits = CONFIRM_BESIDE_SECONDS if fall.beside else CONFIRM_SECONDS
        if not fall.confirmed and fall.up_since_s is None and at_s - fall.suspected_s >= waits:
            fall.confirmed = True
            fall.confidence = min(0.99, fall.confidence + 0.2)
            return "confirmed"
        return None


def _raised(moments: list[Moment]) -> int:
    """Return how many do not lie: who stands over the fallen is not the fallen, who got up is one more."""
    return sum(not is_low(moment.posture) for moment in moments)


def _long(track: Track, at_s: float) -> bool:
    moments = track.within(LONG_SECONDS, at_s)
    if at_s - track.began_s < LONG_SECONDS or not moments:
        return False
    low = sum(is_low(moment.posture) for moment in moments)
    return low >= LOW_SHARE * len(moments) and median(moment.posture.hip_height for moment in moments) < FLOOR_HIPS


def _confidence(recent: list[Moment], *, sank: bool) -> float:
    seen = min(1.0, max(0.0, sum(moment.body.sight for moment in recent) / len(recent)))
    return round(min(0.95, 0.4 * seen + (0.35 if sank else 0.2)), 2)
