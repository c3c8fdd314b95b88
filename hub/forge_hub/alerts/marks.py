"""What a person says that an alarm was: real, false or a test, and the cause as a code. Pure.

The causes are ours. Those of false alarms are what systems that watch for falls were seen to take for one, such as
bedding, visitors, shadows, animals and staff at work; they name what a site can do something about.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from forge_hub.errors import AnswerInvalidError

Verdict = Literal["real", "false", "test"]

VERDICTS: Mapping[Verdict, str] = {"real": "Real", "false": "False alarm", "test": "Test"}
REASONS: Mapping[Verdict, Mapping[str, str]] = {
    "real": {
        "fall": "A fall",
        "found-on-floor": "Found on the floor",
        "slid": "Slid or was lowered down",
        "got-up": "Got up alone",
        "left": "Had left the room",
        "not-moving": "Did not move",
        "stranger": "Somebody who should not be there",
        "other": "Something else",
    },
    "false": {
        "blanket": "Blanket or clothes",
        "visitor": "A visitor",
        "staff": "Staff at work",
        "light": "Shadow, light or a screen",
        "pet": "An animal",
        "posture": "Sat, lay or bent down on purpose",
        "furniture": "A chair, lifter or other thing",
        "zone": "A zone is drawn wrong",
        "other": "Something else",
    },
    "test": {"drill": "A drill or a test"},
}
"""Causes by verdict: code and words."""

CAUSE_OF: Mapping[Verdict, str] = {"real": "real", "false": "false", "test": "drill"}
"""As which of `forge_hub.alerts.states.CAUSES` an alert is closed that is marked so."""
NONE = "none"
"""Stands for a mark that is taken back."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A verdict, and its cause where one was named."""

    verdict: Verdict
    reason: str | None = None

    def code(self) -> str:
        """Return the mark as forms send it, such as ``false.blanket``."""
        return self.verdict if self.reason is None else f"{self.verdict}.{self.reason}"

    def words(self) -> str:
        """Return the mark as a person reads it."""
        reason = REASONS[self.verdict].get(self.reason or "")
        return VERDICTS[self.verdict] if reason is None else f"{VERDICTS[self.verdict]}: {reason.lower()}"


def mark_of(code: str) -> Mark | None:
    """Return the mark that a form sent; None where it takes one back.

    Raises:
        AnswerInvalidError: There is no such verdict, or no such cause of it.
    """
    if code == NONE:
        return None
    said, _, reason = code.partition(".")
    verdict = next((each for each in VERDICTS if each == said), None)
    if verdict is None or (reason and reason not in REASONS[verdict]):
        raise AnswerInvalidError("an alarm is marked real, false or test, with a cause of the list")
    return Mark(verdict, reason or None)


def stored_mark(verdict: str | None, reason: str | None) -> Mark | None:
    """Return the mark that is stored; None where there is none."""
    known = next((each for each in VERDICTS if each == verdict), None)
    return None if known is None else Mark(known, reason)


def verdict_of(cause: str | None) -> Verdict | None:
    """Return what closing an alert with a cause says that it was; None where it says neither."""
    return next((verdict for verdict, as_cause in CAUSE_OF.items() if as_cause == cause), None)
