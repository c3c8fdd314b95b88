"""What the core and its children say to each other over the private socket: one JSON object a line.

Neither sound nor a picture ever crosses. The ears report a `Perception` and then wait for exactly one `Instruction`;
the core may send further instructions while the ears wait for their wake word. The eyes report, and are told one thing:
to open their drawing page.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from forge_edge.speech.voice import PLAIN, Voice
from forge_shared.events import Code
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


class OpenDrawing(Frozen):
    """The eyes shall open the page on which zones and masks are drawn, once, for who comes with this token.

    Attributes:
        token: 43 characters of base64url, made for this once.
        screen_port: Port of the room's screen on loopback: where who draws comes from and goes back to.
    """

    kind: Literal["draw"] = "draw"
    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$", repr=False)]
    screen_port: Annotated[int, Field(ge=1024, le=65535)]


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
        took_ms: How long it was transcribed; 0 where that was done before its end was sure.
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
    took_ms: Annotated[float, Field(ge=0)] = 0.0
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
    """The child lives. Sent every second; needs no answer.

    Attributes:
        busy_seconds: How long it may now be silent: an engine's own code may hold the whole process still.
        stuck: Whether its work does not go on, so that it shall be ended.
    """

    kind: Literal["beat"] = "beat"
    busy_seconds: Annotated[float, Field(ge=0, le=30)] = 0.0
    stuck: bool = False


Said = Hearing | WakeHeard | SpeechHeard | NothingHeard | RoomState
"""What the ears say that the core handles; of a `Beat` it only notes that it came."""

Perception = Annotated[Said | Beat, Field(discriminator="kind")]

_PERCEPTION: TypeAdapter[Said | Beat] = TypeAdapter(Perception)

PERSON_NUMBERS = 33 * 4
"""As `forge_edge.vision.ports.Keypoints`, one point after the other."""
MOST_PEOPLE = 10
"""More than fit into a patient's room; a look has an end."""

PersonSeen = Annotated[
    tuple[Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)], ...],
    Field(min_length=PERSON_NUMBERS, max_length=PERSON_NUMBERS),
]
"""One person's points: x, y, z and visibility of each. A point guessed far outside the picture is cut to 100."""


class Sight(Frozen):
    """The eyes see, or their source changed.

    Attributes:
        state: ``closed``: a recording is at its end.
        reason: ``source-silent``: an opened camera delivers nothing; ``source-failed``: it is gone or cannot be opened.
    """

    kind: Literal["sight"] = "sight"
    state: Literal["ok", "lost", "closed"]
    reason: Literal["started", "source-silent", "source-failed", "recovered", "stopped"]


class PictureMeasures(Frozen):
    """A picture as a whole, as `forge_edge.monitor.looks.Measures`."""

    luma: Annotated[float, Field(ge=0, le=255)]
    contrast: Annotated[float, Field(ge=0, le=128)]
    motion: Annotated[float, Field(ge=0, le=255)]
    scene: Annotated[int, Field(ge=0, lt=2**64)]


class Seen(Frozen):
    """One look. Sent at most some ten times a second; only the newest waits for a core that is busy.

    Attributes:
        at_s: When the picture was taken, on this machine's monotonic clock.
        people: Everybody that was found, rounded to 0.0001 of the picture.
        measures: The picture; None where a log of keypoints is played that has no measures.
        looked: Whether a network looked at this picture; where it did not, ``people`` are those of the look before.
        masks: Version of the privacy masks in the picture.
        aspect: Height of the picture over its width.
        took_ms: How long the network looked; None where it did not.
    """

    kind: Literal["seen"] = "seen"
    at_s: float
    aspect: Annotated[float, Field(ge=0.1, le=10)]
    people: Annotated[tuple[PersonSeen, ...], Field(max_length=MOST_PEOPLE)]
    measures: PictureMeasures | None
    looked: bool
    masks: Code
    took_ms: Annotated[float, Field(ge=0)] | None = None


class DrawingPage(Frozen):
    """The eyes' drawing page was opened, or there is none any more.

    Attributes:
        port: Its port on loopback; None: it is closed, or could not be opened.
    """

    kind: Literal["drawing"] = "drawing"
    port: Annotated[int, Field(ge=1, le=65535)] | None


Shown = Sight | Seen | DrawingPage
"""What the eyes say that the core handles."""

_SHOWN: TypeAdapter[Shown | Beat] = TypeAdapter(Annotated[Shown | Beat, Field(discriminator="kind")])


def read_perception(line: bytes) -> Said | Beat:
    """Read one line from the ears.

    Raises:
        pydantic.ValidationError: It is no perception; the error does not repeat it.
    """
    return _PERCEPTION.validate_json(line)


def read_shown(line: bytes) -> Shown | Beat:
    """Read one line from the eyes.

    Raises:
        pydantic.ValidationError: It is nothing that eyes say; the error does not repeat it.
    """
    return _SHOWN.validate_json(line)


def read_order(line: bytes) -> Instruction | Mute:
    """Read one line from the core.

    Raises:
        pydantic.ValidationError: It is no order.
    """
    return _ORDER.validate_json(line)


def read_drawing_order(line: bytes) -> OpenDrawing:
    """Read one line from the core to its eyes.

    Raises:
        pydantic.ValidationError: It is no order of theirs.
    """
    return OpenDrawing.model_validate_json(line)
