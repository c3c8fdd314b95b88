"""How far alarms can be trusted: counted from what people said, never made up where nobody said anything."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from tests.fakes.clock import FakeClock
from tests.fakes.pages import ROOM, HubPages, client, csrf, open_pages
from tests.fakes.sent import FakeNode, danger
from tests.fakes.ward import FakeWard, open_ward

from forge_hub.alerts.marks import REASONS, VERDICTS, Mark, Verdict, mark_of
from forge_hub.alerts.projector import raise_alert
from forge_hub.alerts.trust import Alarm, Away, RoomTrust, SightChange, SightState, trust_of, wilson
from forge_hub.alerts.trust_reading import read_trust
from forge_hub.errors import AnswerInvalidError
from forge_hub.records.schema import Alert, Audit
from forge_shared.events import SenseChanged
from forge_shared.ids import new_id

NOON = datetime(2026, 3, 8, 12, tzinfo=UTC)
DAWN = datetime(2026, 3, 8, tzinfo=UTC)


def alarm(hour: float, verdict: Verdict | None = None, kind: str = "fall") -> Alarm:
    return Alarm("room-1", kind, DAWN + timedelta(hours=hour), verdict)


def sight(hour: float, state: SightState = "ok") -> SightChange:
    return SightChange("room-1", DAWN + timedelta(hours=hour), state)


def trust(alarms: list[Alarm], changes: list[SightChange], *away: Away, hours: float = 24) -> RoomTrust:
    (room,) = trust_of(alarms, changes, away, since=DAWN, until=DAWN + timedelta(hours=hours), zone=UTC)
    return room


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 1998; 17: 857-872, table I, method 3 (score without continuity correction).
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_the_one_of_the_textbook(hits: int, of: int, low: float, high: float) -> None:
    share = wilson(hits, of)
    assert share is not None
    assert (round(share.low, 4), round(share.high, 4)) == (low, high)


@given(st.integers(0, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_share_and_lies_within_0_and_1(counts: tuple[int, int]) -> None:
    hits, of = counts
    share = wilson(hits, of)
    if share is None:
        assert of == 0
    else:
        assert 0 <= share.low <= share.value <= share.high <= 1
        assert share.low < share.high


def test_a_room_without_marks_is_not_known_and_never_0() -> None:
    room = trust([alarm(3), alarm(4)], [sight(0)])
    assert (room.total.precision, room.total.false_per_hour, room.total.unmarked) == (None, None, 2)
    quiet = trust([], [sight(0)])
    assert (quiet.total.total, quiet.total.precision, quiet.total.false_per_hour) == (0, None, None)


def test_a_rate_needs_hours_and_a_room_that_nobody_watched_has_none() -> None:
    room = trust([alarm(3, "false")], [])
    assert (room.total.hours_watched, room.total.false_per_hour) == (0, None)


def test_precision_is_real_over_real_and_false_and_tests_count_for_neither() -> None:
    marked: list[Verdict | None] = ["real", "real", "false", "test", None]
    room = trust([alarm(hour, verdict) for hour, verdict in enumerate(marked)], [sight(0)])
    assert room.total.precision is not None
    assert room.total.precision.value == pytest.approx(2 / 3)
    assert (room.total.real, room.total.false, room.total.test, room.total.unmarked) == (2, 1, 1, 1)
    assert room.total.false_per_hour == pytest.approx(1 / 24)
    assert room.total.alarms == {"fall": 5}


def test_hours_are_watched_from_ok_to_lost_or_closed_and_blind_while_lost() -> None:
    room = trust([], [sight(-5), sight(2, "lost"), sight(3), sight(10, "closed")], hours=24)
    assert (room.total.hours_watched, room.total.hours_blind) == (9.0, 1.0)


def test_before_a_room_has_said_anything_and_while_it_is_away_nobody_knows_whether_it_watched() -> None:
    away = Away("room-1", DAWN + timedelta(hours=8), DAWN + timedelta(hours=10))
    still = Away("room-1", DAWN + timedelta(hours=20), None)
    room = trust([], [sight(6), sight(9, "lost"), sight(11)], away, still)
    assert (room.total.hours_watched, room.total.hours_blind) == (2 + 9, 1.0)


def test_days_are_local_and_the_day_on_which_clocks_go_forward_has_23_hours() -> None:
    zone = ZoneInfo("Europe/Berlin")
    since = datetime(2026, 3, 28, tzinfo=zone)
    alarms = [Alarm("room-1", "fall", datetime(2026, 3, 28, 23, 30, tzinfo=zone), "real")]
    changes = [SightChange("room-1", since - timedelta(days=1), "ok")]
    (room,) = trust_of(alarms, changes, since=since, until=datetime(2026, 3, 30, tzinfo=zone), zone=zone)
    assert [(day.day, one.hours_watched, one.total) for day, one in room.days] == [(29, 23.0, 0), (28, 24.0, 1)]


@given(
    st.lists(st.tuples(st.floats(-30, 60), st.sampled_from(["ok", "lost", "closed"])), max_size=12),
    st.lists(st.tuples(st.floats(-30, 60), st.floats(0, 30)), max_size=4),
)
def test_no_hour_is_counted_twice_and_the_days_add_up(
    changes: list[tuple[float, SightState]], gaps: list[tuple[float, float]]
) -> None:
    away = [Away("room-1", DAWN + timedelta(hours=at), DAWN + timedelta(hours=at + length)) for at, length in gaps]
    said = [sight(hour, state) for hour, state in changes]
    for room in trust_of([], said, away, since=DAWN, until=DAWN + timedelta(hours=48), zone=ZoneInfo("Asia/Kolkata")):
        assert room.total.hours_watched + room.total.hours_blind <= 48 + 1e-6
        for name in ("hours_watched", "hours_blind"):
            days = sum(getattr(one, name) for _, one in room.days)
            assert getattr(room.total, name) == pytest.approx(days, abs=1e-6)


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[FakeWard]:
    opened = open_ward(tmp_path)
    yield opened
    opened.database.close()


async def test_what_people_marked_and_what_rooms_said_is_read_from_the_store(ward: FakeWard) -> None:
    ward.alarm(SenseChanged(sense="sight", state="ok", reason="started"))
    ward.alarm(SenseChanged(sense="hearing", state="lost", reason="source-silent"))
    ward.clock.advance(3600)
    false, unmarked = ward.alarm(danger(new_id())), new_id()
    await ward.board.answer(false.id, "attend", "ann")
    await ward.board.mark(false.id, Mark("false", "blanket"), "ann")
    ward.alarm(danger(unmarked))
    ward.alarm(danger(unmarked, "withdrawn"))
    ward.clock.advance(3600)
    ward.alarm(SenseChanged(sense="sight", state="lost", reason="picture-covered"))
    ward.clock.advance(1800)
    _, (room,) = read_trust(ward.database, ward.clock.now(), UTC)
    assert room.node == "room-1"
    assert (room.total.hours_watched, room.total.hours_blind) == pytest.approx((2.0, 0.5), abs=1e-6)
    assert (room.total.false, room.total.unmarked, room.total.taken_back) == (1, 1, 1)
    assert room.total.false_per_hour == pytest.approx(0.5, abs=1e-6)
    ward.clock.advance(10 * 86_400)
    _, (room,) = read_trust(ward.database, ward.clock.now(), UTC, 2)
    assert room.total.total == 0, "what is older is left out"
    assert room.total.hours_blind > 24, "and what holds since then is not"


async def test_a_mark_closes_is_corrected_and_taken_back_and_each_leaves_a_trace(ward: FakeWard) -> None:
    alert = ward.alarm(danger(new_id()))
    with pytest.raises(AnswerInvalidError):
        await ward.board.mark(alert.id, Mark("false"), "ann")
    await ward.board.answer(alert.id, "attend", "ann")
    with pytest.raises(AnswerInvalidError):
        await ward.board.mark(alert.id, None, "ann")
    said = []
    for code, name in (("false.blanket", "ann"), ("false.blanket", "ben"), ("real.fall", "ben"), ("none", "ann")):
        await ward.board.mark(alert.id, mark_of(code), name)
        kept = ward.alert(alert.id)
        said.append((kept.state, kept.cause, kept.verdict, kept.verdict_reason))
    assert said == [
        *[("closed", "false", "false", "blanket")] * 2,
        ("closed", "real", "real", "fall"),
        ("closed", "unclear", None, None),
    ]
    marked = [(step.detail, step.account) for step in ward.steps(alert.id) if step.what == "marked"]
    assert marked == [("false.blanket", "ann"), ("real.fall", "ben"), ("none", "ann")]
    with ward.database.read() as transaction:
        traces = [(row.action, row.account) for row in transaction.scalars(select(Audit).order_by(Audit.position))]
    assert traces[-3:] == [("alert.mark", "ann"), ("alert.mark", "ben"), ("alert.mark", "ann")]


async def test_what_closed_by_itself_can_be_marked_and_stays_what_the_room_took_back(ward: FakeWard) -> None:
    fall = new_id()
    alert = ward.alarm(danger(fall))
    ward.alarm(danger(fall, "withdrawn"))
    assert alert.id in {each.id for each in ward.board.current()}, "who heard it ring sees what became of it"
    await ward.board.mark(alert.id, Mark("real", "slid"), "ann")
    kept = ward.alert(alert.id)
    assert (kept.cause, kept.verdict, kept.verdict_reason) == ("withdrawn", "real", "slid")


async def test_an_alarm_that_rings_again_is_not_marked_any_more(ward: FakeWard) -> None:
    fall = new_id()
    alert = ward.alarm(danger(fall))
    await ward.board.answer(alert.id, "attend", "ann")
    await ward.board.mark(alert.id, Mark("false", "posture"), "ann")
    ward.clock.advance(60)
    ward.alarm(danger(fall, "confirmed"))
    assert (ward.alert(alert.id).state, ward.alert(alert.id).verdict) == ("open", None)


async def test_closing_with_a_cause_says_what_it_was_as_well(ward: FakeWard) -> None:
    for cause, verdict in (("real", "real"), ("false", "false"), ("drill", "test"), ("unclear", None)):
        alert = ward.alarm(danger(new_id()))
        await ward.board.answer(alert.id, "attend", "ann")
        await ward.board.answer(alert.id, "close", "ann", cause=cause)
        assert ward.alert(alert.id).verdict == verdict


@pytest.mark.parametrize("code", ["", "real.blanket", "fine", "false.", ".blanket", "none.fall", "test.drill.drill"])
def test_a_mark_is_one_of_the_list(code: str) -> None:
    if code == "false.":
        assert mark_of(code) == Mark("false")
        return
    with pytest.raises(AnswerInvalidError):
        mark_of(code)


def test_every_mark_has_words_and_a_code_that_is_read_back() -> None:
    for verdict in VERDICTS:
        for mark in (Mark(verdict), *(Mark(verdict, reason) for reason in REASONS[verdict])):
            assert mark_of(mark.code()) == mark
            assert mark.words().startswith(VERDICTS[verdict])


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[HubPages]:
    with open_pages(tmp_path) as opened:
        for role in ("staff", "clinician", "admin"):
            opened.account(role)
        yield opened


FALL = {"danger": "fall", "stage": "suspected", "zone": "floor"}


async def test_one_press_on_a_page_marks_and_closes_and_the_page_of_trust_counts_it(pages: HubPages) -> None:
    account = pages.account("staff", "ann")
    async with client(pages, "staff") as http:
        assert "No camera has watched" in (await http.get("/trust")).text
    alert = pages.alert_arrives(
        kind="danger", detail=FALL, state="attended", accepted_by=account, accepted_at=pages.now
    )
    async with client(pages, "staff") as http:
        data = {"csrf_token": csrf(pages, http), "mark": "false.blanket"}
        assert (await http.get(f"/alerts/{alert}/mark")).text.count('name="mark"') == 18
        assert (await http.post(f"/alerts/{alert}/mark", data=data)).status_code == 303
        assert (await http.post(f"/alerts/{alert}/mark", data={**data, "mark": "sure"})).status_code == 400
        page = (await http.get("/trust")).text
        found = (await http.get("/trust.json")).json()
        board = (await http.get("/")).text
    assert "not known" in page, "nobody watched, so there is no rate"
    assert "False alarm: blanket or clothes" in board
    (room,) = found["rooms"]
    assert (room["node"], room["false"], room["false_per_hour"]) == ("room-12", 1, None)
    assert room["precision"]["value"] == 0
    assert room["precision"]["high"] == pytest.approx(0.793, abs=0.001)


async def test_the_page_of_an_alarm_tells_what_happened_to_it_and_who_said_what(pages: HubPages) -> None:
    ann, fall, node = pages.account("staff", "ann"), new_id(), FakeNode(FakeClock(), ROOM, "ward")
    for stage in ("suspected", "withdrawn", "confirmed", "over"):
        data = danger(fall, stage)
        with pages.database.begin() as transaction:
            raise_alert(transaction, node.event(data), data, pages.now, received_at=pages.now)
    with pages.database.read() as transaction:
        alert = transaction.scalars(select(Alert.id)).one()
    await pages.board.answer(alert, "accept", ann)
    await pages.board.answer(alert, "attend", ann)
    for code in ("false.light", "none", "real.fall"):
        await pages.board.mark(alert, mark_of(code), ann)
    async with client(pages, "staff") as http:
        page = (await http.get(f"/alerts/{alert}/mark")).text
        assert (await http.get(f"/alerts/{new_id()}/mark")).status_code == 404
    told = [
        *("Raised", "The room took it back: the person is up", "Closed by itself", "Confirmed"),
        *("Rang again: danger after it was closed", "The camera no longer sees it", "Taken, ann"),
        *("Somebody was there, ann", "Closed, ann", "Marked False alarm: shadow, light or a screen, ann"),
        *("The mark was taken back, ann", "Marked Real: a fall, ann"),
    ]
    history = page[page.index("What happened") :]
    places = [history.index(words) for words in told]
    assert places == sorted(places)
    async with client(pages, "admin") as http:
        assert "camera" not in (await http.get(f"/alerts/{alert}/mark")).text


async def test_who_looks_after_the_machines_does_not_read_what_the_cameras_saw(pages: HubPages) -> None:
    pages.alert_arrives(kind="danger", detail=FALL)
    async with client(pages, "admin") as http:
        for path in ("/trust", "/trust.json"):
            assert (await http.get(path)).status_code == 403
        assert "fall" not in (await http.get("/")).text.lower()
