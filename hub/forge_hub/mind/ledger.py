"""Inferences on file: made once for each utterance, kept with what clinicians say of them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as Transaction

from forge_hub.mind import standing
from forge_hub.mind.inference import Inference as Found
from forge_hub.mind.inference import inference_id
from forge_hub.mind.taggers import Taggers
from forge_hub.records.database import Database
from forge_hub.records.schema import Inference, Inferred
from forge_language.taxonomy import LABELS
from forge_shared.events import InferenceReviewed
from forge_shared.logs import get_logger

log = get_logger()

MayInfer = Callable[[str, datetime], bool]
"""Tells whether anything may be inferred from what a person said at a time."""


@dataclass(frozen=True, slots=True)
class Said:
    """An utterance as the taggers are given it."""

    utterance: str
    session: str
    subject: str
    at: datetime
    text: str


class _OfPerson(Protocol):
    @property
    def subject(self) -> str: ...
    @property
    def at(self) -> datetime: ...


Whose = TypeVar("Whose", bound=_OfPerson)

_ASKED_AT_ONCE = 1000
"""Utterances asked for in one statement: databases limit how many values one may name (SQLite: 32,766)."""


class Inferences:
    """Keeps what is inferred from what people said. Blocks on the database.

    Args:
        database: The records.
        taggers: What reads utterances.
        may_infer: Returns, for some people, whether anything may be inferred from what they say; None: always.
    """

    def __init__(
        self, database: Database, taggers: Taggers, may_infer: Callable[[Collection[str]], MayInfer] | None = None
    ) -> None:
        self._database = database
        self._taggers = taggers
        self._may_infer = may_infer

    def of(self, said: Sequence[Said], *, anew: bool = False) -> Mapping[str, tuple[Inference, ...]]:
        """Return the inferences about utterances by utterance, the surest first; what is missing is inferred and filed.

        Args:
            said: The utterances, each once.
            anew: Whether they are read again though they were read before: their text has changed.

        What a clinician has decided is kept, also where the method no longer says it. Utterances of a person who does
        not consent have none.
        """
        allowed = self._allowed(said)
        with self._database.read() as transaction:
            done = set() if anew else self._done(transaction, allowed)
        fresh = [each for each in allowed if each.utterance not in done]
        # Outside of any transaction: taggers take their time, and an alarm must not wait for the writer's turn.
        found = self._taggers.infer([one.text for one in fresh]) if fresh else []
        with self._database.begin() as transaction:
            self._file(transaction, fresh, found)
            transaction.flush()
            return _by_utterance(transaction, [each.utterance for each in allowed])

    def on_file(self, said: Sequence[standing.Said]) -> Mapping[str, tuple[Inference, ...]]:
        """Return what is on file about utterances, as `of` does, and infer nothing."""
        utterances = [each.id for each in self._allowed(said)]
        found: dict[str, tuple[Inference, ...]] = {}
        for first in range(0, len(utterances), _ASKED_AT_ONCE):
            with self._database.read() as transaction:
                found |= _by_utterance(transaction, utterances[first : first + _ASKED_AT_ONCE])
        return found

    def decide(self, reviews: Iterable[tuple[str, datetime, InferenceReviewed]]) -> frozenset[str]:
        """File what clinicians say of inferences, each with its subject and time; return the utterances concerned.

        A word that is taken back leaves the inference as the method made it: a hypothesis.
        """
        concerned = set()
        with self._database.begin() as transaction:
            for subject, at, review in reviews:
                found = transaction.get(Inference, review.inference)
                if found is None or found.subject != subject:
                    log.warning("review.without-inference", inference=review.inference)
                    continue
                if review.verdict == "open":
                    found.verdict = found.instead = found.decided_by = found.decided_at = None
                else:
                    found.verdict, found.instead = review.verdict, review.instead
                    found.decided_by, found.decided_at = review.by, at
                concerned.add(found.utterance)
        return frozenset(concerned)

    def _allowed(self, said: Sequence[Whose]) -> list[Whose]:
        if self._may_infer is None or not said:
            return list(said)
        may_infer = self._may_infer({each.subject for each in said})
        return [each for each in said if may_infer(each.subject, each.at)]

    def _done(self, transaction: Transaction, said: Sequence[Said]) -> set[str]:
        query = select(Inferred.utterance).where(
            Inferred.utterance.in_([each.utterance for each in said]), Inferred.taggers == self._taggers.signature
        )
        return set(transaction.scalars(query))

    def _file(self, transaction: Transaction, said: Sequence[Said], found: Sequence[Sequence[Found]]) -> None:
        if not said:
            return
        utterances = [each.utterance for each in said]
        transaction.execute(delete(Inference).where(Inference.utterance.in_(utterances), Inference.verdict.is_(None)))
        decided = set(transaction.scalars(select(Inference.id).where(Inference.utterance.in_(utterances))))
        for each, inferences in zip(said, found, strict=True):
            transaction.merge(
                Inferred(
                    utterance=each.utterance,
                    subject=each.subject,
                    session=each.session,
                    at=each.at,
                    taggers=self._taggers.signature,
                )
            )
            for key, one in {inference_id(each.utterance, one): one for one in reversed(inferences)}.items():
                if one.label not in LABELS[one.framework]:
                    # The database would refuse it, and everything after it with it.
                    log.warning("inference.label-unknown", framework=one.framework, inference=key)
                elif key not in decided:
                    transaction.add(_row(each, key, one))


def _row(said: Said, key: str, found: Found) -> Inference:
    return Inference(
        id=key,
        utterance=said.utterance,
        subject=said.subject,
        session=said.session,
        at=said.at,
        framework=found.framework,
        label=found.label,
        start=found.start,
        end=found.end,
        confidence=found.confidence,
        method=found.method,
        version=found.version,
        valence=found.valence,
        arousal=found.arousal,
    )


def _by_utterance(transaction: Transaction, utterances: Sequence[str]) -> dict[str, tuple[Inference, ...]]:
    query = select(Inference).where(Inference.utterance.in_(utterances))
    order = (Inference.framework, Inference.confidence.desc(), Inference.start, Inference.label, Inference.id)
    found: dict[str, list[Inference]] = defaultdict(list)
    for row in transaction.scalars(query.order_by(*order)):
        found[row.utterance].append(row)
    transaction.expunge_all()
    return {utterance: tuple(found[utterance]) for utterance in utterances}
