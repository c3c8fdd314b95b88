"""Reads letters, lines and Markdown."""

import codecs
import re
import unicodedata

from forge_hub.passes.errors import TranscriptRefusedError
from forge_hub.passes.pieces import Piece

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks (Unicode 15, section 23.8), those of UTF-32 first: that of UTF-16 begins one of them."""
MOST_CONTROLS = 0.01
"""Share of control characters from which on a file is no text. Ours: text has none but tabs and ends of lines."""
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
"""Control characters that no text has: all but tabs and ends of lines (U+0085 is one)."""
_NOT_KEPT = re.compile(r"[\x00-\x1f\x7f-\x9f\ufeff]")
_SPACES = re.compile(r"\s+")
_FENCE = re.compile(r"^(```|~~~)")
_RULE = re.compile(r"^\s*([-*_=])(\s*\1){2,}\s*$")
_HEADING = re.compile(r"^#{1,6}(\s|$)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_QUOTE_OR_ITEM = re.compile(r"^\s*(?:(?:>|[-*+]|\d{1,4}[.)])\s+)+")
_LINK = re.compile(r"!?\[([^\[\]\n]{0,500})\]\([^()\n]{0,2000}\)")
_EMPHASIS = re.compile(r"(\*{1,3}|_{2,3}|`)(?=\S)(.{1,2000}?)(?<=\S)\1")


def decoded(content: bytes, encoding: str | None = None) -> str:
    """Return a file's text in the normal form NFC.

    Raises:
        TranscriptRefusedError: It is no text, or not in this encoding.
    """
    if encoding is None:
        encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
        if encoding == "utf-8" and b"\x00" in content:
            raise TranscriptRefusedError("binary")
    try:
        text = content.decode(encoding)
    except (UnicodeDecodeError, LookupError, ValueError, TypeError):
        raise TranscriptRefusedError("encoding" if _may_be_text(content) else "binary") from None
    if not isinstance(text, str):  # a codec that makes bytes of bytes
        raise TranscriptRefusedError("encoding")
    if len(_CONTROLS.findall(text)) > MOST_CONTROLS * len(text):
        raise TranscriptRefusedError("binary")
    return unicodedata.normalize("NFC", text)


def _may_be_text(content: bytes) -> bool:
    # In an encoding of one byte a letter, the second half of the table is letters.
    return len(re.findall(rb"[\x00-\x08\x0e-\x1f\x7f]", content)) <= MOST_CONTROLS * len(content)


def clean(text: str) -> str:
    """Return text on one line that every store can hold: no control characters, no halves of surrogate pairs."""
    whole = text.encode(errors="replace").decode()
    return _SPACES.sub(" ", _NOT_KEPT.sub(" ", whole)).strip()


def read_lines(text: str) -> list[Piece]:
    """Return the lines that hold text."""
    pieces: list[Piece] = []
    gap = False
    for number, line in enumerate(text.splitlines(), start=1):
        said = clean(line)
        if said:
            pieces.append(Piece(number, said, after_gap=gap))
        gap = not said
    return pieces


def read_markdown(text: str) -> list[Piece]:
    """Return the lines that hold what was said: without front matter, headings, rules, comments, quotes and stress."""
    lines = _COMMENT.sub(lambda found: "\n" * found.group().count("\n"), text).splitlines()
    start = _after_front_matter(lines)
    pieces: list[Piece] = []
    gap = False
    for number, line in enumerate(lines[start:], start=start + 1):
        is_form = _HEADING.match(line) or _RULE.match(line) or _FENCE.match(line)
        said = "" if is_form else clean(_plain(line))
        if said:
            pieces.append(Piece(number, said, after_gap=gap))
        gap = not said
    return pieces


def _after_front_matter(lines: list[str]) -> int:
    if not lines or lines[0].strip() != "---":
        return 0
    return next((place + 1 for place, line in enumerate(lines[1:], start=1) if line.strip() in ("---", "...")), 0)


def _plain(line: str) -> str:
    without = _LINK.sub(r"\1", _QUOTE_OR_ITEM.sub("", line))
    return _EMPHASIS.sub(r"\2", without)
