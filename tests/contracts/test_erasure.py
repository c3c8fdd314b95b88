"""A person who was erased is nowhere any more, and everyone else is where they were: on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, inspect, select, update
from tests.fakes.clock import FakeClock
from tests.fakes.sent import WATER, FakeNode, arrived, phq_9, risk, session, utterance

from forge_hub.alerts.projector import AlertProjection
from forge_hub.erasure import Eraser
from forge_hub.errors import NotFoundError
from forge_hub.graph import open_graph
from forge_hub.graph.ports import GraphStore
from forge_hub.graph.projection import GraphProjection, inferences_of
from forge_hub.ingest.store import IngestStore
from forge_hub.mind import figures
from forge_hub.projection import catch_up
from forge_hub.records.database import Database
from forge_hub.records.erasures import KEPT, erase_again, mentions, person_columns, person_hash
from forge_hub.records.projector import RecordsProjection
from forge_hub.records.schema import (
    Account,
    Alert,
    Audit,
    Base,
    Consent,
    Erasure,
    EventLog,
    Inbox,
    Quarantine,
)
from forge_hub.retention import forget
from forge_shared.events import EventErased, SessionEnded
from forge_shared.forms.questionnaire import installed
from forge_shared.ids import new_id

GONE, HERE = "p-planted", "p-other"
WORDS = {GONE: "planted words of the one who leaves", HERE: "planted words of the one who stays"}


class Ward:
    """A hub without a broker: two people in two rooms, with everything that can be known of a person."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder
        self.clock = FakeClock()
        self.ingest = IngestStore("site", database, self.clock)
        self.graph: GraphStore = open_graph(f"ladybug://{folder / 'graph.lbdb'}", None)
        self.rooms = {
            GONE: FakeNode(self.clock, "room-1", subject=GONE),
            HERE: FakeNode(self.clock, "room-2", subject=HERE),
        }
        with database.begin() as transaction:
            transaction.add(
                Account(id="a", username="ann", role="clinician", password_hash="-", created_at=self.clock.now())
            )

    def live(self, subject: str) -> None:
        node, one = self.rooms[subject], new_id()
        node.event(WATER)  # on its way for ever: the alarms that follow wait in the inbox
        self.ingest.commit(
            [
                node.send(risk()),
                node.send(phq_9(self.clock, [2] * 9)),
                node.send(session(one)),
                node.send(utterance(one, WORDS[subject])),
                node.garbage(f"not JSON: {subject}".encode(), "record"),
            ]
        )
        with self.database.begin() as transaction:
            transaction.add(
                Consent(id=new_id(), subject=subject, purpose="voice", stated_by="a", stated_at=self.clock.now())
            )
        self.project()

    def project(self) -> None:
        for projection in (
            AlertProjection(self.database, self.clock),
            RecordsProjection(self.database, installed()),
            GraphProjection(self.graph, inferences_of(self.database)),
        ):
            catch_up(self.database, projection)

    def erase(self, pseudonym: str = GONE, **changes: Any) -> Any:
        eraser = Eraser(self.database, self.graph, self.folder, **changes)
        return eraser.erase(pseudonym, at=self.clock.now(), by="command-line", reason="asked")

    def rows_of(self, subject: str) -> dict[str, Any]:
        """Everything of a person but the alerts' link to them, as it can be compared."""
        with self.database.read() as transaction:
            return {
                column.table.name: sorted(
                    map(tuple, transaction.execute(select(column.table).where(column == subject))), key=repr
                )
                for column in person_columns()
            }

    def all_of(self, table: type[Base]) -> list[Any]:
        with self.database.read() as transaction:
            return list(transaction.scalars(select(table).order_by(*inspect(table).primary_key)))

    def rows_as(self, table: str) -> list[Any]:
        with self.database.read() as transaction:
            return list(transaction.execute(select(Base.metadata.tables[table])))

    def files_with(self, text: str) -> list[str]:
        return [p.name for p in self.folder.rglob("*") if p.is_file() and text.encode() in p.read_bytes()]


@pytest.fixture
def ward(database: Database, tmp_path: Path) -> Iterator[Ward]:
    ward = Ward(database, tmp_path)
    for subject in (GONE, HERE):
        ward.live(subject)
    yield ward
    ward.graph.close()


def test_every_column_that_may_name_a_person_was_thought_of() -> None:
    assert {f"{column.table.name}.{column.name}" for column in person_columns()} == {
        "alert.subject",
        "assignment.subject",
        "consent.subject",
        "emergency.subject",
        "event_log.subject",
        "form_response.subject",
        "inference.subject",
        "inferred.subject",
        "person.pseudonym",
        "session.subject",
        "stay.pseudonym",
        "twin_revision.subject",
        "utterance.subject",
    }, "a new column that names a person: say here that erasing deletes its row, or add its table to those that stay"


