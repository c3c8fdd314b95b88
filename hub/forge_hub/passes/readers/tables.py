"""Reads tables with commas, semicolons, tabs or bars between their cells."""

import csv
import io

from forge_hub.passes.errors import TranscriptRefusedError
from forge_hub.passes.pieces import Piece
from forge_hub.passes.readers.fields import Fields, known
from forge_hub.passes.readers.text import clean

_DELIMITERS = (",", ";", "\t", "|")
_CELL_CHARACTERS = 1_000_000
"""Longest cell. Ours: far beyond any turn; Python's own bound is 131,072."""
_LABEL_LENGTH = 40
"""Longest cell that may say who speaks in a table without a header. Ours."""

csv.field_size_limit(_CELL_CHARACTERS)


def read_table(text: str) -> list[Piece]:
    """Return the rows as pieces. Without a header, one column is text, two are speaker and text.

    Raises:
        TranscriptRefusedError: It is no table, or no column holds what was said.
    """
    rows = _rows(text)
    if not rows:
        return []
    names = [known(cell) for cell in rows[0][1]]
    fields = Fields.among(names)
    if fields is None:
        return _without_header(rows)
    entries = [(line, dict(zip(names, cells, strict=False))) for line, cells in rows[1:]]
    sessions = {values.get(fields.session or "", "").strip() for _, values in entries} - {""}
    if len(sessions) > 1:
        raise TranscriptRefusedError("several-sessions")
    return [piece for line, values in entries for piece in fields.pieces(values, line)]


def _rows(text: str) -> list[tuple[int, list[str]]]:
    first = text.lstrip("\n\r").split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((line, cells))
            line = reader.line_num + 1
    except csv.Error:
        raise TranscriptRefusedError("broken", reader.line_num) from None
    return rows


def _without_header(rows: list[tuple[int, list[str]]]) -> list[Piece]:
    width = max(len(cells) for _, cells in rows)
    if width == 1:
        return [Piece(line, said) for line, cells in rows if (said := clean(cells[0]))]
    labels = [clean(cells[0]) for _, cells in rows]
    # Who speaks is said again and again; what is said is not.
    repeated = len(set(labels)) <= max(2, len(rows) // 3) and all(len(label) <= _LABEL_LENGTH for label in labels)
    if width != 2 or not repeated:  # noqa: PLR2004 (speaker and text)
        raise TranscriptRefusedError("no-text-column", rows[0][0])
    return [
        Piece(line, said, clean(cells[0]) or None, joins=False)
        for line, cells in rows
        if (said := clean("".join(cells[1:])))
    ]
