"""Speech to text by pocketsphinx, whose package carries its model: nothing to deliver, small enough for a Pi.

A grammar that must choose will choose: "my chest hurts" becomes the phrase that fits least badly. So every choice is
weighed against a second, free hearing of the same sound (a loop of all phones), phone by phone, and is accepted only
where a logistic rule over ten figures finds it probable that these words were said. `benchmarks/hearing.py train` fits
the rule on synthetic voices and prints its figures on other voices, noises and phrases.
"""

import math
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pocketsphinx import Decoder, Segment, get_model_path, set_loglevel

from forge_edge.audio.ports import SAMPLE_RATE_HZ, Samples
from forge_edge.errors import EngineError, EngineMissingError
from forge_edge.speech.grammar import jsgf
from forge_edge.speech.ports import Grammar, Transcription
from forge_shared.logs import get_logger

LEAST_CONFIDENCE = 0.5
"""Of the rule below: more probable than not. ``benchmarks/hearing.py`` prints what it lets through."""

LEAST_POSTERIOR = 0.6
"""Free dictation: mean posterior of the words. Jiang 2005, "Confidence measures for speech recognition: A survey",
section 3, on word posteriors; the value keeps noise and silence out in tests/contracts/test_transcriber.py."""

_SHORTEST_SECONDS = 0.15
"""Shorter than "no" said fast; also less than the decoder's feature window needs."""

_PIECE_SAMPLES = 1600
_CACHED_GRAMMARS = 24
"""A form of ten questions, the confirmation and the requests, twice over."""

_DITHER_DB = 30.0
"""Pink noise laid under every utterance, this far below its louder half. The model was trained on recordings of rooms;
digital silence between words is strange to it: of synthetic phrases without noise it chose 87 % rightly, with this 94 %
(144 phrases, ``benchmarks/hearing.py``'s training voices)."""

_FLOOR = 1e-300
"""Keeps a logarithm finite where a long segment's likelihood underflows."""

_NAT_PER_STEP = math.log(1.0001) * 1024
"""Alignment scores are integer logarithms to base 1.0001, shifted by ten bits (pocketsphinx, ``SENSCR_SHIFT``)."""

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
class _Phone:
    word: str
    name: str
    start: int
    frames: int
    nat: float