def test_a_person_is_erased_everywhere_and_nobody_else_is_touched(ward: Ward) -> None:
    before = ward.rows_of(HERE)
    forgotten: list[str] = []

    def forget_identity(pseudonym: str) -> int:
        forgotten.append(pseudonym)
        return 1

    proof = ward.erase(forget_identity=forget_identity)
    assert proof.found == {}
    assert proof.kept == {}
    assert forgotten == [GONE]
    for table in ("alert", "consent", "event_log", "form_answer", "form_response", "person", "session", "utterance"):
        assert proof.erased[table] >= 1, table
    assert (proof.erased["inbox"], proof.erased["quarantine"], proof.erased["identity"]) == (1, 1, 1)
    assert {table: rows for table, rows in ward.rows_of(GONE).items() if rows} == {}
    assert ward.rows_of(HERE) == before
    texts = [str(node.properties.get("text")) for node in ward.graph.snapshot().nodes if node.label == "Utterance"]
    assert texts == [WORDS[HERE]]
    assert ward.files_with(WORDS[GONE]) == ward.files_with(GONE) == []


def test_the_same_search_finds_the_person_before_they_are_erased(ward: Ward) -> None:
    with ward.database.read() as transaction:
        found = mentions(transaction, {GONE})[GONE]
    assert set(found) == {
        *("alert", "consent", "event_log", "form_response", "inbox", "inference", "inferred", "person", "quarantine"),
        "session",
        "utterance",
    }


def test_the_log_keeps_every_place_so_that_what_is_sent_again_is_no_new_event(ward: Ward) -> None:
    places = [
        (row.position, row.event_id, row.node, row.epoch, row.lane, row.sequence) for row in ward.all_of(EventLog)
    ]
    acknowledged = ward.ingest.acknowledgement("room-1")
    ward.erase()
    after = ward.all_of(EventLog)
    assert [(r.position, r.event_id, r.node, r.epoch, r.lane, r.sequence) for r in after] == places
    assert ward.ingest.acknowledgement("room-1") == acknowledged
    assert {row.type for row in after if row.node == "room-1"} == {EventErased.type_name()}
    catch_up(ward.database, AlertProjection(ward.database, ward.clock))
    ward.project()


def test_what_waited_beyond_a_gap_is_logged_as_a_marker_when_the_gap_closes(ward: Ward) -> None:
    ward.erase()
    (row,) = [row for row in ward.all_of(Inbox) if row.node == "room-1"]
    node = ward.rooms[GONE]
    missing = node.event(WATER, sequence=row.sequence - 1)
    assert ward.ingest.commit([arrived(missing)]).events == 2
    ward.project()
    with ward.database.read() as transaction:
        assert mentions(transaction, {GONE}) == {}


def test_a_record_that_arrives_after_the_erasure_is_not_kept_and_an_alarm_rings_all_the_same(ward: Ward) -> None:
    ward.erase()
    rung = len(ward.all_of(Alert))
    node, one = ward.rooms[GONE], new_id()
    node.flash()
    ward.ingest.commit([node.send(session(one)), node.send(utterance(one, WORDS[GONE])), node.send(WATER)])
    ward.project()
    with ward.database.read() as transaction:
        assert mentions(transaction, {GONE, one}) == {}
    assert len(ward.all_of(Alert)) == rung + 1
    assert ward.files_with(WORDS[GONE]) == []


def test_an_alarm_that_has_not_rung_rings_after_the_erasure(ward: Ward) -> None:
    node = FakeNode(ward.clock, "room-1", subject=GONE)
    ward.ingest.commit([node.send(WATER)])
    rung = len(ward.all_of(Alert))
    assert ward.erase().found == {}
    ward.project()
    assert len(ward.all_of(Alert)) == rung + 1


def test_an_alert_stays_so_that_it_is_seen_that_staff_answered(ward: Ward) -> None:
    alerts = {alert.id: alert.state for alert in ward.all_of(Alert)}
    ward.erase()
    assert {alert.id: alert.state for alert in ward.all_of(Alert)} == alerts
    assert [alert.detail for alert in ward.all_of(Alert) if alert.node == "room-1"] == [{}]


def test_the_audit_keeps_that_someone_was_erased_and_not_who(ward: Ward) -> None:
    proof = ward.erase()
    (entry,) = ward.all_of(Erasure)
    assert entry.person_hash == proof.person_hash == person_hash(GONE)
    assert (entry.reason, entry.erased_by, entry.counts["utterance"]) == ("asked", "command-line", 1)
    assert [(row.action, row.object) for row in ward.all_of(Audit)] == [("person.erase", person_hash(GONE))]


