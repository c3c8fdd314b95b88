"""Whisper by CTranslate2: what it writes down freely, and how probable it finds what a question allows.

The network hears 30 s at once and most of them are silence. An utterance in a room is short, so it is given a window of
its own length, which takes a fraction of the time (ADR 0027). Its free words suffer: in a short window it is more apt
to write the same words again and again, which `hallucination` refuses.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from numpy.typing import NDArray

from forge_edge.audio.ports import SAMPLE_RATE_HZ, Samples
from forge_edge.errors import EngineError, EngineMissingError
from forge_edge.speech.grammar import normalised
from forge_edge.speech.hallucination import Fault, fault
from forge_edge.speech.whisper_package import FILES
from forge_edge.speech.wordings import wordings

_FRAMES_PER_SECOND = 100
_SHORTEST_FRAMES = 500
_MARGIN_SECONDS = 1.0
"""A window in hundredths of a second: 5 s, or as long as the utterance and one second more."""
_MOST_FRAMES = 3000
_MOST_TOKENS = 120
"""An utterance is at most 15 s, about 60 words; a bound keeps a runaway decoding short."""
_BEAMS, _LONG_BEAMS = 5, 1
"""Ways that are followed at once, of a short and of a long utterance."""
LONG_SECONDS = 6.0
"""No phrase that a question allows takes so long; what does is taken down, and compared with nothing."""
_AT_ONCE = 16
"""Phrases that are compared in one pass."""
_LEAST_PROBABILITY = 1e-9


@dataclass(frozen=True, slots=True)
class Words:
    """What Whisper writes down.

    Attributes:
        text: Lower case, no punctuation.
        written: As it wrote it.
        confidence: Geometric mean of its tokens' probabilities, 0 to 1; what it was trained to, not calibrated.
        fault: Why it is not to be believed; None if nothing speaks against it.
    """

    text: str
    written: str
    confidence: float
    fault: Fault | None


class Whisper:
    """A Whisper model on the CPU in int8. Used from one thread at a time. Never downloads anything."""

    def __init__(self, model: Path | Mapping[str, bytes], *, threads: int = 2) -> None:
        """Load the model.

        Args:
            model: A folder that holds `FILES`, or their contents by name.
            threads: Processor threads for one utterance, at least 1.

        Raises:
            EngineMissingError: A file is missing, or they are no such model.
        """
        name = model.name if isinstance(model, Path) else "the package"
        there = model if isinstance(model, Mapping) else {path.name for path in model.glob("*")}
        missing = [file for file in FILES if file not in there]
        if missing:
            raise EngineMissingError(f"{name} is no Whisper model: {', '.join(missing)} missing")
        try:
            self._model = WhisperModel(
                str(model) if isinstance(model, Path) else "packaged",
                files=None if isinstance(model, Path) else dict(model),
                device="cpu",
                compute_type="int8",
                cpu_threads=threads,
                local_files_only=True,
            )
        except Exception as error:  # tokenizers raises bare Exception, CTranslate2 RuntimeError and ValueError
            raise EngineMissingError(f"{name} is no Whisper model in CTranslate2's format") from error
        self._tokens = Tokenizer(
            self._model.hf_tokenizer,
            self._model.model.is_multilingual,
            task="transcribe",
            language="en",
        )
        self._begin = [*self._tokens.sot_sequence, self._tokens.no_timestamps]

    def hear(self, samples: Samples) -> "Utterance":
        """Hear one utterance, shape ``(n,)``, int16, 16 kHz mono; of more than 30 s only the beginning.

        Raises:
            EngineError: The engine failed.
        """
        seconds = samples.size / SAMPLE_RATE_HZ
        frames = min(_MOST_FRAMES, max(_SHORTEST_FRAMES, int(np.ceil(seconds + _MARGIN_SECONDS)) * _FRAMES_PER_SECOND))
        window = np.zeros(frames * SAMPLE_RATE_HZ // _FRAMES_PER_SECOND, np.float32)
        heard = samples[: window.size].astype(np.float32) / 32768.0
        window[: heard.size] = heard
        try:
            features = self._model.feature_extractor(window)[:, :frames]
            return Utterance(self._model, self._tokens, self._begin, np.asarray(self._model.encode(features)), seconds)
        except (RuntimeError, ValueError) as error:
            raise EngineError("Whisper failed") from error


class Utterance:
    """One utterance as Whisper hears it."""

    def __init__(
        self, model: WhisperModel, tokens: Tokenizer, begin: list[int], encoded: NDArray[np.float32], seconds: float
    ) -> None:
        self._model, self._tokens, self._begin, self._encoded, self._seconds = model, tokens, begin, encoded, seconds

    def words(self) -> Words | None:
        """Return what was said, whatever might have been said; None for nothing.

        Raises:
            EngineError: The engine failed.
        """
        try:
            (found,) = self._model.model.generate(
                self._features(1),
                [self._begin],
                beam_size=_BEAMS if self._seconds <= LONG_SECONDS else _LONG_BEAMS,
                length_penalty=1.0,
                max_length=len(self._begin) + _MOST_TOKENS,
                return_scores=True,
                return_no_speech_prob=True,
                suppress_tokens=[-1],
            )
            tokens = found.sequences_ids[0]
            written = self._tokens.decode(tokens).strip()
        except Exception as error:  # tokenizers raises bare Exception, CTranslate2 RuntimeError and ValueError
            raise EngineError("Whisper failed") from error
        text = _words(written)
        if not text:
            return None
        mean = min(0.0, found.scores[0] * len(tokens) / (len(tokens) + 1))
        return Words(
            text,
            written,
            exp(mean),
            fault(
                text,
                seconds=self._seconds,
                no_speech_probability=found.no_speech_prob,
                mean_log_probability=mean,
                compression_ratio=len(text) / len(zlib.compress(text.encode())),
                made_up=wordings().hallucinations,
            ),
        )

    def log_probabilities(self, texts: Sequence[str]) -> list[float]:
        """Return for each text, as Whisper would write it, the natural logarithm of its probability, its end apart.

        Raises:
            EngineError: The engine failed.
        """
        found = []
        for first in range(0, len(texts), _AT_ONCE):
            try:
                tokens = [self._tokens.encode(f" {text}") for text in texts[first : first + _AT_ONCE]]
                aligned = self._model.model.align(
                    self._features(len(tokens)), self._begin, tokens, [self._encoded.shape[1] * 2] * len(tokens)
                )
            except Exception as error:  # tokenizers raises bare Exception, CTranslate2 RuntimeError and ValueError
                raise EngineError("Whisper failed") from error
            found += [float(np.log(np.maximum(one.text_token_probs, _LEAST_PROBABILITY)).sum()) for one in aligned]
        return found

    def _features(self, copies: int) -> ctranslate2.StorageView:
        return ctranslate2.StorageView.from_array(np.repeat(self._encoded, copies, axis=0))


def spelled(phrase: str) -> str:
    """Return a phrase as Whisper would write it: a sentence."""
    return f"{phrase[:1].upper()}{phrase[1:]}."


def _words(written: str) -> str:
    # A number written in digits is no phrase of any grammar, but it is dictation.
    return normalised(written) or " ".join(
        "".join(c if c.isalnum() or c == "'" else " " for c in written.lower()).split()
    )
