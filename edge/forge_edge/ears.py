"""The ears: a child process that hears and speaks. A crash or hang here never takes the core with it.

One thread reads sound and decides by `turns.Turns`; two make and play speech (`audio.speaking`), so that the room hears
while it speaks; one reads orders; one says every second that all is well, or that the first is stuck, so that the core
can start the ears anew.
"""

import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from forge_edge.acts import Act, Decode, Hush, Speak, Tell
from forge_edge.audio.activity import CHUNK_SECONDS, VoiceActivity
from forge_edge.audio.echo import OWN_SHARE, EchoCanceller, Reference
from forge_edge.audio.files import FileSource
from forge_edge.audio.microphone import MicrophoneSource
from forge_edge.audio.patient import PatientScript
from forge_edge.audio.playback import SpeakerSink
from forge_edge.audio.ports import AudioChunk, AudioSink, AudioSource, Samples
from forge_edge.audio.simulated import SimulatedRoom
from forge_edge.audio.speaking import Began, Finished, Speaker
from forge_edge.audio.voicing import is_voiced, voiced_seconds
from forge_edge.core_link import CoreLink
from forge_edge.engines import synthesiser, transcriber, wake_models
from forge_edge.errors import AudioSourceLostError, EngineError, NodeConfigError
from forge_edge.interruption import INTERRUPTING_PROBABILITY
from forge_edge.messages import Hearing, Instruction, Mute, RoomState, SpeechHeard, WakeHeard, read_order
from forge_edge.mouth import Mouth
from forge_edge.pulse import Pulse
from forge_edge.settings import NodeSettings
from forge_edge.speech.ports import Grammar, Synthesiser, Transcriber, Transcription
from forge_edge.turn_times import TurnTimes
from forge_edge.turns import State, Turns
from forge_edge.wake.cascade import CascadeWakeWords
from forge_edge.wake.open_wake_word import OpenWakeWords
from forge_edge.wake.ports import WakeWord
from forge_shared.logs import get_logger

STUCK_SECONDS = 4.0
"""Without progress for this long the ears say that they are stuck; with a beat until it is said and a start of up to
4 s they hear again within ten seconds. Twice as long as a source may let them wait."""
DECODE_SECONDS = 6.0
"""Announced before an utterance is transcribed: pocketsphinx holds the process still while it works."""
REOPEN_SECONDS = 1.0
IDLE_SECONDS = 0.05
"""How long orders are waited for while there is no sound to wait for."""
STATE_SECONDS = 30.0
"""How often the room's state is reported although it did not change."""
ZERO_SECONDS = 8.0
"""A live converter is never exactly zero for so long: the microphone is muted by a switch, or dead. With a second for
the report that makes it known within ten."""
BUFFER_SECONDS = 20.0
"""Sound kept to cut utterances from; longer than the longest utterance. Nothing is kept while the room is muted."""
NOISE_VOICED_SECONDS = 0.08
"""A short sound with less voice in it than this is a cough, a knock or a click. The shortest "no" has twice as much."""

log = get_logger()


