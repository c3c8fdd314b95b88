"""One turn of the dialogue: where it stands, what follows, and the two ways in which a turn may end."""

from dataclasses import dataclass, replace
from typing import Literal

from forge_edge.dialogue.crisis import Raised
from forge_edge.dialogue.exercise import Progress
from forge_edge.dialogue.reminders import Watched
from forge_edge.forms.state import FormState
from forge_edge.messages import Instruction, Listen, SpeechHeard
from forge_edge.observations import Observation, UtteranceHeard
from forge_edge.speech.grammar import Vocabulary
from forge_edge.speech.voice import PLAIN, Voice
from forge_shared.model import Frozen

Activity = Literal["idle", "request", "doubt", "form", "resume", "who", "exercise", "remind", "fall"]
"""What the room may be waiting for."""

Speaker = Literal["assumed", "asked", "unknown"]
"""Who speaks: the one person who lives here; perhaps someone else, so that it is asked; or nobody knows whose room it
is, and then nothing personal begins."""


AfterFall = Literal["well", "hurt", "silence"]
"""What somebody who may have fallen answered; what was not understood is no "well"."""


class Conversation(Frozen):
    """Where the dialogue stands; saved after every step.

    Attributes:
        activity: What the room waits for: its wake word, a request, whether it heard a request right, an answer in a
            form, whether to go on with one, who speaks, the end of a silence in an exercise, a reminder to be
            confirmed, or whether somebody who may have fallen is all right.
        tries: Requests in a row that were not understood.
        doubted: The request that was heard without certainty and is being asked about.
        interview: The form in progress, also while it is paused.
        turn: Number of the last turn.
        session: The recorded session that is on.
        speaker: What is known of who speaks.
        raised: Dangers that the staff were told of lately.
        exercise: The exercise in progress, also while it is paused.
        voice: How the person wants the room to sound.
        last_said: What the room said last, for who did not catch it.
        wrong_pins: Wrong PINs of the staff in a row.
        reminders: What is reminded of, and how far each is settled.
        reminder: The reminder that was said and may be confirmed now.
        muted: Whether the patient wants the room to hear nothing.
        quiet: Whether the patient wants what they touch not to be read aloud.
    """

    activity: Activity = "idle"
    tries: int = 0
    doubted: str | None = None
    interview: FormState | None = None
    turn: int = 0
    session: str | None = None
    speaker: Speaker = "assumed"
    raised: tuple[Raised, ...] = ()
    voice: Voice = PLAIN
    exercise: Progress | None = None
    last_said: tuple[str, ...] = ()
    wrong_pins: int = 0
    reminders: tuple[Watched, ...] = ()
    reminder: str | None = None
    muted: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Reaction:
    """The new state, what the ears shall do next, and what was observed on the way.

    Without an instruction the ears go on with what they are doing; ``later`` is to be said before the next sentence.
    ``ambience`` is a code of `sentences.AMBIENCE` for Home Assistant. ``refused`` says to somebody at the screen why
    what they entered was not taken. ``after_fall`` is what somebody who may have fallen answered.
    """

    conversation: Conversation
    instruction: Instruction | None
    observations: tuple[Observation, ...] = ()
    later: tuple[str, ...] = ()
    ambience: str | None = None
    refused: str | None = None
    after_fall: AfterFall | None = None


def listening(  # noqa: PLR0913 (one place that builds a listening turn)
    before: Conversation,
    activity: Activity,
    say: tuple[str, ...],
    vocabulary: Vocabulary,
    patience_seconds: float,
    *,
    tries: int = 0,
    tone: bool = False,
    observations: tuple[Observation, ...] = (),
) -> Reaction:
    """Return the turn that says this and then listens for one of the phrases of a vocabulary."""
    after = before.model_copy(update={"activity": activity, "tries": tries, **_next(before, say)})
    grammar = vocabulary.grammar
    listen = Listen(
        grammar=grammar.name, phrases=grammar.phrases, senses=grammar.senses, patience_seconds=patience_seconds
    )
    return Reaction(after, _instruction(after, say, tone=tone, listen=listen), observations)


def resting(
    before: Conversation,
    *,
    say: tuple[str, ...] = (),
    observations: tuple[Observation, ...] = (),
    tone: bool = False,
) -> Reaction:
    """Return the turn that says this and then waits for the wake word."""
    after = before.model_copy(update={"activity": "idle", "tries": 0, **_next(before, say)})
    return Reaction(after, _instruction(after, say, tone=tone, listen=None), observations)


def taken_down(before: Conversation, heard: SpeechHeard) -> tuple[Observation, ...]:
    """Return what a recorded session takes down of an utterance."""
    if before.session is None or not heard.text:
        return ()
    return (UtteranceHeard(text=heard.text, confidence=heard.confidence),)


def with_sentence(reaction: Reaction, sentence: str) -> Reaction:
    """Return the same turn with a sentence said before all others."""
    if reaction.instruction is None:
        return reaction
    say = (sentence, *reaction.instruction.say)
    return replace(reaction, instruction=reaction.instruction.model_copy(update={"say": say}))


def _next(before: Conversation, say: tuple[str, ...]) -> dict[str, object]:
    return {"turn": before.turn + 1, "last_said": say or before.last_said}


def _instruction(after: Conversation, say: tuple[str, ...], *, tone: bool, listen: Listen | None) -> Instruction:
    dictation = after.session is not None
    return Instruction(turn=after.turn, say=say, tone=tone, listen=listen, dictation=dictation, voice=after.voice)
