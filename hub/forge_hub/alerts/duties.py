"""Keeping the roster: people sign themselves on and off, an admin keeps shifts and plans. Blocks on the store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from forge_hub.alerts.escalation import LEVELS, PRIORITIES, Plan, everyone_declined
from forge_hub.alerts.roster import duty_end
from forge_hub.alerts.standing import declined, read_duties
from forge_hub.errors import AnswerInvalidError, NotFoundError
from forge_hub.records.database import Database
from forge_hub.records.schema import Account, Alert, Audit, Delivery, Duty, EscalationPlan, Shift, Ward
from forge_shared.clock import Clock
from forge_shared.ids import new_id

SHORTEST_SECONDS, LONGEST_SECONDS = 5, 3600
"""Bounds of a plan's times. Ours: five seconds to reach for a phone; after an hour an alarm is no alarm."""
FAILURES_LIMIT = 20


@dataclass(frozen=True, slots=True)
class RosterPage:
    """What the page of the roster shows.

    Attributes:
        on_duty: Ward, level, username, duty; the first to be asked first.
        failures: Messages that did not get through, newest first.
    """

    wards: Sequence[Ward]
    on_duty: Sequence[tuple[str, int, str, Duty]]
    shifts: Sequence[tuple[str, Shift]]
    plans: Sequence[tuple[str, str, EscalationPlan]]
    failures: Sequence[tuple[Delivery, Alert]]


