"""What a finger can do on the screen, read from what the page sends. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from forge_edge.errors import TapInvalidError
from forge_edge.forms import touch
from forge_shared.events import RequestCode

_FORM_ACTIONS: Mapping[str, touch.Action] = {
    "right": touch.Confirm(right=True),
    "wrong": touch.Confirm(right=False),
    "another": touch.More(another=True),
    "no-more": touch.More(another=False),
    "back": touch.Back(),
    "repeat": touch.Repeat(),
    "keep": touch.Keep(),
    "skip": touch.Skip(),
    "decline": touch.Decline(),
    "pause": touch.Pause(),
    "stop": touch.Stop(),
}
SAYABLE = frozenset({"yes", "no", "done", "later", "refused", "go-on", "stop-exercise", "dizzy"})
MOST_ANSWERS = 200
"""No question takes more at once; the largest value set of the forms at hand has fewer."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Something was asked for."""

    request: RequestCode


@dataclass(frozen=True, slots=True)
class SeenCall:
    """What became of the call was seen; it need not be shown any more."""


@dataclass(frozen=True, slots=True)
class Mute:
    """The room shall hear nothing, or hear again."""

    muted: bool


@dataclass(frozen=True, slots=True)
class Quiet:
    """What is answered by touch shall not be read aloud, or be read again."""

    quiet: bool


@dataclass(frozen=True, slots=True)
class Dim:
    """The screen shall be dark, or bright."""

    dark: bool


@dataclass(frozen=True, slots=True)
class BeginForm:
    """The patient wants to fill in their form, or to go on with it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What could have been said to the question that was on the screen, by the code of its meaning."""

    code: str
    question: str


@dataclass(frozen=True, slots=True)
class Pin:
    """A member of the staff vouches for who is there. Never in a log: it is a secret."""

    pin: str = field(repr=False)
    question: str


@dataclass(frozen=True, slots=True)
class DrawZones:
    """A member of the staff wants to draw zones and masks. Never in a log: it holds a secret."""

    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class InForm:
    """Something was done to the question that was on the screen; ``question`` names it."""

    action: touch.Action
    question: str


Tap = Ask | SeenCall | Mute | Quiet | Dim | BeginForm | Said | Pin | DrawZones | InForm

_SWITCHES: Mapping[str, Tap] = {
    "mute": Mute(muted=True),
    "unmute": Mute(muted=False),
    "quiet": Quiet(quiet=True),
    "aloud": Quiet(quiet=False),
    "dark": Dim(dark=True),
    "bright": Dim(dark=False),
    "seen": SeenCall(),
    "form": BeginForm(),
}


def read(fields: Mapping[str, Sequence[str]]) -> Tap:
    """Read one tap.

    Args:
        fields: The page's form: ``do`` is what was done, ``to`` the question it was done to, ``with`` the answers.

    Raises:
        TapInvalidError: It is nothing that this page can send.
    """
    done = _one(fields, "do")
    question = _one(fields, "to")
    if done in _SWITCHES:
        return _SWITCHES[done]
    if done in _FORM_ACTIONS:
        return InForm(_FORM_ACTIONS[done], question)
    if done in SAYABLE:
        return Said(done.removesuffix("-exercise"), question)
    if done == "answer":
        given = tuple(fields.get("with", ()))
        if len(given) > MOST_ANSWERS:
            raise TapInvalidError("so many answers are none of this page")
        # A quantity comes in two fields: its number and its unit.
        unit = _one(fields, "unit")
        return InForm(touch.Answer(tuple(f"{one} {unit}".strip() for one in given) if unit else given), question)
    if done in ("pin", "draw"):
        pin = _one(fields, "pin")
        return Pin(pin, question) if done == "pin" else DrawZones(pin)
    for request in get_args(RequestCode):
        if done == f"ask-{request}":
            return Ask(request)
    raise TapInvalidError("this page sends no such thing")


def _one(fields: Mapping[str, Sequence[str]], name: str) -> str:
    values = fields.get(name, ())
    if len(values) > 1:
        raise TapInvalidError("a field of this page is sent twice")
    return values[0] if values else ""
