"""What the camera watches for is set for a stay, reaches its room with that person's plan, and ends with the stay."""

import json
from collections.abc import Iterator
from datetime import time
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.fakes.pages import ROOM, HubPages, client, csrf, open_pages

from forge_hub.errors import NotFoundError, StayError
from forge_hub.fleet.twins import Occupancy, Twins, wanted, watching
from forge_hub.records.schema import Audit
from forge_shared.plan import QuietHours, Reminder, RoomPlan, Watch
from forge_shared.wire import TwinDesired

WATCH = Watch(kinds=("fall", "bed_exit"), absent_minutes=5)
REMINDER = Reminder(id="drink", kind="drink", times=(time(10),))
FORM = {
    "night_begins": "21:30",
    "night_ends": "06:00",
    "absent_minutes": "15",
    "immobile_minutes": "10",
    "visitor_minutes": "3",
}


def test_a_plan_in_a_file_carries_what_is_watched_for_to_the_room() -> None:
    plan = RoomPlan(watch=WATCH, quiet=QuietHours(begins=time(22), ends=time(6)))
    told = TwinDesired.model_validate({**wanted(Occupancy({"p-1": frozenset()}), plan), "revision": 1})
    assert told.plan == plan


def test_what_is_set_for_a_stay_is_that_persons_alone_and_leaves_the_rest_of_the_plan() -> None:
    plan = RoomPlan(reminders=(REMINDER,), ambience=True)
    room = Occupancy({"p-1": frozenset()}, watches={"p-1": WATCH})
    told = TwinDesired.model_validate({**wanted(room, plan), "revision": 1}).plan
    assert told is not None
    assert (told.watch, told.reminders, told.ambience, told.subject) == (WATCH, (REMINDER,), True, "p-1")
    assert told.of_stay("p-2").watch is None
    other = watching(RoomPlan(subject="p-0", reminders=(REMINDER,), ambience=True), "p-1", WATCH)
    assert other is not None
    assert (other.reminders, other.watch, other.ambience) == ((), WATCH, True), "what was another person's stays out"


def test_where_two_share_a_room_the_camera_watches_as_in_any_room() -> None:
    room = Occupancy({"p-1": frozenset(), "p-2": frozenset()}, watches={"p-1": WATCH})
    assert "plan" not in wanted(room)


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[HubPages]:
    with open_pages(tmp_path) as opened:
        for role in ("staff", "clinician", "admin"):
            opened.account(role)
        opened.room_connects()
        opened.someone_stays(ROOM)
        yield opened


def told(pages: HubPages) -> RoomPlan | None:
    """What the room was told last."""
    return TwinDesired.model_validate(json.loads(pages.published[-1][1])).plan


async def test_staff_set_it_on_the_page_of_the_stay_and_it_ends_with_the_stay(pages: HubPages) -> None:
    async with client(pages, "staff") as http:
        token = {"csrf_token": csrf(pages, http)}
        data = {**token, **FORM, "kind": ["bed_exit", "extra_person"]}
        assert (await http.post(f"/stays/{pages.stay}/watch", data=data)).status_code == 303
        plan = told(pages)
        assert plan is not None
        assert plan.watch == Watch(
            kinds=("fall", "bed_exit", "extra_person"),
            night=QuietHours(begins=time(21, 30), ends=time(6)),
            absent_minutes=15,
            immobile_minutes=10,
            visitor_minutes=3,
        ), "a fall is always watched for"
        page = (await http.get(f"/stays/{pages.stay}")).text
        assert "Set for this person." in page
        assert 'value="21:30"' in page
        assert (await http.post(f"/stays/{pages.stay}/discharge", data=token)).status_code == 303
        assert told(pages) is None
        assert (await http.post(f"/stays/{pages.stay}/watch", data=data)).status_code == 422
    with pages.database.read() as transaction:
        traces = transaction.scalars(select(Audit.object).where(Audit.action == "stay.watch")).all()
    assert traces == [pages.stay]


async def test_it_can_be_as_in_any_room_again(pages: HubPages) -> None:
    async with client(pages, "clinician") as http:
        token = {"csrf_token": csrf(pages, http)}
        await http.post(f"/stays/{pages.stay}/watch", data={**token, **FORM})
        assert told(pages) is not None
        await http.post(f"/stays/{pages.stay}/watch", data={**token, "as_any_room": "yes"})
        assert told(pages) is None


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("absent_minutes", "0", 422),
        ("immobile_minutes", "nan", 422),
        ("visitor_minutes", "1441", 422),
        ("night_ends", "29:00", 422),
        ("night_begins", "22:00Z", 400),
        ("kind", "mood", 400),
    ],
)
async def test_what_no_room_could_do_is_refused_and_nothing_is_told(
    pages: HubPages, field: str, value: str, status: int
) -> None:
    async with client(pages, "staff") as http:
        data = {"csrf_token": csrf(pages, http), **FORM, field: value}
        assert (await http.post(f"/stays/{pages.stay}/watch", data=data)).status_code == status
    assert pages.published == []


def test_a_stay_that_is_not_or_is_over_is_not_watched(pages: HubPages) -> None:
    register = pages.parts.register
    with pytest.raises(NotFoundError):
        register.set_watch("nobody", WATCH, "test")
    register.discharge(pages.stay, "test")
    with pytest.raises(StayError):
        register.set_watch(pages.stay, WATCH, "test")


async def test_what_was_set_for_one_who_left_is_not_the_next_ones_though_the_plan_cannot_be_read(
    pages: HubPages, tmp_path: Path
) -> None:
    plans = tmp_path / "plans"
    plans.mkdir()
    file = plans / f"{ROOM}.json"
    file.write_text(RoomPlan(ambience=True).model_dump_json())

    async def publish(topic: str, payload: bytes) -> None:
        pages.published.append((topic, payload))

    twins = Twins("ward", pages.database, publish, sign=lambda _: "a signature", clock=pages.parts.clock, plans=plans)
    pages.parts.register.set_watch(pages.stay, WATCH, "test")
    await twins.refresh()
    before = told(pages)
    assert before is not None
    assert before.watch == WATCH
    file.write_text("{")
    pages.parts.register.discharge(pages.stay, "test")
    beds = pages.parts.register.beds()
    next_one = pages.parts.register.admit(beds[0].bed.id, "test")
    await twins.refresh()
    after = told(pages)
    assert after is not None
    assert after.of_stay(next_one.pseudonym).watch is None
    assert after.ambience