class Roster:
    """Duties, shifts and plans of one site. Threads may share it."""

    def __init__(self, database: Database, clock: Clock, zone: tzinfo) -> None:
        self._database = database
        self._clock = clock
        self._zone = zone

    def sign_on(self, account: str, ward: str, level: int) -> datetime:
        """Put a person on duty until their shift ends, and end an older duty of theirs in that ward.

        Returns:
            When the duty ends by itself.

        Raises:
            NotFoundError: There is no such ward.
            AnswerInvalidError: There is no such level.
        """
        if level not in LEVELS:
            raise AnswerInvalidError("a level is 1, 2 or 3")
        with self._database.begin() as transaction:
            if transaction.get(Ward, ward) is None:
                raise NotFoundError("there is no such ward")
            now = self._clock.now()
            self._end(transaction, account, now, ward)
            shifts = read_duties(transaction, now, self._zone).shifts
            ends_at = duty_end(shifts, ward, now.astimezone(self._zone)).astimezone(UTC)
            duty = Duty(id=new_id(), account=account, ward=ward, level=level, begins_at=now, ends_at=ends_at)
            transaction.add(duty)
            transaction.add(Audit(id=new_id(), at=now, account=account, action="duty.begin", object=duty.id))
            self._hand_over(transaction, now)
            return ends_at

    def sign_off(self, account: str) -> None:
        """End every duty of a person. What rings for nobody else is left to the next level at once."""
        with self._database.begin() as transaction:
            now = self._clock.now()
            self._end(transaction, account, now)
            self._hand_over(transaction, now)

    def hand_over(self) -> None:
        """Leave what rings for nobody any more to the next level at once: duties have ended in another way."""
        with self._database.begin() as transaction:
            self._hand_over(transaction, self._clock.now())

    def add_shift(  # noqa: PLR0913 (a form's fields)
        self, by: str, *, ward: str, name: str, starts: str, ends: str, weekdays: Sequence[int]
    ) -> None:
        """Add a shift to a ward.

        Args:
            by: The admin's account.
            ward: The ward.
            name: What the shift is called.
            starts: Local time as ``HH:MM``.
            ends: The same; not after the start means on the next day.
            weekdays: Days on which it starts, Monday is 0.

        Raises:
            NotFoundError: There is no such ward.
            AnswerInvalidError: A name, time or day that cannot be.
        """
        shift = Shift(
            id=new_id(),
            ward=ward,
            name=name.strip(),
            starts_minute=_minute(starts),
            ends_minute=_minute(ends),
            weekdays="".join(str(day) for day in sorted(set(weekdays))),
        )
        if not shift.name or not shift.name.isprintable() or not shift.weekdays or not set(weekdays) <= set(range(7)):
            raise AnswerInvalidError("a shift has a name and days of the week")
        with self._database.begin() as transaction:
            if transaction.get(Ward, ward) is None:
                raise NotFoundError("there is no such ward")
            transaction.add(shift)
            self._trace(transaction, by, "shift.add", shift.id)

    def set_plan(self, by: str, *, ward: str | None, shift: str | None, priority: str, plan: Plan) -> None:
        """Set how fast alerts of a priority climb, in a ward or in all of them, in a shift or at any time.

        Raises:
            AnswerInvalidError: An unknown priority, ward or shift, or times that do not grow.
        """
        seconds = (plan.second_level_seconds, plan.third_level_seconds, plan.everyone_seconds)
        grow = SHORTEST_SECONDS <= seconds[0] < seconds[1] < seconds[2] <= LONGEST_SECONDS
        if priority not in PRIORITIES or not grow or not SHORTEST_SECONDS <= plan.acceptance_seconds <= LONGEST_SECONDS:
            raise AnswerInvalidError("a plan's times grow from level to level, between 5 seconds and an hour")
        same = (EscalationPlan.ward.is_not_distinct_from(ward), EscalationPlan.shift.is_not_distinct_from(shift))
        with self._database.begin() as transaction:
            known = transaction.get(Shift, shift) if shift else None
            if (ward and transaction.get(Ward, ward) is None) or (shift and (known is None or known.ward != ward)):
                raise AnswerInvalidError("no such ward, or no such shift in it")
            row = transaction.scalars(select(EscalationPlan).where(*same, EscalationPlan.priority == priority)).first()
            if row is None:
                row = EscalationPlan(id=new_id(), ward=ward, shift=shift, priority=priority)
            row.second_level_seconds, row.third_level_seconds, row.everyone_seconds = (int(each) for each in seconds)
            row.acceptance_seconds = int(plan.acceptance_seconds)
            transaction.add(row)
            self._trace(transaction, by, "plan.set", row.id)

    def page(self) -> RosterPage:
        """Return the roster as it is now."""
        now = self._clock.now()
        with self._database.read() as transaction:
            wards = list(transaction.scalars(select(Ward).order_by(Ward.name)))
            names = {ward.id: ward.name for ward in wards}
            shifts = list(transaction.scalars(select(Shift).order_by(Shift.ward, Shift.starts_minute)))
            shift_names = {shift.id: shift.name for shift in shifts}
            duties = transaction.execute(
                select(Duty, Account.username)
                .join(Account, Account.id == Duty.account)
                .where(Duty.begins_at <= now, Duty.ends_at > now)
                .order_by(Duty.ward, Duty.level, Account.username)
            )
            failed = transaction.execute(
                select(Delivery, Alert)
                .join(Alert, Alert.id == Delivery.alert)
                .where(Delivery.error.is_not(None), Delivery.state != "delivered")
                .order_by(Delivery.made_at.desc())
                .limit(FAILURES_LIMIT)
            )
            plans = transaction.scalars(select(EscalationPlan).order_by(EscalationPlan.ward, EscalationPlan.priority))
            return RosterPage(
                wards=wards,
                on_duty=[(names.get(duty.ward, duty.ward), duty.level, name, duty) for duty, name in duties],
                shifts=[(names.get(shift.ward, shift.ward), shift) for shift in shifts],
                plans=[
                    (names.get(plan.ward or "", "every ward"), shift_names.get(plan.shift or "", "any time"), plan)
                    for plan in plans
                ],
                failures=[(delivery, alert) for delivery, alert in failed],
            )

    def _end(self, transaction: Transaction, account: str, now: datetime, ward: str | None = None) -> None:
        running = select(Duty).where(Duty.account == account, Duty.ends_at > now)
        for duty in transaction.scalars(running if ward is None else running.where(Duty.ward == ward)):
            duty.ends_at = now
            transaction.add(Audit(id=new_id(), at=now, account=account, action="duty.end", object=duty.id))

    def _hand_over(self, transaction: Transaction, now: datetime) -> None:
        transaction.flush()
        duties = read_duties(transaction, now, self._zone)
        ringing = select(Alert).where(Alert.state == "open", Alert.due_at > now).with_for_update()
        alerts = transaction.scalars(ringing).all()
        refused = declined(transaction, [alert.id for alert in alerts])
        for alert in alerts:
            if everyone_declined(alert.level, duties.on_duty(alert), refused[alert.id]):
                alert.due_at = now

    def _trace(self, transaction: Transaction, by: str, action: str, thing: str) -> None:
        transaction.add(Audit(id=new_id(), at=self._clock.now(), account=by, action=action, object=thing))


def _minute(text: str) -> int:
    hours, colon, minutes = text.partition(":")
    well = colon and hours.isdecimal() and minutes.isdecimal() and len(text) <= len("00:00")
    if not well or not (0 <= int(hours) < 24 and 0 <= int(minutes) < 60):  # noqa: PLR2004 (a clock's face)
        raise AnswerInvalidError("a time is HH:MM")
    return 60 * int(hours) + int(minutes)
