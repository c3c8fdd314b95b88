"""Splits text into tokens with their places, and hides those that were found."""

import re
from dataclasses import dataclass
from typing import Final, Literal, get_args

Kind = Literal[
    "NAME", "PHONE", "EMAIL", "POSTCODE", "DATE", "NUMBER", "ADDRESS", "LOCATION", "ORGANISATION", "AGE", "URL", "IP"
]
"""What a span identifies. The same word stands in brackets in the redacted text.

The eighteen identifiers of the HIPAA safe harbour (45 CFR 164.514(b)(2)(i)) and their kinds: (A) names NAME;
(B) places smaller than a state ADDRESS, POSTCODE, LOCATION (states and countries too); (C) dates DATE (a year by itself
stays, as the rule allows) and ages over 89 AGE; (D) telephone and (E) fax numbers PHONE; (F) mail EMAIL; (G) social
security, (H) record, (I) plan, (J) account, (K) licence, (L) vehicle and (M) device numbers NUMBER; (N) web addresses
URL; (O) internet addresses IP; (R) any other unique code NUMBER. (P) voices and (Q) faces are no text: none leaves a
room. ORGANISATION, an employer or a bank, is beyond that list; so are weekdays and occupations, which stay.
"""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

SURROGATE_OPENINGS: Final = ("Xu", "Zel", "Vor", "Qui", "Yol", "Zor", "Vex", "Jaz", "Wux", "Kiz", "Tuv", "Plo")
SURROGATE_ENDINGS: Final = ("vip", "mog", "zud", "rax", "qel", "bix", "nuv", "pok", "jor", "wib", "gaz", "tux")
"""Syllables of invented names: opening, opening, ending."""

_OPENING = "|".join(SURROGATE_OPENINGS)
_INVENTED = rf"(?:{_OPENING})(?:{_OPENING.lower()}){{1,2}}(?:{'|'.join(SURROGATE_ENDINGS)})"

_TOKEN = re.compile(
    r"(?P<placeholder>\[(?:" + "|".join((*KINDS, "WITHHELD")) + r")\]"
    rf"|\u2039{_INVENTED}(?: {_INVENTED})*+\u203a)"
    r"|(?P<email>(?<![\w.+%-])[\w.+%-]++@[\w-]++(?:\.[\w-]+)+)"
    r"|(?P<url>(?<!\w)(?:[Hh][Tt][Tt][Pp][Ss]?://|[Ww][Ww][Ww]\.)[^\s<>\"'\u2018-\u201f\[\]]++)"
    r"|(?P<ip>(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?!\w|\.\d)"
    r"|(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}(?![\w:])"
    r"|(?<![\w:])(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6}(?![\w:]))"
    r"|(?P<device>(?<![\w:-])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![\w:-]))"
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

    A name leaves its possessive ending in place; a number takes the plus or bracket before it along.
    """
    end = tokens[last].stem_end if kind == "NAME" else tokens[last].end
    gap = tokens[first].gap
    lead = len(gap) - len(gap.rstrip("(+")) if kind in {"PHONE", "NUMBER"} else 0
    return Found(kind, first, last, tokens[first].start - lead, end)


def split(text: str) -> list[Token]:
    """Return the tokens of a text in order."""
    tokens: list[Token] = []
    before = 0
    for match in _TOKEN.finditer(text):
        shape = str(match.lastgroup)
        # The full stop after an address of the web ends the sentence.
        raw = match[0].rstrip(".,;:!?)") if shape == "url" else match[0]
        low = "" if shape == "placeholder" else raw.casefold().replace("\u2019", "'")
        end = match.start() + len(raw)
        tokens.append(Token(raw, low, match.start(), end, text[before : match.start()], shape))
        before = end
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
