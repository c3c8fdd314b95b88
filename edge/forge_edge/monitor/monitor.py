"""The room's judgement of what the camera shows: looks in, findings out.

Pure: no clock, no chance, no device. The same looks give the same findings, whatever the time of day they are replayed.
"""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from forge_edge.monitor.blindness import Blindness
from forge_edge.monitor.body import FIRST_TILT, body_of, is_up
from forge_edge.monitor.falls import Falls
from forge_edge.monitor.findings import Answer, Finding, FindingKind
from forge_edge.monitor.looks import Look
from forge_edge.monitor.presence import Limits, Presence
from forge_edge.monitor.stillness import Stillness
from forge_edge.monitor.tracks import Tracks
from forge_edge.monitor.zones import Zones
from forge_shared.events import DangerKind, DangerStage, Zone
from forge_shared.plan import Watch

TILT_SHARE: Final = 0.01
"""How much one look at somebody who walks counts for the camera's tilt: some hundred looks."""
FIRST_LOOKS: Final = 20
"""How many looks the first tilt is worth."""
STEEPEST: Final = math.radians(60.0)
WALKS: Final = 0.15
"""In trunk lengths a second; who lies or sits does not travel."""
SETTLING_SECONDS: Final = 2.0
"""After blindness nobody has just fallen: they are only seen again."""
LEAST_WALK_SECONDS: Final = 0.5
_MIDNIGHT: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class _Incident:
    number: int
    began_s: float


