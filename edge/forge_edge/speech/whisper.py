"""Whisper by faster-whisper, where the hub has delivered a model's weights."""

from collections.abc import Sequence
from math import exp
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel

from forge_edge.audio.ports import SAMPLE_RATE_HZ, Samples
from forge_edge.errors import EngineError, EngineMissingError
from forge_edge.speech.grammar import normalised
from forge_edge.speech.hallucination import LEAST_MEAN_LOG_PROBABILITY, fault, hot_words
from forge_edge.speech.ports import Grammar, Transcription
from forge_edge.speech.wordings import wordings

LEAST_CONFIDENCE = exp(LEAST_MEAN_LOG_PROBABILITY)
"""An unaccepted hearing's confidence stays below this, an accepted one's does not."""

_FILES = ("model.bin", "config.json", "tokenizer.json")
"""What must lie in the folder; of these faster-whisper would download the tokenizer if it were missing."""


class WhisperTranscriber:
    """A `Transcriber` that runs a CTranslate2 Whisper model on the CPU in int8. Never downloads anything."""

    def __init__(self, model_folder: Path, *, threads: int = 2) -> None:
        """Load the model.

        Args:
            model_folder: Holds model.bin, config.json, tokenizer.json and a vocabulary.
            threads: Processor threads for one utterance, at least 1.

        Raises:
            EngineMissingError: A file is missing, or they are no such model.
        """
        missing = [name for name in _FILES if not (model_folder / name).is_file()]
        if missing:
            raise EngineMissingError(f"{model_folder.name} is no Whisper model: {', '.join(missing)} missing")
        try:
            self._model = WhisperModel(
                str(model_folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
            )
        except Exception as error:  # tokenizers raises bare Exception, CTranslate2 RuntimeError and ValueError
            raise EngineMissingError(f"{model_folder.name} is no Whisper model in CTranslate2's format") from error

    @property
    def name(self) -> str:
        """The engine's name."""
        return "whisper"

    def transcribe(self, samples: Samples, grammar: Grammar | None) -> Transcription:
        """Transcribe one utterance, as the port says.

        With a grammar, the words must be one of its phrases or contain exactly one; any other hearing is a guess.
        """
        try:
            segments, _ = self._model.transcribe(
                samples.astype(np.float32) / 32768.0,
                language="en",
                beam_size=5,
                temperature=0.0,
                condition_on_previous_text=False,
                without_timestamps=True,
                # One utterance is at most 15 s, about 60 words; a bound keeps a runaway decoding short.
                max_new_tokens=120,
                hotwords=hot_words(grammar.phrases) if grammar is not None else None,
                # Thresholds are judged below, where a refusal is told from silence.
                no_speech_threshold=None,
                log_prob_threshold=None,
                compression_ratio_threshold=None,
            )
            heard = list(segments)
        except (RuntimeError, ValueError) as error:
            raise EngineError("Whisper failed") from error
        text = _words(" ".join(segment.text for segment in heard))
        if not text:
            return Transcription(text="", accepted=False, confidence=0.0, engine=self.name)
        confidence = exp(min(0.0, *(segment.avg_logprob for segment in heard)))
        faults = (
            fault(
                _words(segment.text),
                seconds=samples.size / SAMPLE_RATE_HZ,
                no_speech_probability=segment.no_speech_prob,
                mean_log_probability=segment.avg_logprob,
                compression_ratio=segment.compression_ratio,
                made_up=wordings().hallucinations,
            )
            for segment in heard
        )
        reason = next((found for found in faults if found is not None), "")
        if grammar is not None:
            text = matching_phrase(text, grammar.phrases)
            reason = reason or ("" if text else "unlike")
        sure = not reason
        if not sure:
            confidence = min(confidence, LEAST_CONFIDENCE / 2)
        return Transcription(text=text, accepted=sure, confidence=confidence, engine=self.name, reason=reason)


def matching_phrase(text: str, phrases: Sequence[str]) -> str:
    """Return the phrase that ``text`` is, or the only one that it contains; empty otherwise.

    Of phrases within each other ("nearly every day", "i think nearly every day") the longest counts. A text that says
    more than twice as many words as the phrase is a sentence about something else: "I will not take it at all costs".
    """
    if text in phrases:
        return text
    found = [phrase for phrase in phrases if f" {phrase} " in f" {text} "]
    outermost = [
        phrase for phrase in found if not any(phrase != other and f" {phrase} " in f" {other} " for other in found)
    ]
    if len(outermost) != 1:
        return ""
    phrase = outermost[0]
    # A single word inside a sentence ("stop", "no", "back") is most often part of something else.
    spoken, matched = len(text.split()), len(phrase.split())
    return phrase if matched > 1 and spoken <= 2 * matched else ""


def _words(text: str) -> str:
    # A number written in digits is no phrase of any grammar, but it is dictation.
    return normalised(text) or " ".join("".join(c if c.isalnum() or c == "'" else " " for c in text.lower()).split())
