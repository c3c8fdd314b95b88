"""A form in progress: one state for voice, touch and writing, kept after every step."""

from datetime import datetime
from typing import Literal

from forge_shared.events import Mode
from forge_shared.forms.elements import Value
from forge_shared.forms.filling import Place
from forge_shared.model import Frozen

Kind = Literal["say", "ask", "more"]
Key = tuple[Kind, Place, int]
"""One thing on the way through a form: a text, a question, or whether a group is filled in again, and how often."""

Absent = Literal["skipped", "declined", "not-understood", "unsupported"]
"""Why a question has no answer: the person passed it by, or does not want to answer; the room did not understand what
was said, or could not take such an answer in the way it was asked."""


class How(Frozen):
    """How an answer came: by which way, in which language (BCP 47), and what an engine made of it.

    Attributes:
        engine: The engine that heard it, None where nothing was heard.
        confidence: That engine's, 0 to 1; comparable within one engine only.
    """

    mode: Mode
    language: str = "en"
    engine: str | None = None
    confidence: float | None = None


class Earlier(Frozen):
    """What was stored for a question before it was answered anew."""

    values: tuple[Value, ...]
    absent: Absent | None
    mode: Mode
    at: datetime


class Entry(Frozen):
    """What is stored for one question: its answers, or why it has none, with their provenance.

    Attributes:
        reason: In the person's own words why they declined; it stays in the room.
        times_asked: How often the question had been asked by then.
        earlier: What was stored before, oldest first.
    """

    place: Place
    values: tuple[Value, ...]
    absent: Absent | None
    reason: str = ""
    how: How
    at: datetime
    times_asked: int
    earlier: tuple[Earlier, ...] = ()

    @property
    def link_id(self) -> str:
        """The question's link id."""
        return self.place[-1][0]

    @property
    def code(self) -> str:
        """The first answer's code, where it is a coded one; otherwise empty."""
        coding = self.values[0].value_coding if self.values else None
        return (coding.code or coding.display) if coding is not None else ""

    @property
    def corrected(self) -> bool:
        """Whether another answer was stored before."""
        return any(earlier.values for earlier in self.earlier)


class Pending(Frozen):
    """An answer that is being read back and not stored yet.

    Attributes:
        adds: Whether it comes beside the answers that are stored, where a question takes several.
    """

    values: tuple[Value, ...]
    how: How
    adds: bool = False


class FormState(Frozen):
    """Where a form stands; saved after every step, so that a restart can resume it.

    Attributes:
        response: Id of the response that this becomes.
        at: What is being asked; None when the form is over.
        entries: What is stored, what was stored last at the end.
        past: Texts that were said, and groups of which it was asked whether there is another one.
        repetitions: How often a repeating group stands there, by the place of its first; 1 where it is not named.
        asked: How often each question was asked.
        pending: What was heard and is being read back.
        adding: Whether a further answer is asked for, to a question that has one and takes several.
        parts: What was said of an answer that is asked for in parts, such as a date.
        risk_key: Names the risk answer that is being read back.
        risks: Risk answers so far, so that each has a name of its own.
        led: The way the last input came.
        misunderstood: Misunderstandings in a row.
        unconfirmed: Read-backs of the current question that were not confirmed.
    """

    form_id: str
    canonical: str
    response: str
    started_at: datetime
    status: Literal["in-progress", "completed", "stopped"] = "in-progress"
    at: Key | None = None
    entries: tuple[Entry, ...] = ()
    past: tuple[Key, ...] = ()
    repetitions: tuple[tuple[Place, int], ...] = ()
    asked: tuple[tuple[Place, int], ...] = ()
    pending: Pending | None = None
    adding: bool = False
    parts: tuple[str, ...] = ()
    risk_key: str | None = None
    risks: int = 0
    led: Mode = "voice"
    misunderstood: int = 0
    unconfirmed: int = 0
    silences: int = 0
    re_prompts: int = 0

    @property
    def current(self) -> str:
        """Link id of what is being asked; empty when the form is over."""
        return self.at[1][-1][0] if self.at is not None else ""

    @property
    def answers(self) -> tuple[Entry, ...]:
        """The questions that have an answer."""
        return tuple(entry for entry in self.entries if entry.values)

    @property
    def skipped(self) -> tuple[str, ...]:
        """The questions that were left out, for whatever reason."""
        return tuple(entry.link_id for entry in self.entries if not entry.values)

    @property
    def codes(self) -> dict[str, str]:
        """Stored codes by link id."""
        return {entry.link_id: entry.code for entry in self.answers if entry.code}

    def entry(self, place: Place) -> Entry | None:
        """Return what is stored for the question at ``place``."""
        return next((entry for entry in self.entries if entry.place == place), None)

    def times_asked(self, place: Place) -> int:
        """Return how often the question at ``place`` was asked."""
        return dict(self.asked).get(place, 0)
