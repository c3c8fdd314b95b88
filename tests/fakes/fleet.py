"""A hundred rooms that take releases, raise alerts and are away at times, and a hub that rolls releases out to them.

Records, catalogue, engine and verdicts are the real ones; time is lapsed, and the rooms are drawn from a seed. What a
release does in a room is a `Behaviour`. Rates, failures and noise are set as a ward may have them, and not more kindly.
"""

import hashlib
import json
import math
import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from tests.fakes.clock import FakeClock
from tests.fakes.releases import Site, write_release
from tests.fakes.sent import FakeNode, arrived

from forge_hub.fleet.room_releases import note_releases
from forge_hub.ingest.reading import Arrived
from forge_hub.ingest.store import IngestStore
from forge_hub.projection import catch_up
from forge_hub.records.database import Database, open_database
from forge_hub.records.schema import Alert, Room, RoomDirector
from forge_hub.releases.engine import RolloutEngine
from forge_hub.releases.projection import ReleaseProjection
from forge_hub.releases.rollouts import Rollouts
from forge_shared.events import EventData, ReleaseChanged, SenseChanged
from forge_shared.releases import MANIFEST, Hardware
from forge_shared.wire import RoomRelease, TwinReported

PROFILES: tuple[tuple[Hardware, float], ...] = (("x86", 0.3), ("orin-nano", 0.5), ("pi-5", 0.2))
"""Hardware of the rooms with its share."""
HISTORY_DAYS = 28
SAYS_EVERY = timedelta(hours=12)
"""A room whose releases stand as they stood says so again after this; a real one does at every change of a figure."""
NIGHT = 1.8
"""By how much more rooms raise from 22 to 6 o'clock than on average by day."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a release does: factors on what the room had before. ``fails``: share of rooms where it fails by chance."""

    latency: float = 1.0
    alerts: float = 1.0
    memory: float = 1.0
    hotter: float = 0.0
    golden_wrong_on: frozenset[Hardware] = frozenset()
    fails: float = 0.01


GOOD = Behaviour()


@dataclass
class SimulatedRoom:
    """One room: what its machine is like, how often it raises false alerts, and what it is doing.

    ``is_unused``: nobody opens what a trial needs there, so none ends. ``is_old``: its node measures on trial alone.
    """

    name: str
    hardware: Hardware
    rate_per_hour: float
    latency_ms: float
    node: FakeNode
    away_until: datetime
    serving: str | None = None
    good: str | None = None
    next: str | None = None
    rollout: str = "manual"
    state: str = "serving"
    due: datetime | None = None
    seen_version: int = 0
    is_fated: bool = False
    is_unused: bool = False
    is_old: bool = False
    mood: float = 1.0
    mood_until: datetime | None = None
    said: tuple[str | None, ...] = ()
    said_at: datetime | None = None
    refused: set[str] = field(default_factory=set)


