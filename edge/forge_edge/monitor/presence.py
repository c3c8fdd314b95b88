"""Who is in the room and who went: getting up alone, leaving, staying away, and a stranger at night.

People are counted at the doors, since a tracker takes one for another when they meet: how many went in and out stays
right. Somebody who is not seen any more is still there unless they were seen at a door last.
"""

import math
from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

from forge_edge.monitor.body import Body, Posture, is_low, is_up
from forge_edge.monitor.tracks import Moment, Track
from forge_edge.monitor.zones import Zones
from forge_shared.events import DangerKind, Zone

Door = Literal["door", "bathroom_door"]
DOORS: Final[tuple[Door, ...]] = ("door", "bathroom_door")
DOOR_MARGIN: Final = 0.04
"""How far beyond the drawn door somebody is still at it, as a share of the picture's width."""
EMPTY_SECONDS: Final = 8.0
"""Nobody seen for this long after somebody went by a door: the room is empty."""
CAME_SECONDS: Final = 600.0
"""Who came in by a door so short a while ago has not got up."""
OUT_OF_BED_SECONDS: Final = 2.0
NOT_SITTING: Final = 1.0
"""Height of the hips in trunk lengths: on a chair 0.85."""
AWAY: Final = 0.8
"""As a share of a body's size in the picture: its edge is half of that from where somebody lies in a bed."""
SHIFT: Final = 0.4
"""How far the head or the hips of who sits up or stands up get from where they are then, in the picture, in trunk
lengths; depth alone trembles from lying to sitting and from sitting to standing while nothing moves. Rising to sit
brings a head up by 0.85 to 1.2 and forward, standing up from the edge of a bed by 0.6; a camera that looks down by 45
degrees shows two thirds of it. Who lies or sits still moves them by less than 0.1."""
SHIFT_SECONDS: Final = 20.0
"""Within which that is. Ours: longer than getting up takes."""
EDGE_SECONDS: Final = 4.0
"""Sitting on the edge of the bed for this long."""
LEGS_DOWN: Final = 0.75
"""Height of the hips above the feet, in trunk lengths: legs that hang down from a bed 0.85 and more."""
SITS: Final = 0.7
"""Height of the head above the hips, in trunk lengths, of a trunk that is upright: 1.2 when it is, 0.85 at 45."""
LAIN_SECONDS: Final = 20.0
"""Who sits upright in bed sooner after they seemed to lie down is still going to bed: who sits on its edge and takes
their shoes off seems to lie in single looks, since depth trembles. Ours: longer than such looks, shorter than rest."""
FEWEST_IN_BED: Final = 2
FEWEST_STOOD_BY: Final = 10
"""Looks in which somebody stood while another lay in the bed: it is not they who get up from it."""
ALONE_SECONDS: Final = 45.0
"""One person alone in view for this long: whoever else was counted has gone unseen."""
BED_UNSEEN_SECONDS: Final = 150.0
"""Somebody in bed may be unseen for this long while another is seen: a cover or somebody in front hides them."""
VISITOR_SEEN_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Change:
    """Something about who is where began (``confirmed``) or ended (``over``)."""

    kind: DangerKind
    stage: Literal["suspected", "confirmed", "over"]
    began_s: float
    zone: Zone
    confidence: float


_WHERE: Final[dict[DangerKind, tuple[Zone, float]]] = {
    "left_room": ("door", 0.9),
    "absent_long": ("door", 0.9),
    "bed_exit": ("bed", 0.85),
    "bed_edge": ("bed", 0.7),
    "extra_person": ("floor", 0.8),
}
"""Where each kind is told to be, and how surely."""


