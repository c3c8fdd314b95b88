"""Figures about people, counted in the database. Every function blocks on the store and sees one moment of it.

What counts is what `forge_hub.mind.standing` says: a clinician's word goes before the method's, and the clinician's own
words are not the person's.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session as Transaction

from forge_hub.mind import summaries
from forge_hub.mind.inference import FRAMEWORKS, Framework
from forge_hub.mind.person import Profile, profile_of
from forge_hub.mind.standing import ASSERTED, CLINICIAN
from forge_hub.mind.summaries import Correlation
from forge_hub.records.database import Database
from forge_hub.records.schema import Inference, Inferred, Session, Utterance

READINGS_LIMIT: Final = 5000
"""Readings of affect that are drawn of one person. Ours: five times what the pages are measured with."""

SESSIONS_LIMIT: Final = 500

HINTS: Final[tuple[Framework, ...]] = ("stage", "attachment", "trait", "schema", "defence", "transference")
"""What is said of a person rather than of a moment, and only with enough quoted utterances."""


_REVIEWED: Final = tuple(framework for framework in FRAMEWORKS if framework != "affect")


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time or one session; what is absent does not limit. ``until`` is not part of it."""

    since: datetime | None = None
    until: datetime | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Where one utterance lies on the circumplex: valence and arousal in [-1, 1], confidence in [0, 1]."""

    utterance: str
    session: str
    at: datetime
    text: str
    valence: float
    arousal: float
    confidence: float
    is_approved: bool


@dataclass(frozen=True, slots=True)
class LabelCount:
    """In how many utterances of a session a label stands, and in how many of them a clinician has approved it."""

    session: str
    framework: str
    label: str
    utterances: int
    approved: int


@dataclass(frozen=True, slots=True)
class SessionTold:
    """A session with the number of the person's utterances in it.

    ``read`` counts those that the taggers were allowed to read, which shares are of; ``distorted`` those with a
    distortion that stands.
    """

    id: str
    node: str
    started_at: datetime
    ended_at: datetime | None
    utterances: int
    read: int
    distorted: int


@dataclass(frozen=True, slots=True)
class MethodCount:
    """How many inferences a method has made about a person."""

    framework: str
    method: str
    version: str
    inferences: int


def standing_label() -> ColumnElement[str]:
    """Return the label that stands in place of the method's, as an expression over `Inference`."""
    return case((Inference.verdict == "other", Inference.instead), else_=Inference.label)


def stands() -> ColumnElement[bool]:
    """Return whether an inference counts, as an expression over `Inference`."""
    least = case(*((Inference.framework == name, value) for name, value in ASSERTED.items()), else_=0.0)
    sure = and_(Inference.verdict.is_(None), Inference.confidence >= least, Inference.confidence > 0)
    return or_(Inference.verdict.in_(("right", "other")), sure)


def waits() -> ColumnElement[bool]:
    """Return whether an inference waits for a clinician's word, as an expression over `Inference`.

    Moods do not: every utterance has one, and a queue that nobody can empty is not looked at. They can be reviewed all
    the same.
    """
    # Named one by one, so that the index on frameworks leaves the moods out.
    return and_(Inference.verdict.is_(None), Inference.framework.in_(_REVIEWED), stands())


def of_person() -> ColumnElement[bool]:
    """Return whether an utterance is the person's own, as an expression over `Utterance`."""
    return or_(Utterance.speaker.is_(None), Utterance.speaker != CLINICIAN)


def within(span: Span) -> ColumnElement[bool]:
    """Return whether an utterance lies in a span, as an expression over `Utterance`."""
    limits: list[ColumnElement[bool]] = []
    if span.since is not None:
        limits.append(Utterance.at >= span.since)
    if span.until is not None:
        limits.append(Utterance.at < span.until)
    if span.session is not None:
        limits.append(Utterance.session == span.session)
    return and_(True, *limits)


def readings(database: Database, subject: str, span: Span | None = None) -> list[Reading]:
    """Return the surest reading of each utterance, in the order in which they were said; at most the newest 5,000."""
    rank = (
        func.row_number()
        .over(
            partition_by=Inference.utterance,
            order_by=(
                case((Inference.verdict == "right", 0), else_=1),
                Inference.confidence.desc(),
                Inference.method,
            ),
        )
        .label("rank")
    )
    of = (
        select(Inference, rank)
        .where(
            Inference.subject == subject,
            Inference.framework == "affect",
            Inference.valence.is_not(None),
            Inference.arousal.is_not(None),
            Inference.confidence > 0,
            or_(Inference.verdict.is_(None), Inference.verdict == "right"),
        )
        .subquery()
    )
    query = (
        select(
            of.c.utterance,
            Utterance.session,
            Utterance.at,
            Utterance.text,
            of.c.valence,
            of.c.arousal,
            of.c.confidence,
            of.c.verdict,
        )
        .join(Utterance, Utterance.id == of.c.utterance)
        .where(of.c.rank == 1, Utterance.subject == subject, of_person(), within(span or Span()))
        .order_by(Utterance.at.desc(), Utterance.id.desc())
        .limit(READINGS_LIMIT)
    )
    with database.read() as transaction:
        rows = transaction.execute(query).all()
    return [
        Reading(
            utterance=row.utterance,
            session=row.session,
            at=row.at,
            text=row.text,
            valence=row.valence,
            arousal=row.arousal,
            confidence=row.confidence,
            is_approved=row.verdict == "right",
        )
        for row in reversed(rows)
    ]