class Ears:
    """Hears and speaks as the core instructs, until the core is gone."""

    def __init__(  # noqa: PLR0913 (the parts that the composition below hands in)
        self,
        link: CoreLink[Instruction | Mute],
        source: AudioSource,
        sink: AudioSink,
        wake_words: Sequence[WakeWord],
        transcriber: Transcriber,
        synthesiser: Synthesiser,
        times: TurnTimes,
    ) -> None:
        self._link = link
        self._source = source
        self._wake_words = wake_words
        self._transcriber = transcriber
        self._times = times
        reference = Reference()
        self._echo = EchoCanceller(reference)
        self._speaker = Speaker(sink, synthesiser, reference)
        self._spoken = 0
        self._own_words = False
        self._audible = True
        self._activity = VoiceActivity()
        self._buffer: deque[AudioChunk] = deque(maxlen=int(BUFFER_SECONDS / CHUNK_SECONDS))
        self._turns = Turns()
        self._shown: tuple[State, bool] | None = None
        self._shown_at = 0.0
        self._probe: tuple[float, Transcription] | None = None
        self._decoded: tuple[float, float, float] | None = None
        self._wake_fed = self._attended = False
        self._zero_seconds = 0.0
        self._reopen_at = 0.0
        self._pulse = Pulse(link, STUCK_SECONDS)
        self._muted = self._lost = self._ended = False

    def run(self) -> None:
        """Work until the core is gone."""
        self._pulse.start()
        self._link.report(Hearing(state="ok", reason="started"))
        try:
            while not self._link.closed.is_set():
                self._step()
        finally:
            self._speaker.close()

    def _step(self) -> None:
        idle = self._ended or (self._lost and time.monotonic() < self._reopen_at)
        self._take_orders(IDLE_SECONDS if idle else 0.0)
        self._take_news()
        self._act(self._turns.tick(time.monotonic()))
        self._show()
        if idle:
            self._pulse.progress()
            return
        chunk = self._read()
        if chunk is not None:
            self._hear(chunk)

    def _take_orders(self, wait_seconds: float) -> None:
        while (order := self._link.order(wait_seconds)) is not None:
            now = time.monotonic()
            if isinstance(order, Mute):
                self._mute(order, now)
            else:
                self._follow(order, now)

    def _follow(self, instruction: Instruction, now: float) -> None:
        self._times.decided(now)
        self._act(self._turns.instructed(instruction, now))

    def _mute(self, order: Mute, now: float) -> None:
        if order.muted == self._muted:
            return
        self._muted = order.muted
        if order.muted:
            self._buffer.clear()
            self._act(self._turns.deafen("muted", now))
            if not self._turns.is_speaking:
                self._spoken = self._speaker.say((), "muted")
        else:
            self._source.discard()
            self._attended = False
            self._act(self._turns.undeafen("muted", now))

    def _take_news(self) -> None:
        while (news := self._speaker.news()) is not None:
            if news.number != self._spoken:
                continue
            match news:
                case Began():
                    self._times.answered(news.at_monotonic_seconds, news.synthesis_seconds)
                    self._own_words = self._names_wake_word(news.text)
                    self._turns.began(news.seconds, time.monotonic())
                case Finished():
                    self._audible = news.audible
                    self._act(self._turns.played(time.monotonic()))

    def _names_wake_word(self, text: str) -> bool:
        """Tell whether a sentence has a wake word in it: for as long as it is played none is heard."""
        said = "".join(character for character in text.lower() if character.isalpha())
        return any(word.replace("_", "").lower() in said for detector in self._wake_words for word in detector.words)

    def _show(self) -> None:
        now = time.monotonic()
        shown = self._turns.state, self._audible
        if shown != self._shown or now - self._shown_at >= STATE_SECONDS:
            self._shown, self._shown_at = shown, now
            self._link.report(RoomState(state=shown[0].value, audible=shown[1]))
        self._times.write(now)

    def _read(self) -> AudioChunk | None:
        try:
            chunk = self._source.read()
        except AudioSourceLostError:
            self._reopen_at = time.monotonic() + REOPEN_SECONDS
            if not self._lost:
                self._lost = True
                log.warning("hearing.lost", reason="source-failed")
                self._act(self._turns.deafen("lost", time.monotonic()))
            return None
        self._pulse.progress()
        if self._lost:
            self._lost = False
            log.info("hearing.recovered")
            self._attended = False
            self._act(self._turns.undeafen("lost", time.monotonic()))
        if chunk is None:
            self._ended = True
            self._act(self._turns.deafen("closed", time.monotonic()))
        return chunk

    def _hear(self, chunk: AudioChunk) -> None:
        self._watch_zeros(chunk.samples)
        if self._muted:
            return
        clean = self._echo.clean(chunk.samples)
        if not self._turns.hears:
            return
        before = self._buffer[-1].samples if self._buffer else clean
        self._buffer.append(AudioChunk(clean, chunk.at_seconds))
        now = time.monotonic()
        probability = self._speech_probability(clean)
        voiced = False
        if self._turns.is_speaking:
            if self._echo.own_share < OWN_SHARE:
                probability = 0.0
            voiced = probability >= INTERRUPTING_PROBABILITY and is_voiced(np.concatenate((before[-128:], clean)))
        woke = self._woken(clean)
        self._act(self._turns.heard(probability, chunk.at_seconds, now, voiced=voiced, woke=woke))

    def _speech_probability(self, samples: Samples) -> float:
        if not self._turns.attends:
            self._attended = False
            return 0.0
        if not self._attended:
            self._attended = True
            self._activity.reset()
        return self._activity.probability(samples)

    def _woken(self, samples: Samples) -> WakeHeard | None:
        if not self._turns.awaits_wake_word:
            self._wake_fed = False
            return None
        if not self._wake_fed:
            self._wake_fed = True
            for detector in self._wake_words:
                detector.reset()
        for detector in self._wake_words:
            detection = detector.feed(samples)
            if detection is not None and not (self._turns.is_speaking and self._own_words):
                return WakeHeard(word=detection.word, score=detection.score)
        return None

    def _watch_zeros(self, samples: Samples) -> None:
        if np.any(samples):
            if self._zero_seconds >= ZERO_SECONDS:
                log.info("hearing.recovered")
                self._act(self._turns.undeafen("silent", time.monotonic()))
            self._zero_seconds = 0.0
            return
        before = self._zero_seconds
        self._zero_seconds += CHUNK_SECONDS
        if before < ZERO_SECONDS <= self._zero_seconds:
            log.warning("hearing.lost", reason="source-silent")
            self._act(self._turns.deafen("silent", time.monotonic()))

    def _act(self, acts: Sequence[Act]) -> None:
        for act in acts:
            match act:
                case Speak():
                    self._spoken = self._speaker.say(act.sentences, act.earcon, act.voice)
                case Hush():
                    self._speaker.hush()
                case Tell():
                    if isinstance(act.perception, SpeechHeard) and self._decoded is not None:
                        self._times.heard(*self._decoded, time.monotonic())
                    self._link.report(act.perception)
                case Decode():
                    self._decode(act)

    def _decode(self, decode: Decode) -> None:
        latest = self._buffer[-1].at_seconds + CHUNK_SECONDS if self._buffer else decode.end_seconds
        began_at = time.monotonic()
        ended_at = began_at - (latest - decode.speech_end_seconds)
        samples = self._cut(decode)
        is_noise = decode.final and decode.short and voiced_seconds(samples) < NOISE_VOICED_SECONDS
        heard = None if is_noise else self._transcribe(decode, samples)
        now = time.monotonic()
        if is_noise:
            self._times.noise()
        if heard is None:
            self._act(self._turns.decoded(decode, None, now, is_noise=is_noise))
            return
        said = SpeechHeard(
            turn=self._turns.turn if decode.listen is not None else None,
            text=heard.text,
            accepted=heard.accepted,
            confidence=heard.confidence,
            engine=heard.engine,
            doubted=heard.doubted,
            safety=heard.safety,
            words=heard.words,
            took_ms=round(1000 * (now - began_at), 1),
            ended_monotonic_seconds=ended_at,
        )
        phrases = decode.listen.phrases if decode.listen is not None else ()
        is_whole = not any(phrase.startswith(f"{heard.text} ") for phrase in phrases)
        self._decoded = ended_at, began_at, now
        self._act(self._turns.decoded(decode, said, now, is_whole=is_whole))

    def _transcribe(self, decode: Decode, samples: Samples) -> Transcription | None:
        """Return what was said; what was transcribed in the pause before the end is not transcribed again."""
        if decode.final and self._probe is not None and self._probe[0] == decode.speech_end_seconds:
            return self._probe[1]
        listen = decode.listen
        grammar = (
            Grammar(listen.grammar, listen.phrases, listen.senses) if listen is not None and listen.phrases else None
        )
        with self._pulse.busy(DECODE_SECONDS):
            try:
                heard = self._transcriber.transcribe(samples, grammar)
            except EngineError as error:
                log.warning("engine.failed", engine=self._transcriber.name, reason=error.code)
                return None
        self._probe = None if decode.final else (decode.speech_end_seconds, heard)
        return heard

    def _cut(self, decode: Decode) -> Samples:
        chunks = [
            chunk.samples
            for chunk in self._buffer
            if decode.start_seconds - CHUNK_SECONDS < chunk.at_seconds < decode.end_seconds
        ]
        return np.concatenate(chunks) if chunks else np.zeros(1, np.int16)


