"""What the core and its children say to each other over the private socket: one JSON object a line.

Sound never crosses. The ears report a `Perception` and then wait for exactly one `Instruction`; the core may send
further instructions while the ears wait for their wake word.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from forge_edge.speech.voice import PLAIN, Voice
from forge_shared.model import Frozen

LINE_BYTES = 256 * 1024
"""Longest line: an instruction with a form's grammar is about 10 kB."""


class Listen(Frozen):
    """Listen for one utterance, with a grammar of these phrases; give up when nobody speaks for that long.

    ``senses`` says what each phrase means, in the same order; empty where each has a sense of its own.
    """

    grammar: str
    phrases: tuple[str, ...]
    senses: tuple[str, ...] = ()
    patience_seconds: Annotated[float, Field(gt=0, le=60)]


class Instruction(Frozen):
    """What the ears shall do next: say this, then sound the tone, then listen. All may be absent.

    While a question is being said, speech of the patient silences the room and is heard as the answer; while anything
    is being said, the wake word does.

    Attributes:
        turn: Number of the turn, repeated in what it leads to.
        say: Sentences, spoken one after the other.
        tone: Whether to sound the tone that says: I am listening.
        listen: What to listen for afterwards; None means the wake word (and, in a recorded session, everything).
        dictation: Whether a recorded session is on, so that what is said without a wake word is taken down too.
        guarded: Whether it says something that concerns somebody's safety: only speech that lasts interrupts it.
        at_once: Whether what is being said is broken off for it, unless that is guarded: somebody touched the screen.
        voice: How it shall sound.
    """

    kind: Literal["instruction"] = "instruction"
    turn: int
    say: tuple[str, ...] = ()
    tone: bool = False
    listen: Listen | None = None
    dictation: bool = False
    guarded: bool = False
    at_once: bool = False
    voice: Voice = PLAIN


class Mute(Frozen):
    """The ears shall keep nothing of what the microphone delivers, or hear again. Holds until the next of its kind."""

    kind: Literal["mute"] = "mute"
    muted: bool


Order = Annotated[Instruction | Mute, Field(discriminator="kind")]

_ORDER: TypeAdapter[Instruction | Mute] = TypeAdapter(Order)


class Hearing(Frozen):
    """The ears are ready, or their source changed. Unknown is a state: silence from the ears themselves counts too."""

    kind: Literal["hearing"] = "hearing"
    state: Literal["ok", "lost", "closed"]
    reason: Literal["started", "source-silent", "source-failed", "recovered", "stopped", "consent-withdrawn"]


class WakeHeard(Frozen):
    """The wake word was heard."""

    kind: Literal["wake"] = "wake"
    word: str
    score: Annotated[float, Field(ge=0, le=1)]


class SpeechHeard(Frozen):
    """An utterance was heard, in a turn or (``turn`` None) as dictation.

    Attributes:
        doubted: Whether ``text``, not accepted, is probable enough to be asked about.
        safety: A call for help or a danger, heard beside whatever was asked; `forge_language.crisis` judges it.
        words: What was said, taken down freely beside whatever was asked; judged for danger and for nothing else.
        ended_monotonic_seconds: When its last word ended, on this machine's monotonic clock, for latency figures.
    """

    kind: Literal["speech"] = "speech"
    turn: int | None
    text: str
    accepted: bool
    confidence: Annotated[float, Field(ge=0, le=1)]
    engine: str
    doubted: bool = False
    safety: str | None = None
    words: str | None = None
    ended_monotonic_seconds: float


class NothingHeard(Frozen):
    """A turn asked to listen and nobody spoke."""

    kind: Literal["nothing"] = "nothing"
    turn: int


class RoomState(Frozen):
    """What the room is doing, for its screen and its light. Sent at every change and every half minute.

    Attributes:
        state: As `turns.State`.
        audible: Whether the loudspeaker worked when it was last used.
    """

    kind: Literal["room"] = "room"
    state: Literal["waiting", "listening", "deciding", "speaking", "muted", "lost", "closed"]
    audible: bool = True


class Beat(Frozen):
    """The ears live. Sent every second; needs no answer.

    Attributes:
        busy_seconds: How long they may now be silent: an engine's own code may hold the whole process still.
    """

    kind: Literal["beat"] = "beat"
    busy_seconds: Annotated[float, Field(ge=0, le=30)] = 0.0


Said = Hearing | WakeHeard | SpeechHeard | NothingHeard | RoomState
"""What the ears say that the core handles; of a `Beat` it only notes that it came."""

Perception = Annotated[Said | Beat, Field(discriminator="kind")]

_PERCEPTION: TypeAdapter[Said | Beat] = TypeAdapter(Perception)


def read_perception(line: bytes) -> Said | Beat:
    """Read one line from a child.

    Raises:
        pydantic.ValidationError: It is no perception; the error does not repeat it.
    """
    return _PERCEPTION.validate_json(line)


def read_order(line: bytes) -> Instruction | Mute:
    """Read one line from the core.

    Raises:
        pydantic.ValidationError: It is no order.
    """
    return _ORDER.validate_json(line)
