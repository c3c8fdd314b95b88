"""Someone answers for an alert or it climbs, whatever is restarted; and nothing rings twice for nothing."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.fakes.sent import WATER, risk
from tests.fakes.ward import PEOPLE, FakeWard, open_ward

from forge_hub.alerts.board import Accepted
from forge_hub.alerts.duties import Roster
from forge_hub.alerts.escalation import DEFAULT_PLANS, EVERYONE
from forge_hub.errors import AnswerInvalidError, NotFoundError
from forge_hub.records.schema import EscalationPlan, Shift
from forge_shared.events import RequestMade, SenseChanged
from forge_shared.ids import new_id

HELP = RequestMade(request="help", mode="voice")


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[FakeWard]:
    opened = open_ward(tmp_path)
    yield opened
    opened.database.close()


def three_levels(ward: FakeWard) -> None:
    for level, name in enumerate(("ann", "ben", "cho"), start=1):
        ward.on_duty(name, level)


def test_an_alert_climbs_after_30_60_and_120_seconds_and_then_again_and_again(ward: FakeWard) -> None:
    three_levels(ward)
    alert = ward.alarm(HELP)
    levels = {}
    for second in range(1, 361):
        if ward.passes(1).alerts:
            levels[second] = ward.alert(alert.id).level
    assert levels == {30: 2, 60: 3, 120: EVERYONE, 240: EVERYONE, 360: EVERYONE}
    assert ward.story(alert.id)[:2] == ["raised", "rung 1"]


def test_a_level_with_nobody_on_duty_is_passed_over_at_once(ward: FakeWard) -> None:
    ward.on_duty("cho", 3)
    alert = ward.alarm(HELP)
    assert ward.story(alert.id) == ["raised", "passed 1", "passed 2", "rung 3"]


def test_with_nobody_on_duty_everyone_is_rung_at_once(ward: FakeWard) -> None:
    ward.on_duty("ann", 1, ward="ward-8")
    assert ward.alert(ward.alarm(HELP).id).level == EVERYONE


def test_a_duty_that_has_ended_is_not_waited_for(ward: FakeWard) -> None:
    ward.on_duty("ann", 1, hours=1)
    ward.on_duty("ben", 2)
    ward.clock.advance(3600)
    assert ward.alert(ward.alarm(HELP).id).level == 2


async def test_a_level_where_everyone_declines_is_left_at_once(ward: FakeWard) -> None:
    for name in ("ann", "ben"):
        ward.on_duty(name, 1)
    ward.on_duty("cho", 2)
    alert = ward.alarm(HELP)
    await ward.board.answer(alert.id, "decline", "ann")
    assert ward.passes(0).alerts == 0, "ben may still accept"
    await ward.board.answer(alert.id, "decline", "ben")
    assert ward.passes(0).alerts == 1
    assert ward.story(alert.id)[-3:] == ["declined by ann", "declined by ben", "rung 2"]


def test_who_signs_off_or_changes_the_level_leaves_what_rings_to_the_next_one_at_once(ward: FakeWard) -> None:
    roster = Roster(ward.database, ward.clock, UTC)
    roster.sign_on("ann", "ward-7", 1)
    roster.sign_on("ben", "ward-7", 2)
    roster.sign_on("cho", "ward-7", 3)
    alert = ward.alarm(HELP).id
    assert ward.alert(alert).level == 1
    ward.clock.advance(1)
    roster.sign_on("dot", "ward-7", 1)
    roster.sign_off("ann")
    assert ward.engine.ring_due().alerts == 0, "someone of the first level is still there"
    roster.sign_on("dot", "ward-7", 3)
    assert ward.engine.ring_due().alerts == 1
    assert ward.alert(alert).level == 2
    roster.sign_off("ben")
    ward.engine.ring_due()
    assert ward.alert(alert).level == 3


async def test_an_acceptance_that_nobody_follows_up_expires_and_climbs(ward: FakeWard) -> None:
    three_levels(ward)
    alert = ward.alarm(HELP)
    await ward.board.accept(alert.id, "ann")
    seconds = DEFAULT_PLANS["high"].acceptance_seconds
    assert ward.passes(seconds - 1).alerts == 0
    rung = ward.passes(1)
    assert rung.expired == (Accepted("room-1", alert.event_id),)
    assert ward.story(alert.id)[-2:] == ["expired by ann", "rung 2"]
    assert (ward.alert(alert.id).state, ward.alert(alert.id).accepted_by) == ("open", None)


async def test_who_gives_an_alert_back_makes_it_ring_at_once_and_the_room_is_told(ward: FakeWard) -> None:
    three_levels(ward)
    alert = ward.alarm(HELP)
    await ward.board.accept(alert.id, "ann")
    await ward.board.answer(alert.id, "decline", "ann")
    assert ward.passes(0).alerts == 1
    assert ward.alert(alert.id).level == 2
    assert [what for what, _ in ward.told] == ["made", "taken-back"]


async def test_the_whole_way_from_raised_to_closed_is_written_down(ward: FakeWard) -> None:
    three_levels(ward)
    alert = ward.alarm(HELP)
    await ward.board.shown([alert.id], "ann")
    await ward.board.seen(alert.id, "ann")
    await ward.board.seen(alert.id, "ann")
    await ward.board.accept(alert.id, "ann")
    await ward.board.answer(alert.id, "attend", "ann")
    with pytest.raises(AnswerInvalidError):
        await ward.board.answer(alert.id, "close", "ann", cause="she was fine")
    await ward.board.answer(alert.id, "close", "ann", cause="real")
    assert ward.story(alert.id) == ["raised", "rung 1", *(f"{what} by ann" for what in WAY)]
    closed = ward.alert(alert.id)
    assert (closed.state, closed.cause, closed.due_at) == ("closed", "real", None)
    assert ward.passes(10_000).alerts == 0


WAY = ("delivered", "seen", "accepted", "attended", "closed")


async def test_there_is_nothing_to_answer_in_an_alert_that_does_not_exist(ward: FakeWard) -> None:
    for work in (ward.board.answer(new_id(), "attend", "ann"), ward.board.seen(new_id(), "ann")):
        with pytest.raises(NotFoundError):
            await work


async def test_a_room_whose_microphone_is_looked_after_is_promised_nothing(ward: FakeWard) -> None:
    alert = ward.alarm(SenseChanged(sense="hearing", state="lost", reason="source-silent"))
    await ward.board.accept(alert.id, "ann")
    assert ward.told == []


def test_the_same_call_again_is_counted_and_does_not_ring_again(ward: FakeWard) -> None:
    three_levels(ward)
    first = ward.alarm(WATER)
    ward.clock.advance(5)
    assert ward.alarm(WATER).id == first.id
    assert ward.alert(first.id).count == 2
    assert [step for step in ward.story(first.id) if step.startswith("rung")] == ["rung 1"]


def test_a_call_that_comes_fresh_after_a_late_one_rings(ward: FakeWard) -> None:
    three_levels(ward)
    day = timedelta(days=1)
    first = ward.alarm(HELP, time=ward.clock.now() - day, backfill=True)
    ward.alarm(HELP)
    alert = ward.alert(first.id)
    assert (alert.count, alert.late) == (2, False)
    assert [step for step in ward.story(first.id) if step.startswith("rung")] == ["rung 1", "rung 1"]


async def test_a_call_after_the_answer_to_the_first_is_never_swallowed(ward: FakeWard) -> None:
    three_levels(ward)
    first = ward.alarm(WATER)
    for answer, cause in (("accept", None), ("attend", None), ("close", "real")):
        await ward.board.answer(first.id, answer, "ann", cause=cause)  # type: ignore[arg-type]  # literals above
        second = ward.alarm(WATER)
        assert second.id != first.id
        assert ward.alert(second.id).state == "open"
        await ward.board.answer(second.id, "attend", "ann")


def test_two_answers_to_a_risk_item_are_two_alerts(ward: FakeWard) -> None:
    assert ward.alarm(risk()).id != ward.alarm(risk()).id


def test_a_ward_sets_its_own_pace_by_shift_and_priority(ward: FakeWard) -> None:
    three_levels(ward)
    with ward.database.begin() as transaction:
        shift = Shift(id="night", ward="ward-7", name="Night", starts_minute=1260, ends_minute=420, weekdays="0123456")
        transaction.add(shift)
        transaction.flush()
        for name, shift_id, second in (("all", None, 20), ("night", "night", 10)):
            transaction.add(
                EscalationPlan(
                    id=name,
                    ward="ward-7",
                    shift=shift_id,
                    priority="high",
                    second_level_seconds=second,
                    third_level_seconds=60,
                    everyone_seconds=120,
                    acceptance_seconds=60,
                )
            )
    due = ward.alert(ward.alarm(HELP).id).due_at
    assert due is not None
    assert (due - ward.clock.now()).total_seconds() == 10, "it is two in the morning"
    ward.clock.advance(8 * 3600)
    other = ward.alarm(risk())
    due = ward.alert(other.id).due_at
    assert due is not None
    assert (due - ward.clock.now()).total_seconds() == 20


def test_a_clock_that_is_set_back_does_not_hold_an_alert_back(ward: FakeWard) -> None:
    three_levels(ward)
    ward.clock.advance(4 * 3600)
    alert = ward.alarm(HELP)
    assert not ward.engine.clock_step()
    ward.clock.at -= timedelta(hours=3)
    ward.engine.shift_timers(ward.engine.clock_step())
    assert ward.passes(29).alerts == 0
    assert ward.passes(1).alerts == 1
    assert ward.alert(alert.id).level == 2


class Nights(RuleBasedStateMachine):
    """Rooms call, people answer or do not, time passes, the hub is killed: no alert is ever forgotten."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.ward = open_ward(Path(self.folder.name))
        for level, name in ((1, "ann"), (1, "ben"), (2, "cho")):
            self.ward.on_duty(name, level)
        self.alerts: list[str] = []

    @rule(data=st.sampled_from([WATER, HELP, risk(), RequestMade(request="pain", mode="touch")]))
    def a_room_calls(self, data: RequestMade) -> None:
        alert = self.ward.alarm(data)
        if alert.id not in self.alerts:
            self.alerts.append(alert.id)

    @precondition(lambda self: self.alerts)
    @rule(
        which=st.integers(0, 50),
        who=st.sampled_from(PEOPLE),
        answer=st.sampled_from(["accept", "decline", "attend", "close"]),
    )
    def someone_answers(self, which: int, who: str, answer: str) -> None:
        work = self.ward.board.answer(
            self.alerts[which % len(self.alerts)],
            answer,  # type: ignore[arg-type]  # one of the literals above
            who,
            cause="real",
        )
        run(work)
        self.ward.engine.ring_due()

    @rule(seconds=st.sampled_from([1, 10, 30, 61, 400]))
    def time_passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.ward.clock.advance(1)
            due = self.ward.engine.next_due_at()
            if due is not None and due <= self.ward.clock.now():
                self.ward.engine.ring_due()

    @rule()
    def the_hub_is_killed_and_starts_again(self) -> None:
        before = [(self.ward.alert(each).state, self.ward.alert(each).due_at) for each in self.alerts]
        self.ward.restart()
        assert self.ward.engine.ring_due().alerts == 0, "a restart rings nothing by itself"
        assert before == [(self.ward.alert(each).state, self.ward.alert(each).due_at) for each in self.alerts]

    @invariant()
    def whoever_waits_has_a_timer_that_runs(self) -> None:
        now = self.ward.clock.now()
        for each in self.alerts:
            alert = self.ward.alert(each)
            if alert.state in {"open", "accepted"}:
                assert alert.due_at is not None
                assert alert.due_at > now, "it rang when it was due"
                assert alert.due_at - now <= timedelta(seconds=900), "and not later than its plan says"
                assert (alert.state == "accepted") == (alert.accepted_by is not None)
            else:
                assert alert.due_at is None

    @invariant()
    def no_level_rings_twice_unless_it_was_given_back_or_is_the_last(self) -> None:
        for each in self.alerts:
            rung: set[int | None] = set()
            for step in self.ward.steps(each):
                if step.what == "rung":
                    assert step.level == EVERYONE or step.level not in rung
                    rung.add(step.level)

    def teardown(self) -> None:
        self.ward.database.close()
        self.folder.cleanup()


def run(work: object) -> None:
    asyncio.run(work)  # type: ignore[arg-type]  # a coroutine of the board


Nights.TestCase.settings = settings(max_examples=12, stateful_step_count=15, deadline=None)
TestNights = Nights.TestCase
