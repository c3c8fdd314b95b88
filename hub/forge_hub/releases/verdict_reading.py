"""Reading from the records what `forge_hub.releases.verdicts` goes by."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import or_, select
from sqlalchemy.orm import Session as Transaction

from forge_hub.alerts.trust import Span, hours_of, spans_of, without
from forge_hub.alerts.trust_reading import absences, senses
from forge_hub.records.schema import Alert, ReleaseChange, ReleaseFigure, Rollout, RolloutRoom
from forge_hub.releases.evidence import Exposure
from forge_hub.releases.stored import hardware_of, is_given_up, plan_of, room_state_of
from forge_hub.releases.verdicts import Evidence, Figures, OtherRoom, TriedRoom
from forge_shared.releases import ReleaseRole

DAYS_BEFORE: Final = 28
"""How far back rooms are compared with. Ours: with half of it, thrice as many alerts take longer to tell."""
LEAST_BEFORE: Final = timedelta(days=7)
"""What served for less is not what a room is compared with alone, but all of the time before. Ours: a week."""
LAG: Final = timedelta(hours=1)
"""Alerts younger than this are not counted, nor the time: staff must have had time to say what they were. Ours."""
EPISODE: Final = timedelta(minutes=10)
"""Alerts of one room that follow each other within this are one: a restless hour is no release's fault. Ours."""
LOST_AFTER: Final = timedelta(minutes=30)
"""Out of touch for so long since it took a release, a room counts as failed. Ours: a device starts within minutes."""

DONE: Final = frozenset({"directed", "on-trial", "kept", "failed"})
"""States of rooms that were told of a release and not told to go back."""
_DAY: Final = timedelta(days=1)
_SERVING: Final = frozenset({"on-trial", "kept"})


@dataclass(frozen=True, slots=True)
class _Times:
    """What is looked at: from ``begins`` up to ``until``."""

    begins: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Raised:
    """Which alerts a role can be blamed for, and by which sense. ``mode``: only those that came about by it."""

    kinds: frozenset[str]
    sense: Literal["sight", "hearing"]
    mode: str | None = None


RAISED: Final[Mapping[ReleaseRole, Raised]] = {
    "pose": Raised(frozenset({"danger"}), "sight"),
    "transcriber": Raised(frozenset({"request", "crisis"}), "hearing", "voice"),
    "wake-word": Raised(frozenset({"request"}), "hearing", "voice"),
}
"""Roles that raise alerts. A voice raises none, and no language model ever does."""


def read_evidence(
    transaction: Transaction, rollout: Rollout, role: ReleaseRole, rooms: Sequence[RolloutRoom], now: datetime
) -> Evidence:
    """Return everything that is known of a release in its rooms, and of the rooms without it.

    An alert is counted unless somebody said that it was real, a test or a duplicate: what nobody has marked is never
    counted as right.
    """
    figures = _figures(transaction, role)
    lost = _lost(transaction, now)
    tried = [room for room in rooms if room.state in DONE]
    raised = RAISED.get(role)
    times = _Times(rollout.started_at - timedelta(days=DAYS_BEFORE), now - LAG)
    watched = _Watched.read(transaction, role, raised, tried, times) if raised and tried else None
    told = {room.node for room in tried}
    return Evidence(
        tried=[
            TriedRoom(
                node=room.node,
                hardware=hardware_of(room.hardware),
                state=room_state_of(room.state),
                reason=room.reason if room.state == "failed" else None,
                before=figures.get((room.node, room.before), Figures()),
                now=figures.get((room.node, rollout.target), Figures()),
                alerts=watched.with_release(room) if watched and room.state in _SERVING else None,
                is_lost=_is_lost(lost, room.node, room.serves_since),
                is_given_up=is_given_up(room),
            )
            for room in tried
        ],
        others=[
            OtherRoom(
                node=room.node,
                before=Figures(**room.baseline),
                now=figures.get((room.node, room.before), Figures()),
                is_lost=_is_lost(lost, room.node, rollout.started_at),
            )
            for room in rooms
            if room.node not in told
        ],
        others_alerts=watched.without_release(told) if watched else (),
        raises_alerts=raised is not None,
        alerts_per_hour=plan_of(rollout.plan).alerts_per_hour,
    )


def raised_before(transaction: Transaction, role: ReleaseRole, now: datetime) -> Mapping[str, int] | None:
    """Return how many alerts each room raised that nobody called right; None where the role raises none."""
    raised = RAISED.get(role)
    if raised is None:
        return None
    return {
        node: len(each) for node, each in _alerts(transaction, raised, now - timedelta(days=DAYS_BEFORE), now).items()
    }


