"""What the room does about a touch: pure decisions, beside those of the dialogue about what was heard."""

from dataclasses import dataclass
from datetime import datetime

from forge_edge.dialogue.conversation import Conversation, Dialogue, Reaction
from forge_edge.messages import SpeechHeard
from forge_edge.screen.shown import Asked
from forge_edge.screen.taps import Ask, BeginForm, InForm, Mute, Quiet, Said, Tap

MOVED_ON = "The question has changed. Please look again."
TOUCH = "touch"
"""Stands where an engine's name does."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows of a touch.

    Attributes:
        conversation: The state before anything is said or asked.
        reaction: What the room does; None: nothing but what ``conversation`` says.
        note: A sentence for the screen alone.
    """

    conversation: Conversation
    reaction: Reaction | None = None
    note: str = ""


def decide(  # noqa: PLR0911, PLR0913 (one return for each touch; what a decision of the dialogue needs)
    dialogue: Dialogue, before: Conversation, tap: Tap, asked: Asked | None, *, now: datetime, new_id: str, hub: bool
) -> Outcome:
    """Decide what follows of a touch.

    Args:
        dialogue: The rules of the conversation.
        before: Where it stands.
        tap: What was touched.
        asked: What is on the screen.
        now: Time of the decision.
        new_id: A fresh id, used if this begins a form.
        hub: Whether the hub is known to be listening.
    """
    match tap:
        case Mute():
            return Outcome(before.model_copy(update={"muted": tap.muted}))
        case Quiet():
            return Outcome(before.model_copy(update={"quiet": tap.quiet}))
        case Ask():
            return Outcome(before, dialogue.call(before, tap.request, hub=hub))
        case Said() | InForm() if asked is None or tap.question != asked.name:
            return Outcome(before, note=MOVED_ON)
        case Said():
            heard = SpeechHeard(
                turn=before.turn,
                text="yes" if tap.yes else "no",
                accepted=True,
                confidence=1.0,
                engine=TOUCH,
                ended_monotonic_seconds=0.0,
            )
            return Outcome(before, dialogue.speech(before, heard, now=now, new_id=new_id, hub=hub))
        case BeginForm() if before.activity != "form":
            return Outcome(before, dialogue.wish_for_form(before, now=now, new_id=new_id))
    return Outcome(before)
