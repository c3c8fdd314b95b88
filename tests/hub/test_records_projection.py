"""Event log to records: what a clinician reads is what the room sent, scored again at the hub."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from structlog.testing import capture_logs
from tests.fakes.clock import FakeClock
from tests.fakes.records import sqlite_records
from tests.fakes.sent import PHQ_9_CODES, PHQ_9_SCORED, WATER, FakeNode, arrived, phq_9, session, utterance

from forge_edge.anonymiser import Anonymiser
from forge_edge.forms import touch
from forge_edge.forms.asked import AskedForm
from forge_hub.fleet.authority import Authority
from forge_hub.ingest.reading import Arrived
from forge_hub.ingest.store import IngestStore
from forge_hub.projection import catch_up
from forge_hub.records.database import Database
from forge_hub.records.projector import RecordsProjection
from forge_hub.records.schema import (
    Account,
    Consent,
    FormAnswer,
    FormResponse,
    Person,
    ProjectionCursor,
    Session,
    Utterance,
)
from forge_shared import signatures
from forge_shared.clock import SystemClock
from forge_shared.events import FormAnswer as Answer
from forge_shared.events import FormRecorded, SessionEnded
from forge_shared.forms.questionnaire import installed
from forge_shared.ids import new_id

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
DERIVED = (FormAnswer, FormResponse, Utterance, Session, Person)


class Hub:
    def __init__(self, database: Database) -> None:
        self.clock = FakeClock()
        self.database = database
        self.node = FakeNode(self.clock)
        self.ingest = IngestStore("site", database, self.clock)
        self.projection = RecordsProjection(database, installed())

    def arrives(self, *messages: Arrived) -> None:
        self.ingest.commit(messages)
        catch_up(self.database, self.projection)

    def stored(self, table: type[Any]) -> list[Any]:
        with self.database.read() as transaction:
            return list(transaction.scalars(select(table)))

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        with self.database.read() as transaction:
            return {
                kind.__tablename__: sorted(map(tuple, transaction.execute(select(*kind.__table__.columns))), key=repr)
                for kind in DERIVED
            }


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    database = sqlite_records(tmp_path)
    yield Hub(database)
    database.close()


def test_a_person_is_known_by_the_pseudonym_from_the_first_event_on(hub: Hub) -> None:
    hub.arrives(hub.node.send(WATER))
    first = hub.clock.now()
    hub.clock.advance(60)
    hub.arrives(hub.node.send(WATER))
    (person,) = hub.stored(Person)
    assert (person.pseudonym, person.node, person.first_seen) == ("p-1", "room-1", first)


def test_a_form_is_filed_with_each_answers_provenance(hub: Hub) -> None:
    answers = (
        Answer(link_id="44255-8", code="LA6569-3", mode="touch", times_asked=3, corrected=True),
        Answer(link_id="44250-9", code="LA6571-9", mode="voice", times_asked=1),
    )
    form = phq_9(hub.clock, [], answers=answers, status="stopped", total=None, re_prompts=2, skipped=("44259-0",))
    hub.arrives(hub.node.send(form))
    (response,) = hub.stored(FormResponse)
    assert (response.id, response.status, response.total, response.re_prompts) == (form.response, "stopped", None, 2)
    kept = {row.link_id: row for row in hub.stored(FormAnswer)}
    assert {link: row.code for link, row in kept.items()} == {"44255-8": "LA6569-3", "44250-9": "LA6571-9"}
    corrected = kept["44255-8"]
    assert (corrected.mode, corrected.times_asked, corrected.corrected, corrected.ordinal) == ("touch", 3, True, 0)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ordinals=st.lists(st.integers(0, 3), min_size=9, max_size=9), told=st.integers(0, 27))
def test_the_total_is_the_hubs_own_whatever_the_room_told(hub: Hub, ordinals: list[int], told: int) -> None:
    form = phq_9(hub.clock, ordinals, total=told)
    with capture_logs() as logs:
        hub.arrives(hub.node.send(form))
    with hub.database.read() as transaction:
        stored = transaction.get_one(FormResponse, form.response)
    assert stored.total == sum(ordinals)
    assert any(line["event"] == "form.totals-differ" for line in logs) is (told != sum(ordinals))


def test_a_form_with_an_open_question_has_no_total(hub: Hub) -> None:
    hub.arrives(hub.node.send(phq_9(hub.clock, [3] * 8, total=24)))
    assert hub.stored(FormResponse)[0].total is None


def test_a_form_that_this_hub_does_not_have_is_kept_as_the_room_told_it(hub: Hub) -> None:
    with capture_logs() as logs:
        hub.arrives(hub.node.send(phq_9(hub.clock, [1] * 9, questionnaire="https://x.org/f|1")))
    assert hub.stored(FormResponse)[0].total == 9
    assert [line["event"] for line in logs] == ["form.unknown"]


def test_answers_that_do_not_fit_the_form_have_no_total(hub: Hub) -> None:
    answers = tuple(Answer(link_id=link, code="LA9999-9", mode="voice", times_asked=1) for link in PHQ_9_SCORED)
    hub.arrives(hub.node.send(phq_9(hub.clock, [], answers=answers, total=27)))
    assert hub.stored(FormResponse)[0].total is None


def test_a_form_that_was_stopped_has_no_total(hub: Hub) -> None:
    hub.arrives(hub.node.send(phq_9(hub.clock, [1] * 9, status="stopped", total=None)))
    assert hub.stored(FormResponse)[0].total is None


def test_a_session_is_filed_from_its_beginning_to_its_end(hub: Hub) -> None:
    one = new_id()
    hub.arrives(hub.node.send(session(one)))
    assert hub.stored(Session)[0].ended_at is None
    hub.clock.advance(600)
    hub.arrives(
        hub.node.send(utterance(one, "i slept [NAME] badly")), hub.node.send(SessionEnded(session=one, reason="asked"))
    )
    (kept,) = hub.stored(Session)
    assert (kept.ended_at, kept.end_reason) == (hub.clock.now(), "asked")
    (said,) = hub.stored(Utterance)
    assert (said.session, said.subject, said.text, said.confidence) == (one, "p-1", "i slept [NAME] badly", 0.7)


def test_the_end_of_a_session_that_never_began_is_no_error(hub: Hub) -> None:
    hub.arrives(hub.node.send(SessionEnded(session=new_id(), reason="restart")), hub.node.send(session(new_id())))
    assert len(hub.stored(Session)) == 1


def test_a_session_is_ended_only_by_its_own_room(hub: Hub) -> None:
    one = new_id()
    hub.arrives(hub.node.send(session(one)))
    hub.arrives(FakeNode(hub.clock, "room-2").send(SessionEnded(session=one, reason="asked")))
    assert hub.stored(Session)[0].ended_at is None


def test_a_session_cannot_be_taken_over_by_another_room(hub: Hub) -> None:
    one = new_id()
    hub.arrives(hub.node.send(session(one)))
    with capture_logs() as logs:
        hub.arrives(FakeNode(hub.clock, "room-2", subject="p-2").send(session(one)))
    (kept,) = hub.stored(Session)
    assert (kept.node, kept.subject) == ("room-1", "p-1")
    assert [line["event"] for line in logs] == ["session.not-its-own"]


@pytest.mark.parametrize(("agreed", "warnings"), [("p-1", []), ("p-2", ["session.consent-unknown"])])
def test_a_session_without_a_consent_of_that_person_is_kept_with_a_warning(
    hub: Hub, agreed: str, warnings: list[str]
) -> None:
    started = session(new_id())
    with hub.database.begin() as transaction:
        at = hub.clock.now()
        transaction.add(Account(id="ann", username="ann", role="clinician", password_hash="-", created_at=at))
        transaction.flush()
        transaction.add(
            Consent(id=started.consent, subject=agreed, purpose="recorded-session", stated_by="ann", stated_at=at)
        )
    with capture_logs() as logs:
        hub.arrives(hub.node.send(started))
    assert [line["event"] for line in logs] == warnings
    assert len(hub.stored(Session)) == 1


def test_records_dropped_and_rebuilt_from_the_log_are_the_same(hub: Hub) -> None:
    one = new_id()
    for seed in range(4):
        hub.clock.advance(60)
        hub.arrives(hub.node.send(phq_9(hub.clock, [(seed + place) % 4 for place in range(9)])), hub.node.send(WATER))
    hub.arrives(
        hub.node.send(session(one)),
        hub.node.send(utterance(one)),
        hub.node.send(SessionEnded(session=one, reason="asked")),
    )
    before = hub.tables()
    with hub.database.begin() as transaction:
        for table in DERIVED:
            transaction.execute(delete(table))
        transaction.execute(delete(ProjectionCursor).where(ProjectionCursor.name == RecordsProjection.name))
    assert not any(hub.tables().values())
    catch_up(hub.database, hub.projection)
    assert hub.tables() == before


def test_records_derived_twice_are_the_same(hub: Hub) -> None:
    one = new_id()
    hub.arrives(hub.node.send(phq_9(hub.clock, [1] * 9)), hub.node.send(session(one)), hub.node.send(utterance(one)))
    before = hub.tables()
    with hub.database.begin() as transaction:
        transaction.execute(delete(ProjectionCursor))
    catch_up(hub.database, hub.projection)
    assert hub.tables() == before


def test_the_log_of_a_form_says_nothing_of_its_answers(hub: Hub) -> None:
    with capture_logs() as logs:
        hub.arrives(hub.node.send(phq_9(hub.clock, [3] * 9, total=1)))
    assert not any(code in repr(logs) for code in PHQ_9_CODES)


# How a form came, and who signed it.


class SignedRoom:
    """A room with a certificate of this site, and the form that it signs."""

    def __init__(self, hub: Hub, folder: Path) -> None:
        authority = Authority(folder, SystemClock())
        authority.prepare("site", ["localhost"])
        issued = authority.issue("room-1", timedelta(days=1))
        hub.projection = RecordsProjection(hub.database, installed(), authority.authority_pem())
        clock = SystemClock()
        anonymiser = Anonymiser(
            "p-1", clock, sign=lambda content: signatures.sign(content, issued.key, issued.certificate)
        )
        step = touch.begin(AskedForm(installed()["admission"]), new_id(), clock.now())
        for entered in ("Jo", "en", "glasses", "no", "2", "170 cm", "80.5"):
            step = touch.touched(AskedForm(installed()["admission"]), step.state, touch.Answer((entered,)), now=NOW)
        step = touch.touched(AskedForm(installed()["admission"]), step.state, touch.Decline("mine"), now=NOW)
        step = touch.touched(AskedForm(installed()["admission"]), step.state, touch.Stop(), now=NOW)
        (observed,) = step.observations
        event = anonymiser.event_of(observed)
        assert event is not None
        assert isinstance(event.data, FormRecorded)
        self.form = event.data


def test_a_form_of_any_kind_is_filed_in_words_with_its_modes_and_that_its_room_signed_it(
    hub: Hub, tmp_path: Path
) -> None:
    room = SignedRoom(hub, tmp_path / "keys")
    hub.arrives(hub.node.send(room.form))
    (response,) = hub.stored(FormResponse)
    assert (response.signature, response.modes) == ("room", ["touch"])
    assert [absent["reason"] for absent in response.absent] == ["asked-declined"]
    assert {row.link_id: row.code for row in hub.stored(FormAnswer)} == {
        "called": "in own words, which stay in the room",
        "language": "en",
        "aids": "glasses",
        "allergies": "no",
        "falls": "2",
        "height": "170 cm",
        "weight": "80.5",
    }


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (lambda data: {**data, "signature": None}, "missing"),
        (lambda data: {**data, "re_prompts": 9}, "wrong"),
        (lambda data: {**data, "answers": data["answers"][1:]}, "wrong"),
    ],
)
def test_a_form_that_nobody_signed_or_that_was_altered_says_so(
    hub: Hub, tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]], verdict: str
) -> None:
    room = SignedRoom(hub, tmp_path / "keys")
    envelope = hub.node.event(room.form)
    hub.arrives(arrived(envelope.model_copy(update={"data": change(envelope.data)})))
    assert [response.signature for response in hub.stored(FormResponse)] == [verdict]


def test_another_rooms_signature_and_another_persons_are_wrong(hub: Hub, tmp_path: Path) -> None:
    room = SignedRoom(hub, tmp_path / "keys")
    hub.arrives(FakeNode(hub.clock, "room-2").send(room.form))
    other = room.form.model_copy(update={"response": new_id()})
    hub.arrives(FakeNode(hub.clock, "room-1", subject="p-2").send(other))
    assert [response.signature for response in hub.stored(FormResponse)] == ["wrong", "wrong"]


def test_a_form_of_the_version_before_is_read_and_shown_as_not_signed(hub: Hub) -> None:
    envelope = hub.node.event(phq_9(hub.clock, [1] * 9))
    fields = ("link_id", "code", "mode", "times_asked", "corrected")
    answers = [{name: answer[name] for name in fields} for answer in envelope.data["answers"]]
    old = {name: value for name, value in envelope.data.items() if name not in ("absent", "modes", "signature")}
    data = {**old, "answers": answers}
    hub.arrives(arrived(envelope.model_copy(update={"type": "org.personaforge.form.recorded.v1", "data": data})))
    (response,) = hub.stored(FormResponse)
    assert (response.total, response.signature, response.modes) == (9, "missing", ["voice"])
