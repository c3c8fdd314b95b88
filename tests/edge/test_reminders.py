"""Reminders are prompts: said once at their time, confirmed by voice or touch, told to staff when nobody answers."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tests.edge.test_conversation import PROMISES, Room

from forge_edge.dialogue import reminders, reminding
from forge_edge.dialogue.conversation import Dialogue
from forge_edge.dialogue.reminders import QUESTION, Watched
from forge_edge.dialogue.sentences import REMINDER_DONE, REMINDER_LATER, REMINDER_REFUSED
from forge_edge.dialogue.turn import Conversation
from forge_edge.observations import ReminderUnanswered, RequestObserved
from forge_shared.forms.questionnaire import installed
from forge_shared.plan import DAYS, QuietHours, Reminder, RoomPlan

MORNING = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
PILLS = Reminder(id="pills", kind="medication", times=(time(8),))
DRINK = Reminder(id="drink", kind="drink", times=(time(10), time(15)), confirm=False)
MINUTE = timedelta(minutes=1)


def plan(*of: Reminder, zone: str = "UTC", quiet: QuietHours | None = None) -> RoomPlan:
    return RoomPlan(time_zone=zone, reminders=of, quiet=quiet)


class Day:
    """A room over a day, looked at every few minutes as the node does."""

    def __init__(self, plan: RoomPlan, begins: datetime = MORNING) -> None:
        self.room = Room()
        self.plan = plan
        self.now = begins
        self.room.dialogue = Dialogue(installed(), "phq-9", plan)
        self.said: list[datetime] = []
        self.tick()

    @property
    def missed(self) -> list[ReminderUnanswered]:
        return [seen for seen in self.room.observed if isinstance(seen, ReminderUnanswered)]

    def tick(self) -> None:
        reaction = reminding.tick(self.room.now, self.plan, now=self.now, deaf=False)
        if reaction is None:
            return
        self.room.take(reaction)
        if reaction.instruction is not None:
            self.said.append(self.now)

    def until(self, end: datetime, *, step: timedelta = MINUTE, answer: str | None = None) -> "Day":
        while self.now < end:
            self.now = min(end, self.now + step)
            self.tick()
            if self.room.now.activity == "remind":
                if answer is None:
                    self.room.nothing()
                else:
                    self.room.hear(answer)
        return self

    def at(self, hour: int, minute: int = 0) -> datetime:
        return MORNING.replace(hour=hour, minute=minute)


def test_it_is_said_at_its_time_with_a_tone_and_is_no_order() -> None:
    day = Day(plan(PILLS)).until(MORNING.replace(hour=8), answer="done")
    assert day.said == [day.at(8)]
    assert day.room.said == REMINDER_DONE
    assert day.until(day.at(23)).said == [day.at(8)]
    assert day.missed == []


@pytest.mark.parametrize("kind", ["medication", "drink", "move", "appointment", "other"])
def test_every_kind_has_words_that_prompt_and_promise_nothing(kind: str) -> None:
    words = reminders.sentence(Reminder.model_validate({"id": "r", "kind": kind, "times": ["08:00"]}))
    assert not any(promise in words.lower() for promise in PROMISES)
    assert "must" not in words.lower()
    if kind == "medication":
        assert "ask the nurse" in words


def test_no_dose_can_be_written_into_a_reminder_of_medication() -> None:
    with pytest.raises(ValidationError):
        Reminder(id="pills", kind="medication", times=(time(8),), text="Take 500 mg of something.")
    other = Reminder(id="walk", kind="other", times=(time(8),), text="The physiotherapist waits at ten.")
    assert "physiotherapist" in reminders.sentence(other)


def test_without_an_answer_it_is_said_three_times_and_then_told_to_the_staff_once() -> None:
    day = Day(plan(PILLS)).until(MORNING.replace(hour=12))
    assert day.said == [day.at(8), day.at(8, 10), day.at(8, 20)]
    assert day.missed == [ReminderUnanswered("medication", day.at(8), 3)]


def test_later_puts_it_off_and_no_tells_the_staff_at_once() -> None:
    day = Day(plan(PILLS)).until(MORNING.replace(hour=8), answer="later")
    assert day.room.said == REMINDER_LATER
    day.until(day.at(8, 15), answer="no")
    assert day.said == [day.at(8), day.at(8, 10)]
    assert day.room.said == REMINDER_REFUSED
    assert day.missed == [ReminderUnanswered("medication", day.at(8), 2)]
    assert day.until(day.at(12)).said == [day.at(8), day.at(8, 10)]


def test_it_can_be_confirmed_by_touch() -> None:
    day = Day(plan(PILLS)).until(MORNING.replace(hour=8))
    day.room.now = reminding.confirm(day.room.now, "pills")
    assert day.until(day.at(12)).said == [day.at(8)]
    assert day.missed == []


def test_a_call_for_the_nurse_is_heard_and_the_reminder_comes_again() -> None:
    day = Day(plan(PILLS))
    day.now = day.at(8)
    day.tick()
    day.room.hear("call the nurse")
    assert [type(seen) for seen in day.room.observed] == [RequestObserved]
    assert day.until(day.at(8, 10), answer="done").said == [day.at(8), day.at(8, 10)]


def test_what_need_not_be_confirmed_is_said_once_and_asks_nothing() -> None:
    day = Day(plan(DRINK)).until(MORNING.replace(hour=10))
    assert QUESTION not in day.room.said
    assert day.room.instruction.listen is None
    day.until(day.at(23))
    assert (day.said, day.missed) == ([day.at(10), day.at(15)], [])


def test_nobody_is_interrupted() -> None:
    day = Day(plan(PILLS))
    day.room.in_form(2)
    for minutes in range(0, 20, 5):
        day.now = day.at(8) + timedelta(minutes=minutes)
        day.tick()
    assert day.said == []
    day.room.hear("stop")
    day.now = day.at(8, 20)
    day.tick()
    assert day.said == [day.at(8, 20)]


def test_in_quiet_hours_nothing_is_said_and_the_staff_are_told_of_what_was_not() -> None:
    night = QuietHours(begins=time(22), ends=time(9))
    day = Day(plan(PILLS, quiet=night)).until(MORNING.replace(hour=12))
    assert day.said == []
    assert day.missed == [ReminderUnanswered("medication", day.at(8), 0)]


def test_what_falls_just_before_the_end_of_quiet_hours_is_said_after_them() -> None:
    night = QuietHours(begins=time(22), ends=time(8, 15))
    day = Day(plan(PILLS, quiet=night)).until(MORNING.replace(hour=12), answer="done")
    assert (day.said, day.missed) == ([day.at(8, 15)], [])


@pytest.mark.parametrize(
    ("begins", "ends", "at", "quiet"),
    [
        (time(22), time(7), time(23), True),
        (time(22), time(7), time(6, 59), True),
        (time(22), time(7), time(7), False),
        (time(13), time(14), time(13, 30), True),
        (time(13), time(14), time(22), False),
    ],
)
def test_quiet_hours_may_lie_over_midnight(begins: time, ends: time, at: time, quiet: bool) -> None:  # noqa: FBT001 (a row of the table)
    assert QuietHours(begins=begins, ends=ends).hold(at) is quiet


def test_a_restart_says_nothing_twice_and_loses_nothing() -> None:
    day = Day(plan(PILLS)).until(MORNING.replace(hour=8), answer="done")
    day.room.restart()
    assert day.until(day.at(9)).said == [day.at(8)]
    other = Day(plan(PILLS)).until(MORNING.replace(hour=7, minute=50))
    other.room.restart()
    other.now = other.at(8, 20)  # the machine was off meanwhile
    other.tick()
    assert other.said == [other.at(8, 20)]
    third = Day(plan(PILLS)).until(MORNING.replace(hour=7, minute=50))
    third.now = third.at(11)
    third.tick()
    assert third.said == []
    assert third.missed == [ReminderUnanswered("medication", third.at(8), 0)]


def test_a_plan_that_is_new_or_changed_begins_now_and_does_not_look_back() -> None:
    day = Day(plan(PILLS), begins=MORNING.replace(hour=12))
    assert (day.said, day.missed) == ([], [])
    day.plan = plan(PILLS.model_copy(update={"times": (time(11), time(13))}))
    day.until(day.at(12, 30))
    assert (day.said, day.missed) == ([], [])
    assert day.until(day.at(13), answer="done").said == [day.at(13)]
    day.plan = plan()
    day.until(day.at(14))
    assert day.room.now.reminders == ()


def test_a_reminder_of_once_a_week_is_not_lost_when_the_node_was_off_at_its_time() -> None:
    weekly = Reminder(id="scale", kind="other", times=(time(8),), days=("monday",))
    day = Day(plan(weekly)).until(
        MORNING + timedelta(days=7) - timedelta(hours=1), step=timedelta(minutes=30), answer="done"
    )
    day.now += timedelta(hours=4)
    day.tick()
    assert [missed.due_at for missed in day.missed] == [MORNING + timedelta(days=7, hours=1)]


def test_a_clock_that_was_years_behind_brings_no_flood() -> None:
    day = Day(plan(PILLS), begins=datetime(1970, 1, 1, tzinfo=UTC))
    day.now = MORNING.replace(hour=12)
    day.tick()
    assert (day.said, day.missed) == ([], [])
    day.until(day.now + timedelta(hours=21), answer="done")
    assert len(day.said) == 1


def test_a_clock_that_is_set_back_says_nothing_twice() -> None:
    day = Day(plan(PILLS)).until(MORNING.replace(hour=8, minute=5), answer="done")
    day.now = day.at(7, 30)
    assert day.until(day.at(9), answer="done").said == [day.at(8)]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("at", [time(2, 30), time(1, 59), time(0)])
@pytest.mark.parametrize("begins", [datetime(2026, 3, 5, 12, tzinfo=UTC), datetime(2026, 10, 1, 12, tzinfo=UTC)])
def test_over_every_change_of_the_clock_it_is_said_once_on_every_day(zone: str, at: time, begins: datetime) -> None:
    reminder = Reminder(id="pills", kind="medication", times=(at,))
    room = plan(reminder, zone=zone)
    watched = reminders.follow((), room, begins)
    said: list[date] = []
    now = begins
    while now < begins + timedelta(days=33):
        now += timedelta(minutes=25)
        due = reminders.due(watched, room, now, may_speak=True)
        assert due.missed == ()
        watched = due.watched
        if due.say is not None:
            said.append(now.astimezone(room.zone).date())
            watched = reminders.confirmed(watched, "pills")
    assert len(said) == len(set(said)) == 33


@settings(deadline=None)  # the first use of a time zone reads it from the disk
@given(st.lists(st.integers(1, 900), min_size=1, max_size=40))
def test_however_seldom_the_node_looks_each_dose_is_said_or_told_exactly_once(minutes: list[int]) -> None:
    reminder = Reminder(id="pills", kind="medication", times=(time(6), time(13), time(20)))
    room = plan(reminder, zone="Europe/Berlin")
    now = begins = datetime(2026, 3, 27, 12, tzinfo=UTC)
    watched = reminders.follow((), room, now)
    settled: list[datetime] = []
    for step in minutes:
        now += timedelta(minutes=step)
        due = reminders.due(watched, room, now, may_speak=True)
        settled += [missed.due_at for missed in due.missed]
        watched = due.watched
        if due.say is not None:
            settled += [each.due_at for each in watched if each.due_at is not None]
            watched = reminders.confirmed(watched, "pills")
    expected = [
        moment
        for day in range(20 + sum(minutes) // 1440)
        for hour in (6, 13, 20)
        if begins
        < (moment := datetime.combine(date(2026, 3, 27) + timedelta(days=day), time(hour), tzinfo=room.zone))
        <= now
    ]
    assert settled == [moment.astimezone(UTC) for moment in expected]


def test_it_is_said_on_its_days_only_between_its_first_and_its_last() -> None:
    weekly = Reminder(
        id="walk",
        kind="move",
        times=(time(9),),
        days=("monday", "friday"),
        begins=date(2026, 3, 3),
        ends=date(2026, 3, 9),
    )
    day = Day(plan(weekly)).until(MORNING + timedelta(days=20), step=timedelta(minutes=10), answer="done")
    assert [said.date() for said in day.said] == [date(2026, 3, 6), date(2026, 3, 9)]
    assert DAYS[date(2026, 3, 6).weekday()] == "friday"


def test_who_may_not_be_listened_to_is_reminded_and_asked_nothing() -> None:
    watched = (Watched(reminder=PILLS, settled=MORNING),)
    before = Conversation(reminders=watched)
    reaction = reminding.tick(before, plan(PILLS), now=MORNING.replace(hour=8), deaf=True)
    assert reaction is not None
    assert reaction.instruction is not None
    assert reaction.instruction.listen is None
    assert QUESTION not in reaction.instruction.say


def test_a_room_without_a_plan_keeps_nothing_and_says_nothing() -> None:
    assert reminding.tick(Conversation(), RoomPlan(), now=MORNING, deaf=False) is None
