"""Watching those who watch: a room that is silent, a canary that does not come, a ward for which nobody listens.

What is judged is when something last changed, by the hub's own monotonic clock: a room's clock may be wrong by years.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session as Transaction

from forge_hub.alerts.board import AlertBoard
from forge_hub.alerts.raising import Origin, close_by_itself, store_alert
from forge_hub.alerts.rules import AlertDraft
from forge_hub.alerts.states import CAUSES
from forge_hub.records.database import Database, trouble_of
from forge_hub.records.schema import Alert, Bed, Room
from forge_shared import topics
from forge_shared.backoff import Backoff
from forge_shared.clock import Clock
from forge_shared.ids import new_id
from forge_shared.logs import get_logger

LOOK_SECONDS = 2.0
OFFLINE_SECONDS = 3.0
"""A room that is offline for less is not reported: it is only connecting anew."""
SILENT_SECONDS = 25.0
"""A room says how it is every ten seconds (its ``TWIN_SECONDS``): two missed are no chance. The promise is 30 s."""
STEADY_SECONDS = 10.0
"""How long a room must be well before its alert closes itself: one that comes and goes is one alert, not many."""
MISSED_CANARIES = 2
NOBODY_SECONDS = 60.0
"""A page that is reloaded or a phone that changes its network is back by then."""
NOBODY_AGAIN = timedelta(minutes=15)
"""That nobody listens is said again at most this often."""
CANARY_WAITS = timedelta(seconds=60)
CANARY_KEPT = timedelta(hours=24)

Verdict = Literal["offline", "silent", "canary", "well", "undecided"]

log = get_logger()


@dataclass(frozen=True, slots=True)
class Sign:
    """What the store says of a room now.

    Attributes:
        seen_at: As the room last said; compared for being another, never for being old.
        canary: Id of its newest canary, if there is one.
    """

    connection: str
    seen_at: datetime
    canary: str | None


@dataclass(frozen=True, slots=True)
class Watched:
    """What is remembered of a room. Moments are seconds of the hub's monotonic clock."""

    sign: Sign
    heard: float
    online_since: float | None
    offline_since: float | None
    canary_at: float
    well_since: float | None
    verdict: Verdict = "undecided"


def watch(before: Watched | None, sign: Sign, now: float, canary_seconds: float) -> Watched:
    """Return what is to be thought of a room after one more look at it. Pure.

    Args:
        before: What was thought at the last look; None at the first.
        sign: What the store says now.
        now: Monotonic seconds.
        canary_seconds: How often the room sends a canary.
    """
    online = sign.connection != "offline"
    if before is None:
        before = Watched(sign, now, now if online else None, None if online else now, now, None)
    changed = sign.seen_at != before.sign.seen_at or (online and before.sign.connection != sign.connection)
    heard = now if changed else before.heard
    online_since = (before.online_since if before.online_since is not None else now) if online else None
    offline_since = None if online else (before.offline_since if before.offline_since is not None else now)
    canary_at = now if sign.canary != before.sign.canary or before.online_since is None else before.canary_at
    trouble: Verdict | None = None
    if offline_since is not None:
        trouble = "offline" if now - offline_since >= OFFLINE_SECONDS else "undecided"
    elif now - heard > SILENT_SECONDS:
        trouble = "silent"
    elif now - canary_at > MISSED_CANARIES * canary_seconds:
        trouble = "canary"
    well_since = None if trouble else (before.well_since if before.well_since is not None else now)
    well: Verdict = "well" if well_since is not None and now - well_since >= STEADY_SECONDS else "undecided"
    return Watched(sign, heard, online_since, offline_since, canary_at, well_since, trouble or well)


