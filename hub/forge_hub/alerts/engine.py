"""The alert engine: rings what is due, in the store first. Its timers stand in the store, so a restart resumes them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from sqlalchemy import func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session as Transaction

from forge_hub.alerts.board import Accepted, AlertBoard
from forge_hub.alerts.escalation import Ring, Situation, decide
from forge_hub.alerts.raising import write_step
from forge_hub.alerts.rules import is_promised
from forge_hub.alerts.standing import Duties, declined, read_duties
from forge_hub.records.database import Database, trouble_of
from forge_hub.records.schema import Alert, Delivery
from forge_shared.backoff import Backoff
from forge_shared.clock import Clock
from forge_shared.ids import new_id
from forge_shared.logs import get_logger

BATCH = 200
"""Alerts decided in one transaction: few enough that an acceptance does not wait."""
LONGEST_WAIT_SECONDS = 1.0
"""The store is looked at this often, whether or not anyone woke the engine."""
RETRY_SECONDS = (0.2, 5.0)
CLOCK_STEP = timedelta(seconds=1)
"""A smaller difference between wall clock and monotonic clock is the slewing of NTP (at most 500 ppm) or rounding."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Rung:
    """What one pass did: how many alerts rang, and whose acceptance expired."""

    alerts: int
    expired: tuple[Accepted, ...]


class AlertEngine:
    """Decides and stores what is due; `run` does so until cancelled.

    Args:
        database: The records.
        clock: The wall clock: timers in the store must outlive a process.
        board: Is told when something has rung.
        zone: The site's time zone.
        channels: Names of the channels that get a message with every ring.
    """

    def __init__(
        self, database: Database, clock: Clock, board: AlertBoard, *, zone: tzinfo, channels: Sequence[str] = ()
    ) -> None:
        self._database = database
        self._clock = clock
        self._board = board
        self._zone = zone
        self._channels = tuple(channels)
        self._offset: datetime | None = None
        self.state = "ok"

    def ring_due(self) -> Rung:
        """Ring whatever is due now, with its deliveries, in transactions of up to 200 alerts. Blocks on the store."""
        count, expired = 0, list[Accepted]()
        while True:
            now = self._clock.now()
            due = or_(Alert.due_at <= now, (Alert.state == "open") & (Alert.level == 0) & Alert.due_at.is_(None))
            query = select(Alert).where(Alert.state.in_(("open", "accepted")), Alert.kind != "canary", due)
            with self._database.begin() as transaction:
                alerts = transaction.scalars(query.order_by(Alert.raised_at).limit(BATCH).with_for_update()).all()
                if not alerts:
                    return Rung(count, tuple(expired))
                duties = read_duties(transaction, now, self._zone)
                refused = declined(transaction, [alert.id for alert in alerts if alert.level])
                rung = [alert for alert in alerts if self._decide(transaction, alert, duties, refused, now, expired)]
            count += len(rung)

    def next_due_at(self) -> datetime | None:
        """Return when the next timer ends. Blocks on the store."""
        query = select(func.min(Alert.due_at)).where(Alert.state.in_(("open", "accepted")))
        with self._database.read() as transaction:
            return transaction.scalar(query)

    def shift_timers(self, by: timedelta) -> None:
        """Move every running timer: the machine's clock was set, and waiting must not become longer or shorter."""
        query = select(Alert).where(Alert.state.in_(("open", "accepted")), Alert.due_at.is_not(None)).with_for_update()
        with self._database.begin() as transaction:
            for alert in transaction.scalars(query):
                if alert.due_at is not None:
                    alert.due_at += by

    def clock_step(self) -> timedelta:
        """Return by how much the wall clock was set since the last call, zero if it only went on."""
        offset = self._clock.now() - timedelta(seconds=self._clock.monotonic_seconds())
        step, self._offset = offset - (self._offset or offset), offset
        return step if abs(step) > CLOCK_STEP else timedelta()

    async def run(self) -> None:
        """Ring what is due until cancelled. Trouble with the store is logged once, shown as ``state``, tried again."""
        backoff = Backoff(*RETRY_SECONDS)
        async with self._board.watching() as woken:
            while True:
                woken.clear()
                try:
                    if step := self.clock_step():
                        log.warning("alerts.clock-set", by_s=step.total_seconds())
                        await asyncio.to_thread(self.shift_timers, step)
                    rung = await asyncio.to_thread(self.ring_due)
                    next_due = await asyncio.to_thread(self.next_due_at)
                except SQLAlchemyError as error:
                    if backoff.failures == 0:
                        log.exception("alerts.failing")
                    self.state = trouble_of(error)
                    await asyncio.sleep(backoff.failed())
                    continue
                if failures := backoff.succeeded():
                    log.info("alerts.recovered", after_failures=failures)
                self.state = "ok"
                if rung.alerts:
                    self._board.changed()
                    woken.clear()
                for told in rung.expired:
                    await self._board.reopened(told)
                wait = LONGEST_WAIT_SECONDS
                if next_due is not None:
                    wait = min(wait, max(0.0, (next_due - self._clock.now()).total_seconds()))
                try:
                    async with asyncio.timeout(wait):
                        await woken.wait()
                except TimeoutError:
                    continue

    def _decide(  # noqa: PLR0913 (what one decision depends on)
        self,
        transaction: Transaction,
        alert: Alert,
        duties: Duties,
        refused: Mapping[str, frozenset[str]],
        now: datetime,
        expired: list[Accepted],
    ) -> bool:
        situation = Situation(
            state="accepted" if alert.state == "accepted" else "open",
            level=alert.level,
            due_at=alert.due_at,
            plan=duties.plan(alert),
            on_duty=duties.on_duty(alert),
            declined=refused.get(alert.id, frozenset()),
        )
        ring = decide(situation, now)
        if ring is None:
            return False
        if ring.expired:
            write_step(transaction, alert.id, "expired", now, account=alert.accepted_by, level=alert.level)
            if is_promised(alert.kind, alert.detail):
                expired.append(Accepted(alert.node, alert.event_id))
        self._ring(transaction, alert, ring, now)
        return True

    def _ring(self, transaction: Transaction, alert: Alert, ring: Ring, now: datetime) -> None:
        for level in ring.passed:
            write_step(transaction, alert.id, "passed", now, level=level, detail="nobody")
        write_step(transaction, alert.id, "rung", now, level=ring.level)
        alert.state, alert.accepted_by, alert.accepted_at = "open", None, None
        alert.level, alert.due_at = ring.level, ring.due_at
        for channel in self._channels:
            transaction.add(
                Delivery(
                    id=new_id(),
                    alert=alert.id,
                    channel=channel,
                    level=ring.level,
                    state="waiting",
                    attempts=0,
                    due_at=now,
                    made_at=now,
                    error=None,
                )
            )