class Fleet:
    """The rooms, and the hub over them. `passes` lets time pass.

    Args:
        folder: Where the hub lives.
        seed: Draws everything.
        rooms: How many.
        behaviours: What releases do, by target; what is not named is good.
        per_day: False alerts of a room in a day on average, before any release.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        rooms: int = 100,
        behaviours: Mapping[str, Behaviour] | None = None,
        per_day: float = 0.8,
    ) -> None:
        self.random = random.Random(seed)
        self.clock = FakeClock()
        self.clock.at = datetime(2026, 3, 2, 9, 0, tzinfo=UTC) + timedelta(minutes=self.random.randrange(10_000))
        self.site = Site.begun(folder / "releases", self.clock)
        self.database: Database = open_database(f"sqlite:///{folder / 'records.db'}")
        self.behaviours = dict(behaviours or {})
        self._folder = folder
        self._ingest = IngestStore("site", self.database, self.clock)
        self._alerts = 0
        self._counter = 0
        hardware = [profile for profile, share in PROFILES for _ in range(round(share * rooms))]
        hardware += [PROFILES[0][0]] * (rooms - len(hardware))
        self.random.shuffle(hardware)
        self.rooms = {
            room.name: room
            for room in (self._make(f"room-{number}", hardware[number - 1], per_day) for number in range(1, rooms + 1))
        }
        self._begin()
        self.restart()

    def publish(self, version: str, *, seconds: int = 3600, hardware: Collection[Hardware] | None = None) -> str:
        """Publish a release and return its target."""
        self._counter += 1
        release = write_release(self._folder / f"release-{version}", version=version, counter=self._counter)
        manifest = json.loads((release / MANIFEST).read_text())
        manifest["hardware"] = sorted(hardware or {profile for profile, _ in PROFILES})
        manifest["limits"] = {"seconds": seconds}
        (release / MANIFEST).write_text(json.dumps(manifest))
        return self.site.publish(release)

    def restart(self) -> None:
        """Begin anew with what is stored, as after a power cut of the hub."""
        self.engine = RolloutEngine(self.database, self.site.catalogue, self.clock, zone=UTC)
        self.rollouts = Rollouts(self.database, self.site.catalogue, self.clock, on_changed=lambda: None)

    def passes(self, hours: float, *, step_minutes: float = 30, until: Callable[[], bool] = lambda: False) -> bool:
        """Let time pass in steps; return as soon as ``until`` holds, and whether it did."""
        ends = self.clock.now() + timedelta(hours=hours)
        while self.clock.now() < ends:
            self.clock.advance(step_minutes * 60)
            self.live(step_minutes / 60)
            self.engine.tick()
            if until():
                return True
        return until()

    def live(self, hours: float) -> None:
        """Let every room live for a while: read what it is told, act, say how it is, raise alerts."""
        now = self.clock.now()
        with self.database.read() as transaction:
            told = {row.node: row.version for row in transaction.scalars(select(RoomDirector))}
        sent: list[Arrived] = []
        alerts: list[Alert] = []
        said = []
        for room in self.rooms.values():
            factor = self._of(room.serving).alerts
            alerts += self._raised(room, hours, factor, now)
            if now < room.away_until:
                continue
            if self.random.random() < hours / 500:
                room.away_until = now + timedelta(hours=self.random.expovariate(1 / 6))
                continue
            version = told.get(room.name) or 0
            if version != room.seen_version:
                room.seen_version = version
                sent += self._look(room, now)
            sent += self._act(room, now)
            says = (room.serving, room.next, room.state)
            if says != room.said or room.said_at is None or now - room.said_at >= SAYS_EVERY:
                room.said, room.said_at = says, now
                said.append(room)
        if sent:
            self._ingest.commit(sent)
            catch_up(self.database, ReleaseProjection(self.database))
        with self.database.begin() as transaction:
            transaction.add_all(alerts)
            for room in said:
                note_releases(transaction, room.name, self._twin(room, now), now)

    def serving(self, target: str | None) -> set[str]:
        """Return the rooms in which a release serves."""
        return {room.name for room in self.rooms.values() if room.serving == target}

    def _make(self, name: str, hardware: Hardware, per_day: float) -> SimulatedRoom:
        # A quiet room and a restless one differ by more than ten: gamma with a shape of 1.5.
        return SimulatedRoom(
            name,
            hardware,
            rate_per_hour=self.random.gammavariate(1.5, per_day / 24 / 1.5),
            latency_ms={"pi-5": 180.0}.get(hardware, 60.0) * self.random.lognormvariate(0, 0.15),
            node=FakeNode(self.clock, name, subject=f"p-{name}"),
            away_until=self.clock.now(),
            is_fated=False,
        )

    def _begin(self) -> None:
        now = self.clock.now()
        begins = now - timedelta(days=HISTORY_DAYS)
        alerts: list[Alert] = []
        for room in self.rooms.values():
            at = begins
            while at < now:
                at += timedelta(hours=1)
                alerts += self._raised(room, 1.0, 1.0, at)
        with self.database.begin() as transaction:
            for room in self.rooms.values():
                transaction.add(_row(room, now))
            transaction.add_all(alerts)
            for room in self.rooms.values():
                note_releases(transaction, room.name, self._twin(room, now), now)
        self.clock.at = begins
        seeing: EventData = SenseChanged(sense="sight", state="ok", reason="started")
        self._ingest.commit([arrived(room.node.event(seeing)) for room in self.rooms.values()])
        self.clock.at = now

    def _of(self, target: str | None) -> Behaviour:
        return self.behaviours.get(target or "", GOOD)

    def _raised(self, room: SimulatedRoom, hours: float, factor: float, until: datetime) -> list[Alert]:
        night = NIGHT if until.hour < 6 or until.hour >= 22 else 0.6
        # Every few hours of a room are restless or quiet: a gamma factor makes its days scatter more than chance does.
        if room.mood_until is None or until >= room.mood_until:
            room.mood, room.mood_until = self.random.gammavariate(2.0, 0.5), until + timedelta(hours=6)
        alerts = []
        for _ in range(self._poisson(room.rate_per_hour * hours * factor * night * room.mood)):
            self._alerts += 1
            at = until - timedelta(hours=self.random.random() * hours)
            verdict = self.random.choices(("false", None, "real"), (0.75, 0.2, 0.05))[0]
            alerts.append(_alert(f"alert-{self._alerts}", room.name, at, verdict))
        return alerts

    def _poisson(self, mean: float) -> int:
        limit, product, count = math.exp(-mean), self.random.random(), 0
        while product > limit:
            product *= self.random.random()
            count += 1
        return count

    def _look(self, room: SimulatedRoom, now: datetime) -> list[Arrived]:
        """Read what the hub has signed for a room, and begin with it."""
        folder = self._folder / "releases" / "director" / "nodes" / room.name / "metadata"
        newest = max(folder.glob("*.targets.json"), key=lambda path: int(path.name.split(".")[0]))
        signed = json.loads(newest.read_bytes())["signed"]
        wanted = next(iter(signed["targets"]), None)
        if wanted is not None:
            room.rollout = signed["targets"][wanted]["custom"]["rollout"]
        if wanted == room.serving or (wanted is not None and wanted in room.refused):
            room.next, room.due = None, None
            room.state = "on-trial" if room.state == "on-trial" and wanted == room.serving else "serving"
            return []
        if wanted == room.good:
            back = self._event(room, room.serving, "rolled-back", "withdrawn")
            room.serving, room.next, room.state, room.due = wanted, None, "serving", None
            return back
        room.next, room.state = wanted, "fetching"
        room.due = now + timedelta(minutes=self.random.uniform(2, 40))
        return []

    def _act(self, room: SimulatedRoom, now: datetime) -> list[Arrived]:
        """Do the next thing about a release, if its time has come."""
        if room.due is None or now < room.due:
            return []
        if room.state == "fetching":
            # A quiet moment: nobody speaks, fills in a form, or has an alarm.
            room.state, room.due = "waiting", now + timedelta(minutes=self.random.expovariate(1 / 45))
            return []
        if room.state == "waiting":
            return self._take(room, now)
        if room.is_fated:
            return self._fail(room, room.serving, "rolled-back", "restarts")
        room.state, room.due, room.good = "serving", None, room.serving
        return self._event(room, room.serving, "committed", None)

    def _take(self, room: SimulatedRoom, now: datetime) -> list[Arrived]:
        target, behaviour = room.next, self._of(room.next)
        if target is None:
            room.serving, room.good, room.state, room.due = None, None, "serving", None
            return []
        if room.hardware in behaviour.golden_wrong_on:
            return self._fail(room, target, "refused", "golden-differs")
        room.serving, room.next, room.state = target, None, "on-trial"
        room.due = None if room.is_unused else now + timedelta(hours=1)
        room.is_fated = self.random.random() < behaviour.fails
        return self._event(room, target, "on-trial", None)

    def _fail(self, room: SimulatedRoom, target: str | None, outcome: str, reason: str) -> list[Arrived]:
        room.serving, room.next, room.state, room.due = room.good, None, "serving", None
        if target is not None:
            room.refused.add(target)
        return self._event(room, target, outcome, reason)

    def _event(self, room: SimulatedRoom, target: str | None, outcome: str, reason: str | None) -> list[Arrived]:
        if target is None:
            return []
        serves = room.good if outcome == "rolled-back" else target
        data = ReleaseChanged.model_validate(
            {
                "role": "pose",
                "outcome": outcome,
                "release": target,
                "release_version": target.rsplit("-", 1)[1].removesuffix(".tar"),
                "sha256": None if serves is None else hashlib.sha256(serves.encode()).hexdigest(),
                "rollout": room.rollout,
                "reason": reason,
            }
        )
        return [arrived(room.node.event(data))]

    def _twin(self, room: SimulatedRoom, now: datetime) -> TwinReported:
        behaviour = self._of(room.serving)
        figures = {
            "latency_ms": round(room.latency_ms * behaviour.latency * self.random.lognormvariate(0, 0.08), 1),
            "memory_mb": round(400 * behaviour.memory * self.random.lognormvariate(0, 0.03)),
            "temperature_celsius": round(55 + behaviour.hotter + self.random.gauss(0, 2)),
        }
        release = RoomRelease.model_validate(
            {
                "role": "pose",
                "serving": room.serving,
                "state": room.state,
                "next": room.next,
                "rollout": room.rollout if room.next else None,
                **({} if room.is_old and room.state != "on-trial" else figures),
            }
        )
        return TwinReported(
            hearing="ok",
            sight="ok",
            activity="idle",
            session_on=False,
            pending_events=0,
            version="1",
            at=now,
            hardware=room.hardware,
            releases=(release,),
        )


def _row(room: SimulatedRoom, now: datetime) -> Room:
    return Room(
        node=room.name,
        connection="online",
        hearing="ok",
        sight="ok",
        activity="idle",
        session_on=False,
        pending_events=0,
        version="1",
        seen_at=now,
        hardware=room.hardware,
    )


def _alert(alert_id: str, node: str, at: datetime, verdict: str | None) -> Alert:
    return Alert(
        id=alert_id,
        event_id=alert_id,
        node=node,
        subject=None,
        kind="danger",
        severity="high",
        detail={"danger": "fall"},
        late=False,
        happened_at=at,
        raised_at=at,
        state="closed",
        closed_at=at,
        cause=verdict,
        verdict=verdict,
    )
