"""Recordings instead of a microphone: what the room would have heard in a sound file."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from forge_edge.audio.activity import Ended, Endpointer, EndpointLimits, Started, VoiceActivity
from forge_edge.audio.files import load
from forge_edge.audio.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Samples
from forge_edge.errors import AudioUnreadableError
from forge_edge.speech.grammar import Vocabulary, answers
from forge_edge.speech.ports import Transcriber, Transcription
from forge_edge.wake.cascade import CascadeWakeWords
from forge_edge.wake.decision import DEFAULT_THRESHOLD
from forge_edge.wake.micro import BUILT_IN_WORDS
from forge_shared.errors import FormUnknownError
from forge_shared.forms.questionnaire import installed

TRAILING_SILENCE_SECONDS = 0.5
"""Follows every file: the wake models score a window that ends after the word."""

_LONGEST_SAMPLES = int(EndpointLimits().longest_seconds * SAMPLE_RATE_HZ)

_SEGMENT_LIMITS = EndpointLimits(no_speech_seconds=float("inf"))


def wake_files(
    paths: Sequence[Path], words: Sequence[str] = BUILT_IN_WORDS, *, threshold: float = DEFAULT_THRESHOLD
) -> Iterator[dict[str, Any]]:
    """Find wake words in sound files.

    Args:
        paths: Sound files; each is heard by itself.
        words: The words to listen for.
        threshold: Lowest score of a detection, 0 to 1.

    Yields:
        One ``{"file", "word", "at_s", "score"}`` per detection, or ``{"file", "error"}`` for a file that cannot be
        decoded.

    Raises:
        EngineMissingError: There is no such word.
    """
    detector = CascadeWakeWords(words, threshold=threshold)
    for path in paths:
        try:
            samples = load(path)
        except AudioUnreadableError as error:
            yield {"file": str(path), "error": str(error)}
            continue
        detector.reset()
        for chunk in _chunks(samples):
            detection = detector.feed(chunk)
            if detection is not None:
                yield {
                    "file": str(path),
                    "word": detection.word,
                    "at_s": round(detection.at_seconds, 2),
                    "score": round(detection.score, 3),
                }


def transcribe_files(
    paths: Sequence[Path],
    form_id: str | None,
    link_id: str | None,
    engine: Transcriber,
    *,
    forms_dir: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """Transcribe sound files, each as one utterance: what is not speech is left out.

    Args:
        paths: Sound files.
        form_id: A form, together with ``link_id``; None for free dictation.
        link_id: A question of that form; its answers and the commands of a form are what may be said.
        engine: The speech engine.
        forms_dir: The site's own forms.

    Yields:
        One ``{"file", "text", "accepted", "confidence", "engine"}`` per file, or ``{"file", "error"}`` for a file that
        cannot be decoded. ``text`` is the option's own words for an answer; where not accepted, a guess.

    Raises:
        FormUnknownError: There is no such form or question; the message lists those that exist.
        EngineError: The engine failed.
    """
    vocabulary, displays = _vocabulary(form_id, link_id, forms_dir)
    activity = VoiceActivity()
    for path in paths:
        try:
            samples = load(path)
        except AudioUnreadableError as error:
            yield {"file": str(path), "error": str(error)}
            continue
        activity.reset()
        speech = spoken_parts(samples, activity)
        if speech is None:
            yield {"file": str(path), "text": "", "accepted": False, "confidence": 0.0, "engine": engine.name}
            continue
        heard = engine.transcribe(speech, vocabulary.grammar if vocabulary else None)
        meaning = vocabulary.meaning(heard.text) if vocabulary else None
        text = displays[meaning.code] if meaning is not None and meaning.kind == "answer" else heard.text
        yield {
            "file": str(path),
            "text": text,
            "accepted": heard.accepted,
            "confidence": round(heard.confidence, 3),
            "engine": heard.engine,
        }


def hear_files(
    paths: Sequence[Path], form_id: str, link_id: str | None, engine: Transcriber, *, forms_dir: Path | None = None
) -> Iterator[dict[str, Any]]:
    """Hear sound files as answers to a question, as the room would.

    Args:
        paths: Sound files, each one utterance.
        form_id: The form.
        link_id: One of its questions; None for the first.
        engine: The speech engine.
        forms_dir: The site's own forms.

    Yields:
        One ``{"file", "heard", "code", "accepted", "confidence", "engines", "reason"}`` per file, or ``{"file",
        "error"}`` for one that cannot be decoded. ``accepted`` means that the room would take it as an answer and read
        it back; ``code`` is the answer's, also of one that is only guessed at.

    Raises:
        FormUnknownError: There is no such form or question; the message lists those that exist.
        EngineError: The engine failed.
    """
    if link_id is None and (form := installed(forms_dir).get(form_id)) is not None:
        link_id = form.questions[0].link_id
    vocabulary, _ = _vocabulary(form_id, link_id or "", forms_dir)
    activity = VoiceActivity()
    for path in paths:
        try:
            samples = load(path)
        except AudioUnreadableError as error:
            yield {"file": str(path), "error": str(error)}
            continue
        activity.reset()
        speech = spoken_parts(samples, activity)
        if speech is None or vocabulary is None:
            heard = Transcription(text="", accepted=False, confidence=0.0, engine=engine.name, reason="no-speech")
        else:
            heard = engine.transcribe(speech[:_LONGEST_SAMPLES], vocabulary.grammar)
        meaning = vocabulary.meaning(heard.text) if vocabulary else None
        answer = meaning is not None and meaning.kind == "answer"
        yield {
            "file": str(path),
            "heard": heard.text,
            "code": meaning.code if meaning is not None and answer else None,
            "accepted": heard.accepted and answer,
            "confidence": round(heard.confidence, 3),
            "engines": [*(heard.hearings or (heard.engine,))],
            "reason": "no-answer" if heard.accepted and not answer else heard.reason,
        }


def spoken_parts(samples: Samples, activity: VoiceActivity) -> Samples | None:
    """Return the utterances in a recording, joined; None if nobody speaks.

    Args:
        samples: Shape ``(n,)``, int16, 16 kHz mono.
        activity: A detector that has heard nothing yet.
    """
    parts: list[Samples] = []
    endpointer = Endpointer(_SEGMENT_LIMITS)
    begun_seconds: float | None = None
    at_seconds = 0.0
    for index, chunk in enumerate(_chunks(samples)):
        at_seconds = index * CHUNK_SAMPLES / SAMPLE_RATE_HZ
        endpoint = endpointer.feed(activity.probability(chunk), at_seconds)
        if isinstance(endpoint, Started):
            begun_seconds = endpoint.at_seconds
        elif isinstance(endpoint, Ended):
            parts.append(_cut(samples, endpoint.start_seconds, endpoint.end_seconds))
            endpointer, begun_seconds = Endpointer(_SEGMENT_LIMITS), None
    if begun_seconds is not None:
        parts.append(_cut(samples, begun_seconds, at_seconds + TRAILING_SILENCE_SECONDS))
    return np.concatenate(parts) if parts else None


def _cut(samples: Samples, start_seconds: float, end_seconds: float) -> Samples:
    return samples[round(start_seconds * SAMPLE_RATE_HZ) : round(end_seconds * SAMPLE_RATE_HZ)]


def _chunks(samples: Samples) -> Iterator[Samples]:
    padded = np.concatenate((samples, np.zeros(round(TRAILING_SILENCE_SECONDS * SAMPLE_RATE_HZ), np.int16)))
    for start in range(0, len(padded) - CHUNK_SAMPLES + 1, CHUNK_SAMPLES):
        yield padded[start : start + CHUNK_SAMPLES]


def _vocabulary(
    form_id: str | None, link_id: str | None, forms_dir: Path | None
) -> tuple[Vocabulary | None, dict[str, str]]:
    if form_id is None and link_id is None:
        return None, {}
    forms = installed(forms_dir)
    form = forms.get(form_id or "")
    if form is None:
        raise FormUnknownError(f"no form {form_id}; there are {', '.join(sorted(forms))}")
    item = form.question(link_id or "")
    if item is None:
        there = ", ".join(question.link_id for question in form.questions)
        raise FormUnknownError(f"form {form_id} has no question {link_id}; there are {there}")
    return answers(form, item), {option.code: option.display.lower() for option in item.answer_option}
