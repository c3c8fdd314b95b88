"""What the staff have planned, said at its time: once, not lost over a restart, and told to staff when nobody confirms.

A reminder is a prompt and no order. Each reminder remembers up to when it is settled; what lies between then and now is
due. So nothing is said twice and nothing is lost, whatever the clock does and whenever the node starts. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from forge_edge.dialogue.room_answers import local
from forge_edge.observations import ReminderUnanswered
from forge_shared.model import Frozen
from forge_shared.plan import DAYS, Reminder, RoomPlan

TIMES = 3
AGAIN = timedelta(minutes=10)
"""How often a reminder is said, and after how long again: half an hour in all. Ours."""
GRACE = timedelta(minutes=30)
"""How late a reminder may still be said, after a restart or quiet hours; a later one is for the staff. Ours."""
KEPT = timedelta(hours=1)
"""How often it is written down that nothing was due: so a long silence means that the node was off."""
LONGEST = timedelta(hours=24)
"""What lies longer ago is not told any more: the hub has long said that the room was lost, or the clock was wrong."""

_SENTENCES: dict[str, str] = {
    "medication": "It is time for what the nurse has planned. Please ask the nurse if you are unsure.",
    "drink": "This is a reminder to drink something, if you may.",
    "move": "This is a reminder to move a little, as far as you were told that you can.",
    "appointment": "This is a reminder of your appointment.",
    "other": "This is a reminder.",
}
QUESTION = "You can say: done, or: later."


class Watched(Frozen):
    """One reminder and how far it is settled.

    Attributes:
        settled: Everything that was due until then is done with.
        due_at: What is due and not settled yet.
        times: How often that was said.
        said_at: When it was said last.
    """

    reminder: Reminder
    settled: datetime
    due_at: datetime | None = None
    times: int = 0
    said_at: datetime | None = None

    def over(self) -> "Watched":
        """Return it with what is due settled."""
        return self.model_copy(update={"settled": self.due_at, "due_at": None, "times": 0, "said_at": None})


@dataclass(frozen=True, slots=True)
class Due:
    """What follows at a moment: the reminders as they stand, what staff are told, and the one to say now, if any."""

    watched: tuple[Watched, ...]
    missed: tuple[ReminderUnanswered, ...] = ()
    say: Reminder | None = None


def follow(watched: tuple[Watched, ...], plan: RoomPlan, now: datetime) -> tuple[Watched, ...]:
    """Return what is watched under a plan: one that is new or was changed begins now."""
    known = {each.reminder.id: each for each in watched}
    return tuple(
        each if (each := known.get(reminder.id)) is not None and each.reminder == reminder else _begun(reminder, now)
        for reminder in plan.reminders
    )


def due(watched: tuple[Watched, ...], plan: RoomPlan, now: datetime, *, may_speak: bool) -> Due:
    """Return what follows now.

    Args:
        watched: The reminders as they stand.
        plan: What the staff have set; its quiet hours hold back what would be said.
        now: The time in UTC.
        may_speak: Whether nobody is in the middle of something.
    """
    after: list[Watched] = []
    missed: list[ReminderUnanswered] = []
    say: Reminder | None = None
    speaks = may_speak and not is_quiet(plan, now)
    for each in watched:
        current, unsaid = _current(each, plan, now)
        missed += unsaid
        if current.due_at is not None and (current.said_at is None or now - current.said_at >= AGAIN):
            if current.times >= TIMES:
                missed += _told(current)
                current = current.over()
            elif speaks and say is None:
                say = current.reminder
                current = current.model_copy(update={"times": current.times + 1, "said_at": now})
        after.append(current)
    return Due(tuple(after), tuple(missed), say)


def confirmed(watched: tuple[Watched, ...], reminder_id: str) -> tuple[Watched, ...]:
    """Return what is watched after a person has confirmed a reminder, by voice or touch."""
    return tuple(each.over() if each.reminder.id == reminder_id and each.due_at else each for each in watched)


def refused(watched: tuple[Watched, ...], reminder_id: str) -> Due:
    """Return what follows when a person says no: it is not said again, and the staff are told."""
    told = [missed for each in watched if each.reminder.id == reminder_id for missed in _told(each)]
    return Due(confirmed(watched, reminder_id), tuple(told))


def sentence(reminder: Reminder) -> str:
    """Return what is said; for medication it is always the room's own words."""
    words = _SENTENCES[reminder.kind]
    return words if reminder.text is None else f"{words} {reminder.text}"


def is_quiet(plan: RoomPlan, now: datetime) -> bool:
    """Tell whether nothing unasked is spoken now."""
    return plan.quiet is not None and plan.quiet.hold(local(now, plan).time())


def _begun(reminder: Reminder, now: datetime) -> Watched:
    return Watched(reminder=reminder, settled=now)


def _current(each: Watched, plan: RoomPlan, now: datetime) -> tuple[Watched, tuple[ReminderUnanswered, ...]]:
    """Return it with what is due now, and what of it came too late to be said."""
    missed: tuple[ReminderUnanswered, ...] = ()
    if now - each.settled > LONGEST and each.due_at is None:
        each = each.model_copy(update={"settled": now - GRACE})
    while True:
        if each.due_at is None:
            following = next(_occurrences(each.reminder, plan, each.settled, now), None)
            if following is None:
                stale = now - each.settled > KEPT
                return (each.model_copy(update={"settled": now}) if stale else each), missed
            each = each.model_copy(update={"due_at": following})
        if each.times > 0 or each.due_at is None or now - each.due_at <= GRACE:
            return each, missed
        missed += _told(each)
        each = each.over()


def _occurrences(reminder: Reminder, plan: RoomPlan, after: datetime, until: datetime) -> Iterator[datetime]:
    """Yield when a reminder is due, later than one moment and not later than another, in UTC and in order.

    A local time that a change to summer time leaves out is an hour later by the clock; one that comes twice in autumn
    is the first of the two (PEP 495, ``fold=0``).
    """
    first, last = local(after, plan), local(until, plan)
    day = first.date()
    while day <= last.date():
        begun = reminder.begins is None or reminder.begins <= day
        ended = reminder.ends is not None and reminder.ends < day
        if begun and not ended and DAYS[day.weekday()] in reminder.days:
            for at in sorted(reminder.times):
                moment = _in_room(datetime.combine(day, at.replace(tzinfo=None)), plan)
                if after < moment <= until:
                    yield moment
        day += timedelta(days=1)


def _in_room(at: datetime, plan: RoomPlan) -> datetime:
    zone = plan.zone
    return (at.astimezone() if zone is None else at.replace(tzinfo=zone)).astimezone(UTC)


def _told(each: Watched) -> tuple[ReminderUnanswered, ...]:
    if each.due_at is None or not each.reminder.confirm:
        return ()
    return (ReminderUnanswered(each.reminder.kind, each.due_at, each.times),)
