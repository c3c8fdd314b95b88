"""Reads a transcript of any format that is understood into pieces."""

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Final, Literal, get_args

from forge_hub.passes.errors import TranscriptRefusedError
from forge_hub.passes.pieces import MOST_BYTES, MOST_PIECES, Piece
from forge_hub.passes.readers.captions import read_captions
from forge_hub.passes.readers.json_turns import read_json
from forge_hub.passes.readers.tables import read_table
from forge_hub.passes.readers.text import decoded, read_lines, read_markdown
from forge_hub.passes.readers.word import read_word

Format = Literal["text", "markdown", "csv", "json", "vtt", "srt", "docx"]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)

_SUFFIXES: Final[Mapping[str, Format]] = {
    ".txt": "text",
    ".text": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".vtt": "vtt",
    ".srt": "srt",
    ".docx": "docx",
}
_READERS: Final[Mapping[Format, Callable[[str], list[Piece]]]] = {
    "text": read_lines,
    "markdown": read_markdown,
    "csv": read_table,
    "json": read_json,
    "vtt": read_captions,
    "srt": read_captions,
}
_ZIP = b"PK\x03\x04"


def format_of(name: str) -> Format:
    """Return the format that a file's name says; text where it says nothing."""
    return _SUFFIXES.get(PurePath(name).suffix.lower(), "text")


def read(content: bytes, kind: Format, encoding: str | None = None) -> list[Piece]:
    """Return the pieces of a transcript, at least one, in their order.

    Args:
        content: The file.
        kind: Its format.
        encoding: Of its letters; None: UTF-8, or UTF-16 where a mark at its beginning says so.

    Raises:
        TranscriptRefusedError: It is none that can be taken in.
    """
    if len(content) > MOST_BYTES:
        raise TranscriptRefusedError("too-large")
    if not content.strip():
        raise TranscriptRefusedError("empty")
    if kind == "docx":
        if not content.startswith(_ZIP):
            raise TranscriptRefusedError("format")
        pieces = read_word(content)
    elif content.startswith(_ZIP):
        raise TranscriptRefusedError("binary")
    else:
        pieces = _READERS[kind](decoded(content, encoding))
    if len(pieces) > MOST_PIECES:
        raise TranscriptRefusedError("too-many-turns")
    if not pieces:
        raise TranscriptRefusedError("no-turns")
    return pieces