class _Going:
    """What is going on of who is where: each kind begins once, and ends once."""

    def __init__(self) -> None:
        self._kinds: set[DangerKind] = set()

    def begin(self, kind: DangerKind, since_s: float, *, zone: Zone | None = None) -> list[Change]:
        """Return that a kind began, unless it is going on; sitting on the edge of the bed is only ever suspected."""
        if kind in self._kinds:
            return []
        self._kinds.add(kind)
        where, confidence = _WHERE[kind]
        return [Change(kind, "suspected" if kind == "bed_edge" else "confirmed", since_s, zone or where, confidence)]

    def end(self, kind: DangerKind, at_s: float, *, confidence: float | None = None) -> list[Change]:
        """Return that a kind is over, if it was going on; as surely as it began, unless told otherwise."""
        if kind not in self._kinds:
            return []
        self._kinds.discard(kind)
        where, surely = _WHERE[kind]
        return [Change(kind, "over", at_s, where, surely if confidence is None else confidence)]


@dataclass(frozen=True, slots=True)
class Limits:
    """For how long things are right, in seconds (`forge_shared.plan.Watch`)."""

    absent_s: float
    immobile_s: float
    visitor_s: float


class Presence:
    """Follows who is in the room."""

    def __init__(self, zones: Zones, limits: Limits) -> None:
        self._zones = zones
        self.limits = limits
        self.inside = 1
        self._known: set[int] = set()
        self._went: tuple[float, Door] | None = None
        self._alone_since_s: float | None = None
        self._in_bed_s: float | None = None
        self._resting: dict[int, float] = {}
        self._stood_by: Counter[int] = Counter()
        self._bed_since_s: float | None = None
        self._has_lain = False
        self._sleeps = False
        self._bed_place: tuple[float, float] | None = None
        self._out_since_s: float | None = None
        self._edge_since_s: float | None = None
        self._edge_s = 0.0
        self._company_since_s: float | None = None
        self._company_s = 0.0
        self._going = _Going()
        self._absent_since: tuple[float, Door] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether whoever was in the room went by a door, and nobody has come."""
        return self._absent_since is not None

    def see(
        self, at_s: float, live: list[Track], gone: list[Track], *, night: bool, fallen: bool = False
    ) -> list[Change]:
        """Judge everybody that is followed, and who was lost with this look.

        Args:
            at_s: The time of the look.
            live: Everybody that is followed.
            gone: Who was lost with this look.
            night: Whether it is night.
            fallen: Whether somebody is on the floor: who kneels beside them does not sit on the edge of the bed.
        """
        if not self._zones:
            return []
        seen = [track for track in live if track.is_sure and track.last.at_s == at_s]
        self._count(at_s, live, gone, seen)
        return [
            *self._away(at_s, live),
            *self._beds(at_s, seen, night=night, fallen=fallen),
            *self._visitors(at_s, seen, night=night),
        ]

    def is_leaving(self, moment: Moment) -> bool:
        """Tell whether somebody who was seen last like this may have left by a door."""
        return not is_low(moment.posture) and self._door_of(moment.body) is not None

    def pause(self) -> None:
        """The camera saw nothing for a while: what is not known any more is not held against anybody."""
        self._went = self._alone_since_s = self._out_since_s = self._edge_since_s = None
        self._company_since_s = None
        self._known.clear()

    # counting

    def _count(self, at_s: float, live: list[Track], gone: list[Track], seen: list[Track]) -> None:
        for track in seen:
            if track.number not in self._known:
                self._known.add(track.number)
                self._came(track)
        self._watch_bed(at_s, live)
        for track in gone:
            if track.number in self._known:
                self._known.discard(track.number)
                self._went_by(track)
        up = sum(not is_low(track.last.posture) and track.number not in self._resting for track in seen)
        least = max(len(seen), up + self._bed_is_taken(at_s))
        self.inside = max(self.inside, least)
        if sum(track.is_sure for track in live) > 1 or (self._alone_since_s is None and not seen):
            self._alone_since_s = None
        elif self._alone_since_s is None:
            self._alone_since_s = at_s
        elif seen and at_s - self._alone_since_s >= ALONE_SECONDS:
            self.inside = least

    def _watch_bed(self, at_s: float, live: list[Track]) -> None:
        """Note who lies in bed. Half hidden by a cover, they need not be surely somebody."""
        numbers = {track.number for track in live}
        self._resting = {number: since for number, since in self._resting.items() if number in numbers}
        if not self._bed_is_taken(at_s):
            self._bed_since_s = None
        for track in live:
            if track.last.at_s != at_s or len(track.moments) < FEWEST_IN_BED:
                continue
            if is_low(track.last.posture) and self._zones.holds("bed", track.last.body.hips):
                self._in_bed_s, self._bed_place = at_s, track.last.body.hips
                self._bed_since_s = at_s if self._bed_since_s is None else self._bed_since_s
                self._has_lain |= at_s - self._bed_since_s >= LAIN_SECONDS
                self._sleeps |= self._has_lain
                self._resting.setdefault(track.number, at_s)
                del self._stood_by[track.number]
            elif track.number in self._resting and (self._is_out(track) or self._still_sits(track)):
                del self._resting[track.number]
                self._in_bed_s = self._bed_since_s = None
                self._has_lain = self._sleeps = False
            elif self.inside == 1 and track.is_sure and track.stands:
                self._has_lain = False
            elif track.is_sure and track.stands and self._door_of(track.first) is None:
                self._sleeps = False
        self._stood_by = Counter({number: looks for number, looks in self._stood_by.items() if number in numbers})
        for track in live:
            if track.last.at_s == at_s == self._in_bed_s and track.number not in self._resting and track.is_sure:
                self._stood_by[track.number] += is_up(track.last.posture)

    def lay_there(self, track: int, at_s: float) -> bool:
        """Tell whether somebody lay in bed at a time who is not this one: nobody falls onto a bed that is taken."""
        since = self._bed_since_s
        return since is not None and since < at_s and self._resting.get(track, at_s) >= at_s

    def _is_out(self, track: Track) -> bool:
        """Tell whether somebody who lay in bed has left it: they stand, or are up and well away from where they lay."""
        if track.stands:
            return _shifted(track)
        body = track.last.body
        if self._bed_place is None or track.last.posture.hip_height < NOT_SITTING:
            return False
        return math.dist(body.hips, self._bed_place) > AWAY * body.size

    def _still_sits(self, track: Track) -> bool:
        """Tell whether somebody only seemed to lie down: they sit, and nobody has lain in bed who did not get up."""
        return not self._has_lain and _sits(track.last.posture)

    def _bed_is_taken(self, at_s: float) -> bool:
        return self._in_bed_s is not None and at_s - self._in_bed_s < BED_UNSEEN_SECONDS

    def _came(self, track: Track) -> None:
        if self._door_of(track.first) is not None:
            self.inside += 1
            self._went = None

    def _went_by(self, track: Track) -> None:
        door = self._door_of(track.last.body)
        if door is not None and not is_low(track.last.posture):
            # Who came in goes out: who lay in bed, unseen under a cover since, is still there.
            stays = self._sleeps and self._door_of(track.first) is not None
            self.inside = max(int(stays), self.inside - 1)
            self._went = (track.last.at_s, door)

    def _door_of(self, body: Body) -> Door | None:
        for door in DOORS:
            if self._zones.holds(door, body.feet, DOOR_MARGIN) or self._zones.holds(door, body.hips, DOOR_MARGIN):
                return door
        return None

    # away

    def _away(self, at_s: float, live: list[Track]) -> list[Change]:
        if any(track.is_sure for track in live):
            self._went = self._absent_since = None
            return [*self._going.end("left_room", at_s), *self._going.end("absent_long", at_s)]
        changes: list[Change] = []
        if self._went is not None and self.inside == 0 and at_s - self._went[0] >= EMPTY_SECONDS:
            went, self._went = self._went, None
            self._absent_since = went
            if went[1] == "door":
                changes += self._going.begin("left_room", went[0])
        if self._absent_since is not None and at_s - self._absent_since[0] >= self.limits.absent_s:
            since_s, door = self._absent_since
            changes += self._going.begin("absent_long", since_s, zone=door)
        return changes

    # bed

    def _beds(self, at_s: float, seen: list[Track], *, night: bool, fallen: bool) -> list[Change]:
        changes: list[Change] = []
        if self._in_bed_s == at_s:
            self._out_since_s = None
            changes += self._going.end("bed_exit", at_s, confidence=0.8)
        changes += self._edge(at_s, seen, may_begin=night and not fallen)
        if not night or self.inside != 1 or len(seen) > 1:
            self._out_since_s = None
        if self.inside != 1 or len(seen) != 1 or not night:
            return changes
        came_in = at_s - seen[0].began_s < CAME_SECONDS and self._door_of(seen[0].first) is not None
        if not self._is_out(seen[0]) or self._stood_by[seen[0].number] >= FEWEST_STOOD_BY:
            self._out_since_s = None
        elif not came_in:
            if self._out_since_s is None:
                self._out_since_s = at_s
            if at_s - self._out_since_s >= OUT_OF_BED_SECONDS:
                changes += self._going.begin("bed_exit", self._out_since_s)
        return changes

    def _edge(self, at_s: float, seen: list[Track], *, may_begin: bool) -> list[Change]:
        """Judge whether somebody who lay in bed, alone, sits on its edge; by day people do, and nobody is told."""
        if len(seen) != 1 or self.inside != 1:
            self._edge_since_s = None if len(seen) > 1 else self._edge_since_s
            return []
        sits = seen[0].number in self._resting and _sits(seen[0].last.posture)
        if sits:
            self._edge_since_s = at_s if self._edge_since_s is None else self._edge_since_s
            self._edge_s = at_s
        else:
            if at_s - self._edge_s > EDGE_SECONDS:
                self._edge_since_s = None
            if at_s - self._edge_s > LAIN_SECONDS:
                return self._going.end("bed_edge", at_s)
        if may_begin and sits and at_s - (self._edge_since_s or at_s) >= EDGE_SECONDS and _shifted(seen[0]):
            return self._going.begin("bed_edge", self._edge_since_s or at_s)
        return []

    # strangers

    def _visitors(self, at_s: float, seen: list[Track], *, night: bool) -> list[Change]:
        beside = any(not is_low(track.last.posture) and track.number not in self._resting for track in seen)
        if len(seen) > 1 or (beside and self._bed_is_taken(at_s)):
            self._company_s = at_s
            since_s = self._company_since_s = at_s if self._company_since_s is None else self._company_since_s
            if night and at_s - since_s >= self.limits.visitor_s:
                return self._going.begin("extra_person", since_s)
        elif self._company_since_s is not None and at_s - self._company_s > VISITOR_SEEN_SECONDS:
            self._company_since_s = None
            return self._going.end("extra_person", at_s)
        return []


def _shifted(track: Track) -> bool:
    """Tell whether somebody moved from one place in the picture to another of late; who was not seen may have."""
    last = track.last
    if last.at_s - track.began_s < SHIFT_SECONDS:
        return True
    far = SHIFT * last.body.trunk_seen
    late = track.within(SHIFT_SECONDS, last.at_s)
    return any(math.dist(_head(moment.body), _head(last.body)) > far for moment in late) or any(
        math.dist(_hips(moment.body), _hips(last.body)) > far for moment in late
    )


def _head(body: Body) -> tuple[float, float]:
    return float(body.points[0, 0]), float(body.points[0, 1])


def _hips(body: Body) -> tuple[float, float]:
    x, y = (body.points[23] + body.points[24]) / 2
    return float(x), float(y)


def _sits(posture: Posture) -> bool:
    """Tell whether somebody sits upright with their legs hanging down."""
    return not is_up(posture) and posture.hip_height > LEGS_DOWN and posture.head_height > SITS
