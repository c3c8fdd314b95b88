"""The passes over one utterance. Pure: the same text always gives the same tags, so a graph can be derived anew."""

import re
from dataclasses import dataclass
from typing import get_args

from forge_language.distortions import Tag, find_distortions
from forge_language.redaction import Kind
from forge_language.sentiment import Reading, valence_arousal
from forge_language.taxonomy import QuadrantId, quadrant_of

_PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(get_args(Kind))})\]")
"""What the redactor put in place of a name or a number. Nobody said those: the lexicon finds "number" pleasant."""


@dataclass(frozen=True, slots=True)
class Felt:
    """Where on the circumplex an utterance lies, and the words that say so.

    ``valence`` and ``arousal`` are in [-1, 1], ``confidence`` in [0, 1]; ``start`` and ``end`` are code points of the
    text, half-open, from the first such word to the last.
    """

    quadrant: QuadrantId
    valence: float
    arousal: float
    start: int
    end: int
    confidence: float
    source: str


@dataclass(frozen=True, slots=True)
class Tags:
    """What the passes found. ``felt`` is ``None`` when no word of the text carries a feeling: unknown, not neutral."""

    distortions: tuple[Tag, ...]
    felt: Felt | None


def tags_of(text: str) -> Tags:
    """Run every pass over a pseudonymised utterance."""
    # Of the same length, so that every place stays what it is in the text.
    spoken = _PLACEHOLDER.sub(lambda placeholder: "_" * len(placeholder[0]), text)
    return Tags(find_distortions(spoken), _felt(valence_arousal(spoken)))


def _felt(reading: Reading) -> Felt | None:
    if not reading.spans:
        return None
    return Felt(
        quadrant=quadrant_of(reading.valence, reading.arousal),
        valence=reading.valence,
        arousal=reading.arousal,
        start=min(start for start, _ in reading.spans),
        end=max(end for _, end in reading.spans),
        confidence=reading.confidence,
        source=reading.source,
    )
