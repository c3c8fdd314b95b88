"""Reads docx with the standard library: a zip archive whose main part is XML (ECMA-376, part 1, section 11.3.10).

Nothing is unpacked to disk, no entity is expanded, no link is followed, and what is read is bounded before it is read.
"""

import io
import zipfile
import zlib
from xml.parsers import expat

from forge_hub.passes.errors import TranscriptRefusedError
from forge_hub.passes.pieces import MOST_PIECES, Piece
from forge_hub.passes.readers.text import clean

_DOCUMENT = "word/document.xml"
MOST_MEMBERS = 2000
"""Parts of an archive. Ours: a document with hundreds of pictures has fewer."""
MOST_XML_BYTES = 64 * 1024 * 1024
"""The main part, unpacked. Ours: markup makes it some ten times as large as the text."""
_DEEPEST = 200
"""Elements within one another. Ours: tables in tables in tables stay below 60."""
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_STRICT_W = "http://purl.oclc.org/ooxml/wordprocessingml/main"
_CHUNK = 64 * 1024
_LABEL_LENGTH = 40


def read_word(content: bytes) -> list[Piece]:
    """Return the paragraphs and the rows of two cells as pieces; their lines are the numbers of the paragraphs.

    Raises:
        TranscriptRefusedError: It is no such document, is damaged, or would unpack to more than a document is.
    """
    collector = _Paragraphs()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = collector.start
    parser.EndElementHandler = collector.end
    parser.CharacterDataHandler = collector.text
    read = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if len(archive.infolist()) > MOST_MEMBERS:
                raise TranscriptRefusedError("bomb")
            with archive.open(_DOCUMENT) as part:
                while chunk := part.read(_CHUNK):
                    read += len(chunk)
                    if read > MOST_XML_BYTES:
                        raise TranscriptRefusedError("bomb")
                    parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except KeyError:
        raise TranscriptRefusedError("format") from None
    except (
        zipfile.BadZipFile,
        zlib.error,
        expat.ExpatError,
        EOFError,
        OSError,
        ValueError,
        NotImplementedError,  # zipfile raises it for a compression that it does not know
        RuntimeError,
    ):
        raise TranscriptRefusedError("broken") from None
    return collector.pieces


def _refuse_doctype(*_: object) -> None:
    # No word processor writes one; entities that are defined in it can grow without end.
    raise TranscriptRefusedError("bomb")


class _Paragraphs:
    """Collects paragraphs, and cells of a table's row, as the parser comes upon them."""

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self._number = 0
        self._depth = 0
        self._words: list[str] = []
        self._cells: list[str] = []
        self._rows = 0
        self._in_text = False
        self._gap = False

    def start(self, name: str, _: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise TranscriptRefusedError("bomb")
        match _local(name):
            case "tr":
                self._rows += 1
                if self._rows == 1:
                    self._cells = []
            case "tc" if self._rows == 1:
                self._cells.append("")
            case "t":
                self._in_text = True
            case "tab" | "br" | "cr":
                self._words.append(" ")

    def text(self, data: str) -> None:
        if self._in_text:
            self._words.append(data)

    def end(self, name: str) -> None:
        self._depth -= 1
        match _local(name):
            case "t":
                self._in_text = False
            case "p":
                self._end_paragraph()
            case "tr":
                self._rows -= 1
                if self._rows == 0:
                    self._end_row()

    def _end_paragraph(self) -> None:
        self._number += 1
        said = clean("".join(self._words))
        self._words = []
        if self._rows and self._cells:
            self._cells[-1] = f"{self._cells[-1]} {said}".strip()
            return
        if said:
            self._add(Piece(self._number, said, after_gap=self._gap))
        self._gap = not said

    def _end_row(self) -> None:
        cells = [cell for cell in self._cells if cell]
        self._cells = []
        if len(cells) > 1 and len(cells[0]) <= _LABEL_LENGTH:
            self._add(Piece(self._number, " ".join(cells[1:]), cells[0].rstrip(": "), joins=False))
        elif cells:
            self._add(Piece(self._number, " ".join(cells), joins=False))

    def _add(self, piece: Piece) -> None:
        self.pieces.append(piece)
        if len(self.pieces) > MOST_PIECES:
            raise TranscriptRefusedError("too-many-turns")


def _local(name: str) -> str:
    space, _, local = name.rpartition(" ")
    return local if space in (_W, _STRICT_W) else ""