class PocketsphinxTranscriber:
    """A `Transcriber` with the US English model of pocketsphinx's package. A decoder takes about 100 MB."""

    def __init__(self) -> None:
        """Load the acoustic model and the dictionary.

        Raises:
            EngineMissingError: The package's model does not load.
        """
        set_loglevel("FATAL")
        # Without the lattice pass: on synthetic answers at 10 dB it lost every tenth phrase that the first pass had.
        # Noise removal: right at 10 dB 93 of 98 instead of 90 of 98, unchanged in quiet (fourteen synthetic voices).
        # Wide beams: with the default ones an unfamiliar accent often reached no phrase at all (six of eight times "not
        # at all" in a Scottish synthetic voice, none with these), and then there is not even a guess to ask about.
        self._decoder = _decoder(bestpath=False, remove_noise=True, beam=1e-80, wbeam=1e-60, pbeam=1e-80)
        self._decoder.add_allphone_file("phones", None)
        self._searches: OrderedDict[Grammar, tuple[str, frozenset[str]]] = OrderedDict()
        self._made = 0

    @property
    def name(self) -> str:
        """The engine's name."""
        return "pocketsphinx"

    def transcribe(self, samples: Samples, grammar: Grammar | None) -> Transcription:
        """Transcribe one utterance, as the port says."""
        if samples.size < _SHORTEST_SECONDS * SAMPLE_RATE_HZ or not np.ptp(samples):
            return self._heard("", accepted=False, confidence=0.0)
        try:
            if grammar is None:
                return self._dictation(_as_in_a_room(samples))
            text, evidence = self.evidence(samples, grammar)
        except RuntimeError as error:
            raise EngineError("pocketsphinx failed") from error
        confidence = evidence.confidence if evidence is not None else 0.0
        return self._heard(text, accepted=confidence >= LEAST_CONFIDENCE, confidence=confidence)

    def evidence(self, samples: Samples, grammar: Grammar) -> tuple[str, Evidence | None]:
        """Return the phrase that fits best and how well it does; no evidence where no whole phrase fits at all.

        Args:
            samples: Shape ``(n,)``, int16, 16 kHz mono, longer than 0.15 s and not constant.
            grammar: What may be said.

        Raises:
            EngineError: No phrase of the grammar is in the dictionary.
            RuntimeError: The decoder failed.
        """
        search, phrases = self._search(grammar)
        samples = _as_in_a_room(samples)
        self._decoder.activate_search(search)
        _hear(self._decoder, samples)
        hypothesis = self._decoder.hyp()
        text: str = hypothesis.hypstr if hypothesis is not None else ""
        # Sound that ends in mid-phrase gives the part of it that was reached.
        if text not in phrases:
            return "", None
        return text, self._weigh(samples, text)

    def _weigh(self, samples: Samples, text: str) -> Evidence | None:
        said = self._aligned(samples, text)
        if not said:
            return None
        self._decoder.activate_search("phones")
        _hear(self._decoder, samples)
        return _weighed(said, [*(self._decoder.seg() or ())], self._decoder.n_frames())

    def _aligned(self, samples: Samples, text: str) -> list[_Phone]:
        self._decoder.set_align_text(text)
        _hear(self._decoder, samples)
        if self._decoder.hyp() is None:
            return []
        try:
            self._decoder.set_alignment()
        except RuntimeError:
            # The words do not fit into the sound even by force.
            return []
        _hear(self._decoder, samples)
        return [
            _Phone(word.name, phone.name, phone.start, max(phone.duration, 1), phone.score * _NAT_PER_STEP)
            for word in self._decoder.get_alignment() or ()
            for phone in word
            if _is_speech(phone.name)
        ]

    def _search(self, grammar: Grammar) -> tuple[str, frozenset[str]]:
        if grammar in self._searches:
            self._searches.move_to_end(grammar)
            return self._searches[grammar]
        known = tuple(
            phrase
            for phrase in grammar.phrases
            if all(self._decoder.lookup_word(word) is not None for word in phrase.split())
        )
        if len(known) < len(grammar.phrases):
            get_logger().warning(
                "speech.phrases-not-in-dictionary", grammar=grammar.name, missing=len(grammar.phrases) - len(known)
            )
        if not known:
            raise EngineError(f"no phrase of {grammar.name} is in the dictionary of pocketsphinx")
        if len(self._searches) >= _CACHED_GRAMMARS:
            _, (oldest, _) = self._searches.popitem(last=False)
            self._decoder.activate_search("phones")
            self._decoder.remove_search(oldest)
        self._made += 1
        search = f"said-{self._made}"
        self._decoder.add_jsgf_string(search, jsgf(Grammar(grammar.name, known)))
        self._searches[grammar] = search, frozenset(known)
        return self._searches[grammar]

    @cached_property
    def _dictator(self) -> Decoder:
        # Its lattice pass gives the posteriors, so it is a decoder of its own; made when first needed.
        return _decoder(lm=str(Path(get_model_path()) / "en-us" / "en-us.lm.bin"))

    def _dictation(self, samples: Samples) -> Transcription:
        # In pieces: a long utterance takes seconds, and the decoder lets nothing else run while it works on one.
        self._dictator.start_utt()
        for start in range(0, samples.size, _PIECE_SAMPLES):
            self._dictator.process_raw(samples[start : start + _PIECE_SAMPLES].astype("<i2", copy=False).tobytes())
        self._dictator.end_utt()
        hypothesis = self._dictator.hyp()
        words = [segment for segment in self._dictator.seg() or () if _is_word(segment.word)]
        if hypothesis is None or not words:
            return self._heard("", accepted=False, confidence=0.0)
        text = " ".join(segment.word.split("(")[0] for segment in words)
        # A posterior compares words with words only: in noise "if" beats every other word.
        evidence = self._weigh(samples, text)
        posterior = float(np.mean([segment.prob for segment in words]))
        confidence = min(1.0, posterior, evidence.confidence if evidence is not None else 0.0)
        return self._heard(text, accepted=confidence >= LEAST_POSTERIOR, confidence=confidence)

    def _heard(self, text: str, *, accepted: bool, confidence: float) -> Transcription:
        return Transcription(text=text, accepted=accepted, confidence=confidence, engine=self.name)


def _decoder(**settings: object) -> Decoder:
    model = Path(get_model_path()) / "en-us"
    try:
        return Decoder(
            **{"lm": None, **settings},
            hmm=str(model / "en-us"),
            dict=str(model / "cmudict-en-us.dict"),
            loglevel="FATAL",
        )
    except RuntimeError as error:
        raise EngineMissingError("the model of pocketsphinx does not load; reinstall pocketsphinx") from error


def _as_in_a_room(samples: Samples) -> Samples:
    size = samples.size
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(size))
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(spectrum.size), 1)), size)
    energy = samples.astype(np.float64) ** 2
    louder_half = np.partition(energy, size // 2)[size // 2 :].mean()
    pink *= np.sqrt(louder_half / 10 ** (_DITHER_DB / 10) / np.mean(pink**2))
    return np.clip(samples + pink, -32_768, 32_767).astype(np.int16)


def _hear(decoder: Decoder, samples: Samples) -> None:
    decoder.start_utt()
    decoder.process_raw(samples.astype("<i2", copy=False).tobytes(), full_utt=True)
    decoder.end_utt()


def _weighed(said: list[_Phone], loop: list[Segment], frames: int) -> Evidence:
    free, speech = _free_hearing(loop, frames)
    explained = np.zeros(frames + 1, dtype=bool)
    for phone in said:
        explained[phone.start : phone.start + phone.frames] = True
    lengths = np.array([phone.frames for phone in said], dtype=float)
    ratios = np.array([phone.nat - free[phone.start : phone.start + phone.frames].sum() for phone in said])
    fits = ratios / lengths
    by_word = [[index for index, _ in group] for _, group in groupby(enumerate(said), key=lambda pair: pair[1].word)]
    names = [phone.name for phone in said]
    heard = [segment.word for segment in loop if _is_speech(segment.word)]
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
        speech[start:end] = _is_speech(segment.word)
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


def _is_speech(phone: str) -> bool:
    return phone != "SIL" and not phone.startswith("+")


def _is_word(word: str) -> bool:
    return not word.startswith(("<", "[", "++"))
