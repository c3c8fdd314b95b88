"""The errors of the passes.

HubError
└── PassError                     pass.failed
    ├── TranscriptRefusedError    transcript.refused
    ├── RunUnknownError           run.unknown
    └── RunStoppedError           run.stopped
"""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from forge_hub.errors import HubError

Refusal = Literal[
    "empty",
    "too-large",
    "too-many-turns",
    "encoding",
    "binary",
    "format",
    "broken",
    "bomb",
    "no-text-column",
    "several-sessions",
    "no-turns",
    "language",
]
"""Why a transcript is not taken in."""

REFUSALS: Final[tuple[Refusal, ...]] = get_args(Refusal)

_REMEDIES: Final[Mapping[Refusal, str]] = {
    "empty": "there is nothing in the file; look whether it was saved",
    "too-large": "the file is larger than 20 MiB; import it session by session",
    "too-many-turns": "it has more than 100,000 turns; import it session by session",
    "encoding": "its letters are not UTF-8; save it as UTF-8, or name its encoding with --encoding",
    "binary": "it is no text; export the transcript as text, CSV, JSON, WebVTT, SRT or docx",
    "format": "its content is not what its name says; give the right one with --format",
    "broken": "its structure is damaged or cut short; export it again",
    "bomb": "unpacked it would be many times larger than any transcript; save the document anew",
    "no-text-column": "no column or field holds what was said; name it text, utterance, content, question or answer",
    "several-sessions": "its rows name several sessions; make a file of each and import them one by one",
    "no-turns": "nobody says anything in it",
    "language": "it is not in English, which is all that the redactor reads: names would stay in it",
}


class PassError(HubError):
    """A pass could not do its work."""

    code = "pass.failed"


class TranscriptRefusedError(PassError):
    """A file is no transcript that can be taken in. The message says what to do and repeats nothing of the file.

    Attributes:
        refusal: Why.
        line: Where in the file, from 1; None where no line is at fault.
    """

    code = "transcript.refused"

    def __init__(self, refusal: Refusal, line: int | None = None) -> None:
        self.refusal = refusal
        self.line = line
        place = "" if line is None else f", line {line}"
        super().__init__(f"the transcript is refused ({self.code}.{refusal}{place}): {_REMEDIES[refusal]}")


class RunUnknownError(PassError):
    """There is no such run, or more than one whose id begins so."""

    code = "run.unknown"


class RunStoppedError(PassError):
    """A run was stopped on request. What it had done stays, and the same command goes on from there."""

    code = "run.stopped"
