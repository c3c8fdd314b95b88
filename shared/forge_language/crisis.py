"""Crisis language: whether what a person said must bring somebody, how soon, and why.

It raises a flag for a person to look at and diagnoses nothing. A mention that is denied, past, quoted or about somebody
else is a note for the clinician and is never dropped; a figure of speech is nothing. Between a note and an alarm about
the speaker's present danger the alarm wins: a missed one costs more than a visit. How it works: ADR 0019.
"""

from dataclasses import dataclass
from typing import Final

from forge_language.danger.catalogue import Catalogue, Category, Danger, Priority, Reason, catalogue
from forge_language.danger.circumstances import Scene, reasons, scene
from forge_language.danger.patterns import Hit
from forge_language.danger.utterance import Sentence, Word, sentences

__all__ = ["Category", "Judgement", "Mention", "Priority", "Reason", "judge"]

_RANK: Final[dict[Priority, int]] = {"none": 0, "note": 1, "staff": 2, "urgent": 3}
_BODILY: Final = frozenset(
    {"help", "chest-pain", "breathing", "overdose", "violence", "stroke-collapse", "bleeding", "self-harm"}
)
"""Dangers that haste makes urgent; a wish to die is no faster for being said quickly."""
_DOUBT: Final = 0.8
"""Factor on the confidence of a mention that something around it takes back: that something may be misread."""


@dataclass(frozen=True, slots=True)
class Mention:
    """One place where a danger is named.

    Attributes:
        category: Which danger.
        priority: How soon somebody must come; ``none`` for a figure of speech.
        confidence: 0 to 1: that the priority is right; set by hand, not calibrated.
        start: Place of its first character in the utterance.
        end: Place after its last character.
        reasons: Why it is less than an alarm, sorted; empty for an alarm.
    """

    category: Category
    priority: Priority
    confidence: float
    start: int
    end: int
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an utterance means for those who must answer for its speaker.

    Attributes:
        category: The danger of the gravest mention; None where there is none.
        priority: How soon somebody must come: ``urgent`` now, ``staff`` soon, ``note`` for the record, ``none``.
        confidence: 0 to 1.
        mentions: Every place where a danger is named, the gravest first.
        idiomatic: Whether a figure of speech was passed over.
    """

    category: Category | None
    priority: Priority
    confidence: float
    mentions: tuple[Mention, ...] = ()
    idiomatic: bool = False

    @property
    def crisis(self) -> bool:
        """Whether somebody must come."""
        return self.priority in ("staff", "urgent")


_UNSUSPICIOUS: Final = 0.9
"""Confidence that an utterance in which nothing was found is harmless: indirect speech is easily missed."""


def judge(text: str, language: str = "en") -> Judgement:
    """Judge one utterance, as a recogniser writes it or as a person writes.

    Args:
        text: Any text; letter case, fillers and forms of address change nothing.
        language: Which shipped catalogue.

    Raises:
        ValueError: There is no catalogue of that language.
    """
    words = catalogue(language)
    mentions: list[Mention] = []
    idiomatic = False
    for sentence in sentences(text, words):
        found, figure = _mentions(sentence, words)
        mentions.extend(found)
        idiomatic = idiomatic or figure
    if not mentions:
        return Judgement(None, "none", _UNSUSPICIOUS, (), idiomatic)
    mentions.sort(key=lambda mention: (-_RANK[mention.priority], -mention.confidence, mention.start, -mention.end))
    gravest = mentions[0]
    return Judgement(gravest.category, gravest.priority, gravest.confidence, tuple(mentions), idiomatic)


def _mentions(sentence: Sentence, words: Catalogue) -> tuple[list[Mention], bool]:
    line = sentence.line
    taken: set[int] = set()
    for hit, _ in words.idioms.find(line):
        # A figure of speech does not reach across a new subject: "tonight's the night I'm ending my life".
        if not any(line.words[index] in words.nominatives for index in hit.gaps):
            taken.update(range(hit.first, hit.last))
    plain = line.blanked(frozenset(taken))
    found = list(words.dangers.find(plain))
    if not found:
        return [], bool(taken)
    around = scene(sentence, line, words)
    return [_mention(around, hit, danger, _widest(hit, danger, found), words) for hit, danger in found], bool(taken)


def _widest(hit: Hit, danger: Danger, found: list[tuple[Hit, Danger]]) -> Hit:
    """Return the longest mention of the same danger around one: what takes back "taken an overdose" holds for both."""
    around = (
        other
        for other, kind in found
        if kind.category == danger.category and other.first <= hit.first and hit.last <= other.last
    )
    return max(around, key=lambda other: other.last - other.first)


def _mention(around: Scene, hit: Hit, danger: Danger, widest: Hit, words: Catalogue) -> Mention:
    span: tuple[Word, ...] = around.words[hit.first : hit.last]
    why = tuple(sorted(reasons(around, widest, danger, words)))
    priority: Priority = danger.priority
    confidence = danger.confidence
    if why:
        priority, confidence = "note", round(confidence * _DOUBT, 3)
    elif priority == "staff" and around.quick and danger.category in _BODILY:
        priority = "urgent"
    return Mention(danger.category, priority, confidence, span[0].start, span[-1].end, why)