def label_counts(database: Database, subject: str, span: Span | None = None) -> list[LabelCount]:
    """Return in how many utterances each label stands, by session; affect has its own: `readings`."""
    label = standing_label().label("standing")
    approved = case((Inference.verdict.is_not(None), Inference.utterance))
    query = (
        select(
            Utterance.session,
            Inference.framework,
            label,
            func.count(Inference.utterance.distinct()),
            func.count(approved.distinct()),
        )
        .join(Utterance, Utterance.id == Inference.utterance)
        .where(Inference.subject == subject, stands(), of_person(), within(span or Span()))
        .group_by(Utterance.session, Inference.framework, label)
        .order_by(Utterance.session, Inference.framework, label)
    )
    with database.read() as transaction:
        return [LabelCount(*row) for row in transaction.execute(query)]


def sessions(database: Database, subject: str) -> list[SessionTold]:
    """Return a person's sessions in the order in which they were; at most the newest 500."""
    told = (
        select(Session)
        .where(Session.subject == subject)
        .order_by(Session.started_at.desc(), Session.id.desc())
        .limit(SESSIONS_LIMIT)
    )
    said = (
        select(Utterance.session, func.count(), func.count(Inferred.utterance))
        .outerjoin(Inferred, Inferred.utterance == Utterance.id)
        .where(Utterance.subject == subject, of_person())
        .group_by(Utterance.session)
    )
    distorted = (
        select(Utterance.session, func.count(Inference.utterance.distinct()))
        .join(Utterance, Utterance.id == Inference.utterance)
        .where(Inference.subject == subject, Inference.framework == "distortion", stands(), of_person())
        .group_by(Utterance.session)
    )
    with database.read() as transaction:
        rows = transaction.scalars(told).all()
        counted = {row[0]: (row[1], row[2]) for row in transaction.execute(said)}
        shown = {row[0]: row[1] for row in transaction.execute(distorted)}
    return [
        SessionTold(row.id, row.node, row.started_at, row.ended_at, *counted.get(row.id, (0, 0)), shown.get(row.id, 0))
        for row in reversed(rows)
    ]


def utterance_count(database: Database, subject: str, span: Span) -> int:
    """Return how many utterances of the person that were read lie in a span."""
    query = select(func.count()).select_from(Utterance).join(Inferred, Inferred.utterance == Utterance.id)
    with database.read() as transaction:
        return transaction.scalar(query.where(Utterance.subject == subject, of_person(), within(span))) or 0


def any_label_count(database: Database, subject: str, span: Span, framework: str) -> int:
    """Return how many utterances of the person in a span show any label of a framework."""
    query = (
        select(func.count(Inference.utterance.distinct()))
        .join(Utterance, Utterance.id == Inference.utterance)
        .where(Inference.subject == subject, Inference.framework == framework, stands(), of_person(), within(span))
    )
    with database.read() as transaction:
        return transaction.scalar(query) or 0


def profile(database: Database, subject: str) -> Profile:
    """Return what the hints about a person amount to, from what is on file now."""
    with database.read() as transaction:
        return profile_of(_words(transaction, subject), _found(transaction, subject, HINTS))


def correlations(database: Database, subject: str) -> Sequence[Correlation]:
    """Return how a person's distortions go together with emotions and with affect, from what is on file now."""
    with database.read() as transaction:
        said = _words(transaction, subject)
        return summaries.correlations(said, _found(transaction, subject, ("distortion", "emotion", "affect")))


def methods(database: Database, subjects: Collection[str]) -> list[MethodCount]:
    """Return which methods have read what some people said."""
    query = (
        select(Inference.framework, Inference.method, Inference.version, func.count())
        .where(Inference.subject.in_(subjects))
        .group_by(Inference.framework, Inference.method, Inference.version)
        .order_by(Inference.framework, Inference.method, Inference.version)
    )
    with database.read() as transaction:
        return [MethodCount(*row) for row in transaction.execute(query)]


class _Words(NamedTuple):
    """An utterance without its text. Implements `forge_hub.mind.standing.Said`."""

    id: str
    session: str
    subject: str
    at: datetime
    speaker: str | None


class _Found(NamedTuple):
    """An inference without who decided. Implements `forge_hub.mind.standing.Hypothesis`."""

    utterance: str
    framework: str
    label: str
    start: int
    end: int
    confidence: float
    method: str
    valence: float | None
    arousal: float | None
    verdict: str | None
    instead: str | None


def _words(transaction: Transaction, subject: str) -> list[_Words]:
    """Return what the taggers have read of a person."""
    columns = (getattr(Utterance, name) for name in _Words._fields)
    query = select(*columns).join(Inferred, Inferred.utterance == Utterance.id).where(Utterance.subject == subject)
    return [_Words(*row) for row in transaction.execute(query)]


def _found(transaction: Transaction, subject: str, frameworks: Collection[Framework]) -> list[_Found]:
    columns = (getattr(Inference, name) for name in _Found._fields)
    query = select(*columns).where(Inference.subject == subject, Inference.framework.in_(frameworks))
    return [_Found(*row) for row in transaction.execute(query)]
