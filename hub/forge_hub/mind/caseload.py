"""What is new about the people whom a clinician looks after. Blocks on the store and sees one moment of it."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Subquery, and_, func, or_, select
from sqlalchemy.orm import Session as Transaction

from forge_hub.mind.figures import of_person, stands, waits
from forge_hub.mind.intervals import Sums
from forge_hub.records.database import Database
from forge_hub.records.schema import Alert, Audit, EventLog, FormResponse, Inference, Person, Session, Utterance

READ: Final = "person.read"
"""The audit's word for opening a record: what came after the last time is new."""

TREND_SESSIONS: Final = 8
"""Sessions of a trend. Ours: as many as fit on a line of the list."""

_SEVERITIES: Final = ("normal", "high", "critical")


@dataclass(frozen=True, slots=True)
class Mood:
    """Valence of one session."""

    session: str
    at: datetime
    valence: Sums


@dataclass(frozen=True, slots=True)
class Case:
    """One person of the list.

    Attributes:
        looked_at: When this clinician last opened the record; None: never.
        new_utterances: What the hub has had since then, whenever it was said.
        new_forms: Forms likewise.
        to_review: Inferences that wait for a clinician's word.
        alerts: Open alerts.
        gravest: The gravest severity of those; empty where there is none.
        notes: Allergies, requests for care and the like on file.
        trend: The last sessions that have readings, the oldest first.
    """

    pseudonym: str
    node: str
    first_seen: datetime
    looked_at: datetime | None
    sessions: int
    last_session: datetime | None
    new_utterances: int
    new_forms: int
    to_review: int
    alerts: int
    gravest: str
    notes: int
    trend: Sequence[Mood]

    @property
    def needs(self) -> tuple[int, bool, int]:
        """How much it needs a look: the gravest alert first, then what is new, then what waits."""
        grave = _SEVERITIES.index(self.gravest) + 1 if self.gravest in _SEVERITIES else int(self.alerts > 0)
        return (grave, bool(self.new_utterances or self.new_forms), self.to_review)


def last_look(database: Database, account: str, subject: str) -> datetime | None:
    """Return when a clinician last opened a record; None: never."""
    with database.read() as transaction:
        return _looks(transaction, account, {subject}).get(subject)


def caseload(database: Database, account: str, subjects: Collection[str]) -> list[Case]:
    """Return some people, whoever needs a look first; of equals whoever had a session last."""
    with database.read() as transaction:
        looks = _looks(transaction, account, subjects)
        told = {row[0]: row for row in _sessions(transaction, subjects)}
        said = _new_utterances(transaction, account, subjects)
        forms = _new_forms(transaction, account, subjects)
        waiting = _count(transaction, subjects, waits())
        notes = _count(transaction, subjects, and_(Inference.framework == "note", stands()))
        alerts = _alerts(transaction, subjects)
        trends = _trends(transaction, subjects)
        people = transaction.scalars(select(Person).where(Person.pseudonym.in_(subjects))).all()
    cases = [
        Case(
            pseudonym=each.pseudonym,
            node=each.node,
            first_seen=each.first_seen,
            looked_at=looks.get(each.pseudonym),
            sessions=told[each.pseudonym][1] if each.pseudonym in told else 0,
            last_session=told[each.pseudonym][2] if each.pseudonym in told else None,
            new_utterances=said.get(each.pseudonym, 0),
            new_forms=forms.get(each.pseudonym, 0),
            to_review=waiting.get(each.pseudonym, 0),
            alerts=len(alerts[each.pseudonym]),
            gravest=max(alerts[each.pseudonym], key=_grade, default=""),
            notes=notes.get(each.pseudonym, 0),
            trend=trends[each.pseudonym],
        )
        for each in people
    ]
    cases.sort(key=lambda case: case.pseudonym)
    cases.sort(key=lambda case: (case.needs, (case.last_session or case.first_seen).timestamp()), reverse=True)
    return cases


def _grade(severity: str) -> int:
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)


def _looks(transaction: Transaction, account: str, subjects: Collection[str]) -> dict[str, datetime]:
    look = _look_of(account, subjects)
    return {row[0]: row[1] for row in transaction.execute(select(look.c.subject, look.c.at))}


