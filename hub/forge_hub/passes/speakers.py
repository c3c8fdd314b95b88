"""Who speaks: labels of a transcript, told from other words before a colon, and what they stand for. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from forge_hub.passes.pieces import Piece
from forge_language.spotting.vocabulary import word_set
from forge_shared.events import Speaker

_CLINICIAN: Final = word_set("""
therapist t th thx interviewer int i counsellor counselor psychologist psychiatrist psychotherapist doctor dr doc
clinician nurse provider moderator practitioner coach assistant question q examiner researcher facilitator staff
professional physician
""")
_PATIENT: Final = word_set("""
client cl c patient pt p participant part respondent interviewee subject user resident answer a service-user person
speaker-patient
""")
_TITLES: Final = frozenset({"dr", "doctor", "prof", "professor", "psychologist", "therapist", "nurse"})
_SHORT: Final = 2
"""Letters of a label that may just as well be a word: it must come back before it is believed."""

_TIME = r"(?:[\[(<]?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?[\])>]?[\s,-]*)?"
_SIGN = r"[^\s:\[\](){}<>\"!?;,*]"
_SPOKEN = re.compile(
    rf"^{_TIME}[*_\[(]*(?P<label>[^\W\d_]{_SIGN}{{0,24}}(?:[ ]{_SIGN}{{1,24}}){{0,3}})"
    r"[*_\])]*\s*(?:[\[(]\d{1,2}:\d{2}(?::\d{2})?[\])]\s*)?[:\uff1a][*_]*(?:\s+|$)(?P<said>.*)$",
    re.DOTALL,
)
"""A label of up to four words, an optional time before or after it, a colon and a space."""
_DIGITS = re.compile(r"[\s#_-]*\d{1,3}$")
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Turn:
    """What one person said without a break, as it stands in the file.

    Attributes:
        line: Where it begins.
        speaker: Who, as far as it is known.
        text: Not redacted.
        seconds: From the beginning of the session; None where the file does not say.
    """

    line: int
    speaker: Speaker
    text: str
    seconds: float | None = None


def turns_of(pieces: Sequence[Piece]) -> tuple[list[Turn], frozenset[str]]:
    """Return the turns of a transcript, and the words of the names that its labels hold, small.

    A piece without a label is the rest of the turn before it, in a file that has labels; where it has none, each
    paragraph is a turn, or each line where there are no paragraphs.
    """
    split = [(piece, _split(piece)) for piece in pieces]
    labels = _believed(split)
    spoken: list[tuple[str | None, Piece]] = []
    for piece, (label, said) in split:
        if label is not None and label in labels:
            spoken.append((label, replace(piece, text=said)))
        elif _continues(piece, spoken, labels=bool(labels), paragraphs=any(each.after_gap for each in pieces)):
            before, whole = spoken[-1]
            spoken[-1] = (before, replace(whole, text=f"{whole.text} {piece.text}".strip()))
        else:
            spoken.append((None, piece))
    spoken = [(label, piece) for label, piece in spoken if piece.text]
    roles = _roles(spoken)
    turns = [
        Turn(piece.line, "unknown" if label is None else roles[label], piece.text, piece.seconds)
        for label, piece in spoken
    ]
    return turns, _names(roles)


def _split(piece: Piece) -> tuple[str | None, str]:
    """Return a piece's label, as it is compared, and what is said; None where there is none."""
    if piece.label is not None:
        return _compared(piece.label), piece.text
    if not piece.joins:
        return None, piece.text
    found = _SPOKEN.match(piece.text)
    return (_compared(found["label"]), found["said"].strip()) if found else (None, piece.text)


def _compared(label: str) -> str:
    return " ".join(label.casefold().replace(".", " ").strip("*_[]()#: ").split()) or "?"


def _believed(split: Sequence[tuple[Piece, tuple[str | None, str]]]) -> frozenset[str]:
    """Return the labels that say who speaks; a word before a colon that comes but once is none, unless it is a role."""
    structural = {label for piece, (label, _) in split if label is not None and piece.label is not None}
    counts = Counter(label for piece, (label, _) in split if label is not None and piece.label is None)
    paired = sum(_role(label) is not None for label in counts) > 1
    return frozenset(structural) | {
        label
        for label, count in counts.items()
        if count > 1 or (_role(label) is not None and (len(label) > _SHORT or paired))
    }


def _continues(piece: Piece, spoken: Sequence[object], *, labels: bool, paragraphs: bool) -> bool:
    if not spoken or not piece.joins or (piece.seconds is not None and not labels):
        return False
    return labels or (paragraphs and not piece.after_gap)


def _role(label: str) -> Speaker | None:
    whole = _DIGITS.sub("", label)
    first = whole.split(" ")[0] if whole else ""
    if whole in _CLINICIAN or first in _TITLES:
        return "clinician"
    return "patient" if whole in _PATIENT else None


def _roles(spoken: Iterable[tuple[str | None, Piece]]) -> Mapping[str, Speaker]:
    """Return who each label stands for.

    Names are told by the majority of what they say: who mostly asks is the clinician. Else a name is unknown.
    """
    said: dict[str, list[str]] = {}
    for label, piece in spoken:
        if label is not None:
            said.setdefault(label, []).append(piece.text)
    known = {label: role for label in said if (role := _role(label)) is not None}
    if set(known) == {"a"} and len(said) > 1:
        # "A" beside "B" is a letter, not an answer.
        known = {}
    names = [label for label in said if label not in known]
    roles: dict[str, Speaker] = {**dict.fromkeys(names, "unknown"), **known}
    if len(names) == 1 and len(set(known.values())) == 1:
        roles[names[0]] = "patient" if "clinician" in known.values() else "clinician"
    elif len(names) == 2 and not known:  # noqa: PLR2004 (a conversation of two)
        asks = {name: sum(text.rstrip("\"' ").endswith("?") for text in said[name]) / len(said[name]) for name in names}
        more, less = sorted(names, key=lambda name: -asks[name])
        if asks[more] > asks[less]:
            roles[more], roles[less] = "clinician", "patient"
    return roles


def _names(roles: Mapping[str, Speaker]) -> frozenset[str]:
    words = {word for label in roles if label not in _CLINICIAN | _PATIENT for word in _WORD.findall(label)}
    return frozenset(words - _CLINICIAN - _PATIENT - _TITLES - {"speaker", "unknown", "mrs", "miss", "the"})