class Monitor:
    """Judges one room.

    Args:
        watch: What is watched for, and for how long things are right.
        zones: What staff drew; without zones only falls, stillness and blindness are judged.
    """

    def __init__(self, watch: Watch, zones: Zones) -> None:
        self._watch = watch
        self._zones = zones
        self._tilt, self._walked = FIRST_TILT, FIRST_LOOKS
        self._blindness = Blindness()
        limits = _limits(watch)
        self._presence = Presence(zones, limits)
        self._tracks = Tracks(self._presence.is_leaving)
        self._falls = Falls(zones, self._presence.lay_there)
        self._stillness = Stillness(limits.immobile_s)
        self._incidents: dict[tuple[FindingKind, int], _Incident] = {}
        self._count = 0
        self._settled_s = float("-inf")

    @property
    def is_empty(self) -> bool:
        """Whether whoever was in the room was seen to leave by a door; False too where nobody knows."""
        return self._presence.is_empty

    def adopt(self, watch: Watch) -> None:
        """Watch for what staff have set from now on; what is going on goes on."""
        self._watch = watch
        limits = _limits(watch)
        self._presence.limits = limits
        self._stillness.limit_s = limits.immobile_s

    def tick(self, at_s: float) -> list[Finding]:
        """Judge that a time has come and no look with it. Called every second."""
        if self._blindness.silent(at_s):
            return [self._went_blind(at_s)]
        return []

    def see(self, look: Look) -> list[Finding]:
        """Judge the next look; times never go back."""
        found = self.tick(look.at_s)
        if self._blindness.see(look):
            found.append(self._went_blind(look.at_s) if self._blindness.cause else self._sees_again(look.at_s))
        if self._blindness.cause is not None:
            return found
        if not look.looked or self._is_settling(look.at_s):
            return found
        bodies = [body for person in look.people if (body := body_of(person, look.aspect, self._tilt)) is not None]
        self._tracks.see(look.at_s, bodies)
        self._learn(look.at_s)
        night = self._is_night(look.day_s)
        found += self._judge_falls(look.at_s)
        fallen = self._falls.current is not None
        for change in self._presence.see(look.at_s, self._tracks.live, self._tracks.gone, night=night, fallen=fallen):
            found += self._tell(change.kind, change.stage, look.at_s, change.began_s, change.zone, change.confidence)
        found += self._judge_stillness(look.at_s, night=night)
        return found

    def answered(self, at_s: float, answer: Answer) -> list[Finding]:
        """Take what somebody who may have fallen answered. Beside others silence says nothing: they may be helping."""
        fall = self._falls.current
        if fall is None or fall.confirmed or (answer == "silence" and fall.beside):
            return []
        if answer == "well":
            self._falls.reassure(at_s)
            return self._tell("fall", "withdrawn", at_s, fall.began_s, fall.zone, fall.confidence)
        fall.confirmed = True
        return self._tell("fall", "confirmed", at_s, fall.began_s, fall.zone, fall.confidence)

    def _is_settling(self, at_s: float) -> bool:
        return at_s < self._settled_s

    def _judge_falls(self, at_s: float) -> list[Finding]:
        stage = self._falls.see(at_s, self._tracks, steady=self._blindness.is_steady)
        fall = self._falls.current
        if stage is None or fall is None:
            return []
        if stage in {"over", "withdrawn"}:
            self._falls.end()
        return self._tell("fall", stage, at_s, fall.began_s, fall.zone, fall.confidence)

    def _judge_stillness(self, at_s: float, *, night: bool) -> list[Finding]:
        found: list[Finding] = []
        for rest, still in self._stillness.see(at_s, self._tracks.live):
            zone = self._zones.at(rest.middle)
            if still and not (night and zone == "bed"):
                found += self._tell("immobile", "confirmed", at_s, rest.since_s, zone, 0.8, of=rest.number)
            elif not still:
                found += self._tell("immobile", "over", at_s, rest.since_s, zone, 0.8, of=rest.number)
        return found

    def _learn(self, at_s: float) -> None:
        """Learn from who walks how far the camera looks down."""
        for track in self._tracks.live:
            body, moments = track.last.body, track.within(1.0, at_s)
            if body.tilt is None or track.last.at_s != at_s or not is_up(track.last.posture) or not track.is_sure:
                continue
            passed = at_s - moments[0].at_s
            way = math.dist(moments[0].body.hips, body.hips)
            if passed < LEAST_WALK_SECONDS or way < WALKS * body.trunk_seen * passed or not 0 <= body.tilt <= STEEPEST:
                continue
            self._walked += 1
            self._tilt += max(TILT_SHARE, 1 / (self._walked + 1)) * (body.tilt - self._tilt)

    def _is_night(self, day_s: float | None) -> bool:
        if day_s is None:
            return False
        return self._watch.night.hold((_MIDNIGHT + timedelta(seconds=day_s)).time())

    def _went_blind(self, at_s: float) -> Finding:
        since = self._blindness.since_s
        incident = self._incident("blind", since)
        return Finding("blind", "confirmed", at_s, since, "unknown", 0.95, incident.number, self._blindness.cause)

    def _sees_again(self, at_s: float) -> Finding:
        self._tracks.forget()
        self._presence.pause()
        self._stillness.forget(at_s)
        self._settled_s = at_s + SETTLING_SECONDS
        incident = self._incidents.pop(("blind", 0))
        return Finding("blind", "over", at_s, incident.began_s, "unknown", 0.95, incident.number, "seeing")

    def _incident(self, kind: FindingKind, began_s: float, of: int = 0) -> _Incident:
        if (kind, of) not in self._incidents:
            self._count += 1
            self._incidents[kind, of] = _Incident(self._count, began_s)
        return self._incidents[kind, of]

    def _tell(  # noqa: PLR0913 (the parts of a finding)
        self,
        kind: DangerKind,
        stage: DangerStage,
        at_s: float,
        began_s: float,
        zone: Zone,
        confidence: float,
        *,
        of: int = 0,
    ) -> list[Finding]:
        """Return the next step of what is going on; ``of`` tells apart of whom, where it can be of several."""
        if kind not in self._watch.kinds:
            return []
        ends = stage in {"over", "withdrawn"}
        if ends and (kind, of) not in self._incidents:
            return []
        incident = self._incident(kind, began_s, of)
        if ends:
            del self._incidents[kind, of]
        return [Finding(kind, stage, at_s, began_s, zone, confidence, incident.number)]


def _limits(watch: Watch) -> Limits:
    return Limits(60 * watch.absent_minutes, 60 * watch.immobile_minutes, 60 * watch.visitor_minutes)
