"""Made transcripts of any length, in every format, and files that are none. Seeded; nobody ever said any of it."""

import csv
import io
import json
import random
import string
import zipfile
from collections.abc import Callable, Mapping, Sequence
from xml.sax.saxutils import escape

from forge_hub.passes.readers import Format

Said = tuple[str, str]
"""Label and words."""

_ASKS = (
    "How did you sleep after that, and what did you think when you woke up?",
    "What was it like for you when they said that?",
    "Can you tell me more about what happened at work?",
    "And how do you feel about it now?",
)
_SAYS = (
    "I always mess things up and everyone probably thinks that I am a failure.",
    "It was a good week, I was calm and I went for a walk with my sister.",
    "I could not sleep because I was thinking about the phone call the whole night.",
    "He never listens to me and that makes me so angry that I want to leave.",
    "I should have known that it would go wrong, it is my fault.",
    "My neighbour is called Margaret Whitfield and her number is 07700 900123.",
    "We had a nice time at the lake and I laughed for the first time in weeks.",
)
_THINGS = (
    *("bread", "water", "table", "chair", "window", "letter", "garden", "kitchen", "bottle"),
    *("soup", "candle", "basket", "blanket", "cup", "plate", "spoon", "shoe", "door"),
)


def words(number: int) -> str:
    """Return words that stand in no other turn, of the first 5,832, and that no redactor takes for a name."""
    found = []
    for _ in range(3):
        number, rest = divmod(number, len(_THINGS))
        found.append(_THINGS[rest])
    return " and ".join(found)


def turns(count: int, seed: int = 1) -> list[Said]:
    """Return a conversation of so many turns; each holds its own `words`, some are longer than a row may be."""
    chance = random.Random(seed)
    said: list[Said] = []
    for number in range(count):
        mark = f"I wrote {words(number)} on the paper."
        if number % 2 == 0:
            label = chance.choice(("Therapist", "T", "Interviewer", "Dr Miller"))
            said.append((label, f"{mark} {chance.choice(_ASKS)}"))
        else:
            sentences = chance.choices(_SAYS, k=60 if number % 97 == 1 else chance.randint(1, 3))
            said.append((chance.choice(("Client", "P", "Patient")), " ".join([mark, *sentences])))
    return said


def markdown(said: Sequence[Said]) -> bytes:
    """Return a conversation as somebody writes it down."""
    lines = "\n\n".join(f"**{label}:** {words}" for label, words in said)
    return f"---\ntitle: made\n---\n# Session\n\n{lines}\n".encode()


def plain(said: Sequence[Said]) -> bytes:
    """Return a conversation line by line."""
    return "\n".join(f"{label}: {words}" for label, words in said).encode()


def table(said: Sequence[Said]) -> bytes:
    """Return a conversation as CSV with a header."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("speaker", "text"), *said])
    return out.getvalue().encode()


def json_turns(said: Sequence[Said]) -> bytes:
    """Return a conversation as JSON."""
    return json.dumps({"meeting": {"turns": [{"speaker": label, "text": words} for label, words in said]}}).encode()


def vtt(said: Sequence[Said]) -> bytes:
    """Return a conversation as WebVTT with voices, a cue every five seconds."""
    cues = [
        f"{n}\n{_time(5 * n)} --> {_time(5 * n + 4)}\n<v {label}>{words}</v>" for n, (label, words) in enumerate(said)
    ]
    return ("WEBVTT\n\nNOTE made\n\n" + "\n\n".join(cues) + "\n").encode()


def srt(said: Sequence[Said]) -> bytes:
    """Return a conversation as SubRip, a cue every five seconds."""
    cues = [
        f"{n + 1}\n{_time(5 * n, ',')} --> {_time(5 * n + 4, ',')}\n{label}: {words}"
        for n, (label, words) in enumerate(said)
    ]
    return ("\n\n".join(cues) + "\n").encode()


def docx(said: Sequence[Said]) -> bytes:
    """Return a conversation as a document with a paragraph for each turn."""
    return document("".join(f"<w:p><w:r><w:t>{escape(f'{label}: {words}')}</w:t></w:r></w:p>" for label, words in said))


def document(body: str, declaration: str = "") -> bytes:
    """Return a document with this body in WordprocessingML."""
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    xml = f'<?xml version="1.0"?>{declaration}<w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", xml)
    return out.getvalue()


FORMATS: Mapping[Format, Callable[[Sequence[Said]], bytes]] = {
    "markdown": markdown,
    "text": plain,
    "csv": table,
    "json": json_turns,
    "vtt": vtt,
    "srt": srt,
    "docx": docx,
}


def malformed(seed: int) -> tuple[Format, bytes]:  # noqa: PLR0911 (a way to be wrong each)
    """Return the format and the content of a file that is damaged, hostile or something else altogether."""
    chance = random.Random(seed)
    kind = chance.choice(sorted(FORMATS))
    whole = FORMATS[kind](turns(chance.randint(1, 12), seed))
    match chance.randint(0, 11):
        case 0:
            return kind, b""
        case 1:
            return kind, chance.randbytes(chance.randint(1, 3000))
        case 2:
            return kind, whole[: chance.randint(0, len(whole))]
        case 3:
            return kind, _hurt(whole, chance, chance.randint(1, 40))
        case 4:
            return chance.choice(sorted(FORMATS)), whole
        case 5:
            return kind, whole.decode("latin-1").encode(chance.choice(("utf-16", "utf-32", "utf-7", "utf-16-le")))
        case 6:
            return kind, chance.choice((b"[", b'{"a":', b'"')) * chance.randint(1, 50_000)
        case 7:
            return kind, "".join(chance.choices(string.printable + "\x00\u202e\ud7ff\U0001f600é:", k=2000)).encode()
        case 8:
            return "docx", document(
                _hurt(b"<w:p><w:tbl><w:tr><w:tc><w:t>a: b</w:t></w:tc>" * 30, chance, 5).decode("latin-1")
            )
        case 9:
            return "docx", document("<w:p>" * chance.randint(1, 2000))
        case 10:
            lines = whole.splitlines(keepends=True)
            chance.shuffle(lines)
            return kind, b"".join(lines)
        case _:
            return kind, whole + whole[::-1] + chance.choice(
                (b"\x00", b"\xff\xfe", b"-->", b'"""', b"<v ", b"\x1a")
            ) * 20


def _hurt(content: bytes, chance: random.Random, times: int) -> bytes:
    hurt = bytearray(content)
    for _ in range(times):
        place = chance.randrange(len(hurt)) if hurt else 0
        match chance.randint(0, 2):
            case 0 if hurt:
                hurt[place] = chance.randrange(256)
            case 1 if hurt:
                del hurt[place : place + chance.randint(1, 30)]
            case _:
                hurt[place:place] = chance.randbytes(chance.randint(1, 10))
    return bytes(hurt)


def _time(seconds: int, point: str = ".") -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}000"
