"""Questionnaires and their answers in files, as somebody at a terminal has them."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from forge_shared.errors import FormInvalidError, FormUnknownError
from forge_shared.forms.questionnaire import read


def check_files(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Yield for each file whether it is a form that can be used, what of it is left out, and why it cannot be used."""
    for path in files:
        line: dict[str, Any] = {"file": str(path), "ok": True, "warnings": [], "error": None}
        try:
            _, warnings = read(path)
        except (FormInvalidError, FormUnknownError) as error:
            line |= {"ok": False, "error": str(error)}
        else:
            line["warnings"] = [asdict(warned) for warned in warnings]
        yield line
