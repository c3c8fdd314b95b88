"""What is set for rooms has versions: who, when, why; one command goes back, and who lives there is always of today."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.contracts.test_twin_convergence import report_of
from tests.fakes.clock import FakeClock
from tests.fakes.pages import ROOM, client, open_pages

from forge_hub.__main__ import main
from forge_hub.errors import NotFoundError, TwinError
from forge_hub.fleet.plans import RoomPlans
from forge_hub.fleet.revisions import drifts, history
from forge_hub.fleet.twins import JUMPS, Twins
from forge_hub.records.database import Database, open_database
from forge_hub.records.erasures import erase_person, mentions
from forge_hub.records.schema import Account, Audit, Room, RoomDirector
from forge_hub.stays.consents import Consents
from forge_hub.stays.register import Register
from forge_shared.plan import QuietHours, Reminder, RoomPlan, Secret
from forge_shared.wire import TwinDesired

NODE = "room-1"


class Ward:
    """A hub's records with one bed, and what its room is told."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.clock = database, FakeClock()
        self.register, self.consents = Register(database, self.clock), Consents(database, self.clock)
        self.plans = RoomPlans(folder / "room-plans")
        self.sent: list[TwinDesired] = []
        self.twins = Twins(
            "site", database, self._publish, sign=lambda _: "-", clock=self.clock, plans=folder / "room-plans"
        )
        self.register.add_bed(self.register.add_ward("Ward", "ann"), "bed", NODE, "ann")

    async def _publish(self, _: str, payload: bytes) -> None:
        self.sent.append(TwinDesired.model_validate_json(payload))

    @property
    def told(self) -> TwinDesired:
        return self.sent[-1]

    def admits(self) -> str:
        return self.register.admit(self.register.beds()[0].bed.id, "ann").pseudonym

    def discharges(self) -> None:
        stay = self.register.beds()[0].stay
        assert stay is not None
        self.register.discharge(stay.id, "ann")


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with closing(open_database(f"sqlite:///{tmp_path / 'records.db'}")) as database:
        with database.begin() as transaction:
            transaction.add(
                Account(id="ann", username="ann", role="admin", password_hash="-", created_at=FakeClock().now())
            )
        yield Ward(database, tmp_path)


def quiet(hour: int) -> RoomPlan:
    return RoomPlan(quiet=QuietHours(begins=time(hour), ends=time(7)))


def reminders_of(subject: str) -> RoomPlan:
    planned = Reminder(id="drink", kind="drink", times=(time(10),))
    return RoomPlan(subject=subject, reminders=(planned,), agreed_word=Secret.of("harbour"), ambience=True)


async def test_every_revision_is_kept_with_who_when_and_why(ward: Ward) -> None:
    await ward.twins.refresh()
    ward.clock.advance(60)
    person = ward.admits()
    await ward.twins.refresh("ann")
    await ward.twins.set_plan(NODE, quiet(21), "ann")
    ward.consents.grant(person, "voice", "ann")
    await ward.twins.refresh("ann")
    kept = [(row.revision, row.account, row.reason, row.parts, row.plan_since) for row in history(ward.database, NODE)]
    assert kept == [
        (4, "ann", "change", "consents", 3),
        (3, "ann", "set", "plan", 3),
        (2, "ann", "change", "consents subject", 1),
        (1, "hub", "change", "shared visitors", 1),
    ]
    assert history(ward.database, NODE)[-2].at - history(ward.database, NODE)[-1].at == timedelta(seconds=60)


async def test_going_back_changes_what_was_set_and_never_who_lives_there_or_what_they_agreed_to(ward: Ward) -> None:
    person = ward.admits()
    ward.consents.grant(person, "voice", "ann")
    await ward.twins.set_plan(NODE, quiet(21), "ann")
    await ward.twins.set_plan(NODE, quiet(22), "ann")
    ward.consents.withdraw(person, "voice", "ann")
    await ward.twins.refresh("ann")
    before = ward.told
    assert await ward.twins.back(NODE, None, "ann") == (2, before.revision + 1)
    assert ward.told.plan == quiet(21)
    assert ward.plans.of(NODE) == quiet(21), "and so it is after a restart"
    assert (ward.told.subject, ward.told.consents) == (person, ())
    assert await ward.twins.back(NODE, 1, "ann") == (1, before.revision + 2)
    assert ward.sent[-1].plan is None
    with ward.database.read() as transaction:
        trail = transaction.scalars(select(Audit.action).where(Audit.object == NODE, Audit.action.like("twin.%")))
        assert list(trail) == ["twin.set", "twin.set", "twin.back", "twin.back"]
    newest = history(ward.database, NODE)[0]
    assert (newest.reason, newest.back_to) == ("back", 1)


