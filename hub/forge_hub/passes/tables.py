"""CSV of what a person said in a session, and of what is inferred from it: a third store, derived from the log.

``rows/<person>/<session>.csv`` and ``rows/<person>/<session>.inferences.csv`` in the state folder. Cells that a
spreadsheet would take for a formula begin with an apostrophe, which reading them here takes off again.
"""

import csv
import io
import json
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from forge_hub.passes.errors import PassError
from forge_shared.files import replace

FOLDER = "rows"
"""In the hub's state folder."""

Kind = Literal["said", "inferred"]

COLUMNS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "said": (
        *("utterance", "person", "session", "ordinal", "at", "speaker", "question", "text", "redactions"),
        *("confidence", "original", "corrected_by", "corrected_at"),
    ),
    "inferred": (
        *("inference", "utterance", "framework", "label", "start", "end", "confidence", "method", "version"),
        *("valence", "arousal", "verdict", "instead", "decided_by", "decided_at"),
    ),
}
"""Columns of a file, the first its rows' id."""
_SUFFIX: Final[Mapping[Kind, str]] = {"said": ".csv", "inferred": ".inferences.csv"}

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""What spreadsheets may take for a formula. Source: OWASP, "CSV Injection"."""

Row = dict[str, str]


class TableFolder:
    """The CSV files of a hub. One writer; a file is replaced whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def path(self, person: str, session: str, kind: Kind) -> Path:
        """Return where a file lies, whether it is there or not."""
        return self._folder / person / f"{session}{_SUFFIX[kind]}"

    def read(self, person: str, session: str, kind: Kind) -> dict[str, Row]:
        """Return a file's rows by id, in their order; none where there is no file.

        Raises:
            PassError: It cannot be read, or is none of this version.
        """
        path = self.path(person, session, kind)
        if not path.exists():
            return {}
        try:
            reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""), strict=True)
            rows = [{name: _shown(cell) for name, cell in row.items()} for row in reader]
        except (OSError, UnicodeDecodeError, csv.Error, AttributeError, TypeError) as error:
            raise PassError(f"a CSV file of the hub cannot be read ({type(error).__name__})") from None
        if tuple(reader.fieldnames or ()) != COLUMNS[kind]:
            raise PassError("a CSV file of the hub has other columns than this version writes")
        return {row[COLUMNS[kind][0]]: row for row in rows}

    def write(self, person: str, session: str, kind: Kind, rows: Iterable[Row]) -> None:
        """Put rows in the place of a file.

        Raises:
            PassError: It cannot be written.
        """
        text = io.StringIO(newline="")
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(COLUMNS[kind])
        writer.writerows([_hidden(row[name]) for name in COLUMNS[kind]] for row in rows)
        path = self.path(person, session, kind)
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace(path, text.getvalue().encode(), mode=0o600)
        except OSError as error:
            raise PassError(f"a CSV file cannot be written ({type(error).__name__})") from None

    def sessions(self, kind: Kind) -> list[tuple[str, str]]:
        """Return person and session of every file of a kind, sorted."""
        suffix = _SUFFIX[kind]
        found = [(each.parent.name, each.name.removesuffix(suffix)) for each in self._folder.glob(f"*/*{suffix}")]
        return sorted(each for each in found if "." not in each[1])

    def position(self, kind: Kind) -> int:
        """Return the position of the last event of the log that is in the files; 0 where there are none."""
        try:
            return int(json.loads((self._folder / f"{kind}.json").read_text(encoding="utf-8"))["position"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def move(self, kind: Kind, position: int) -> None:
        """Remember the position of the last event that is in the files."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace(self._folder / f"{kind}.json", json.dumps({"position": position}).encode(), mode=0o600)
        except OSError as error:
            raise PassError(f"the CSV folder cannot be written ({type(error).__name__})") from None

    def drop(self) -> None:
        """Delete all of it: it is derived anew from the log."""
        shutil.rmtree(self._folder, ignore_errors=True)


def cell(value: object) -> str:
    """Return a value as a cell; nothing is the empty cell."""
    if value is None:
        return ""
    return json.dumps(value, sort_keys=True) if isinstance(value, Mapping | float) else str(value)


def ordered(rows: Iterable[Row]) -> Sequence[Row]:
    """Return rows of what was said in the order in which it was said."""
    return sorted(rows, key=lambda row: (int(row["ordinal"] or 0), row["at"], row["utterance"]))


def _hidden(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) else text


def _shown(text: str) -> str:
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text
