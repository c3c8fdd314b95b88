"""Stays: one bed one stay, one stay one pseudonym, and a consent for every purpose."""

from collections.abc import Iterator
from datetime import datetime, time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from tests.fakes.clock import FakeClock
from tests.fakes.records import sqlite_records

from forge_hub.errors import NotFoundError, StayError
from forge_hub.fleet.twins import Occupancy, Twins, revisions, wanted
from forge_hub.records.database import Database
from forge_hub.records.schema import Account, Audit, Stay, StayMove
from forge_hub.stays.consents import Consents, as_fhir
from forge_hub.stays.register import Register
from forge_hub.stays.rules import Beds, new_pseudonym
from forge_shared import topics
from forge_shared.plan import QuietHours, RoomPlan
from forge_shared.wire import PURPOSES, TwinDesired, TwinReported

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["admit", "transfer", "discharge"]),
        st.sampled_from(["stay-1", "stay-2", "stay-3"]),
        st.sampled_from(["bed-1", "bed-2", "bed-3"]),
    ),
    max_size=30,
)


def taken(beds: Beds, step: tuple[str, str, str]) -> Beds:
    action, stay, bed = step
    match action:
        case "admit":
            return beds.admit(stay, bed)
        case "transfer":
            return beds.transfer(stay, bed)
        case _:
            return beds.discharge(stay)


@given(STEPS)
def test_whatever_is_asked_for_a_bed_holds_one_stay_and_a_stay_has_one_bed(steps: list[tuple[str, str, str]]) -> None:
    beds = Beds({})
    for step in steps:
        before = dict(beds.taken)
        try:
            beds = taken(beds, step)
        except StayError:
            assert beds.taken == before, "what is refused changes nothing"
        stays = list(beds.taken.values())
        assert len(stays) == len(set(stays))


def test_pseudonyms_are_never_used_twice() -> None:
    assert len({new_pseudonym() for _ in range(10_000)}) == 10_000


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def database(tmp_path: Path, clock: FakeClock) -> Iterator[Database]:
    database = sqlite_records(tmp_path)
    with database.begin() as transaction:
        transaction.add(Account(id="ann", username="ann", role="staff", password_hash="-", created_at=clock.now()))
    yield database
    database.close()


@pytest.fixture
def register(database: Database, clock: FakeClock) -> Register:
    return Register(database, clock)


@pytest.fixture
def consents(database: Database, clock: FakeClock) -> Consents:
    return Consents(database, clock)


def ward_of(register: Register, *nodes: str | None) -> list[str]:
    ward = register.add_ward("Ward 7", "ann")
    return [register.add_bed(ward, f"Bed {number}", node, "ann") for number, node in enumerate(nodes)]


def test_a_transfer_keeps_the_pseudonym_and_a_discharge_frees_the_bed(register: Register, clock: FakeClock) -> None:
    first, second = ward_of(register, "room-1", "room-2")
    stay = register.admit(first, "ann")
    clock.advance(3600)
    register.transfer(stay.id, second, "ann")
    assert [each.stay.pseudonym if each.stay else None for each in register.beds()] == [None, stay.pseudonym]
    clock.advance(3600)
    register.discharge(stay.id, "ann")
    record = register.stay(stay.id)
    assert record.stay.pseudonym == stay.pseudonym
    assert [(step.node, step.until is not None) for step in record.steps] == [("room-1", True), ("room-2", True)]
    next_one = register.admit(second, "ann")
    assert next_one.pseudonym != stay.pseudonym
    assert [each.id for each in register.ended()] == [stay.id]


def test_what_cannot_be_is_refused_and_leaves_no_trace(register: Register, database: Database) -> None:
    (bed,) = ward_of(register, None)
    stay = register.admit(bed, "ann")
    with pytest.raises(StayError):
        register.admit(bed, "ann")
    with pytest.raises(StayError):
        register.transfer(stay.id, bed, "ann")
    with pytest.raises(NotFoundError):
        register.transfer(stay.id, "nowhere", "ann")
    register.discharge(stay.id, "ann")
    with pytest.raises(StayError):
        register.discharge(stay.id, "ann")
    with database.read() as transaction:
        assert len(transaction.scalars(select(Stay)).all()) == 1
        actions = transaction.scalars(select(Audit.action).where(Audit.object == stay.id).order_by(Audit.id)).all()
    assert actions == ["stay.admit", "stay.discharge"]


