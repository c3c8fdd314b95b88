"""One turn of the dialogue: where it stands, what follows, and the two ways in which a turn may end."""

from dataclasses import dataclass
from typing import Literal

from forge_edge.dialogue.crisis import Raised
from forge_edge.forms.interview import Interview
from forge_edge.messages import Instruction, Listen
from forge_edge.observations import Observation
from forge_edge.speech.grammar import Vocabulary
from forge_shared.model import Frozen

Activity = Literal["idle", "request", "doubt", "form", "resume", "who"]
"""What the room may be waiting for."""

Speaker = Literal["assumed", "asked", "unknown"]
"""Who speaks: the one person who lives here; perhaps someone else, so that it is asked; or nobody knows whose room it
is, and then nothing personal begins."""


class Conversation(Frozen):
    """Where the dialogue stands; saved after every step.

    Attributes:
        activity: What the room waits for: its wake word, a request, whether it heard a request right, an answer in a
            form, whether to go on with one, or who speaks.
        tries: Requests in a row that were not understood.
        doubted: The request that was heard without certainty and is being asked about.
        interview: The form in progress, also while it is paused.
        turn: Number of the last turn.
        session: The recorded session that is on.
        speaker: What is known of who speaks.
        raised: Dangers that the staff were told of lately.
    """

    activity: Activity = "idle"
    tries: int = 0
    doubted: str | None = None
    interview: Interview | None = None
    turn: int = 0
    session: str | None = None
    speaker: Speaker = "assumed"
    raised: tuple[Raised, ...] = ()


@dataclass(frozen=True, slots=True)
class Reaction:
    """The new state, what the ears shall do next, and what was observed on the way.

    Without an instruction the ears go on with what they are doing; ``later`` is to be said before the next sentence.
    ``ambience`` is a code of `sentences.AMBIENCE` for Home Assistant.
    """

    conversation: Conversation
    instruction: Instruction | None
    observations: tuple[Observation, ...] = ()
    later: tuple[str, ...] = ()
    ambience: str | None = None


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
    after = before.model_copy(update={"activity": activity, "tries": tries, "turn": before.turn + 1})
    grammar = vocabulary.grammar
    listen = Listen(grammar=grammar.name, phrases=grammar.phrases, patience_seconds=patience_seconds)
    instruction = Instruction(turn=after.turn, say=say, tone=tone, listen=listen, dictation=after.session is not None)
    return Reaction(after, instruction, observations)


def resting(
    before: Conversation,
    *,
    say: tuple[str, ...] = (),
    observations: tuple[Observation, ...] = (),
    tone: bool = False,
) -> Reaction:
    """Return the turn that says this and then waits for the wake word."""
    after = before.model_copy(update={"activity": "idle", "tries": 0, "turn": before.turn + 1})
    instruction = Instruction(turn=after.turn, say=say, tone=tone, dictation=after.session is not None)
    return Reaction(after, instruction, observations)
