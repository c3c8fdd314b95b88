"""Who speaks, before anything personal where others may be in the room: the agreed word, or a plain question. Pure."""

from typing import Literal

from forge_edge.dialogue.sentences import NOT_THE_PATIENT, NOT_THE_WORD, WHO, WORD
from forge_edge.messages import SpeechHeard
from forge_edge.speech.grammar import Meaning, Vocabulary, agreement, resumption
from forge_shared.plan import RoomPlan

WORD_TRIES = 3
WHO_TRIES = 2
"""How often is asked. Ours: a word that is heard wrong twice may be heard right the third time."""
PIN_TRIES = 10
"""Wrong PINs in a row after which none is taken until the stay ends or a person says the agreed word. Ours."""

Verdict = Literal["patient", "somebody", "unclear"]


def question(plan: RoomPlan) -> str:
    """Return how the room asks who speaks."""
    return WHO if plan.agreed_word is None else WORD


def refusal(plan: RoomPlan) -> str:
    """Return what the room says when it does not begin."""
    return NOT_THE_PATIENT if plan.agreed_word is None else NOT_THE_WORD


def tries(plan: RoomPlan) -> int:
    """Return how often the room asks."""
    return WHO_TRIES if plan.agreed_word is None else WORD_TRIES


def vocabulary(plan: RoomPlan) -> Vocabulary:
    """Return what may be said to the question."""
    return resumption() if plan.agreed_word is None else agreement()


def verdict(plan: RoomPlan, heard: SpeechHeard, meaning: Meaning | None) -> Verdict:
    """Return who speaks, as far as what was said tells. Takes some 50 ms where there is an agreed word.

    Args:
        plan: What the staff have set.
        heard: What was heard. A word that was not listened for but freely heard may be the agreed one.
        meaning: What it means, unless the engine only guessed.
    """
    if plan.agreed_word is None:
        if meaning is None or meaning.code == "form":
            return "unclear"
        return "patient" if meaning.code == "yes" else "somebody"
    if meaning is not None and meaning.code in ("no", "stop"):
        return "somebody"
    freely = "" if heard.text in agreement().meanings else heard.text
    said = freely if meaning is None else meaning.code
    return "patient" if said and plan.agreed_word.matches(said) else "unclear"
