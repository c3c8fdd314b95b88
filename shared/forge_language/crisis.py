"""Crisis language: whether what a person said must bring somebody, how soon, and why.

It raises a flag for a person to look at and diagnoses nothing. A mention that is denied, past, quoted or about somebody
else is a note for the clinician and is never dropped; a figure of speech is nothing. Between a note and an alarm about
the speaker's present danger the alarm wins: a missed one costs more than a visit. How it works: ADR 0019.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

from forge_language.danger.catalogue import Catalogue, Category, Danger, Priority, Reason, catalogue
from forge_language.danger.circumstances import Scene, reasons, scene
from forge_language.danger.patterns import Hit
from forge_language.danger.resemblance import Head, Resemblance, head
from forge_language.danger.utterance import Sentence, Word, sentences

__all__ = ["Category", "Ground", "Judgement", "Mention", "Priority", "Reason", "judge", "judge_by_phrases"]

Ground = Reason | Literal["resembles", "unlike"]
"""Why a mention stands as it does: a reason that takes it back; ``resembles``: no phrase names it, the utterance as a
whole is like what people in such danger said; ``unlike``: a phrase names it, the utterance is like harmless ones."""

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
        reasons: On what grounds it stands where it does, sorted; empty for an alarm that a phrase raises.
    """

    category: Category
    priority: Priority
    confidence: float
    start: int
    end: int
    reasons: tuple[Ground, ...] = ()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an utterance means for those who must answer for its speaker.

    Attributes:
        category: The danger of the gravest mention; None where there is none.
        priority: How soon somebody must come: ``urgent`` now, ``staff`` soon, ``note`` for the record, ``none``.
        confidence: 0 to 1.
        mentions: Every place where a danger is named, the gravest first.
        idiomatic: Whether a figure of speech was passed over.
        by_resemblance: Whether the trained head took part; without its encoder's package the phrases judge alone.
    """

    category: Category | None
    priority: Priority
    confidence: float
    mentions: tuple[Mention, ...] = ()
    idiomatic: bool = False
    by_resemblance: bool = False

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
        ValueError: There is no catalogue of that language, or its head's files do not belong together.
    """
    phrases = judge_by_phrases(text, language)
    trained, _ = head(language)
    if trained is None or not any(map(str.isalnum, text)):
        return phrases
    return _weighed(text, phrases, trained.resemblance(text, catalogue(language)), trained)


def _weighed(text: str, phrases: Judgement, resemblance: Resemblance, trained: Head) -> Judgement:
    """Return the judgement of the phrases and the head together."""
    confidence = trained.weighing.confidence(resemblance.crisis, phrases.priority)
    found = replace(phrases, by_resemblance=True)
    start, end = _span(text)
    if confidence >= trained.weighing.alarm_at:
        if phrases.crisis and phrases.category is not None:
            hasty = resemblance.priorities[3] > resemblance.priorities[2]
            priority: Priority = "urgent" if hasty or phrases.priority == "urgent" else "staff"
            raised = replace(phrases.mentions[0], priority=priority)
            return replace(found, priority=priority, confidence=confidence, mentions=(raised, *phrases.mentions[1:]))
        priority = "urgent" if resemblance.priorities[3] > resemblance.priorities[2] else "staff"
        whole = Mention(resemblance.category, priority, confidence, start, end, ("resembles",))
        return replace(
            found,
            category=whole.category,
            priority=priority,
            confidence=confidence,
            mentions=(whole, *phrases.mentions),
        )
    calm = 1 - confidence
    if phrases.mentions:
        mentions = tuple(_taken_back(mention) for mention in phrases.mentions)
        return replace(found, priority="note", confidence=calm, mentions=mentions)
    if resemblance.priorities[1] > resemblance.priorities[0]:
        whole = Mention(resemblance.category, "note", calm, start, end, ("resembles",))
        return replace(found, category=whole.category, priority="note", confidence=calm, mentions=(whole,))
    return replace(found, confidence=calm)


def _taken_back(mention: Mention) -> Mention:
    if mention.priority not in ("staff", "urgent"):
        return mention
    return replace(mention, priority="note", reasons=("unlike",))


def _span(text: str) -> tuple[int, int]:
    """Return the places of an utterance without the blanks around it."""
    start = len(text) - len(text.lstrip())
    return start, max(start + 1, len(text.rstrip()))


def judge_by_phrases(text: str, language: str = "en") -> Judgement:
    """Judge one utterance by phrases and what stands around them, as where the head's encoder is not installed.

    Args:
        text: Any text.
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
