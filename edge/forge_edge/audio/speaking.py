"""The room's voice in threads of its own: the ears go on hearing while it speaks, and can silence it at any time.

One thread makes sentences, one plays them: while the first is heard the second is made, so that the first sound does
not wait for the last word.
"""

import contextlib
import queue
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from forge_edge.audio.earcons import sound
from forge_edge.audio.echo import Reference
from forge_edge.audio.ports import SAMPLE_RATE_HZ, AudioSink, Earcon, Speech
from forge_edge.errors import AudioError, EngineError
from forge_edge.speech.ports import Synthesiser
from forge_edge.speech.voice import PLAIN, Voice
from forge_shared.logs import get_logger

CACHE_SAMPLES = 240 * SAMPLE_RATE_HZ
"""Sentences that were made are kept in memory until they last four minutes together (7.7 MB): the prompts of a form and
of the requests are about half of that. On disk nothing is kept: a sentence may repeat what somebody answered."""

AHEAD = 1
"""Sentences that are made before they are played."""

log = get_logger()


@dataclass(frozen=True, slots=True)
class Began:
    """A sentence is being played from now on.

    Attributes:
        number: Number of the utterance.
        text: The sentence.
        seconds: How long it lasts.
        synthesis_seconds: How long it took to make; 0 when it was known.
        at_monotonic_seconds: When it began.
    """

    number: int
    text: str
    seconds: float
    synthesis_seconds: float
    at_monotonic_seconds: float


@dataclass(frozen=True, slots=True)
class Finished:
    """An utterance has been played to its end, as far as that was possible; ``audible``: the loudspeaker worked."""

    number: int
    audible: bool


@dataclass(frozen=True, slots=True)
class _Utterance:
    number: int
    sentences: tuple[str, ...]
    earcon: Earcon | None
    voice: Voice
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class _Made:
    utterance: _Utterance
    speech: Speech
    synthesis_seconds: float
    more: bool


class Speaker:
    """Says utterances, one at a time. Used from one thread; what it tells waits in `news`.

    Args:
        sink: The loudspeaker.
        synthesiser: The voice; used from one thread of this class.
        reference: Is given all that is played.
    """

    def __init__(self, sink: AudioSink, synthesiser: Synthesiser, reference: Reference) -> None:
        self._sink = sink
        self._synthesiser = synthesiser
        self._reference = reference
        self._number = 0
        self._current: _Utterance | None = None
        self._closed = threading.Event()
        self._cache: OrderedDict[tuple[str, Voice], Speech] = OrderedDict()
        self._orders: queue.Queue[_Utterance | None] = queue.Queue()
        self._made: queue.Queue[_Made | _Utterance | None] = queue.Queue(AHEAD)
        self._news: queue.Queue[Began | Finished] = queue.Queue()
        for work, name in ((self._make, "synthesis"), (self._play, "playback")):
            threading.Thread(target=work, name=name, daemon=True).start()

    def say(self, sentences: tuple[str, ...], earcon: Earcon | None = None, voice: Voice = PLAIN) -> int:
        """Begin to say sentences and then to sound an earcon; whatever is being said is ended.

        Returns:
            The number of the utterance, repeated in its news.
        """
        self.hush()
        self._number += 1
        self._current = _Utterance(self._number, sentences, earcon, voice)
        self._orders.put(self._current)
        return self._number

    def hush(self) -> None:
        """Be silent within one chunk. What was silenced gives no `Finished`."""
        utterance, self._current = self._current, None
        if utterance is not None:
            utterance.cancelled.set()
            self._sink.stop()
            self._reference.cut()

    def news(self) -> Began | Finished | None:
        """Return what has happened since, in order."""
        with contextlib.suppress(queue.Empty):
            return self._news.get_nowait()
        return None

    def close(self) -> None:
        """End both threads; the loudspeaker stays the caller's."""
        self.hush()
        self._closed.set()
        self._orders.put(None)

    def _make(self) -> None:
        while (utterance := self._orders.get()) is not None:
            last = len(utterance.sentences) - 1
            for place, sentence in enumerate(utterance.sentences):
                if utterance.cancelled.is_set():
                    break
                started = time.monotonic()
                speech = self._speech(sentence, utterance.voice)
                if speech is not None:
                    more = place < last or utterance.earcon is not None
                    self._made.put(_Made(utterance, speech, time.monotonic() - started, more))
            self._made.put(utterance)
        self._made.put(None)

    def _speech(self, sentence: str, voice: Voice) -> Speech | None:
        wanted = (sentence, voice)
        if wanted in self._cache:
            self._cache.move_to_end(wanted)
            return self._cache[wanted]
        try:
            speech = self._synthesiser.synthesise(sentence, voice)
        except EngineError as error:
            log.warning("speech.failed", reason=error.code)
            return None
        self._cache[wanted] = speech
        while sum(known.samples.size for known in self._cache.values()) > CACHE_SAMPLES:
            self._cache.popitem(last=False)
        return speech

    def _play(self) -> None:
        audible = True
        while (made := self._made.get()) is not None:
            utterance = made if isinstance(made, _Utterance) else made.utterance
            if utterance.cancelled.is_set():
                continue
            was_audible = audible
            try:
                if isinstance(made, _Made):
                    self._play_sentence(made)
                    audible = True
                elif utterance.earcon is not None:
                    self._reference.add(sound(utterance.earcon))
                    self._sink.tone(utterance.earcon)
                    audible = True
            except AudioError as error:
                audible = False
                if was_audible:
                    log.warning("speech.failed", reason=error.code)
            if audible and not was_audible:
                log.info("speech.recovered")
            if isinstance(made, _Utterance) and not utterance.cancelled.is_set():
                self._reference.cut()
                self._news.put(Finished(utterance.number, audible))

    def _play_sentence(self, made: _Made) -> None:
        seconds = made.speech.samples.size / SAMPLE_RATE_HZ
        began = Began(
            made.utterance.number, made.speech.text, seconds, made.synthesis_seconds, time.monotonic()
        )  # fmt: skip
        self._news.put(began)
        self._reference.add(made.speech.samples)
        self._sink.play(made.speech, more=made.more, cancelled=made.utterance.cancelled)
