"""Hints by cited patterns: what all taggers have in common whose framework has no openly licensed labels.

Patterns ask for somebody's own words about themselves. What is asked, denied, dreamt of, quoted or said by others is
passed over. Lower-cased speech without a full stop is read as it is.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, TypeVar

from forge_hub.mind.inference import Framework, Inference
from forge_hub.mind.taggers.placeholders import without_placeholders

Label = TypeVar("Label", bound=str)
"""One of a closed vocabulary."""

METHOD: Final = "patterns"
VERSION: Final = "1"

MOST_CONFIDENCE: Final = 0.3
"""No hint is surer than this. Ours: none was validated; the best published model for defences has a macro-F1 of .30
(PsyDefConv 2026), and of distortions, which are better understood, patterns alone get a quarter right.
"""

FRAGMENTS: Final[Mapping[str, str]] = {
    "<am>": (
        r"(?:i'?m|i am|i was|i'?ve (?:always |never )?been|i have (?:always )?been|i feel(?: like)?|"
        r"i felt(?: like)?)"
    ),
    "<so>": (
        r"(?:(?:just|really|always|so|still|often|usually|simply|totally|completely|quite|very|too|only|also|all|"
        r"pretty|rather|honestly|constantly|such|even|actually|probably|super|extremely|deeply|incredibly|terribly|"
        r"basically|mostly|sometimes|a bit|a little|kind of|sort of) ){0,3}"
    ),
    "<cannot>": r"(?:can'?t|cannot|can not|could not|couldn'?t|can never|could never|never could)",
    "<dont>": r"(?:don'?t|do not|didn'?t|did not|never|won'?t|wouldn'?t|hardly ever|rarely)",
    "<any>": r"(?:[\w',-]+ ){0,4}?",
    "<few>": r"(?:[\w',-]+ ){0,2}?",
    "<people>": r"(?:people|others|other people|anyone|anybody|someone|somebody|everyone|everybody|them|no one|nobody)",
    "<kin>": (
        r"(?:mother|mum|mom|mummy|father|dad|daddy|parents|sister|brother|son|daughter|husband|wife|partner|"
        r"boyfriend|girlfriend|grandmother|grandfather|gran|grandma|grandpa|granddad|nan|uncle|aunt|cousin|child|baby|"
        r"friend|best friend|fiance|fiancee|stepfather|stepmother|family)"
    ),
    "<them>": r"(?:him|her|them|my \w+)",
    "<they>": r"(?:he|she|they|my \w+)",
}
"""What patterns have in common, by the name that stands for it. Wildcards are bounded: a search stays linear."""

_APOSTROPHE = re.compile(r"'(?![?,\-\]])")
"""One that is not optional yet and in no class of characters."""
_SENTENCE = re.compile(r"[^.!?\n;]+[.!?\n;]*")
_LONGEST: Final = 600
"""Characters that are searched at once."""

_QUOTED = re.compile(r"[\"\u201c][^\"\u201c\u201d]{1,300}[\"\u201d]")
_REPORTED = re.compile(
    r"\b(?:he|she|they|people|(?:my|the|her|his|our) \w+) (?:(?:always|just|once|only|used to|keeps?|also) )?"
    r"(?:says?|said|saying|told me|tells me|thinks|claims|claimed|shouted|wrote|called me)\b"
)
_FICTION = re.compile(
    r"\b(?:in|from|about) (?:the|a|this|that|my favourite) (?:film|movie|book|novel|series|show|play|song|soap|game)\b"
)
_ASKED = re.compile(
    r"^\W*(?:(?:and|so|but|well|ok|okay) )?(?:(?:do|does|did|is|are|am|was|were|can|could|will|would|should|have|has|"
    r"shall|may) (?:i|you|he|she|it|they|we|the|there|my|your|that|this)|"
    r"(?:when|where|what|who|which|how|why) (?:is|are|was|were|did|do|does|can|could|will|would|should|has|have|time|"
    r"much|many|long|often))\b"
)
_TAKEN_BACK = re.compile(
    r"\b(?:not|never|no longer|isn'?t|wasn'?t|aren'?t|don'?t (?:think|believe|feel|say|mean|know)|"
    r"didn'?t (?:think|believe|feel|say|mean)|doubt|if|as if|as though|what if|imagin\w+|dream\w*|dreamt|pretend\w*|"
    r"suppos\w+|in case|used to (?:think|believe|feel|say)|wish)(?: that)?(?: [\w']+)? ?$"
)
_REACH: Final = 30
"""Characters before a hit in which a denial or a dream takes it back."""


class HintTagger:
    """Finds hints of one framework. Implements `forge_hub.mind.inference.Tagger`; what it says was never validated.

    Args:
        framework: What it reads for.
        cues: For each label, alternatives that stand between word boundaries, with the names of fragments in them.
        confidence: Of each hit; at most `MOST_CONFIDENCE` where nothing was measured.
        reads_questions: Whether what is asked counts, too.
        only_where: A text in which this is not found has no hints.
    """

    signature = f"{METHOD}-{VERSION}"

    def __init__(
        self,
        framework: Framework,
        cues: Mapping[Label, Sequence[str]],
        *,
        confidence: float = MOST_CONFIDENCE,
        reads_questions: bool = False,
        only_where: str | None = None,
    ) -> None:
        self._framework: Framework = framework
        self._cues = {label: compiled(alternatives) for label, alternatives in cues.items()}
        self._confidence = confidence
        self._reads_questions = reads_questions
        self._only_where = None if only_where is None else re.compile(only_where)

    @property
    def framework(self) -> Framework:
        """What it reads for."""
        return self._framework

    def infer(self, texts: Sequence[str]) -> list[tuple[Inference, ...]]:
        """Return the hints of each text by place; each label at most once a sentence."""
        return [self._infer(without_placeholders(text)) for text in texts]

    def _infer(self, text: str) -> tuple[Inference, ...]:
        plain = plain_words(text)
        if self._only_where is not None and not self._only_where.search(plain):
            return ()
        found: dict[tuple[str, int, int], Inference] = {}
        for start, end in _stretches(plain):
            if _FICTION.search(plain, start, end) or (not self._reads_questions and is_question(plain[start:end])):
                continue
            reported = _REPORTED.search(plain, start, end)
            until = reported.start() if reported else end
            for label, pattern in self._cues.items():
                hit = pattern.search(plain, start, until)
                if hit and not _TAKEN_BACK.search(plain, max(start, hit.start() - _REACH), hit.start()):
                    place = (label, hit.start(), hit.end())
                    found[place] = Inference(self._framework, *place, self._confidence, METHOD, VERSION)
        return tuple(sorted(found.values(), key=lambda each: (each.start, each.end, each.label)))


def compiled(alternatives: Sequence[str]) -> re.Pattern[str]:
    """Return one pattern of several, with what the names of fragments stand for; no apostrophe has to be written."""
    whole = "|".join(rf"\b(?:{alternative})(?!\w)" for alternative in alternatives)
    for name, fragment in FRAGMENTS.items():
        whole = whole.replace(name, fragment)
    return re.compile(_APOSTROPHE.sub("'?", whole))


def plain_words(text: str) -> str:
    """Return a text of the same length in small letters, with plain apostrophes and quotations blanked out."""
    # Lower-casing may change the length of some scripts; those texts are searched as they are.
    low = text.lower() if len(text.lower()) == len(text) else text
    low = low.replace("\u2019", "'").replace("\u2018", "'")
    return _QUOTED.sub(lambda quote: "." * len(quote[0]), low)


def is_question(sentence: str) -> bool:
    """Tell whether a sentence asks, with or without its mark."""
    return sentence.rstrip().endswith("?") or _ASKED.search(sentence) is not None


def _stretches(text: str) -> list[tuple[int, int]]:
    places: list[tuple[int, int]] = []
    for sentence in _SENTENCE.finditer(text):
        places.extend(pairwise([*range(sentence.start(), sentence.end(), _LONGEST), sentence.end()]))
    return places
