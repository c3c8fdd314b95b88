"""What a reader finds in a transcript, before anybody has asked who speaks."""

from dataclasses import dataclass

MOST_BYTES = 20 * 1024 * 1024
"""Largest file. Ours: an hour of talk is some 60 kB of text; two thousand such hours are 120 MB, hence many files."""
MOST_PIECES = 100_000
"""Most lines or entries with text. Ours: a day of talk without a pause has some 20,000 turns."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a transcript: a line, a cue, a row, a paragraph.

    Attributes:
        line: Where it stands in the file, from 1: a line, or the number of an entry in JSON and of a paragraph in docx.
        text: What it says, not empty.
        label: Who says it, as the file's structure has it; None where only the text may tell.
        seconds: When, from the beginning of the session; None where the file does not say.
        joins: Whether it may be the rest of what was said before: so it is with lines, and not with rows of a table.
        after_gap: Whether an empty line stands before it.
    """

    line: int
    text: str
    label: str | None = None
    seconds: float | None = None
    joins: bool = True
    after_gap: bool = False
