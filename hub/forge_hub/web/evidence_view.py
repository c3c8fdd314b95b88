"""An utterance as the pages show it: its words with the quotes marked, and every inference with its reasons. Pure."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from forge_hub.records.schema import Inference, Utterance
from forge_hub.web.findings import Tag, dangers_of
from forge_hub.web.mind_wording import (
    VERDICTS,
    certainty,
    framework_words,
    meaning,
    method_words,
    other_labels,
    weakness,
    words_of,
)
from forge_language.rewording import rewording
from forge_language.taxonomy import DISTORTIONS

_WIDE: Final = frozenset({"affect", "emotion"})
"""Frameworks that quote nearly everything: their colour gives way to that of any other."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text, and the frameworks of what rests on it, the one first whose colour it has."""

    text: str
    marks: Sequence[str]
    words: str


@dataclass(frozen=True, slots=True)
class Reason:
    """One inference in words.

    Attributes:
        by: What inferred it, in words; ``method`` has its name and version.
        state: ``hypothesis``, ``approved``, ``rejected`` or ``relabelled``.
        verdict: What a clinician said, in words; empty where nobody has.
        instead: The label that they put in its place, in words.
        strategy: What cognitive therapy answers to a distortion: for the clinician.
        rewording: How a clinician might take it up, after that strategy; never shown to the person.
        others: The other labels of the closed list.
    """

    id: str
    framework: str
    kind: str
    label: str
    words: str
    meaning: str
    quote: str
    start: int
    end: int
    certainty: str
    confidence: float
    by: str
    method: str
    weakness: str
    valence: float | None
    arousal: float | None
    state: str
    verdict: str
    instead: str
    decided_by: str
    decided_at: datetime | None
    strategy: str
    strategy_text: str
    rewording: str
    others: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Said:
    """An utterance with its reasons."""

    id: str
    session: str
    text: str
    pieces: Sequence[Piece]
    at: datetime
    confidence: float
    speaker: str
    question: str
    original: str
    corrected_by: str
    corrected_at: datetime | None
    dangers: Sequence[Tag]
    reasons: Sequence[Reason]


def said_of(utterance: Utterance, inferences: Sequence[Inference], names: Mapping[str, str]) -> Said:
    """Return an utterance with everything that was inferred from it; ``names`` are usernames by account."""
    reasons = [reason_of(each, utterance.text, names) for each in inferences]
    return Said(
        id=utterance.id,
        session=utterance.session,
        text=utterance.text,
        pieces=pieces_of(utterance.text, [each for each in reasons if each.state != "rejected"]),
        at=utterance.at,
        confidence=utterance.confidence,
        speaker=utterance.speaker or "unknown",
        question=utterance.question or "",
        original=utterance.original or "",
        corrected_by=names.get(utterance.corrected_by or "", "someone") if utterance.corrected_by else "",
        corrected_at=utterance.corrected_at,
        dangers=dangers_of(utterance.text),
        reasons=reasons,
    )


def reason_of(found: Inference, text: str, names: Mapping[str, str]) -> Reason:
    """Return an inference in words."""
    distortion = DISTORTIONS.get(found.label) if found.framework == "distortion" else None  # type: ignore[call-overload]
    quote = text[found.start : found.end]
    states = {"right": "approved", "wrong": "rejected", "other": "relabelled"}
    return Reason(
        id=found.id,
        framework=found.framework,
        kind=framework_words(found.framework),
        label=found.label,
        words=words_of(found.label),
        meaning=meaning(found.framework, found.label),
        quote=quote,
        start=found.start,
        end=found.end,
        certainty=certainty(found.confidence),
        confidence=found.confidence,
        by=method_words(found.method),
        method=f"{found.method} {found.version}",
        weakness=weakness(found.framework, found.method),
        valence=found.valence,
        arousal=found.arousal,
        state=states.get(found.verdict or "", "hypothesis"),
        verdict=VERDICTS.get(found.verdict or "", ""),
        instead=words_of(found.instead) if found.instead else "",
        decided_by=names.get(found.decided_by or "", "someone") if found.decided_by else "",
        decided_at=found.decided_at,
        strategy=words_of(distortion.strategy) if distortion else "",
        strategy_text=distortion.strategy_text if distortion else "",
        rewording=rewording(distortion.id, quote) if distortion and quote else "",
        others=other_labels(found.framework, found.label),
    )


def pieces_of(text: str, reasons: Sequence[Reason]) -> list[Piece]:
    """Return a text cut at every quote's ends; empty quotes and those beyond the text mark nothing."""
    quotes = [(max(0, each.start), min(len(text), each.end), each) for each in reasons]
    quotes = [quote for quote in quotes if quote[0] < quote[1]]
    cuts = sorted({0, len(text), *(quote[0] for quote in quotes), *(quote[1] for quote in quotes)})
    pieces = []
    for start, end in itertools.pairwise(cuts):
        on = [each for low, high, each in quotes if low <= start and end <= high]
        marks = sorted({each.framework for each in on}, key=lambda mark: (mark in _WIDE, mark))
        words = "; ".join(dict.fromkeys(f"{each.kind}: {each.instead or each.words}" for each in on))
        pieces.append(Piece(text[start:end], marks, words))
    return pieces


def accounts_in(utterances: Sequence[Utterance], inferences: Mapping[str, Sequence[Inference]]) -> set[str]:
    """Return the accounts whose names the words of these need."""
    found = {each.corrected_by for each in utterances}
    found |= {each.decided_by for each in (one for rows in inferences.values() for one in rows)}
    return {account for account in found if account}
