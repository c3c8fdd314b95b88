"""The utterances behind a figure, each with what was inferred from it. Every function blocks on the store."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import ColumnElement, and_, case, func, select

from forge_hub.errors import NotFoundError
from forge_hub.mind.figures import READINGS_LIMIT, Span, of_person, standing_label, stands, waits, within
from forge_hub.records.database import Database
from forge_hub.records.schema import Inference, Session, Utterance

PAGE: Final = 25
"""Utterances of one page. Ours: what can be read without losing one's place."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which utterances: those in a span and, where a framework is named, those in which a label of it stands."""

    span: Span = field(default_factory=Span)
    framework: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Behind:
    """A page of utterances in the order in which they were said, with all that was inferred from each.

    ``total`` counts the pages' utterances together.
    """

    total: int
    said: Sequence[Utterance]
    inferences: Mapping[str, Sequence[Inference]]


@dataclass(frozen=True, slots=True)
class ToReview:
    """An inference that waits for a clinician's word, or has it, with the utterance."""

    inference: Inference
    utterance: Utterance


def behind(database: Database, subject: str, wanted: Wanted, page: int = 1) -> Behind:
    """Return a page of the utterances that a figure counts; pages count from 1."""
    where = and_(Utterance.subject == subject, within(wanted.span), _has(subject, wanted))
    with database.read() as transaction:
        total = transaction.scalar(select(func.count()).select_from(Utterance).where(where)) or 0
        said = transaction.scalars(
            select(Utterance)
            .where(where)
            .order_by(Utterance.at, Utterance.ordinal, Utterance.id)
            .offset((page - 1) * PAGE)
            .limit(PAGE)
        ).all()
    return Behind(total, said, about(database, [each.id for each in said]))


def about(database: Database, utterances: Collection[str]) -> Mapping[str, Sequence[Inference]]:
    """Return what was inferred from utterances, the surest first."""
    query = select(Inference).where(Inference.utterance.in_(utterances))
    order = (Inference.framework, Inference.confidence.desc(), Inference.start, Inference.label, Inference.id)
    found: dict[str, list[Inference]] = defaultdict(list)
    with database.read() as transaction:
        for row in transaction.scalars(query.order_by(*order)):
            found[row.utterance].append(row)
    return found


def to_review(
    database: Database, subject: str, wanted: Wanted, *, decided: bool = False, page: int = 1
) -> tuple[int, Sequence[ToReview]]:
    """Return how many inferences wait for a word, or have it, and a page of them.

    Notes come first, then what was said last; of what is decided the last decision. Without a framework, what waits is
    what `waits` says.
    """
    state = Inference.verdict.is_not(None) if decided else waits()
    if wanted.framework is not None and not decided:
        state = and_(Inference.verdict.is_(None), stands())
    where = and_(Inference.subject == subject, state, within(wanted.span))
    if wanted.framework is not None:
        where = and_(where, Inference.framework == wanted.framework)
    if wanted.label is not None:
        where = and_(where, standing_label() == wanted.label)
    joined = select(Inference, Utterance).join(Utterance, Utterance.id == Inference.utterance).where(where, of_person())
    order = (
        (Inference.decided_at.desc(), Inference.id)
        if decided
        else (
            case((Inference.framework == "note", 0), else_=1),
            Utterance.at.desc(),
            Utterance.id,
            Inference.framework,
            Inference.confidence.desc(),
            Inference.id,
        )
    )
    with database.read() as transaction:
        total = transaction.scalar(joined.with_only_columns(func.count(), maintain_column_froms=True)) or 0
        rows = transaction.execute(joined.order_by(*order).offset((page - 1) * PAGE).limit(PAGE)).all()
    return total, [ToReview(*row) for row in rows]


def standing_in(database: Database, subject: str, wanted: Wanted) -> Sequence[ToReview]:
    """Return everything that stands in a span, in the order of what was said; at most 5,000."""
    query = (
        select(Inference, Utterance)
        .join(Utterance, Utterance.id == Inference.utterance)
        .where(Inference.subject == subject, stands(), of_person(), within(wanted.span))
        .order_by(Utterance.at, Utterance.id, Inference.framework, Inference.confidence.desc(), Inference.id)
        .limit(READINGS_LIMIT)
    )
    with database.read() as transaction:
        return [ToReview(*row) for row in transaction.execute(query)]


def inference(database: Database, inference_id: str) -> Inference:
    """Return one inference.

    Raises:
        NotFoundError: There is no such inference.
    """
    with database.read() as transaction:
        found = transaction.get(Inference, inference_id)
    if found is None:
        raise NotFoundError("there is no such inference")
    return found


def session_of(database: Database, subject: str, session_id: str) -> Session:
    """Return one session of a person.

    Raises:
        NotFoundError: They have no such session.
    """
    with database.read() as transaction:
        found = transaction.get(Session, session_id)
    if found is None or found.subject != subject:
        raise NotFoundError("there is no such session of this person")
    return found


def notes(database: Database, subject: str) -> Sequence[ToReview]:
    """Return what stands of allergies, requests for care and the like, the newest first; at most one page."""
    query = (
        select(Inference, Utterance)
        .join(Utterance, Utterance.id == Inference.utterance)
        .where(Inference.subject == subject, Inference.framework == "note", stands(), of_person())
        .order_by(Utterance.at.desc(), Inference.id)
        .limit(PAGE)
    )
    with database.read() as transaction:
        return [ToReview(*row) for row in transaction.execute(query)]


def _has(subject: str, wanted: Wanted) -> ColumnElement[bool]:
    if wanted.framework is None:
        return and_(True)
    found = select(Inference.utterance).where(
        Inference.subject == subject, Inference.framework == wanted.framework, stands()
    )
    if wanted.label is not None:
        found = found.where(standing_label() == wanted.label)
    return and_(of_person(), Utterance.id.in_(found))