def run(settings: NodeSettings, socket_path: Path, *, deaf: bool = False) -> None:
    """Build the ears from the settings and work until the core is gone.

    Args:
        settings: How the node is run.
        socket_path: The core's socket.
        deaf: Open no microphone, only speak.

    Raises:
        NodeError: An engine or the audio device is missing; the message says what to do.
    """
    link = CoreLink(socket_path, read_order)
    if deaf:
        sink = _sound(settings)[1] if settings.audio == "simulated" else SpeakerSink(settings.audio_output)
        try:
            Mouth(link, sink, synthesiser(settings)).run()
        finally:
            sink.close()
        return
    source, sink = _sound(settings)
    try:
        hear(settings, link, source, sink)
    finally:
        source.close()
        sink.close()


def hear(settings: NodeSettings, link: CoreLink[Instruction | Mute], source: AudioSource, sink: AudioSink) -> None:
    """Hear and speak with the engines of the settings, through any sound, until the core is gone.

    Raises:
        NodeError: An engine is missing; the message says what to do.
    """
    wake_words: list[WakeWord] = [CascadeWakeWords(settings.wake_words, threshold=settings.wake_threshold)]
    if models := wake_models(settings):
        wake_words.append(OpenWakeWords(models))
    times = TurnTimes(settings.folder)
    Ears(link, source, sink, wake_words, transcriber(settings), synthesiser(settings), times).run()


def _sound(settings: NodeSettings) -> tuple[AudioSource, AudioSink]:
    if settings.audio == "simulated" and settings.room_script is not None:
        try:
            script = PatientScript.model_validate_json(settings.room_script.read_bytes())
        except (OSError, ValidationError):
            raise NodeConfigError(f"{settings.room_script.name} is no script of a simulated patient") from None
        room = SimulatedRoom(
            script,
            speed=settings.room_speed or None,
            # At its own speed a room outlives its patient; an accelerated one would only burn the processor.
            linger_seconds=float("inf") if settings.room_speed == 1 else 0.0,
            outcome_file=settings.room_script.with_suffix(".outcome.json"),
        )
        return room.source, room.sink
    speaker = SpeakerSink(settings.audio_output, may_be_missing=True)
    if settings.audio == "file" and settings.audio_file is not None:
        return FileSource(settings.audio_file, real_time=True), speaker
    return MicrophoneSource(settings.audio_input), speaker