@dataclass(frozen=True, slots=True)
class _Watched:
    """Alerts of a role in every room, when the rooms were watched, and when what serves there changed."""

    alerts: Mapping[str, Sequence[datetime]]
    spans: Mapping[str, Sequence[Span]]
    changed: Mapping[str, Sequence[datetime]]
    begins: datetime
    first: datetime | None
    until: datetime

    @classmethod
    def read(
        cls, transaction: Transaction, role: ReleaseRole, raised: Raised, tried: Iterable[RolloutRoom], times: "_Times"
    ) -> "_Watched":
        begins, until = times.begins, times.until
        said = list(senses(transaction, begins, raised.sense))
        gaps: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
        for gap in absences(transaction, begins, said):
            gaps[gap.node].append((gap.since, gap.until or until))
        served = [room.serves_since for room in tried if room.serves_since is not None]
        return cls(
            alerts=_alerts(transaction, raised, begins, until),
            spans={node: without(mine, gaps.get(node, ())) for node, mine in spans_of(said, until).items()},
            changed=_changes(transaction, role, begins),
            begins=begins,
            first=min(served, default=None),
            until=until,
        )

    def with_release(self, room: RolloutRoom) -> Exposure | None:
        """Return a room's alerts before it served the release, under what served then, and with it."""
        serves = room.serves_since
        if serves is None:
            return None
        changed = max((at for at in self.changed.get(room.node, ()) if at < serves), default=self.begins)
        return self._exposure(room.node, changed if serves - changed >= LEAST_BEFORE else self.begins, serves)

    def without_release(self, told: Iterable[str]) -> list[Exposure]:
        """Return the same of the rooms that were not told, around the moment at which the first room served it."""
        if self.first is None:
            return []
        return [self._exposure(node, self.begins, self.first) for node in self.spans if node not in set(told)]

    def _exposure(self, node: str, begins: datetime, since: datetime) -> Exposure:
        """Return what a room raised from one moment on, and before.

        Nights are not days: as long as less than a day is looked at, it is compared with the same hours of days before.
        """
        spans = self.spans.get(node, ())
        # What comes of a time that is not counted, out of touch or unseeing, is not counted either.
        watched = [span for span in spans if span.state == "ok"]
        alerts = [at for at in self.alerts.get(node, ()) if any(span.begins <= at < span.ends for span in watched)]
        windows = [(begins, since)]
        if self.until - since < _DAY:
            shifts = [number * _DAY for number in range(1, DAYS_BEFORE + 1) if since - number * _DAY >= begins]
            windows = [(since - shift, self.until - shift) for shift in shifts if self.until > since]
        return Exposure(
            node,
            hours_before=sum(hours_of(spans, "ok", first, last) for first, last in windows),
            alerts_before=sum(first <= at < last for at in alerts for first, last in windows),
            hours=hours_of(spans, "ok", since, self.until),
            alerts=sum(since <= at < self.until for at in alerts),
            daily=_daily(alerts, begins, since),
        )


def _alerts(
    transaction: Transaction, raised: Raised, begins: datetime, until: datetime
) -> Mapping[str, Sequence[datetime]]:
    """Return when each room raised what nobody has called right, one for each episode."""
    query = select(Alert.node, Alert.happened_at).where(
        Alert.kind.in_(raised.kinds),
        Alert.happened_at >= begins,
        Alert.happened_at < until,
        or_(Alert.verdict.is_(None), Alert.verdict == "false"),
        or_(Alert.cause.is_(None), Alert.cause != "duplicate"),
    )
    if raised.mode is not None:
        query = query.where(Alert.detail["mode"].as_string() == raised.mode)
    found: dict[str, list[datetime]] = defaultdict(list)
    last: dict[str, datetime] = {}
    for node, at in transaction.execute(query.order_by(Alert.happened_at)):
        if node not in last or at - last[node] > EPISODE:
            found[node].append(at)
        last[node] = at
    return found


def _changes(transaction: Transaction, role: ReleaseRole, begins: datetime) -> Mapping[str, Sequence[datetime]]:
    """Return when what serves a role changed in which room."""
    query = select(ReleaseChange.node, ReleaseChange.at).where(
        ReleaseChange.role == role, ReleaseChange.at >= begins, ReleaseChange.outcome.in_(("on-trial", "rolled-back"))
    )
    found: dict[str, list[datetime]] = defaultdict(list)
    for node, at in transaction.execute(query):
        found[node].append(at)
    return found


def _daily(alerts: Sequence[datetime], begins: datetime, ends: datetime) -> tuple[int, ...]:
    counted = Counter((at - begins) // _DAY for at in alerts if begins <= at < ends)
    return tuple(counted[number] for number in range((ends - begins) // _DAY))


def _figures(transaction: Transaction, role: ReleaseRole) -> Mapping[tuple[str, str | None], Figures]:
    rows = transaction.scalars(select(ReleaseFigure).where(ReleaseFigure.role == role))
    return {
        (row.node, row.release or None): Figures(row.latency_ms, row.memory_mb, row.temperature_celsius) for row in rows
    }


def _lost(transaction: Transaction, now: datetime) -> Mapping[str, datetime]:
    """Return since when rooms have been out of touch that have been so for a while."""
    query = select(Alert.node, Alert.raised_at).where(
        Alert.kind == "monitoring-lost", Alert.closed_at.is_(None), Alert.raised_at <= now - LOST_AFTER
    )
    return {row.node: row.raised_at for row in transaction.execute(query)}


def _is_lost(lost: Mapping[str, datetime], node: str, since: datetime | None) -> bool:
    return since is not None and node in lost and lost[node] >= since
