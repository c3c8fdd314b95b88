"""Speech to text by pocketsphinx, whose package carries its model: nothing to deliver, small enough for a Pi.

A grammar that must choose will choose: "my chest hurts" becomes the phrase that fits least badly. So every choice is
weighed against a second, free hearing of the same sound (a loop of all phones), phone by phone, and is accepted only
where a logistic rule over ten figures finds it probable that these words were said. `benchmarks/hearing.py train` fits
the rule on synthetic voices and prints its figures on other voices, noises and phrases.
"""

import math
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from pocketsphinx import Decoder, Segment, get_model_path, set_loglevel

from forge_edge.audio.ports import SAMPLE_RATE_HZ, Samples
from forge_edge.errors import EngineError, EngineMissingError
from forge_edge.speech.evidence import LEAST_CONFIDENCE, AlignedPhone, Evidence, is_speech, weighed
from forge_edge.speech.grammar import jsgf
from forge_edge.speech.phones import OTHER
from forge_edge.speech.ports import Grammar, Transcription
from forge_shared.logs import get_logger

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

_NAT_PER_STEP = math.log(1.0001) * 1024
"""Alignment scores are integer logarithms to base 1.0001, shifted by ten bits (pocketsphinx, ``SENSCR_SHIFT``)."""

_MOST_WAYS = 4
"""Pronunciations of one phrase that are compared: more of a long phrase differ in a weak vowel only."""


@dataclass(frozen=True, slots=True)
class Listening:
    """What two decodings of the same sound gave.

    Attributes:
        text: The grammar's phrase that fits best; empty where no whole phrase fits at all.
        evidence: How well it fits; None without a text.
        phones: What the free phone loop wrote down, without silence and noises; `forge_edge.speech.phones` reads it.
    """

    text: str
    evidence: Evidence | None
    phones: tuple[str, ...]


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
        if not _may_be_speech(samples):
            return self._heard("", accepted=False, confidence=0.0)
        try:
            if grammar is None:
                return self._dictation(_as_in_a_room(samples))
            heard = self._listen(samples, grammar)
        except RuntimeError as error:
            raise EngineError("pocketsphinx failed") from error
        confidence = heard.evidence.confidence if heard.evidence is not None else 0.0
        return self._heard(heard.text, accepted=confidence >= LEAST_CONFIDENCE, confidence=confidence)

    def listen(self, samples: Samples, grammar: Grammar) -> Listening:
        """Decode with the grammar and, freely, into phones.

        Args:
            samples: Shape ``(n,)``, int16, 16 kHz mono, n >= 1.
            grammar: What may be said.

        Raises:
            EngineError: No phrase of the grammar is in the dictionary, or the decoder failed.
        """
        if not _may_be_speech(samples):
            return Listening("", None, ())
        try:
            return self._listen(samples, grammar)
        except RuntimeError as error:
            raise EngineError("pocketsphinx failed") from error

    def phones(self, samples: Samples) -> tuple[str, ...]:
        """Decode freely into phones alone; see `Listening`.

        Raises:
            EngineError: The decoder failed.
        """
        if not _may_be_speech(samples):
            return ()
        try:
            return _signs(self._loop(_as_in_a_room(samples)))
        except RuntimeError as error:
            raise EngineError("pocketsphinx failed") from error

    def pronunciations(self, phrase: str) -> tuple[tuple[str, ...], ...]:
        """Return how ``phrase`` is pronounced, in phones, most usual first, four ways at most; empty if unknown."""
        ways: list[tuple[str, ...]] = [()]
        for word in phrase.split():
            names = (word, *(f"{word}({number})" for number in range(2, _MOST_WAYS + 1)))
            spoken = [
                tuple(phones.split()) for name in names if (phones := self._decoder.lookup_word(name)) is not None
            ]
            ways = [(*before, *after) for before in ways for after in spoken][:_MOST_WAYS]
        return tuple(ways)

    def _listen(self, samples: Samples, grammar: Grammar) -> Listening:
        search, phrases = self._search(grammar)
        samples = _as_in_a_room(samples)
        self._decoder.activate_search(search)
        _hear(self._decoder, samples)
        hypothesis = self._decoder.hyp()
        text: str = hypothesis.hypstr if hypothesis is not None else ""
        # Sound that ends in mid-phrase gives the part of it that was reached.
        said = self._aligned(samples, text) if text in phrases else []
        loop = self._loop(samples)
        if not said:
            return Listening("", None, _signs(loop))
        return Listening(text, weighed(said, loop, self._decoder.n_frames()), _signs(loop))

    def _weigh(self, samples: Samples, text: str) -> Evidence | None:
        said = self._aligned(samples, text)
        return weighed(said, self._loop(samples), self._decoder.n_frames()) if said else None

    def _loop(self, samples: Samples) -> list[Segment]:
        self._decoder.activate_search("phones")
        _hear(self._decoder, samples)
        return [*(self._decoder.seg() or ())]

    def _aligned(self, samples: Samples, text: str) -> list[AlignedPhone]:
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
            AlignedPhone(word.name, phone.name, phone.start, max(phone.duration, 1), phone.score * _NAT_PER_STEP)
            for word in self._decoder.get_alignment() or ()
            for phone in word
            if is_speech(phone.name)
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


def _may_be_speech(samples: Samples) -> bool:
    return samples.size >= _SHORTEST_SECONDS * SAMPLE_RATE_HZ and bool(np.ptp(samples))


def _signs(loop: Iterable[Segment]) -> tuple[str, ...]:
    return tuple(segment.word for segment in loop if is_speech(segment.word) or segment.word == OTHER)


def _hear(decoder: Decoder, samples: Samples) -> None:
    decoder.start_utt()
    decoder.process_raw(samples.astype("<i2", copy=False).tobytes(), full_utt=True)
    decoder.end_utt()


def _is_word(word: str) -> bool:
    return not word.startswith(("<", "[", "++"))
