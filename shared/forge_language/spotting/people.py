"""Finds names of people: after introductions, titles and relatives, from a ward's own list, and common first names."""

from functools import lru_cache
from typing import Final, Literal

from forge_language.spotting.tokens import Found, Token, found, is_written, low_at
from forge_language.spotting.vocabulary import (
    COMMON_WORDS,
    DOUBTFUL_NAMES,
    FAMILY_NAMES,
    FIRST_NAMES,
    NEVER_NAMES,
    PLACE_WORDS,
    PLACES_TOO,
    TITLES,
    phrase_list,
    word_set,
)

Certainty = Literal["sure", "likely", "careful"]
"""How far a cue vouches for the word after it: "my name is", "my daughter", "I am"."""

_CUES: Final[tuple[tuple[str, Certainty], ...]] = (
    *(
        (cue, "sure")
        for cue in phrase_list("""
my name is|my name's|my names|name is|name's|the name is|i'm called|i am called|im called|call me|calls me|
call her|call him|known as|goes by|go by|surname is|first name is|last name is|middle name is|maiden name is|
family name is|my name was|full name is|name of|names are|answers to|answer to|her name's|introduce myself i'm|
introduce myself as|next of kin is|name|surname|named|also known as|everyone calls me|they call me
""")
    ),
    *(
        (cue, "likely")
        for cue in phrase_list("""
called|ask for|asking for|speak to|spoke to|speaking to|speak with|spoke with|contact is|signed|regards|
patient is|carer is|i'm known as|is called|are called|nicknamed|nickname is
""")
    ),
    *(
        (cue, "careful")
        for cue in phrase_list("""
i am|i'm|im|this is|it's|it is|here is|hello i'm|that's|with|told|from|saw|for|by|met|and|or
""")
    ),
)
_RELATIVES: Final = word_set("""
daughter son wife husband mother mum mom mam father dad brother sister uncle aunt auntie cousin niece nephew grandson
granddaughter grandma grandmother grandad grandfather nan gran granny partner neighbour neighbor carer boyfriend
girlfriend fiance fiancee fiancé fiancée friend mate boss therapist stepson stepdaughter stepmother stepfather
daughter-in-law law twin baby colleague godson goddaughter flatmate roommate widow ex landlady landlord gp
""")
_OWNERS: Final = frozenset({"my", "our", "his", "her", "their", "your"})
_RELATIVE_LINKS: Final = frozenset({"is", "was", "called", "named", "name", "name's", "names"})
_FILLERS: Final = frozenset({"er", "um", "uh", "erm", "uhm", "well", "actually", "also", "just"})
_PARTICLES: Final = frozenset(
    {"van", "von", "de", "der", "den", "la", "le", "di", "da", "del", "bin", "al", "el", "mac", "mc", "st", "o"}
)
_GREETINGS: Final = frozenset({"hello", "hi", "hey", "morning", "afternoon", "evening", "greetings"})
_SIGN_OFFS: Final = frozenset({"speaking", "calling", "here", "from"})
_SPELLED_CUES: Final = frozenset({"spelled", "spelt", "spell", "spelling"})
_VERB_ENDINGS: Final = ("ing", "ed", "ly", "ness", "ful", "less", "ous", "tion", "ive", "able", "ible")
_EVERYDAY: Final = COMMON_WORDS | NEVER_NAMES | DOUBTFUL_NAMES | TITLES
"""Parts of a listed name that go only with the whole name."""

_LONGEST_NAME: Final = 4
_SHORTEST_KNOWN: Final = 2
_SHORTEST_SPELLING: Final = 3
_LONGEST_SIGN_OFF: Final = 3
_OPENING_REACH: Final = 4


def names(tokens: list[Token]) -> list[Found]:
    """Find names without a list of who is here."""
    finder = _Names(tokens)
    spans: list[Found] = []
    place = 0
    while place < len(tokens):
        span = finder.at(place)
        if span is None:
            place += 1
            continue
        spans.append(found("NAME", tokens, *span))
        place = span[1] + 1
    return spans


def known_people(tokens: list[Token], known: frozenset[str]) -> list[Found]:
    """Find the names of a list wherever they stand, also without an apostrophe before a possessive s."""
    index = _known_index(known)
    spans: list[Found] = []
    place = 0
    while index and place < len(tokens):
        best = 0
        for words in index.get(tokens[place].stem, ()) or index.get(tokens[place].stem.removesuffix("s"), ()):
            here = [tokens[at].stem for at in range(place, min(place + len(words), len(tokens)))]
            if len(here) == len(words) and (
                here[:-1] == list(words[:-1]) and here[-1] in {words[-1], words[-1] + "s"} and len(words) > best
            ):
                best = len(words)
        if best:
            spans.append(found("NAME", tokens, place, place + best - 1))
        place += max(best, 1)
    return spans


