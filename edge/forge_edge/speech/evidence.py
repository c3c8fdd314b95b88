"""How well a phrase fits the sound that it was chosen for, and the rule that makes a probability of it."""

import math
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from pocketsphinx import Segment

LEAST_CONFIDENCE = 0.5
"""Of the rule below: more probable than not. ``benchmarks/hearing.py`` prints what it lets through."""

_FLOOR = 1e-300
"""Keeps a logarithm finite where a long segment's likelihood underflows."""

_PHONE_FAMILIES = (
    *(
        "AA AO AH AW AY",
        "AE EH AY EY IH AH",
        "IY IH EY Y",
        "UW UH OW W L",
        "ER R",
        "P B T D K G",
        "F TH S SH CH T HH Z",
    ),
    *("V DH Z ZH JH D B", "M N NG"),
)
"""Phones that are easily heard as each other, by place and manner (CMU dictionary's set). A phone may be in several."""

_WEIGHTS = (1.948, 0.029, 0.327, 0.326, -5.524, 2.353, -5.388, -8.064, 1.723, -1.899)
_BIAS = 6.723
"""Fitted by ``benchmarks/hearing.py train``, in the order of `Evidence`."""


_SHORT_PHONES = 4
_SHORT_LEAST_PROBABILITY = 0.9
_SHORT_LEAST_PHONE_SECONDS = 0.08
"""Phrases of one syllable ("yes", "help") must fit better and last longer: without this, 74 of 816 coughs and
interjections ("huh", "ah", "hm") in seventeen synthetic voices passed as one. A word said alone is lengthened as before
a pause (Klatt 1976, J. Acoust. Soc. Am. 59(5)), so its phones last longer than these."""

_FRAME_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Evidence:
    """How well a phrase fits the sound, against the free phone loop. Fits are log-likelihood ratios in nat per 10 ms.

    Attributes:
        fit: Mean over the phrase's frames; 0 where both hearings agree, lower where they do not.
        worst_phone_fit: The lowest of its phones.
        tenth_phone_fit: The tenth percentile of its phones.
        worst_word_fit: The lowest of its words.
        unexplained: Share of the speech that the phrase calls silence, 0 to 1.
        phone_length: Logarithm of the mean frames per phone.
        phone_length_spread: Standard deviation of the logarithm of frames per phone.
        phone_distance: Edit distance between the two hearings' phones, 0 to 1.
        phones: Logarithm of the number of phones.
        phones_ratio: Phones of the free hearing for each of the phrase.
    """

    fit: float
    worst_phone_fit: float
    tenth_phone_fit: float
    worst_word_fit: float
    unexplained: float
    phone_length: float
    phone_length_spread: float
    phone_distance: float
    phones: float
    phones_ratio: float

    @property
    def confidence(self) -> float:
        """The probability, 0 to 1, that the phrase was said; held low where a cough would do as well."""
        logit = _BIAS + sum(weight * value for weight, value in zip(_WEIGHTS, astuple(self), strict=True))
        probability = 1.0 / (1.0 + math.exp(-min(max(logit, -40.0), 40.0)))
        if round(math.exp(self.phones)) > _SHORT_PHONES:
            return probability
        phone_seconds = math.exp(self.phone_length) * _FRAME_SECONDS
        clear = probability >= _SHORT_LEAST_PROBABILITY and phone_seconds >= _SHORT_LEAST_PHONE_SECONDS
        return probability if clear else min(probability, LEAST_CONFIDENCE / 2)


@dataclass(frozen=True, slots=True)
class AlignedPhone:
    """One phone of a phrase, laid over the sound: its place and length in frames, its log-likelihood in nat."""

    word: str
    name: str
    start: int
    frames: int
    nat: float


def weighed(said: list[AlignedPhone], loop: list[Segment], frames: int) -> Evidence:
    """Weigh a phrase against the free hearing.

    Args:
        said: The phrase's phones, at least one.
        loop: The free hearing's segments.
        frames: How many frames of 10 ms were heard.
    """
    free, speech = _free_hearing(loop, frames)
    explained = np.zeros(frames + 1, dtype=bool)
    for phone in said:
        explained[phone.start : phone.start + phone.frames] = True
    lengths = np.array([phone.frames for phone in said], dtype=float)
    ratios = np.array([phone.nat - free[phone.start : phone.start + phone.frames].sum() for phone in said])
    fits = ratios / lengths
    by_word = [[index for index, _ in group] for _, group in groupby(enumerate(said), key=lambda pair: pair[1].word)]
    names = [phone.name for phone in said]
    heard = [segment.word for segment in loop if is_speech(segment.word)]
    return Evidence(
        fit=float(ratios.sum() / lengths.sum()),
        worst_phone_fit=float(fits.min()),
        tenth_phone_fit=float(np.quantile(fits, 0.1)),
        worst_word_fit=min(float(ratios[word].sum() / lengths[word].sum()) for word in by_word),
        unexplained=float((speech & ~explained).sum() / max(1, speech.sum())),
        phone_length=float(np.log(lengths.mean())),
        phone_length_spread=float(np.log(lengths).std()),
        phone_distance=_distance(names, heard),
        phones=math.log(len(said)),
        phones_ratio=len(heard) / len(said),
    )


def _free_hearing(loop: Iterable[Segment], frames: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the phone loop's log-likelihood in nat and whether it hears speech, per frame; shapes ``(n + 1,)``."""
    nat = np.full(frames + 1, -1.0)
    speech = np.zeros(frames + 1, dtype=bool)
    for segment in loop:
        start, end = segment.start_frame, segment.end_frame + 1
        score = math.log(max(segment.ascore, _FLOOR)) * 1024
        nat[start:end] = score / (end - start)
        speech[start:end] = is_speech(segment.word)
    return nat, speech


def _distance(said: list[str], heard: list[str]) -> float:
    """Edit distance, 0 to 1, with half the price between phones of one family."""
    row = np.arange(len(heard) + 1, dtype=float)
    for index, phone in enumerate(said, start=1):
        above, row = row, np.full(len(heard) + 1, float(index))
        for column, other in enumerate(heard, start=1):
            price = 0.0 if phone == other else 0.5 if _alike(phone, other) else 1.0
            row[column] = min(above[column] + 1, row[column - 1] + 1, above[column - 1] + price)
    return float(row[-1]) / max(len(said), len(heard), 1)


def _alike(phone: str, other: str) -> bool:
    return any({phone, other} <= set(family.split()) for family in _PHONE_FAMILIES)


def is_speech(phone: str) -> bool:
    """Tell whether a decoder's sign is a phone, and no silence or noise."""
    return phone != "SIL" and not phone.startswith("+")
