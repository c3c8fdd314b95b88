"""What became of a simulated patient, for the demo, the benchmark and tests."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field

from forge_edge.errors import AudioError
from forge_shared.files import replace
from forge_shared.model import Frozen


class Said(Frozen):
    """One thing that the patient said.

    Attributes:
        text: The words.
        meaning: As `patient.Says`.
        last_word_at_seconds: Stream time at which the last word ended.
        last_word_at: Wall-clock time, UTC, at which that moment was handed to the room.
    """

    text: str
    meaning: str
    last_word_at_seconds: Annotated[float, Field(ge=0)]
    last_word_at: AwareDatetime


class Outcome(Frozen):
    """How far a patient has come.

    Attributes:
        done: Everything that they wanted was done.
        gave_up: The room did not answer, or never understood.
        re_prompts: Times the room asked the same again because it did not understand or misheard.
        said: Everything that they said, in order.
    """

    done: bool
    gave_up: bool
    re_prompts: Annotated[int, Field(ge=0)]
    said: tuple[Said, ...]

    def last_word_of(self, meaning: str) -> datetime | None:
        """Return when the patient last said something of that meaning, if they did."""
        return next((said.last_word_at for said in reversed(self.said) if said.meaning == meaning), None)


def write(path: Path, outcome: Outcome) -> None:
    """Write an outcome as JSON, replacing ``path`` atomically.

    Raises:
        AudioError: The file cannot be written.
    """
    try:
        replace(path, outcome.model_dump_json(indent=1).encode())
    except OSError:
        raise AudioError(f"cannot write {path.name}") from None
