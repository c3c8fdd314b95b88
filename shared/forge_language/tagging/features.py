"""What the head sees of a word: hashed traits of the word itself and of the marks before it."""

import zlib
from typing import Final

from forge_language.spotting.tokens import Token
from forge_language.tagging.lexicon import Mask

BUCKETS: Final = 1 << 13
"""Rows of the head's table. Ours: the head and those of the folds stay small, and collisions cost little."""

_LONGEST: Final = 24
"""Characters of a word that are looked at: half from its beginning, half from its end."""

_MOST_MARKS: Final = 2
_MOST_DIGITS: Final = 12


def traits(token: Token, known: Mask, *, written: bool) -> list[int]:
    """Return the buckets of a word's traits, each in ``range(BUCKETS)``.

    Args:
        token: The word.
        known: What the lexicon says of it.
        written: Whether capitals carry meaning in its text.
    """
    if token.shape != "word":
        return [_bucket(f"shape {token.shape}"), _bucket(f"gap {_marks(token.gap)}")]
    word = token.stem
    if len(word) > _LONGEST:
        word = word[: _LONGEST // 2] + word[-_LONGEST // 2 :]
    common, first, family, place = known
    case = _case(token.raw) if written else "flat"
    opens = "opens" if token.opens_sentence else "inside"
    named = [
        f"word {word}",
        f"form {_form(token.raw)}",
        f"case {case} {opens}",
        f"case {case} {min(common, 3)}",
        f"gap {_marks(token.gap)}",
        f"common {common}",
        f"first {first} {common > 2} {case}",  # noqa: PLR2004 (the two most common classes)
        f"family {family} {common > 2} {case}",  # noqa: PLR2004 (as above)
        f"place {place} {common > 2} {case}",  # noqa: PLR2004 (as above)
        f"listed {first} {family} {place} {common}",
        f"script {'plain' if word.isascii() else 'latin' if word[:1] < 'Ͱ' else 'other'}",
    ]
    if token.low.endswith("'s"):
        named.append("possessive")
    if not any(mark.isdecimal() for mark in word):
        framed = f"<{word}>"
        named += [f"end {word[-4:]}", f"end {word[-3:]}", f"end {word[-2:]}", f"start {word[:3]}"]
        named += [f"in {framed[at : at + 3]}" for at in range(len(framed) - 2)]
    return [_bucket(name) for name in named]


EDGE: Final = "beyond the text"
"""The one trait of what stands before the first and after the last word."""


def edge_traits() -> list[int]:
    """Return the buckets of what stands beyond a text."""
    return [_bucket(EDGE)]


def word_bucket(token: Token) -> int:
    """Return the bucket of a word's own identity, which training leaves out at times."""
    return _bucket(f"word {token.stem}")


def _bucket(name: str) -> int:
    return zlib.crc32(name.encode("utf-8", "surrogatepass")) & (BUCKETS - 1)


def _case(raw: str) -> str:
    if raw.isupper():
        return "letter" if len(raw) == 1 else "upper"
    if raw.islower():
        return "lower"
    return "capital" if raw[:1].isupper() else "other"


def _form(raw: str) -> str:
    """Return the word's letters and figures as a pattern: runs of letters as "a", figures one by one."""
    pattern: list[str] = []
    for mark in raw[:_LONGEST]:
        if mark.isdecimal():
            pattern.append("9")
        elif not pattern or pattern[-1] != "a":
            pattern.append("a")
    return "".join(pattern[:_MOST_DIGITS])


def _marks(gap: str) -> str:
    """Return what kind of marks stand before a word."""
    if "\n" in gap:
        return "line" + gap.strip()[:1]
    marks = gap.strip()[:_MOST_MARKS]
    return marks or ("space" if gap else "nothing")