async def test_what_was_set_for_one_person_does_not_come_back_to_another(ward: Ward) -> None:
    first = ward.admits()
    await ward.twins.set_plan(NODE, reminders_of(first), "ann")
    await ward.twins.set_plan(NODE, quiet(21), "ann")
    ward.discharges()
    ward.admits()
    await ward.twins.back(NODE, 2, "ann")
    assert ward.told.plan == RoomPlan(ambience=True)
    assert first not in ward.told.model_dump_json()


async def test_what_was_set_for_an_erased_person_is_gone_from_the_file_the_history_and_the_room(ward: Ward) -> None:
    person = ward.admits()
    await ward.twins.set_plan(NODE, reminders_of(person), "ann")
    await ward.twins.set_plan(NODE, reminders_of(person).model_copy(update={"quiet": quiet(21).quiet}), "ann")
    with ward.database.begin() as transaction:
        erase_person(transaction, person, at=ward.clock.now(), by="ann", reason="asked")
    assert ward.plans.forget(person) == 1
    assert ward.plans.forget(person) == 0
    with ward.database.read() as transaction:
        assert "twin_revision" not in mentions(transaction, [person]).get(person, {})
        assert "desired_twin" not in mentions(transaction, [person]).get(person, {})
    await ward.twins.refresh()
    assert ward.told.plan == RoomPlan(ambience=True, quiet=quiet(21).quiet)
    with pytest.raises(NotFoundError):
        await ward.twins.back(NODE, 2, "ann")


async def test_a_plan_of_an_erased_person_that_is_put_there_again_is_not_told(ward: Ward) -> None:
    person = ward.admits()
    await ward.twins.refresh()
    with ward.database.begin() as transaction:
        erase_person(transaction, person, at=ward.clock.now(), by="ann", reason="asked")
    ward.plans.put(NODE, reminders_of(person))
    await ward.twins.refresh()
    assert ward.told.plan == RoomPlan(ambience=True)
    assert ward.plans.of(NODE) == RoomPlan(ambience=True)


async def test_a_room_without_a_bed_that_is_told_of_releases_is_not_told_that_nobody_is_in_it(ward: Ward) -> None:
    with ward.database.begin() as transaction:
        transaction.add(RoomDirector(node="corridor", wished=1, signed=1, version=2))
    await ward.twins.refresh()
    (corridor,) = (told for told in ward.sent if told.releases == 2)
    assert not corridor.stays
    assert all(told.stays for told in ward.sent if told is not corridor)


async def test_what_cannot_be_set_is_refused_and_changes_nothing(ward: Ward, tmp_path: Path) -> None:
    await ward.twins.set_plan(NODE, quiet(21), "ann")
    told = len(ward.sent)
    with pytest.raises(TwinError, match="already"):
        await ward.twins.set_plan(NODE, quiet(21), "ann")
    with pytest.raises(NotFoundError, match="no bed"):
        await ward.twins.set_plan("room-9", quiet(21), "ann")
    for revision in (None, 9):
        with pytest.raises(NotFoundError):
            await ward.twins.back("room-9", revision, "ann")
    with pytest.raises(NotFoundError, match="history"):
        await ward.twins.back(NODE, 99, "ann")
    for asked in ({"node": NODE, "plan": "{"}, {"node": NODE, "plan": '{"quiet": 1}'}):
        with pytest.raises(TwinError):
            await ward.twins.commands["twin-set"](**asked)
    with pytest.raises(TwinError):
        await ward.twins.commands["twin-back"](node=NODE, revision="two")
    assert len(ward.sent) == told
    assert not (tmp_path / "room-plans" / "room-9.json").exists()


