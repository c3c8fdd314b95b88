"""What the room does about a touch: pure decisions, beside those of the dialogue about what was heard."""

from dataclasses import dataclass, replace
from datetime import datetime

from forge_edge.dialogue import reminding
from forge_edge.dialogue.conversation import Conversation, Dialogue, Reaction
from forge_edge.dialogue.turn import with_sentence
from forge_edge.forms.touch import Action, Answer, Repeat
from forge_edge.messages import SpeechHeard
from forge_edge.screen.shown import Asked
from forge_edge.screen.taps import Ask, BeginForm, InForm, Mute, Pin, Quiet, Said, Tap

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


def decide(  # noqa: C901, PLR0911, PLR0913 (one return for each touch; what a decision of the dialogue needs)
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
        case Said() | Pin() | InForm() if asked is None or tap.question != asked.name:
            return Outcome(before, note=MOVED_ON)
        case Said() if asked is not None and asked.reminds:
            return Outcome(before, reminding.heard(before, tap.code))
        case Said() if tap.code == "yes" and before.activity in ("who", "resume"):
            return _in_form(dialogue, before, dialogue.wish_by_touch(before, now=now, new_id=new_id))
        case Said() if (phrase := dialogue.phrase(before, tap.code)) is not None:
            heard = SpeechHeard(
                turn=before.turn,
                text=phrase,
                accepted=True,
                confidence=1.0,
                engine=TOUCH,
                ended_monotonic_seconds=0.0,
            )
            return Outcome(before, dialogue.speech(before, heard, now=now, new_id=new_id, hub=hub))
        case Pin():
            return Outcome(before, dialogue.vouched(before, tap.pin, now=now, new_id=new_id))
        case BeginForm() if before.activity != "form":
            return _in_form(dialogue, before, dialogue.wish_by_touch(before, now=now, new_id=new_id))
        case InForm():
            return _touched(dialogue, before, tap, asked, now=now, hub=hub)
    return Outcome(before)


def _touched(  # noqa: PLR0913 (what a decision about a form needs)
    dialogue: Dialogue, before: Conversation, tap: InForm, asked: Asked | None, *, now: datetime, hub: bool
) -> Outcome:
    written = _in_own_words(tap.action, asked)
    danger = dialogue.written(before, written, mode="touch", now=now, hub=hub) if written else None
    ready = before if danger is None else danger.conversation.model_copy(update={"activity": before.activity})
    reaction = dialogue.forms.touched(ready, tap.action, now=now, hub=hub)
    if danger is not None:
        reaction = _alarmed(danger, reaction)
    return _in_form(dialogue, before, reaction, insists=isinstance(tap.action, Repeat))


def _in_own_words(action: Action, asked: Asked | None) -> str:
    """Return what was written freely: it is looked through for danger as what is said is."""
    if asked is None or not isinstance(action, Answer):
        return ""
    offered = {choice.value for choice in asked.choices}
    return " ".join(entered for entered in action.entered if entered not in offered)


def _alarmed(danger: Reaction, reaction: Reaction) -> Reaction:
    """Tell of a danger before all else; what was written is an answer all the same."""
    observations = (*danger.observations, *reaction.observations)
    if danger.instruction is None:
        return replace(reaction, observations=observations)
    if reaction.instruction is None:
        return replace(danger, observations=observations, refused=reaction.refused)
    return replace(with_sentence(reaction, danger.instruction.say[0]), observations=observations)


def led_by_hand(conversation: Conversation) -> bool:
    """Tell whether there is a form that was answered by touch last."""
    return conversation.interview is not None and conversation.interview.led != "voice"


def _in_form(dialogue: Dialogue, before: Conversation, reaction: Reaction, *, insists: bool = False) -> Outcome:
    """Read the question that follows, unless the patient wants it quiet and did not ask for it."""
    after = reaction.conversation
    goes_on = after.activity == "form" and led_by_hand(after)
    is_read = goes_on and reaction.refused is None and (insists or not before.quiet)
    aloud = dialogue.forms.aloud(after) if is_read else ()
    if aloud and before.interview is None and (view := dialogue.forms.shown(after)) is not None:
        aloud = (*view.above, *aloud)
    in_form = goes_on or reaction.refused is not None
    return Outcome(before, reaction, note=reaction.refused or "", aloud=aloud, in_form=in_form)
