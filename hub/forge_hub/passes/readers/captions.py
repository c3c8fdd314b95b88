"""Reads WebVTT and SubRip captions.

Source: W3C WebVTT, section 4 (syntax) and 6 (parsing); SubRip has no standard and is the same with commas in its times.
"""

import html
import re

from forge_hub.passes.errors import TranscriptRefusedError
from forge_hub.passes.pieces import Piece
from forge_hub.passes.readers.text import clean

_TIMES = re.compile(r"^\s*(?:(\d{1,4}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})\s*-->\s*(?:\d{1,4}:)?\d{1,2}:\d{2}[.,]\d{1,3}")
_VOICE = re.compile(r"<v(?:\.[^\s>]{0,100})?[ \t]+([^>]{1,100})>")
_TAG = re.compile(r"</?[A-Za-z0-9:.][^<>]{0,200}>|</>|\{\\[^{}]{0,50}\}")
_NO_CUES = ("NOTE", "STYLE", "REGION")


def read_captions(text: str) -> list[Piece]:
    """Return the cues, a piece for each voice in them, each with when it begins.

    Raises:
        TranscriptRefusedError: There is no cue in it.
    """
    pieces: list[Piece] = []
    cues = 0
    for number, block in _blocks(text):
        if block[0].startswith(_NO_CUES) and not any(_TIMES.match(line) for line in block):
            continue
        at = next((place for place, line in enumerate(block) if _TIMES.match(line)), None)
        if at is None:
            continue
        cues += 1
        times = _TIMES.match(block[at])
        pieces += _voices("\n".join(block[at + 1 :]), number + at + 1, _seconds(times) if times else 0.0)
    if not cues:
        raise TranscriptRefusedError("format")
    return pieces


def _blocks(text: str) -> list[tuple[int, list[str]]]:
    """Return the blocks between empty lines, each with the number of its first line."""
    blocks: list[tuple[int, list[str]]] = []
    open_block = False
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            open_block = False
        elif open_block:
            blocks[-1][1].append(line)
        else:
            blocks.append((number, [line]))
            open_block = True
    return blocks


def _voices(payload: str, line: int, seconds: float) -> list[Piece]:
    # Text before the first voice, then name and text of each.
    parts = _VOICE.split(payload)
    voices: list[tuple[str | None, str]] = [(None, parts[0])]
    voices += [(clean(html.unescape(name)) or None, said) for name, said in zip(parts[1::2], parts[2::2], strict=True)]
    pieces = []
    for label, said in voices:
        text = clean(html.unescape(_TAG.sub("", said)))
        if text:
            pieces.append(Piece(line, text, label, seconds))
    return pieces


def _seconds(times: re.Match[str]) -> float:
    hours, minutes, seconds, fraction = times.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000