def test_the_store_itself_refuses_two_stays_in_one_bed(
    register: Register, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bed,) = ward_of(register, None)
    register.admit(bed, "ann")
    # Two who write at once on PostgreSQL both see the bed free.
    monkeypatch.setattr(Beds, "admit", lambda self, *_: self)
    with pytest.raises(StayError):
        register.admit(bed, "ann")
    with database.read() as transaction:
        assert len(transaction.scalars(select(StayMove)).all()) == 1


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "a\x00b", "!!!"])
def test_a_ward_needs_a_name_that_can_be_read(register: Register, name: str) -> None:
    with pytest.raises(StayError):
        register.add_ward(name, "ann")


@pytest.mark.parametrize("node", ["hub", "Room 1", "a/b", "+"])
def test_a_bed_is_bound_to_nothing_that_is_no_node(register: Register, node: str) -> None:
    (bed,) = ward_of(register, None)
    with pytest.raises(StayError):
        register.bind(bed, node, "ann")


def test_nothing_is_consented_to_until_somebody_states_it(consents: Consents) -> None:
    assert all(consents.active("p-1", purpose) is None for purpose in PURPOSES)


def test_a_withdrawn_consent_stays_on_file_and_does_not_hold(consents: Consents, clock: FakeClock) -> None:
    given_consent = consents.grant("p-1", "voice", "ann")
    assert consents.grant("p-1", "voice", "ann").id == given_consent.id
    clock.advance(60)
    consents.withdraw("p-1", "voice", "ann")
    assert consents.active("p-1", "voice") is None
    on_file = consents.state("p-1")["voice"]
    assert on_file is not None
    assert (on_file.withdrawn_at, on_file.withdrawn_by) == (clock.now(), "ann")
    with pytest.raises(StayError):
        consents.withdraw("p-1", "voice", "ann")
    assert consents.grant("p-1", "voice", "ann").id != given_consent.id


def test_a_consent_is_a_fhir_resource_without_a_name(consents: Consents, clock: FakeClock) -> None:
    consent = consents.grant("p-1", "camera", "ann")
    resource = as_fhir(consent)
    # The elements that FHIR R4 asks for: status, scope, category, and by ppc-1 a policy or policyRule.
    assert (resource["resourceType"], resource["status"]) == ("Consent", "active")
    assert resource["scope"]["coding"][0]["code"] == "patient-privacy"
    assert resource["category"]
    assert resource["policyRule"]
    assert resource["patient"]["identifier"]["value"] == "p-1"
    assert resource["provision"]["purpose"][0]["code"] == "camera"
    clock.advance(1)
    consents.withdraw("p-1", "camera", "ann")
    withdrawn = consents.state("p-1")["camera"]
    assert withdrawn is not None
    assert as_fhir(withdrawn)["status"] == "inactive"
    assert as_fhir(withdrawn)["provision"]["period"]["end"] == clock.now().isoformat()


def may_infer(consents: Consents, subject: str, at: datetime) -> bool:
    return consents.inferences({subject})(subject, at)


def test_feelings_are_inferred_only_from_what_was_said_while_it_was_consented_to(
    register: Register, consents: Consents, clock: FakeClock
) -> None:
    (bed,) = ward_of(register, None)
    someone = register.admit(bed, "ann").pseudonym
    assert may_infer(consents, "p-of-a-room-without-stays", clock.now())
    before = clock.now()
    assert not may_infer(consents, someone, before)
    clock.advance(1)
    consents.grant(someone, "emotion-inference", "ann")
    during = clock.now()
    clock.advance(1)
    consents.withdraw(someone, "emotion-inference", "ann")
    assert [may_infer(consents, someone, at) for at in (before, during, clock.now())] == [False, True, False]


def test_a_room_with_one_stay_is_told_its_pseudonym_and_its_consents() -> None:
    told = wanted(Occupancy({"p-1": frozenset({"voice", "camera"})}, visitors=True))
    assert told == {"subject": "p-1", "shared": False, "visitors": True, "consents": ["voice", "camera"]}