class Monitor:
    """Looks every two seconds and stores what follows; `run` does so until cancelled.

    Args:
        database: The records.
        clock: Its monotonic side measures silence, its wall clock stamps alerts.
        board: Knows whose pages are open, and is told of changes.
        canary_seconds: How often the rooms send a canary.
        reachable: Tells whether a channel reaches people who have no page open.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        board: AlertBoard,
        *,
        canary_seconds: float,
        reachable: Callable[[], bool],
    ) -> None:
        self._database = database
        self._clock = clock
        self._board = board
        self._canary_seconds = canary_seconds
        self._reachable = reachable
        self._rooms: Mapping[str, Watched] = {}
        self._nobody_since: float | None = None
        self.state = "ok"

    async def run(self) -> None:
        """Look until cancelled. Trouble with the store is logged once, shown as ``state``, tried again."""
        backoff = Backoff(LOOK_SECONDS, 10.0)
        while True:
            listening = bool(self._board.listeners) or self._reachable()
            try:
                changed = await asyncio.to_thread(self.look, listening=listening)
            except SQLAlchemyError as error:
                if backoff.failures == 0:
                    log.exception("monitoring.failing")
                self.state = trouble_of(error)
                await asyncio.sleep(backoff.failed())
                continue
            backoff.succeeded()
            self.state = "ok"
            if changed:
                self._board.changed()
            await asyncio.sleep(LOOK_SECONDS)

    def look(self, *, listening: bool) -> int:
        """Look once and store what follows; return how many alerts were raised or closed. Blocks on the store."""
        now, moment = self._clock.now(), self._clock.monotonic_seconds()
        with self._database.read() as transaction:
            signs = _signs(transaction)
        self._rooms = {
            node: watch(self._rooms.get(node), sign, moment, self._canary_seconds) for node, sign in signs.items()
        }
        online = any(sign.connection == "online" for sign in signs.values())
        self._nobody_since = (self._nobody_since or moment) if online and not listening else None
        nobody = self._nobody_since is not None and moment - self._nobody_since >= NOBODY_SECONDS
        with self._database.begin() as transaction:
            return (
                self._settle_rooms(transaction, now)
                + _settle_listening(transaction, now, nobody=nobody, somebody=self._nobody_since is None)
                + _settle_canaries(transaction, now)
            )

    def _settle_rooms(self, transaction: Transaction, now: datetime) -> int:
        standing = _not_closed(transaction, "monitoring-lost")
        changed = 0
        for node, watched in self._rooms.items():
            alerts = [alert for alert in standing if alert.node == node]
            if watched.verdict == "well":
                for alert in alerts:
                    close_by_itself(transaction, alert, "resolved", now)
                    changed += 1
            elif watched.verdict != "undecided" and not alerts and not _was_put_away(transaction, node, watched.sign):
                draft = AlertDraft("monitoring-lost", "high", {"reason": watched.verdict})
                changed += store_alert(transaction, draft, Origin(new_id(), node, None, now), now)
        return changed


def _signs(transaction: Transaction) -> dict[str, Sign]:
    newest = select(Alert.node, func.max(Alert.id)).where(Alert.kind == "canary").group_by(Alert.node)
    canaries: dict[str, str] = {row[0]: row[1] for row in transaction.execute(newest)}
    rooms: Iterable[Room] = transaction.scalars(select(Room))
    return {room.node: Sign(room.connection, room.seen_at, canaries.get(room.node)) for room in rooms}


def _not_closed(transaction: Transaction, kind: str) -> list[Alert]:
    query = select(Alert).where(Alert.kind == kind, Alert.state.in_(("open", "accepted", "attended")))
    return list(transaction.scalars(query.with_for_update()))


def _was_put_away(transaction: Transaction, node: str, sign: Sign) -> bool:
    """Tell whether a person has closed the alert of a room that has not been back since: it was taken down."""
    own = select(Alert).where(Alert.kind == "monitoring-lost", Alert.node == node)
    last = transaction.scalars(own.order_by(Alert.raised_at.desc()).limit(1)).first()
    if last is None or last.closed_at is None:
        return False
    return last.cause in CAUSES and sign.seen_at <= last.closed_at


def _settle_listening(transaction: Transaction, now: datetime, *, nobody: bool, somebody: bool) -> int:
    standing = _not_closed(transaction, "nobody-listening")
    if somebody:
        for alert in standing:
            close_by_itself(transaction, alert, "resolved", now)
        return len(standing)
    if not nobody:
        return 0
    changed = 0
    for ward in _watched_wards(transaction):
        detail = {"ward": ward} if ward else {}
        mine = select(func.max(Alert.raised_at)).where(Alert.kind == "nobody-listening")
        last = [alert for alert in standing if alert.detail == detail]
        recent = transaction.scalar(mine.where(Alert.incident.endswith(f":{ward or ''}")))
        if last or (recent is not None and now - recent < NOBODY_AGAIN):
            continue
        draft = AlertDraft("nobody-listening", "high", detail)
        changed += store_alert(transaction, draft, Origin(new_id(), topics.HUB, None, now), now)
    return changed


def _watched_wards(transaction: Transaction) -> list[str | None]:
    query = select(Bed.ward).select_from(Room).outerjoin(Bed, Bed.node == Room.node).where(Room.connection == "online")
    return sorted(set(transaction.scalars(query)), key=lambda ward: ward or "")


def _settle_canaries(transaction: Transaction, now: datetime) -> int:
    waiting = select(Alert).where(Alert.kind == "canary", Alert.state == "open", Alert.raised_at < now - CANARY_WAITS)
    for alert in transaction.scalars(waiting.with_for_update()).all():
        close_by_itself(transaction, alert, "no-page", now)
    newest = select(func.max(Alert.id)).where(Alert.kind == "canary").group_by(Alert.node)
    old = (Alert.kind == "canary", Alert.raised_at < now - CANARY_KEPT, Alert.id.not_in(newest))
    transaction.execute(delete(Alert).where(*old))
    return 0
