"""Turns what the trained tagger thinks of words into spans, and keeps it from eating what must survive."""

from typing import Final

from forge_language.spotting.counting import TEENS, TENS, UNITS, ZEROS
from forge_language.spotting.tokens import Found, Kind, Token, found, is_written
from forge_language.spotting.vocabulary import COMMON_WORDS, NEVER_NAMES, NOBODY, THINGS, TITLES
from forge_language.tagging.network import LABELS, Judgement

_LEAST: Final = (0.1, 0.12, 0.2, 0.5, 0.7)
"""A word is taken from this share of all identifying labels together, by how common it is in English (0 to 4).

Ours: chosen on the folds of models/redaction and on ordinary sentences, with and without capitals. An unknown word is
rarely ordinary; one of the five thousand most used needs the tagger to be sure.
"""
_LEAST_CAPITAL: Final = 0.05
"""The same for a word with a capital inside a sentence, where capitals carry meaning."""

_LEAST_SMALL: Final = 0.4
"""The same for a word in small letters where capitals carry meaning: names have capitals there."""

_LEAST_THING: Final = 0.9
"""The same for words that are things as well as names: flowers, stones, virtues, medicines, feasts."""

_FEWEST_FIGURES: Final = 7
"""Figures that a number needs to be taken on the tagger's word alone: scores, doses and readings are shorter."""

_LONGEST_HOUSE: Final = 5
"""Figures of a house number beside an address."""

_WIDEST_GAP: Final = 4
_NEVER: Final = 2.0
_KEPT: Final = NOBODY | (TITLES - {"sister", "lady", "lord", "captain", "dame"})
_NUMBER_WORDS: Final = frozenset({*UNITS, *TEENS, *TENS, *ZEROS, "hundred", "thousand", "point", "half", "double"})
_ORDINARY: Final = COMMON_WORDS | NEVER_NAMES
_PARTS_OF_A_HOUSE: Final = frozenset({"ward", "wing", "unit", "syndrome", "disease"})
"""Words that make a name before them the name of a part of a hospital, or of an illness."""
_FIGURES: Final = frozenset({"PHONE", "NUMBER", "DATE"})


def tagged(tokens: list[Token], judged: Judgement) -> list[Found]:
    """Find what the tagger takes for identifying and nothing else has found.

    Args:
        tokens: The words, those found already hidden.
        judged: What the tagger says of each, before any was hidden.
    """
    written = is_written(tokens)
    identifying = (1 - judged.shares[:, 0]).tolist()
    best: list[int] = (1 + judged.shares[:, 1:].argmax(1)).tolist() if len(tokens) else []
    wanted = [
        bool(token.low)
        and share >= _least(token, common, written=written, capital=written and _is_capital(tokens, place))
        for place, (token, share, common) in enumerate(zip(tokens, identifying, judged.common, strict=True))
    ]
    spans: list[Found] = []
    place = 0
    while place < len(tokens):
        if not wanted[place]:
            place += 1
            continue
        kind: Kind = LABELS[best[place]] or "NAME"
        last = place
        while last + 1 < len(tokens) and wanted[last + 1] and _goes_on(tokens, last + 1, kind, LABELS[best[last + 1]]):
            last += 1
        if _stands(tokens, place, last, kind, written=written):
            spans.append(found(kind, tokens, place, last))
        place = last + 1
    return spans


def _least(token: Token, common: int, *, written: bool, capital: bool) -> float:
    if token.stem in _KEPT:
        return _NEVER
    if token.stem in THINGS:
        return _LEAST_THING
    if capital:
        return _LEAST_CAPITAL
    return max(_LEAST[common], _LEAST_SMALL) if written and token.raw.islower() else _LEAST[common]


def _is_capital(tokens: list[Token], place: int) -> bool:
    """Say whether a word has a capital that its place does not explain."""
    token = tokens[place]
    return token.capital and place > 0 and not token.opens_sentence and token.stem != "i"


def _goes_on(tokens: list[Token], place: int, kind: Kind, label: Kind | None) -> bool:
    token = tokens[place]
    if label != kind or len(token.gap) > _WIDEST_GAP:
        return False
    return kind == "ADDRESS" or not any(mark in token.gap for mark in ",;:\n!?")


def _stands(tokens: list[Token], first: int, last: int, kind: Kind, *, written: bool) -> bool:
    """Say whether words that the tagger points at are taken."""
    words = tokens[first : last + 1]
    if kind in _FIGURES or all(word.low.isdecimal() for word in words):
        figures = sum(mark.isdecimal() for word in words for mark in word.low)
        beside = any(
            0 <= at < len(tokens) and not tokens[at].low and len(gap) <= _WIDEST_GAP
            for at, gap in (
                (first - 1, words[0].gap),
                (last + 1, tokens[last + 1].gap if last + 1 < len(tokens) else ""),
            )
        )
        house = kind == "ADDRESS" and beside and figures <= _LONGEST_HOUSE
        return (kind in _FIGURES and figures >= _FEWEST_FIGURES) or house
    following = tokens[last + 1].low if last + 1 < len(tokens) else ""
    if len(words) == 1 and len(words[0].low) == 1:
        return False
    if kind in {"NAME", "LOCATION"} and {words[-1].low, following} & _PARTS_OF_A_HOUSE:
        return False
    if written and all(_is_capital(tokens, place) for place in range(first, last + 1)):
        return True
    return not all(word.stem in _ORDINARY or word.stem in _NUMBER_WORDS for word in words)
