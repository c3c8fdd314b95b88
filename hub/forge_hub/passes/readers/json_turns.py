"""Reads JSON: a list of turns, an object that holds one, or one JSON value a line."""

import json
from collections.abc import Mapping
from typing import Any

from forge_hub.passes.errors import TranscriptRefusedError
from forge_hub.passes.pieces import Piece
from forge_hub.passes.readers.fields import Fields, known
from forge_hub.passes.readers.text import clean

_DEEPEST = 4
"""How many objects may stand around the list of turns. Ours: exports of speech recognisers have two."""
_PAIR = 2


def read_json(text: str) -> list[Piece]:
    """Return the turns as pieces; their lines are the numbers of the entries, from 1.

    Raises:
        TranscriptRefusedError: It is no JSON, or none of its lists holds what was said.
    """
    entries = _turns(_value(text), _DEEPEST)
    if entries is None:
        raise TranscriptRefusedError("no-text-column")
    sessions = {_as_text(entry.get("session")) for entry in entries if isinstance(entry, Mapping)} - {""}
    if len(sessions) > 1:
        raise TranscriptRefusedError("several-sessions")
    return [piece for number, entry in enumerate(entries, start=1) for piece in _pieces(entry, number)]


def _value(text: str) -> Any:  # noqa: ANN401 (whatever was written)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    values = []
    for number, line in lines:
        try:
            values.append(json.loads(line))
        except (ValueError, RecursionError):
            raise TranscriptRefusedError("broken", number) from None
    return values


def _turns(value: Any, depth: int) -> list[Any] | None:  # noqa: ANN401 (the same)
    """Return the first list of turns in a value, searched in the order in which it was written."""
    if isinstance(value, list):
        if value and all(_is_turn(entry) for entry in value):
            return value
        inner = value
    elif isinstance(value, Mapping):
        inner = list(value.values())
    else:
        return None
    if depth:
        for each in inner:
            found = _turns(each, depth - 1) if isinstance(each, list | Mapping) else None
            if found is not None:
                return found
    return None


def _is_turn(entry: Any) -> bool:  # noqa: ANN401 (the same)
    if isinstance(entry, Mapping):
        return Fields.among(known(str(name)) for name, value in entry.items() if isinstance(value, str)) is not None
    return isinstance(entry, str) or _is_pair(entry)


def _is_pair(entry: Any) -> bool:  # noqa: ANN401 (the same)
    return isinstance(entry, list) and len(entry) == _PAIR and all(isinstance(each, str) for each in entry)


def _pieces(entry: Any, number: int) -> list[Piece]:  # noqa: ANN401 (the same)
    if isinstance(entry, str):
        said = clean(entry)
        return [Piece(number, said)] if said else []
    if isinstance(entry, list):
        label, said = clean(entry[0]), clean(entry[1])
        return [Piece(number, said, label or None, joins=False)] if said else []
    values = {known(str(name)): _as_text(value) for name, value in entry.items()}
    fields = Fields.among(
        name for name, value in entry.items() for name in [known(str(name))] if isinstance(value, str)
    )
    return [] if fields is None else _timed(fields, values, number)


def _timed(fields: Fields, values: Mapping[str, str], number: int) -> list[Piece]:
    # Times and sessions may be numbers, which do not tell what holds the text.
    named = Fields.among(values)
    seconds = named.seconds if named is not None else None
    whole = Fields(fields.text, fields.speaker, fields.question, fields.answer, seconds, None)
    return whole.pieces(values, number)


def _as_text(value: Any) -> str:  # noqa: ANN401 (the same)
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""
