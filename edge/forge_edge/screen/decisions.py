"""What the room does about a touch: pure decisions, beside those of the dialogue about what was heard."""

from dataclasses import dataclass
from datetime import datetime

from forge_edge.dialogue import reminding
from forge_edge.dialogue.conversation import Conversation, Dialogue, Reaction
from forge_edge.forms.touch import Repeat
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
        aloud: What is read out beside what the room says by itself: the question that follows.
        in_form: Whether a form is being answered by touch from now; None: as before.
    """

    conversation: Conversation
    reaction: Reaction | None = None
    note: str = ""
    aloud: tuple[str, ...] = ()
    in_form: bool | None = None

    def said(self, sentences: tuple[str, ...]) -> tuple[str, ...]:
        """Return what is spoken where the room would say ``sentences``: nothing for who wants it quiet."""
        return self.aloud if self.conversation.quiet else (*sentences, *self.aloud)


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
        case Said() if asked is not None and asked.reminds:
            return Outcome(before, reminding.heard(before, "done" if tap.yes else "later"))
        case Said() if tap.yes and before.activity in ("who", "resume"):
            return _in_form(dialogue, before, dialogue.wish_by_touch(before, now=now, new_id=new_id))
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
            return _in_form(dialogue, before, dialogue.wish_by_touch(before, now=now, new_id=new_id))
        case InForm():
            reaction = dialogue.touched(before, tap.action, now=now, hub=hub)
            return _in_form(dialogue, before, reaction, insists=isinstance(tap.action, Repeat))
    return Outcome(before)


def led_by_hand(conversation: Conversation) -> bool:
    """Tell whether there is a form that was answered by touch last."""
    return conversation.interview is not None and conversation.interview.led != "voice"


def _in_form(dialogue: Dialogue, before: Conversation, reaction: Reaction, *, insists: bool = False) -> Outcome:
    """Read the question that follows, unless the patient wants it quiet and did not ask for it."""
    after = reaction.conversation
    goes_on = after.activity == "form" and led_by_hand(after)
    is_read = goes_on and reaction.refused is None and (insists or not before.quiet)
    aloud = dialogue.aloud(after) if is_read else ()
    if aloud and before.interview is None and (view := dialogue.shown(after)) is not None:
        aloud = (*view.above, *aloud)
    in_form = goes_on or reaction.refused is not None
    return Outcome(before, reaction, note=reaction.refused or "", aloud=aloud, in_form=in_form)
