"""Carries what the engine has written down to the channels: again and again with back-off, each attempt on file."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from forge_hub.alerts.board import AlertBoard
from forge_hub.alerts.delivery.ports import Channel, DeliveryFailedError, Notice
from forge_hub.alerts.raising import write_step
from forge_hub.alerts.standing import priority, read_duties
from forge_hub.records.database import Database
from forge_hub.records.schema import Alert, Delivery, Ward
from forge_shared.backoff import Backoff
from forge_shared.clock import Clock
from forge_shared.logs import get_logger
from forge_shared.tasks import until_first_failure

ATTEMPTS = 8
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 2.0, 60.0
"""Waits of 2, 4, 8, 16, 32, 60 and 60 seconds: three minutes in all, by when everyone has been called anyway. Ours."""
POLL_SECONDS = 1.0
BATCH = 20

log = get_logger()


@dataclass(frozen=True, slots=True)
class _Due:
    id: str
    notice: Notice | None


class Courier:
    """Works off the deliveries of each channel; a slow channel holds up none of the others.

    Args:
        site: Name of the site, for the notices.
        database: The records.
        clock: The wall clock: waits stand in the store and outlive a process.
        board: Wakes the courier when something has rung.
        zone: The site's time zone.
        channels: Where to deliver.
    """

    def __init__(  # noqa: PLR0913 (the composition root's wiring)
        self,
        site: str,
        database: Database,
        clock: Clock,
        board: AlertBoard,
        *,
        zone: tzinfo,
        channels: Sequence[Channel],
    ) -> None:
        self._site = site
        self._database = database
        self._clock = clock
        self._board = board
        self._zone = zone
        self._channels = tuple(channels)
        self.states = {channel.name: "ok" for channel in self._channels}

    async def run(self) -> None:
        """Deliver until cancelled."""
        if not self._channels:
            await asyncio.Event().wait()
        await until_first_failure(*(self._serve(channel) for channel in self._channels))

    async def deliver_due(self, channel: Channel) -> int:
        """Try every delivery of a channel that is due once; return how many were tried."""
        due = await asyncio.to_thread(self._due, channel.name)
        for each in due:
            error = None
            if each.notice is not None:
                try:
                    await channel.deliver(each.notice, self._clock.now())
                except DeliveryFailedError as failed:
                    error = failed.reason
                self._note(channel.name, error)
            await asyncio.to_thread(self._settle, each, error)
        return len(due)

    async def _serve(self, channel: Channel) -> None:
        backoff = Backoff(0.2, 5.0)
        async with self._board.watching() as woken:
            while True:
                woken.clear()
                try:
                    tried = await self.deliver_due(channel)
                except SQLAlchemyError:
                    if backoff.failures == 0:
                        log.exception("delivery.records-failed", channel=channel.name)
                    await asyncio.sleep(backoff.failed())
                    continue
                backoff.succeeded()
                if tried:
                    continue
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        await woken.wait()
                except TimeoutError:
                    continue

    def _note(self, channel: str, error: str | None) -> None:
        before, self.states[channel] = self.states[channel], "ok" if error is None else "delivery.failing"
        if error is not None and before == "ok":
            log.warning("delivery.failing", channel=channel, reason=error)
        elif error is None and before != "ok":
            log.info("delivery.recovered", channel=channel)

    def _due(self, channel: str) -> list[_Due]:
        now = self._clock.now()
        own = (Delivery.channel == channel, Delivery.state == "waiting", Delivery.due_at <= now)
        query = select(Delivery, Alert).join(Alert, Alert.id == Delivery.alert).where(*own)
        with self._database.read() as transaction:
            rows = transaction.execute(query.order_by(Delivery.due_at).limit(BATCH)).all()
            if not rows:
                return []
            duties = read_duties(transaction, now, self._zone)
            wards = {ward.id: ward.name for ward in transaction.scalars(select(Ward))}
            return [
                # What somebody answers for by now needs nobody else.
                _Due(
                    delivery.id,
                    self._notice(delivery, alert, wards.get(duties.ward_of(alert) or "", ""))
                    if alert.state == "open"
                    else None,
                )
                for delivery, alert in rows
            ]

    def _notice(self, delivery: Delivery, alert: Alert, ward: str) -> Notice:
        return Notice(
            id=delivery.id,
            alert=alert.id,
            site=self._site,
            ward=ward,
            room=alert.node,
            kind=alert.kind,
            priority=priority(alert),
            level=delivery.level,
            count=alert.count,
            late=alert.late,
            raised_at=alert.raised_at,
        )

    def _settle(self, due: _Due, error: str | None) -> None:
        now = self._clock.now()
        with self._database.begin() as transaction:
            delivery = transaction.get(Delivery, due.id, with_for_update=True)
            if delivery is None:
                return
            if due.notice is None:
                delivery.state = "needless"
                return
            delivery.attempts += 1
            delivery.error = error
            what = "delivered" if error is None else "undelivered"
            write_step(transaction, delivery.alert, what, now, level=delivery.level, detail=delivery.channel)
            if error is None:
                delivery.state = "delivered"
                alert = transaction.get(Alert, delivery.alert, with_for_update=True)
                if alert is not None:
                    alert.delivered_at = alert.delivered_at or now
            elif delivery.attempts >= ATTEMPTS:
                delivery.state = "failed"
                log.error("delivery.given-up", channel=delivery.channel, attempts=delivery.attempts)
            else:
                delivery.due_at = next_try(delivery.attempts, now)


def next_try(attempts: int, now: datetime) -> datetime:
    """Return when to try again after so many attempts, at least 1."""
    return now + timedelta(seconds=min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** (attempts - 1)))
