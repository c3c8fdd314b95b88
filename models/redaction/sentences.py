"""Sentences of our own with slots: what people say to a room, a nurse or a therapist, with and without an identity.

A slot in braces is filled by `values`; those named in ``LABELS`` identify, the others do not.
"""

import json
from pathlib import Path
from typing import Final

from forge_language.spotting.tokens import Kind

LABELS: Final[dict[str, Kind]] = {
    "first": "NAME",
    "last": "NAME",
    "name": "NAME",
    "city": "LOCATION",
    "country": "LOCATION",
    "street": "ADDRESS",
    "streetname": "ADDRESS",
    "address": "ADDRESS",
    "zip": "ADDRESS",
    "org": "ORGANISATION",
    "hospital": "ORGANISATION",
    "state": "LOCATION",
    "building": "ADDRESS",
    "unit": "ADDRESS",
    "date": "DATE",
    "phone": "PHONE",
    "number": "NUMBER",
    "card": "NUMBER",
    "iban": "NUMBER",
}

_HERE: Final = Path(__file__).parent

NAMED: Final = (_HERE / "named.txt").read_text(encoding="utf-8")
"""Sentences that identify somebody, one a line."""

PLAIN: Final = (_HERE / "plain.txt").read_text(encoding="utf-8")
"""Sentences that identify nobody, one a line."""

WORDS: Final[dict[str, tuple[str, ...]]] = {
    slot: tuple(words) for slot, words in json.loads((_HERE / "fillings.json").read_text(encoding="utf-8")).items()
}
"""Fillings that identify nobody, by slot."""