def _sessions(transaction: Transaction, subjects: Collection[str]) -> Sequence[tuple[str, int, datetime]]:
    query = (
        select(Session.subject, func.count(), func.max(Session.started_at))
        .where(Session.subject.in_(subjects))
        .group_by(Session.subject)
    )
    return [(row[0], row[1], row[2]) for row in transaction.execute(query)]


def _new_utterances(transaction: Transaction, account: str, subjects: Collection[str]) -> dict[str, int]:
    look = _look_of(account, subjects)
    had = func.coalesce(EventLog.received_at, Utterance.at)
    query = (
        select(Utterance.subject, func.count())
        .outerjoin(EventLog, EventLog.event_id == Utterance.id)
        .outerjoin(look, look.c.subject == Utterance.subject)
        .where(Utterance.subject.in_(subjects), of_person(), or_(look.c.at.is_(None), had > look.c.at))
        .group_by(Utterance.subject)
    )
    return {row[0]: row[1] for row in transaction.execute(query)}


def _new_forms(transaction: Transaction, account: str, subjects: Collection[str]) -> dict[str, int]:
    look = _look_of(account, subjects)
    had = func.coalesce(EventLog.received_at, FormResponse.recorded_at)
    query = (
        select(FormResponse.subject, func.count())
        .outerjoin(EventLog, EventLog.event_id == FormResponse.event_id)
        .outerjoin(look, look.c.subject == FormResponse.subject)
        .where(FormResponse.subject.in_(subjects), or_(look.c.at.is_(None), had > look.c.at))
        .group_by(FormResponse.subject)
    )
    return {row[0]: row[1] for row in transaction.execute(query)}


def _look_of(account: str, subjects: Collection[str]) -> Subquery:
    return (
        select(Audit.subject.label("subject"), func.max(Audit.at).label("at"))
        .where(Audit.subject.in_(subjects), Audit.account == account, Audit.action == READ, Audit.outcome == "done")
        .group_by(Audit.subject)
        .subquery()
    )


def _count(transaction: Transaction, subjects: Collection[str], which: ColumnElement[bool]) -> dict[str, int]:
    query = (
        select(Inference.subject, func.count())
        .join(Utterance, Utterance.id == Inference.utterance)
        .where(Inference.subject.in_(subjects), of_person(), which)
        .group_by(Inference.subject)
    )
    return {row[0]: row[1] for row in transaction.execute(query)}


def _alerts(transaction: Transaction, subjects: Collection[str]) -> Mapping[str, Sequence[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    query = select(Alert.subject, Alert.severity).where(
        Alert.subject.in_(subjects), Alert.state == "open", Alert.kind != "canary"
    )
    for subject, severity in transaction.execute(query):
        found[subject or ""].append(severity)
    return found


def _trends(transaction: Transaction, subjects: Collection[str]) -> Mapping[str, Sequence[Mood]]:
    value = Inference.valence
    read = and_(
        Inference.framework == "affect",
        value.is_not(None),
        Inference.confidence > 0,
        or_(Inference.verdict.is_(None), Inference.verdict == "right"),
        of_person(),
    )
    has_readings = (
        select(Inference.id)
        .join(Utterance, Utterance.id == Inference.utterance)
        .where(Inference.session == Session.id, read)
        .exists()
    )
    newest_first = func.row_number().over(
        partition_by=Session.subject, order_by=(Session.started_at.desc(), Session.id.desc())
    )
    ranked = (
        select(Session.id, Session.subject, Session.started_at, newest_first.label("rank"))
        .where(Session.subject.in_(subjects), has_readings)
        .subquery()
    )
    query = (
        select(
            ranked.c.subject, ranked.c.id, ranked.c.started_at, func.count(), func.sum(value), func.sum(value * value)
        )
        .join(Inference, Inference.session == ranked.c.id)
        .join(Utterance, Utterance.id == Inference.utterance)
        .where(ranked.c.rank <= TREND_SESSIONS, read)
        .group_by(ranked.c.subject, ranked.c.id, ranked.c.started_at)
        .order_by(ranked.c.started_at, ranked.c.id)
    )
    found: dict[str, list[Mood]] = defaultdict(list)
    for subject, session, at, count, total, squares in transaction.execute(query):
        found[subject].append(Mood(session, at, Sums(count, total or 0.0, squares or 0.0)))
    return found