def test_who_read_the_record_stays_in_the_audit_and_the_proof_says_so(ward: Ward) -> None:
    with ward.database.begin() as transaction:
        transaction.add(Audit(id=new_id(), at=ward.clock.now(), account="a", action="person.read", object=GONE))
    proof = ward.erase()
    assert proof.found == {}
    assert proof.kept == {"table audit": 1}


def test_something_that_was_missed_is_found_and_named(ward: Ward) -> None:
    with ward.database.begin() as transaction:
        # A place that no erasure knows of.
        transaction.execute(update(Account).where(Account.id == "a").values(username=f"friend-of-{GONE}"))
    (ward.folder / "notes.txt").write_text(f"ask {GONE} again")
    found = ward.erase().found
    assert found["table account"] == 1
    assert found["file notes.txt"] == 1


def test_erasing_again_is_harmless_and_erasing_nobody_is_refused(ward: Ward) -> None:
    first, again = ward.erase(), ward.erase()
    assert again.found == {}
    assert again.person_hash == first.person_hash
    assert sum(again.erased.values()) == 0
    with pytest.raises(NotFoundError):
        ward.erase("p-nobody")
    assert len(ward.all_of(Erasure)) == 1


def test_a_person_who_comes_back_from_a_backup_is_erased_again(ward: Ward) -> None:
    ward.erase()
    (erasure,) = ward.all_of(Erasure)
    ward_again = FakeNode(ward.clock, "room-3", subject=GONE)
    with ward.database.begin() as transaction:
        transaction.execute(Base.metadata.tables["erasure"].delete())
    ward.ingest.commit([ward_again.send(phq_9(ward.clock, [1] * 9))])
    ward.project()
    with ward.database.begin() as transaction:
        columns = Base.metadata.tables["erasure"].columns
        transaction.execute(insert(Erasure).values({c.name: getattr(erasure, c.name) for c in columns}))
        assert set(erase_again(transaction, at=ward.clock.now())) == {GONE}
    with ward.database.read() as transaction:
        assert mentions(transaction, {GONE}) == {}


def test_what_is_kept_holds_no_clinical_table() -> None:
    assert KEPT & set(Base.metadata.tables) == {"audit", "audit_head", "erasure"}


def test_what_was_kept_long_enough_is_forgotten_and_the_rest_is_not(ward: Ward) -> None:
    ward.clock.advance(timedelta(days=40).total_seconds())
    node, one = ward.rooms[HERE], new_id()
    node.flash()
    ward.ingest.commit([node.send(session(one)), node.send(utterance(one, "words of today"))])
    ward.project()
    assert forget(ward.database, ward.graph, {}, ward.clock.now()) == {}
    done = forget(ward.database, ward.graph, {"utterances": 30}, ward.clock.now())
    assert done == {"utterances": 2}
    assert [row.text for row in ward.rows_as("utterance")] == ["words of today"]
    assert len(ward.rows_as("form_response")) == 2
    assert ward.files_with(WORDS[GONE]) == ward.files_with(WORDS[HERE]) == []
    assert forget(ward.database, ward.graph, {"utterances": 30, "forms": 30}, ward.clock.now())["forms"] == 2
    assert ward.rows_as("form_response") == ward.rows_as("form_answer") == []
    assert ward.graph.counts()["Utterance"] == 1
    assert ward.graph.counts()["FormResponse"] == 0
    assert len(ward.all_of(Quarantine)) == 2


def test_what_somebody_s_words_amounted_to_is_forgotten_with_the_words(ward: Ward) -> None:
    for row in ward.rows_as("session"):
        ward.ingest.commit([ward.rooms[row.subject].send(SessionEnded(session=row.id, reason="asked"))])
    ward.clock.advance(timedelta(days=40).total_seconds())
    node, one = ward.rooms[HERE], new_id()
    node.flash()
    told = [session(one), utterance(one, "words of today"), SessionEnded(session=one, reason="asked")]
    ward.ingest.commit([node.send(each) for each in told])
    ward.project()
    assert ward.graph.counts()["PatternSummary"] == 6, "a session and its week of each person, and those of today"
    forget(ward.database, ward.graph, {"utterances": 30}, ward.clock.now())
    assert ward.graph.counts()["PatternSummary"] == 2
    assert figures.profile(ward.database, HERE).utterances == 1
    ward.erase(HERE)
    assert ward.graph.counts()["PatternSummary"] == 0
    assert figures.profile(ward.database, HERE).utterances == 0
