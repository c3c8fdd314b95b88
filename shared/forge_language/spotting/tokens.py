"""Splits text into tokens with their places, and hides those that were found."""

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

Kind = Literal["NAME", "PHONE", "EMAIL", "POSTCODE", "DATE", "NUMBER", "ADDRESS"]
"""What a span identifies. The same word stands in brackets in the redacted text."""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_TOKEN = re.compile(
    r"(?P<placeholder>\[(?:" + "|".join((*KINDS, "WITHHELD")) + r")\])"
    r"|(?P<email>(?<![\w.+%-])[\w.+%-]++@[\w-]++(?:\.[\w-]+)+)"
    r"|(?P<calendar>(?<!\d)(?<!\d[/.-])"
    r"(?:\d{4}[/.-]\d{1,2}[/.-]\d{1,2}|\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2}))(?!\d)(?![/.-]\d))"
    r"|(?P<word>[^\W_](?:[^\W_]|[\u0300-\u036f])*+(?:['\u2019](?:[^\W_]|[\u0300-\u036f])++)*+)"
)
"""Every alternative starts at a boundary and never gives back what it took, so that splitting is linear."""


@dataclass(frozen=True, slots=True)
class Token:
    """One word, number, mail address or written date.

    Attributes:
        raw: As it stands in the text.
        low: Case-folded, with straight apostrophes; empty where the text is already redacted.
        start: Place of its first character.
        end: Place after its last character.
        gap: What stands between the token before and this one.
        shape: Which alternative of the splitter matched.
    """

    raw: str
    low: str
    start: int
    end: int
    gap: str
    shape: str

    @property
    def capital(self) -> bool:
        """Whether it starts with a capital letter."""
        return self.raw[:1].isupper()

    @property
    def stem(self) -> str:
        """The word without a possessive ending."""
        return self.low.removesuffix("'s").removesuffix("'")

    @property
    def stem_end(self) -> int:
        """Place after the last character that belongs to the word without its possessive ending."""
        return self.end - 2 if self.low.endswith("'s") else self.end

    @property
    def opens_sentence(self) -> bool:
        """Whether the token before ended a sentence or a line."""
        return any(mark in self.gap for mark in '.!?\n:;\u2026"\u201c')


@dataclass(frozen=True, slots=True)
class Found:
    """Tokens ``first`` to ``last`` (inclusive) are one identifying span; characters ``start`` to ``end``."""

    kind: Kind
    first: int
    last: int
    start: int
    end: int


def found(kind: Kind, tokens: list[Token], first: int, last: int) -> Found:
    """Return the span of whole tokens ``first`` to ``last``.

    A name leaves its possessive ending in place; a telephone number takes the plus or bracket before it along.
    """
    end = tokens[last].stem_end if kind == "NAME" else tokens[last].end
    gap = tokens[first].gap
    lead = len(gap) - len(gap.rstrip("(+")) if kind == "PHONE" else 0
    return Found(kind, first, last, tokens[first].start - lead, end)


def split(text: str) -> list[Token]:
    """Return the tokens of a text in order."""
    tokens: list[Token] = []
    before = 0
    for match in _TOKEN.finditer(text):
        shape = str(match.lastgroup)
        raw = match[0]
        low = "" if shape == "placeholder" else raw.casefold().replace("\u2019", "'")
        tokens.append(Token(raw, low, match.start(), match.end(), text[before : match.start()], shape))
        before = match.end()
    return tokens


def hide(tokens: list[Token], spans: list[Found]) -> None:
    """Make the tokens of spans unreadable for the finders that follow."""
    for span in spans:
        for place in range(span.first, span.last + 1):
            token = tokens[place]
            tokens[place] = Token("", "", token.start, token.end, token.gap, "placeholder")


def is_written(tokens: list[Token]) -> bool:
    """Say whether capitals carry meaning here: there are both capital and small letters.

    A speech recogniser gives small letters only (or capitals only), and then every word has to be judged by itself.
    """
    raw = [
        token.raw for token in tokens if token.shape == "word" and token.low not in {"i", "i'm", "i'll", "i've", "i'd"}
    ]
    return any(word[:1].isupper() for word in raw) and any(word.islower() for word in raw)


def low_at(tokens: list[Token], place: int) -> str:
    """Return the token at a place as compared, empty outside the text."""
    return tokens[place].low if 0 <= place < len(tokens) else ""


def decimal(word: str) -> int | None:
    """Return the value of at most nine decimal digits of any script, else None."""
    if 0 < len(word) <= 9 and word.isdecimal():  # noqa: PLR2004 (nine digits fit every use: years, days, houses)
        return int(word)
    return None
