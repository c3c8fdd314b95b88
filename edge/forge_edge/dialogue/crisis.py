"""Somebody is in danger: what the staff are told of it, and what the room says. Pure.

Crisis language is judged by `forge_language.crisis`, whatever the room is doing. What follows is an alarm at once, and
a sentence that says no more than that the staff are being told.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal

from forge_edge.dialogue.sentences import CALLING, NO_HUB, OFFER_HELP, TELLING
from forge_edge.messages import SpeechHeard
from forge_edge.observations import CrisisMentioned, CrisisObserved, Observation
from forge_edge.speech.agreed_words import AGREED_WORDS
from forge_edge.speech.grammar import COMMANDS, DISMISSALS
from forge_edge.speech.wishes import DURING_EXERCISE, TO_REMINDER, WISHES
from forge_edge.speech.wordings import wordings
from forge_language.crisis import Judgement, judge, judge_by_phrases
from forge_shared.events import Mode
from forge_shared.model import Frozen

REPEAT_SECONDS = 60.0
"""The same danger, no graver, is not raised again within it: a person who repeats themselves is one call. Ours."""

WORDS_TO_RESEMBLE = 5
"""An utterance of fewer words is an alarm only by a phrase: "no" and "and one more thing" resemble anything. Of the 143
such sentences of `tests/golden/crisis_development.jsonl` the phrases find all 59 crises, and the head alone adds eight
false ones.
"""

SURE_TO_RESEMBLE = 0.8
"""Confidence from which resemblance alone is an alarm. Of 250 ordinary sentences that the head had not read 3.6 % reach
it, 12 % the alarm of `forge_language.crisis`; below it the room offers help instead of calling it, so that nobody comes
for nothing every day and nobody who means it is left without a way.
"""

Grave = Literal["staff", "urgent"]
_ALARMS: dict[str, Grave] = {"staff": "staff", "urgent": "urgent"}


class Raised(Frozen):
    """A danger that the staff were told of."""

    category: str
    priority: Grave
    at: datetime


@dataclass(frozen=True, slots=True)
class Danger:
    """What follows from what was said.

    Attributes:
        raised: What was raised lately, this included.
        observations: What is to be told; empty for a repeat.
        sentence: What the room says; None for a mere mention, which changes nothing in the room.
    """

    raised: tuple[Raised, ...]
    observations: tuple[Observation, ...]
    sentence: str | None


def prepare() -> None:
    """Read the language's catalogue now: the first danger must not wait for it."""
    judge("")


@lru_cache
def ordinary() -> frozenset[str]:
    """Return what people say to the room all day: answers, yes and no, commands, and wishes that call nobody."""
    words = wordings()
    steering = {way: ways for way, ways in DURING_EXERCISE.items() if way != "dizzy"}
    tables = (words.answers, words.confirmations, COMMANDS, WISHES, steering)
    named = {phrase for table in tables for ways in table.values() for phrase in ways}
    return frozenset(named.union(DISMISSALS, AGREED_WORDS, TO_REMINDER["later"])) - {"help"}


def texts(heard: SpeechHeard, expected: Container[str]) -> tuple[str, ...]:
    """Return what must be judged of an utterance: not what is plainly what was asked for, nor a guess forced to be it.

    Nor what people say to the room all day: "no" and "most days" are no danger, wherever they are said.

    Args:
        heard: What the ears made of it.
        expected: The phrases that were listened for.
    """
    beside = tuple(text for text in (heard.safety, heard.words) if text)
    return beside if heard.text in expected or heard.text in ordinary() else (heard.text, *beside)


def assess(  # noqa: PLR0913 (what one decision depends on, by keyword)
    texts: Iterable[str], raised: tuple[Raised, ...], *, mode: Mode, now: datetime, hub: bool, recorded: bool
) -> Danger | None:
    """Return what follows from an utterance, or None when no danger is named in it.

    Args:
        texts: What each hearing made of the same words; the gravest counts.
        raised: What was raised before.
        mode: How it was said.
        now: Time of the decision.
        hub: Whether the hub is known to be listening.
        recorded: Whether a recorded session is on; only then is a mere mention noted.
    """
    judged = [_judged(text) for text in texts if text]
    gravest = max(judged, key=_gravity, default=None)
    if gravest is None or gravest.category is None:
        return None
    lately = tuple(one for one in raised if timedelta(0) <= now - one.at < timedelta(seconds=REPEAT_SECONDS))
    priority = _ALARMS.get(gravest.priority)
    if priority is None or _is_doubtful(gravest):
        mention = CrisisMentioned(gravest.category, gravest.mentions[0].reasons, gravest.confidence, mode)
        if recorded:
            return Danger(lately, (mention,), None)
        return None if priority is None else Danger(lately, (), OFFER_HELP)
    sentence = (CALLING if priority == "urgent" else TELLING) if hub else NO_HUB
    if any(one.category == gravest.category and one.priority in (priority, "urgent") for one in lately):
        return Danger(lately, (), sentence)
    seen = CrisisObserved(gravest.category, priority, gravest.confidence, mode)
    others = tuple(one for one in lately if one.category != gravest.category)
    return Danger((*others, Raised(category=gravest.category, priority=priority, at=now)), (seen,), sentence)


def _judged(text: str) -> Judgement:
    judgement = judge(text)
    short = len(text.split()) < WORDS_TO_RESEMBLE
    return judge_by_phrases(text) if short and _resembles(judgement) else judgement


def _resembles(judgement: Judgement) -> bool:
    return judgement.crisis and judgement.mentions[0].reasons == ("resembles",)


def _is_doubtful(judgement: Judgement) -> bool:
    return _resembles(judgement) and judgement.confidence < SURE_TO_RESEMBLE


def _gravity(judgement: Judgement) -> int:
    what = "doubtful" if _is_doubtful(judgement) else judgement.priority
    return ("none", "note", "doubtful", "staff", "urgent").index(what)