@lru_cache(maxsize=16)
def _known_index(known: frozenset[str]) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Index the listed names by first word: whole, and each part that is no common word."""
    wanted: set[tuple[str, ...]] = set()
    for name in known:
        words = tuple(part for part in name.casefold().replace("\u2019", "'").replace("-", " ").split() if part)
        if not words:
            continue
        wanted.add(words)
        if len(words) > 1:
            wanted.update((part,) for part in words if len(part) > _SHORTEST_KNOWN and part not in _EVERYDAY)
    index: dict[str, tuple[tuple[str, ...], ...]] = {}
    for words in sorted(wanted):
        index[words[0]] = (*index.get(words[0], ()), words)
    return index


class _Names:
    """Decides for one text where names are. A span is (first, last) with ``last`` inclusive."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._written = is_written(tokens)

    def at(self, place: int) -> tuple[int, int] | None:
        """Return the name that starts at a place, judged by what stands before it, by itself and after it."""
        token = self._tokens[place]
        if token.shape != "word":
            return None
        certainty = self._certainty_before(place)
        if certainty is not None and self._fits(place, certainty):
            return place, self._end(place, certainty)
        if self._is_signed_off(place) or self._is_listed(place):
            return place, self._end(place, "likely")
        return self._spelling(place)

    def _certainty_before(self, place: int) -> Certainty | None:
        """Return the strongest cue that ends right before a place."""
        before = place - 1
        while before >= 0 and place - before <= _OPENING_REACH and low_at(self._tokens, before) in _FILLERS:
            before -= 1
        if before < 0 or (self._tokens[place].opens_sentence and ":" not in self._tokens[place].gap):
            return "likely" if self._follows_title(place) else None
        strongest: Certainty | None = None
        for cue, certainty in _cues().get(low_at(self._tokens, before), ()):
            start = before - len(cue) + 1
            if start < 0 or tuple(low_at(self._tokens, at) for at in range(start, before + 1)) != cue:
                continue
            if certainty == "sure" and len(cue) == 1 and ":" not in self._tokens[place].gap and cue[0] != "named":
                continue
            if certainty == "sure":
                return "sure"
            strongest = "likely" if "likely" in {certainty, strongest} else "careful"
        if self._follows_title(place) or self._follows_relative(before):
            return "likely"
        return strongest

    def _follows_title(self, place: int) -> bool:
        before = low_at(self._tokens, place - 1)
        return before in TITLES and self._tokens[place].gap in {" ", ". ", "  "}

    def _follows_relative(self, before: int) -> bool:
        links = 0
        while low_at(self._tokens, before) in _RELATIVE_LINKS and links < _LONGEST_SIGN_OFF:
            before -= 1
            links += 1
        word = low_at(self._tokens, before).removesuffix("'s")
        if word not in _RELATIVES:
            return False
        return links == 0 or any(
            low_at(self._tokens, at) in _OWNERS | {"in"} for at in range(max(0, before - 3), before)
        )

    def _fits(self, place: int, certainty: Certainty) -> bool:  # noqa: PLR0911 (one return per kind of evidence)
        """Say whether the word can be the name that a cue promises."""
        token = self._tokens[place]
        word = token.stem
        if (
            not _is_alphabetic(word)
            or word in TITLES | {"speaking"}
            or ("'" in token.low and word in {"i", "it", "he", "she"})
        ):
            return False
        listed = word in FIRST_NAMES or word in DOUBTFUL_NAMES
        if certainty == "sure":
            return token.low not in NEVER_NAMES and (len(word) > 1 or self._initial(place))
        if certainty == "careful":
            return self._fits_careful(place, listed=listed)
        if len(word) == 1:
            return self._initial(place)
        if self._written and not token.capital:
            return word in FIRST_NAMES
        if self._is_family_of_title(place):
            return token.low not in NEVER_NAMES
        if listed or (word in FAMILY_NAMES and word not in COMMON_WORDS):
            return word not in {"will", "may", "march"} or self._named_in_full(place) or token.capital
        return not _is_ordinary(token.low)

    def _is_family_of_title(self, place: int) -> bool:
        """Say whether a family name, even one that is a common word (Young, Bell), stands after a title."""
        return self._follows_title(place) and self._tokens[place].stem in FAMILY_NAMES - {"long"}

    def _fits_careful(self, place: int, *, listed: bool) -> bool:
        token = self._tokens[place]
        word = token.stem
        presents = low_at(self._tokens, place - 1) in {"am", "i'm", "im", "is", "it's"}
        if self._written:
            if not token.capital or not presents or token.raw.isupper():
                return token.capital and listed and not token.opens_sentence and not _is_month(word)
            return not _is_ordinary(token.low) or listed
        if word in FIRST_NAMES:
            return True
        if listed:
            return self._named_in_full(place)
        greeted = any(low_at(self._tokens, at) in _GREETINGS for at in range(max(0, place - 5), place))
        return presents and greeted and not _is_ordinary(token.low)

    def _named_in_full(self, place: int) -> bool:
        following = self._tokens[place + 1].stem if place + 1 < len(self._tokens) else ""
        return following in FAMILY_NAMES and following not in COMMON_WORDS

    def _initial(self, place: int) -> bool:
        """Say whether a single letter opens a name: "J Smith", "j smith"."""
        following = place + 1
        return (
            following < len(self._tokens)
            and len(low_at(self._tokens, following)) > 1
            and self._tokens[place].low not in {"i", "a"}
            and self._continues(following)
        )

    def _end(self, place: int, certainty: Certainty) -> int:
        """Return the index of the last word of a name that starts at a place."""
        last = place
        while last - place < _LONGEST_NAME - 1 and not self._tokens[last].low.endswith("'s"):
            following = last + 1
            if self._continues(following):
                last = following
            elif low_at(self._tokens, following) in _PARTICLES and self._continues(following + 1):
                last = following + 1
            else:
                break
        if last == place and certainty == "sure" and len(self._tokens[place].low) == 1:
            return place
        return last

    def _continues(self, place: int) -> bool:
        """Say whether the word goes on a name that the word before began."""
        if place >= len(self._tokens) or self._tokens[place].shape != "word":
            return False
        token = self._tokens[place]
        word = token.stem
        if token.gap not in {" ", "-", "  ", "\u2010"} and not (
            token.gap == ". " and len(low_at(self._tokens, place - 1)) == 1
        ):
            return False
        if not _is_alphabetic(word) or word in TITLES or word in NEVER_NAMES:
            return False
        if token.gap == "-":
            return True
        if self._written:
            return token.capital and not _is_month(word) and (word in FAMILY_NAMES or not _is_ordinary(token.low))
        family = FAMILY_NAMES if low_at(self._tokens, place - 1) in FIRST_NAMES else FAMILY_NAMES - COMMON_WORDS
        return len(word) > 1 and (word in family or word in FIRST_NAMES or not _is_ordinary(token.low))

    def _is_signed_off(self, place: int) -> bool:
        """Read "this is X speaking", "it's X here", "X speaking"."""
        if low_at(self._tokens, place - 1) not in {"is", "it's", ""} or place > _OPENING_REACH + _LONGEST_SIGN_OFF:
            return False
        for length in range(1, _LONGEST_SIGN_OFF + 1):
            words = [low_at(self._tokens, place + number) for number in range(length)]
            if any(not _is_alphabetic(word) or word in NEVER_NAMES or _is_ordinary(word) for word in words):
                return False
            if low_at(self._tokens, place + length) in _SIGN_OFFS - ({"from"} if place == 0 else set()):
                return True
        return False

    def _is_listed(self, place: int) -> bool:
        """Say whether the word is a common first name by itself."""
        token = self._tokens[place]
        word = token.stem
        if low_at(self._tokens, self._end(place, "likely") + 1) in PLACE_WORDS or (
            word in PLACES_TOO and low_at(self._tokens, place - 1) in {"in", "to", "from"}
        ):
            return False
        if word in FIRST_NAMES:
            return not self._written or token.capital
        if not self._written or not token.capital:
            return False
        if word in DOUBTFUL_NAMES and not _is_month(word):
            return (not token.opens_sentence and place > 0) or self._named_in_full(place)
        following = self._tokens[place + 1] if place + 1 < len(self._tokens) else None
        return (
            following is not None
            and following.capital
            and following.gap == " "
            and following.stem in FAMILY_NAMES - COMMON_WORDS
            and not _is_ordinary(token.low)
        )

    def _spelling(self, place: int) -> tuple[int, int] | None:
        """Read a name spelled out after "spelled": s m i t h."""
        if not any(low_at(self._tokens, at) in _SPELLED_CUES for at in range(max(0, place - 3), place)):
            return None
        last = place
        while len(low_at(self._tokens, last)) == 1 and low_at(self._tokens, last).isalpha():
            last += 1
        return (place, last - 1) if last - place >= _SHORTEST_SPELLING else None