def test_a_room_of_several_is_nobodys_and_only_what_all_consent_to_is_on() -> None:
    told = wanted(Occupancy({"p-1": frozenset({"voice", "camera"}), "p-2": frozenset({"voice"})}))
    assert told == {"subject": None, "shared": True, "visitors": False, "consents": ["voice"]}


def test_a_room_without_a_stay_is_nobodys() -> None:
    assert wanted(Occupancy({})) == {"subject": None, "shared": False, "visitors": False, "consents": None}


class Broker:
    def __init__(self) -> None:
        self.sent: list[tuple[str, TwinDesired]] = []

    async def publish(self, topic: str, payload: bytes) -> None:
        self.sent.append((topic, TwinDesired.model_validate_json(payload)))

    def last(self, node: str) -> TwinDesired:
        return next(twin for topic, twin in reversed(self.sent) if topic == topics.twin_desired("site", node))


def twins_of(database: Database, broker: Broker, plans: Path | None = None) -> Twins:
    return Twins("site", database, broker.publish, sign=lambda _: "a signature", clock=FakeClock(), plans=plans)


async def test_every_change_is_told_once_with_a_higher_revision(
    database: Database, register: Register, consents: Consents
) -> None:
    broker = Broker()
    twins = twins_of(database, broker)
    first, second = ward_of(register, "room-1", "room-2")
    stay = register.admit(first, "ann")
    await twins.refresh()
    told = len(broker.sent)
    await twins.refresh()
    assert len(broker.sent) == told, "nothing has changed"
    consents.grant(stay.pseudonym, "voice", "ann")
    await twins.refresh()
    assert broker.last("room-1").consents == ("voice",)
    register.transfer(stay.id, second, "ann")
    await twins.refresh()
    assert (broker.last("room-1").subject, broker.last("room-2").subject) == (None, stay.pseudonym)
    register.set_presence("room-2", shared=False, visitors=True, account="ann")
    await twins.refresh()
    assert broker.last("room-2").visitors
    for node in ("room-1", "room-2"):
        seen = [twin.revision for topic, twin in broker.sent if node in topic]
        assert seen == sorted(set(seen))


async def test_what_staff_set_for_a_room_is_told_to_it_and_a_damaged_file_changes_nothing(
    database: Database, register: Register, tmp_path: Path
) -> None:
    broker = Broker()
    twins = twins_of(database, broker, tmp_path)
    ward_of(register, "room-1", "room-2")
    plan = RoomPlan(time_zone="Europe/Berlin", quiet=QuietHours(begins=time(22), ends=time(7)))
    (tmp_path / "room-1.json").write_text(plan.model_dump_json())
    await twins.refresh()
    assert (broker.last("room-1").plan, broker.last("room-2").plan) == (plan, None)
    told = len(broker.sent)
    (tmp_path / "room-1.json").write_text("{")
    await twins.refresh()
    assert len(broker.sent) == told
    (tmp_path / "room-1.json").unlink()
    await twins.refresh()
    assert broker.last("room-1").plan is None


async def test_a_node_that_comes_back_and_a_hub_that_comes_back_hear_the_newest_again(
    database: Database, register: Register
) -> None:
    broker = Broker()
    twins = twins_of(database, broker)
    (bed,) = ward_of(register, "room-1")
    register.admit(bed, "ann")
    await twins.refresh()
    await twins.heard("room-1", "status", b"")
    await twins_of(database, broker).tell_all()
    assert len(broker.sent) == 3
    assert len({twin.revision for _, twin in broker.sent}) == 1


async def test_a_restored_hub_goes_on_from_what_its_nodes_have_applied(
    database: Database, register: Register, clock: FakeClock
) -> None:
    broker = Broker()
    twins = twins_of(database, broker)
    ward_of(register, "room-1")
    await twins.refresh()
    reported = TwinReported(
        hearing="ok",
        sight="closed",
        activity="idle",
        session_on=False,
        pending_events=0,
        version="1",
        at=clock.now(),
        revision=40,
    )
    await twins.heard("room-1", "twin/reported", reported.model_dump_json().encode())
    assert broker.last("room-1").revision == 41
    assert revisions(database) == {"room-1": 41}