async def test_whoever_reports_in_a_rooms_name_does_not_fill_the_records(ward: Ward) -> None:
    await ward.twins.refresh()
    for number in range(2 * JUMPS):
        held = ward.told.model_copy(update={"word": f"0193f000-0000-7000-8000-{number:012}"})
        said = report_of(held, ward.clock.now()).model_dump_json().encode()
        await ward.twins.heard(NODE, "twin/reported", said)
    assert len(history(ward.database, NODE)) == JUMPS + 1


async def test_how_far_a_room_is_from_what_it_shall_be_is_known_with_since_when(ward: Ward) -> None:
    await ward.twins.refresh()
    (drift,) = drifts(ward.database)
    assert (drift.wanted, drift.has, drift.is_there, drift.since) == (1, None, False, ward.clock.now())
    with ward.database.begin() as transaction:
        transaction.add(
            Room(
                node=NODE,
                connection="offline",
                hearing="ok",
                sight="ok",
                activity="idle",
                session_on=False,
                pending_events=0,
                version="1",
                seen_at=ward.clock.now(),
                twin_revision=1,
            )
        )
    assert [each.is_there for each in drifts(ward.database)] == [True]
    ward.clock.advance(60)
    since = ward.clock.now()
    for hour in (20, 21):
        await ward.twins.set_plan(NODE, quiet(hour), "ann")
        ward.clock.advance(60)
    (drift,) = drifts(ward.database)
    assert (drift.wanted, drift.has, drift.since) == (3, 1, since)


async def test_the_page_of_the_devices_shows_which_room_has_not_got_its_configuration_yet(tmp_path: Path) -> None:
    with open_pages(tmp_path) as pages:
        pages.account("admin")
        pages.parts.fleet.enrolment.issue(ROOM, "https://hub.test", "hub.test")
        pages.parts.register.set_presence(ROOM, shared=False, visitors=False, account="test")
        await pages.parts.twins.refresh()
        async with client(pages, "admin") as http:
            assert "wanted 1, has none" in (await http.get("/fleet")).text
            pages.room_connects(twin_revision=1)
            assert "has 1" in (await http.get("/fleet")).text
            pages.parts.register.set_presence(ROOM, shared=True, visitors=False, account="test")
            await pages.parts.twins.refresh()
            assert "wanted 2, has 1 since <time" in (await http.get("/fleet")).text


def test_one_command_shows_sets_and_takes_back_what_is_set_for_a_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORGE_HUB_STATE_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    with closing(open_database(f"sqlite:///{tmp_path / 'records.db'}")) as database:
        Register(database, FakeClock()).set_presence(NODE, shared=False, visitors=False, account="ann")
    first, second = (plan.model_copy(update={"staff_pin": Secret.of("4711")}) for plan in (quiet(21), quiet(22)))
    Path("first.json").write_text(first.model_dump_json())
    Path("second.json").write_text(second.model_dump_json())
    assert main(["twin", "set", NODE, "first.json"]) == 0
    assert main(["twin", "set", NODE, "second.json"]) == 0
    assert main(["twin", "back", NODE]) == 0
    assert "with revision 4 what was set for it at 2" in capsys.readouterr().out
    assert main(["twin", "show", NODE]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["revision"], shown["plan"]["quiet"]["begins"], shown["plan"]["staff_pin"]) == (4, "21:00:00", "set")
    assert main(["twin", "show", NODE, "--revision", "3"]) == 0
    assert json.loads(capsys.readouterr().out)["plan"]["quiet"]["begins"] == "22:00:00"
    assert main(["twin", "history", NODE]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["reason"], line["by"]) for line in lines] == [
        ("back", "command-line"),
        ("set", "command-line"),
        ("set", "command-line"),
        ("change", "hub"),
    ]
    assert main(["twin", "list"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert (listed["node"], listed["wanted"], listed["has"]) == (NODE, 4, None)
    Path("second.json").write_text('{"quiet": "a secret"}')
    assert main(["twin", "set", NODE, "second.json"]) == 1
    err = capsys.readouterr().err
    assert "quiet" in err
    assert "a secret" not in err
    for wrong in (["set", NODE, "nothing.json"], ["history", "room-9"], ["back", NODE, "--to", "99"]):
        assert main(["twin", *wrong]) == 1
