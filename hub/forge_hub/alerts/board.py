"""The alert board: what is open, who took it, and who is told.

An alert is stored before anyone is told of it. Telling means waking the open pages, which then read the store; a lost
wake-up therefore delays nothing that is stored, because pages also read on their own.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo

from sqlalchemy import case, or_, select

from forge_hub.access import audit
from forge_hub.alerts.escalation import everyone_declined
from forge_hub.alerts.marks import CAUSE_OF, NONE, Mark, stored_mark, verdict_of
from forge_hub.alerts.raising import close_by_itself, write_step
from forge_hub.alerts.rules import is_promised
from forge_hub.alerts.standing import declined, read_duties
from forge_hub.alerts.states import CAUSES, Answer, Change, Standing, answered, state_of
from forge_hub.errors import AnswerInvalidError, NotFoundError
from forge_hub.records.database import Database
from forge_hub.records.schema import Alert, AlertStep
from forge_shared.clock import Clock

TAKEN_SHOWN = 30
"""Taken alerts on the board: it is drawn anew at every change. Ours: more than a ward takes in a shift."""
FRESH_AT_ONCE = 200
"""Alerts noted as delivered at once; the next look notes the others."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """An alert was taken by a person, or is not any more; the room may now say so."""

    node: str
    event_id: str


Tell = Callable[[Accepted], Awaitable[None]]


class AlertBoard:
    """Open alerts and their answers. Its methods are called from the event loop.

    Args:
        database: The records.
        clock: Stamps the steps.
        on_accepted: Called when a person has taken an alert that someone in a room waits for.
        on_reopened: Called when nobody answers for it any more.
        zone: The site's time zone, in which shifts are kept.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        on_accepted: Tell,
        on_reopened: Tell | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        self._database = database
        self._clock = clock
        self._on_accepted = on_accepted
        self._on_reopened = on_reopened
        self._zone = zone
        self._watchers: set[asyncio.Event] = set()
        self._listening: Counter[str] = Counter()

    def current(self) -> list[Alert]:
        """Return the board: every open alert, urgent before normal, newest first; then the taken ones, newest first.

        Open alerts are never cut off; of the taken ones the newest 30 are shown, and with them those that the room took
        back before anybody had taken them. Canaries and what else closed itself are not. Blocks on the store: call it
        from a thread.
        """
        urgency = case({"critical": 0, "high": 1}, value=Alert.severity, else_=2)
        newest = (Alert.raised_at.desc(), Alert.id.desc())
        shown = Alert.kind != "canary"
        waiting = select(Alert).where(Alert.state == "open", shown).order_by(urgency, *newest)
        mine = (Alert.state != "open", or_(Alert.accepted_at.is_not(None), Alert.cause == "withdrawn"))
        taken = select(Alert).where(*mine, shown).order_by(*newest).limit(TAKEN_SHOWN)
        with self._database.read() as transaction:
            return [*transaction.scalars(waiting), *transaction.scalars(taken)]

    async def accept(self, alert_id: str, account_id: str) -> None:
        """Record that a person has taken an alert, then tell the pages and the room.

        Accepting twice changes nothing: the first person keeps it.

        Raises:
            NotFoundError: There is no such alert.
        """
        await self.answer(alert_id, "accept", account_id)

    async def answer(self, alert_id: str, answer: Answer, account_id: str, *, cause: str | None = None) -> None:
        """Record what a person does about an alert, then tell the pages and, where it matters to it, the room.

        Args:
            alert_id: The alert.
            answer: What the person does. What does not fit the alert's state changes nothing.
            account_id: The person.
            cause: What it was; for ``close`` only.

        Raises:
            NotFoundError: There is no such alert.
            AnswerInvalidError: A closing without a known cause.
        """
        if answer == "close" and cause not in CAUSES:
            raise AnswerInvalidError("an alert is closed with a cause")
        result = await asyncio.to_thread(self._answer, alert_id, answer, account_id, cause)
        if result is None:
            return
        self.changed()
        change, alert = result
        if is_promised(alert.kind, alert.detail):
            told = Accepted(node=alert.node, event_id=alert.event_id)
            if change.promise == "made":
                await self._on_accepted(told)
            elif change.promise == "taken-back":
                await self.reopened(told)

    async def mark(self, alert_id: str, mark: Mark | None, account_id: str) -> None:
        """Record what a person says that an alert was; it is closed with that, unless it is closed already.

        Args:
            alert_id: The alert.
            mark: What it was; None takes back what was said of a closed alert.
            account_id: The person.

        Raises:
            NotFoundError: There is no such alert.
            AnswerInvalidError: Nobody answers for it yet, or it is not closed and no mark is given.
        """
        if await asyncio.to_thread(self._mark, alert_id, mark, account_id):
            self.changed()

    async def reopened(self, told: Accepted) -> None:
        """Let the room take back that someone is coming."""
        if self._on_reopened is not None:
            await self._on_reopened(told)

    async def shown(self, alert_ids: Sequence[str], account_id: str) -> None:
        """Record that open alerts have reached a page; the first page counts. A canary is closed by that."""
        if alert_ids:
            await asyncio.to_thread(self._shown, alert_ids, account_id)

    async def seen(self, alert_id: str, account_id: str) -> None:
        """Record that an alert was in front of a person. Their first look counts.

        Raises:
            NotFoundError: There is no such alert.
        """
        await asyncio.to_thread(self._seen, alert_id, account_id)

    def fresh(self) -> list[str]:
        """Return the open alerts, canaries among them, that have reached no page yet. Blocks on the store."""
        query = select(Alert.id).where(Alert.state == "open", Alert.delivered_at.is_(None)).limit(FRESH_AT_ONCE)
        with self._database.read() as transaction:
            return list(transaction.scalars(query))

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[asyncio.Event]:
        """Yield an event that is set whenever the board has changed; the watcher clears it."""
        watcher = asyncio.Event()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    @contextmanager
    def listening(self, account_id: str) -> Iterator[None]:
        """Count an open page of a person for as long as the block runs."""
        self._listening[account_id] += 1
        try:
            yield
        finally:
            self._listening[account_id] -= 1
            self._listening += Counter()  # forgets those at zero

    @property
    def listeners(self) -> frozenset[str]:
        """Accounts with at least one open page."""
        return frozenset(self._listening)

    def changed(self) -> None:
        """Wake every open page. Called on the event loop, after the store has committed."""
        for watcher in self._watchers:
            watcher.set()

    def _answer(self, alert_id: str, answer: Answer, account_id: str, cause: str | None) -> tuple[Change, Alert] | None:
        with self._database.begin() as transaction:
            # The row is locked until the commit: on PostgreSQL two people would otherwise both find it open.
            alert = transaction.get(Alert, alert_id, with_for_update=True)
            if alert is None:
                raise NotFoundError("there is no such alert")
            now = self._clock.now()
            duties = read_duties(transaction, now, self._zone)
            refused = declined(transaction, [alert_id])[alert_id] | {account_id}
            change = answered(
                Standing(state_of(alert.state), alert.accepted_by, alert.due_at),
                answer,
                account_id,
                now,
                acceptance=timedelta(seconds=duties.plan(alert).acceptance_seconds),
                all_declined=answer == "decline" and everyone_declined(alert.level, duties.on_duty(alert), refused),
            )
            if change is None:
                return None
            _apply(alert, change)
            if change.step == "accepted":
                alert.accepted_at = now
            elif change.step == "withdrawn":
                alert.accepted_at = None
            elif change.step == "attended":
                alert.attended_at, alert.accepted_at = now, alert.accepted_at or now
            elif change.step == "closed":
                alert.closed_at, alert.cause = now, cause
                alert.verdict, alert.verdict_reason = verdict_of(cause), None
                alert.marked_by, alert.marked_at = account_id, now
            write_step(transaction, alert_id, change.step, now, account=account_id, level=alert.level, detail=cause)
            audit.write(transaction, now, account_id, f"alert.{answer}", alert_id, subject=alert.subject)
            return change, alert

    def _mark(self, alert_id: str, mark: Mark | None, account_id: str) -> bool:
        with self._database.begin() as transaction:
            alert = transaction.get(Alert, alert_id, with_for_update=True)
            if alert is None:
                raise NotFoundError("there is no such alert")
            now, said = self._clock.now(), mark.code() if mark else NONE
            if alert.state != "closed":
                standing = Standing(state_of(alert.state), alert.accepted_by, alert.due_at)
                change = answered(standing, "close", account_id, now, acceptance=timedelta())
                if change is None or mark is None:
                    raise AnswerInvalidError("an alert is marked once somebody has answered for it")
                _apply(alert, change)
                alert.closed_at, alert.cause = now, CAUSE_OF[mark.verdict]
                write_step(transaction, alert_id, "closed", now, account=account_id, detail=alert.cause)
            elif stored_mark(alert.verdict, alert.verdict_reason) == mark:
                return False
            elif alert.cause in CAUSES:
                alert.cause = CAUSE_OF[mark.verdict] if mark else "unclear"
            alert.verdict, alert.verdict_reason = (mark.verdict, mark.reason) if mark else (None, None)
            alert.marked_by, alert.marked_at = account_id, now
            write_step(transaction, alert_id, "marked", now, account=account_id, detail=said)
            audit.write(transaction, now, account_id, "alert.mark", alert_id, subject=alert.subject)
            return True

    def _shown(self, alert_ids: Sequence[str], account_id: str) -> None:
        now = self._clock.now()
        query = select(Alert).where(Alert.id.in_(alert_ids), Alert.delivered_at.is_(None)).with_for_update()
        with self._database.begin() as transaction:
            for alert in transaction.scalars(query).all():
                alert.delivered_at = now
                write_step(transaction, alert.id, "delivered", now, account=account_id, detail="page")
                if alert.kind == "canary" and alert.state == "open":
                    close_by_itself(transaction, alert, "delivered", now)

    def _seen(self, alert_id: str, account_id: str) -> None:
        now = self._clock.now()
        own = (AlertStep.alert == alert_id, AlertStep.what == "seen", AlertStep.account == account_id)
        with self._database.begin() as transaction:
            alert = transaction.get(Alert, alert_id, with_for_update=True)
            if alert is None:
                raise NotFoundError("there is no such alert")
            if transaction.scalars(select(AlertStep.id).where(*own)).first() is None:
                alert.seen_at = alert.seen_at or now
                write_step(transaction, alert_id, "seen", now, account=account_id)


def _apply(alert: Alert, change: Change) -> None:
    alert.state, alert.accepted_by, alert.due_at = change.standing.state, change.standing.holder, change.standing.due_at
