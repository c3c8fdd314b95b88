"""Cited patterns for thirteen cognitive distortions.

Patterns explain, they do not detect: "always" and "never" alone are right about one time in four, and a true statement
about illness, loss or danger is no distortion. So each pattern asks for more than a cue word, each tag quotes its span,
and confidences stay low. Definitions and sources: `forge_language.taxonomy`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal

from forge_language.distortion_patterns import CONFIDENCE, PATTERNS
from forge_language.taxonomy import DistortionId

Source = Literal["patterns-1"]
SOURCE: Final[Source] = "patterns-1"

_SENTENCE = re.compile(r"[^.!?\n;]+[.!?\n;]*")
_LONGEST_SENTENCE: Final = 600
"""Characters of one stretch that is searched at once; a recogniser sets no full stops."""

_QUOTED = re.compile(r"[\"\u201c][^\"\u201c\u201d]{1,300}[\"\u201d]")
_REPORTED = re.compile(
    r"\b(?:he|she|they|mum|mom|dad|wife|husband|mother|father|sister|brother|son|daughter|doctor|nurse|"
    r"friend|boss|people)"
    r"\s+(?:(?:always|just|once|only|used\s+to)\s+)?(?:says?|said|told\s+me|tells\s+me|keeps\s+saying|"
    r"shouted|wrote|called\s+me)\b",
)
_ASKED = re.compile(
    r"^\W*(?:(?:and|so|but|well)\s+)?(?:do|does|did|is|are|am|was|were|can|could|will|would|should|have|has|shall|may|"
    r"when|where|what|who|which|how)\s+(?:i|you|he|she|it|they|we|the|there|my|your|that|this|time|much|many|long|often)\b",
)


_DENIED = re.compile(
    r"\b(?:not|never|(?:do|did|does|was|is|are)n't(?: (?:think|believe|feel|say|mean))?(?: that)?)(?: [\w']+)?\s*$"
)
_DENIAL_REACH: Final = 30
"""Characters before a hit in which a denial ("I don't think") takes it back."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A hint that a stretch of text may hold a distortion.

    Attributes:
        label: Which one.
        start: Place of the quote's first character.
        end: Place after the quote's last character.
        confidence: 0 to 1, low and not calibrated.
        source: Which rules.
    """

    label: DistortionId
    start: int
    end: int
    confidence: float
    source: Source = SOURCE


def find_distortions(text: str) -> tuple[Tag, ...]:
    """Return the distortions that patterns suggest, by place; one label at most once per stretch of text.

    Questions, quotations and what others said are passed over.
    """
    # Lower-casing may change the length of some scripts; those texts are searched as they are.
    low = text.lower() if len(text.lower()) == len(text) else text
    plain = low.replace("\u2019", "'").replace("\u2018", "'")
    plain = _QUOTED.sub(lambda quote: "." * len(quote[0]), plain)
    tags: list[Tag] = []
    for start, end in _stretches(plain):
        if _is_question(plain[start:end]):
            continue
        reported = _REPORTED.search(plain, start, end)
        for label, pattern in _compiled().items():
            found = pattern.search(plain, start, reported.start() if reported else end)
            if found and not _DENIED.search(plain, max(start, found.start() - _DENIAL_REACH), found.start()):
                tags.append(Tag(label, found.start(), found.end(), CONFIDENCE[label]))
    return tuple(sorted(tags, key=lambda tag: (tag.start, tag.end, tag.label)))


def _stretches(text: str) -> list[tuple[int, int]]:
    places: list[tuple[int, int]] = []
    for sentence in _SENTENCE.finditer(text):
        bounds = [*range(sentence.start(), sentence.end(), _LONGEST_SENTENCE), sentence.end()]
        places.extend(pairwise(bounds))
    return places


def _is_question(sentence: str) -> bool:
    return sentence.rstrip().endswith("?") or _ASKED.search(sentence) is not None


@lru_cache(maxsize=1)
def _compiled() -> dict[DistortionId, re.Pattern[str]]:
    """Return one pattern per label, compiled on first use."""
    return {
        label: re.compile("|".join(rf"\b(?:{pattern})\b" for pattern in patterns))
        for label, patterns in PATTERNS.items()
    }