@lru_cache(maxsize=1)
def _cues() -> dict[str, list[tuple[tuple[str, ...], Certainty]]]:
    """Return the cues by their last word."""
    index: dict[str, list[tuple[tuple[str, ...], Certainty]]] = {}
    for cue, certainty in _CUES:
        words = tuple(cue.split())
        index.setdefault(words[-1], []).append((words, certainty))
    return index


def _is_alphabetic(word: str) -> bool:
    return bool(word) and not any(mark.isdecimal() for mark in word) and word[0].isalpha()


def _is_month(word: str) -> bool:
    return word in {"april", "may", "june", "august"}


def _is_ordinary(word: str) -> bool:
    """Say whether a word is common or formed like a verb, adverb or adjective, and so is hardly a name."""
    if word in COMMON_WORDS or word in NEVER_NAMES or word in _RELATIVES or word in _GREETINGS:
        return True
    if word in FIRST_NAMES or word in FAMILY_NAMES:
        return False
    if "'" in word and not word.startswith(("o'", "d'")):
        return _is_ordinary(word.split("'", maxsplit=1)[0]) or word.endswith(("n't", "'ll", "'ve", "'re", "'d"))
    return any(len(word) > len(ending) + 2 and word.endswith(ending) for ending in _VERB_ENDINGS) or any(
        _in_other_form(word, ending) for ending in ("s", "es", "er", "y", "est")
    )


def _in_other_form(word: str, ending: str) -> bool:
    return word.endswith(ending) and word.removesuffix(ending) in COMMON_WORDS
