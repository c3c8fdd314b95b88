"""The ears: a child process that hears and speaks. A crash or hang here never takes the core with it.

One thread reads sound and does everything in order; one reads instructions; one says every second that all is well,
and falls silent when the first is stuck, so that the core can start the ears anew.
"""

import contextlib
import queue
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from forge_edge.audio.activity import CHUNK_SECONDS, Ended, Endpointer, EndpointLimits, TimedOut, VoiceActivity
from forge_edge.audio.files import FileSource
from forge_edge.audio.microphone import MicrophoneSource
from forge_edge.audio.patient import PatientScript
from forge_edge.audio.playback import SpeakerSink
from forge_edge.audio.ports import SAMPLE_RATE_HZ, AudioChunk, AudioSink, AudioSource, Samples
from forge_edge.audio.simulated import SimulatedRoom
from forge_edge.errors import AudioError, AudioSourceLostError, EngineError, NodeConfigError
from forge_edge.messages import LINE_BYTES, Beat, Hearing, Instruction, Listen, NothingHeard, SpeechHeard, WakeHeard
from forge_edge.settings import NodeSettings
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.speech.piper import PiperSynthesiser
from forge_edge.speech.ports import Grammar, Synthesiser, Transcriber
from forge_edge.speech.twofold import TwofoldTranscriber
from forge_edge.speech.whisper import WhisperTranscriber
from forge_edge.wake import MicroWakeWords, OpenWakeWords, WakeWord
from forge_shared.logs import get_logger

BEAT_SECONDS = 1.0
STUCK_SECONDS = 5.0
"""Without progress for this long the ears stop saying that they live; with `children.BEAT_LIMIT_SECONDS` that makes a
deaf room known within ten seconds."""
DECODE_SECONDS = 6.0
"""Announced before an utterance is transcribed: pocketsphinx holds the process still while it works."""
REPLY_SECONDS = 5.0
"""How long a report waits for the core's instruction before the ears go back to their wake word."""
REOPEN_SECONDS = 1.0
DICTATION_LIMITS = EndpointLimits(no_speech_seconds=3600.0)
BUFFER_SECONDS = 20.0
"""Sound kept to cut utterances from; longer than the longest utterance."""

log = get_logger()


class CoreLink:
    """The socket to the core. Reports are sent from any thread; instructions queue up until they are taken.

    Raises:
        OSError: The core is not there.
    """

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._lock = threading.Lock()
        self._instructions: queue.Queue[Instruction] = queue.Queue()
        self.closed = threading.Event()
        threading.Thread(target=self._read, name="core-link", daemon=True).start()

    def report(self, perception: Hearing | WakeHeard | SpeechHeard | NothingHeard | Beat) -> None:
        """Send a perception. Does nothing once the core is gone."""
        with self._lock, contextlib.suppress(OSError):
            self._socket.sendall(perception.model_dump_json().encode() + b"\n")

    def instruction(self, wait_seconds: float = 0.0) -> Instruction | None:
        """Return the next instruction, waiting for it at most that long."""
        try:
            return self._instructions.get(block=wait_seconds > 0, timeout=wait_seconds or None)
        except queue.Empty:
            return None

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError), self._socket.makefile("rb", buffering=LINE_BYTES) as lines:
            for line in lines:
                self._instructions.put(Instruction.model_validate_json(line))
        self.closed.set()
        with self._lock:
            self._socket.close()


class Ears:
    """Hears and speaks as the core instructs, until the core is gone."""

    def __init__(  # noqa: PLR0913 (the parts that the composition below hands in)
        self,
        link: CoreLink,
        source: AudioSource,
        sink: AudioSink,
        wake_words: Sequence[WakeWord],
        transcriber: Transcriber,
        synthesiser: Synthesiser,
    ) -> None:
        self._link = link
        self._source = source
        self._sink = sink
        self._wake_words = wake_words
        self._transcriber = transcriber
        self._synthesiser = synthesiser
        self._activity = VoiceActivity()
        self._buffer: deque[AudioChunk] = deque(maxlen=int(BUFFER_SECONDS / CHUNK_SECONDS))
        self._endpointer: Endpointer | None = None
        self._listening: tuple[int, Listen] | None = None
        self._dictation = False
        self._progress_until = time.monotonic() + STUCK_SECONDS
        self._ended = False

    def run(self) -> None:
        """Work until the core is gone."""
        threading.Thread(target=self._beat, name="beat", daemon=True).start()
        self._link.report(Hearing(state="ok", reason="started"))
        while not self._link.closed.is_set():
            while (instruction := self._link.instruction(0.05 if self._ended else 0.0)) is not None:
                self._follow(instruction)
            if self._ended:
                self._mark_progress(STUCK_SECONDS)
                continue
            chunk = self._read()
            if chunk is not None:
                self._hear(chunk)

    def _beat(self) -> None:
        while not self._link.closed.wait(BEAT_SECONDS):
            if time.monotonic() < self._progress_until:
                self._link.report(Beat())

    def _mark_progress(self, seconds: float) -> None:
        self._progress_until = time.monotonic() + seconds

    def _read(self) -> AudioChunk | None:
        try:
            chunk = self._source.read()
        except AudioSourceLostError:
            self._lost()
            return None
        self._mark_progress(STUCK_SECONDS)
        if chunk is None:
            self._ended = True
            self._link.report(Hearing(state="closed", reason="stopped"))
        return chunk

    def _lost(self) -> None:
        log.warning("hearing.lost", reason="source-failed")
        self._link.report(Hearing(state="lost", reason="source-failed"))
        while not self._link.closed.wait(REOPEN_SECONDS):
            self._mark_progress(STUCK_SECONDS)
            try:
                self._source.read()
            except AudioSourceLostError:
                continue
            log.info("hearing.recovered")
            self._link.report(Hearing(state="ok", reason="recovered"))
            self._wait_for_wake_word()
            return

    def _hear(self, chunk: AudioChunk) -> None:
        self._buffer.append(chunk)
        if self._listening is None:
            for detector in self._wake_words:
                detection = detector.feed(chunk.samples)
                if detection is not None:
                    self._ask_core(WakeHeard(word=detection.word, score=detection.score))
                    return
        if self._endpointer is None:
            return
        endpoint = self._endpointer.feed(self._activity.probability(chunk.samples), chunk.at_seconds)
        if isinstance(endpoint, Ended):
            self._transcribe(endpoint, chunk.at_seconds + CHUNK_SECONDS)
        elif isinstance(endpoint, TimedOut) and self._listening is not None:
            self._ask_core(NothingHeard(turn=self._listening[0]))

    def _transcribe(self, utterance: Ended, now_seconds: float) -> None:
        ended_at = time.monotonic() - (now_seconds - utterance.end_seconds)
        turn = self._listening[0] if self._listening else None
        grammar = None
        if self._listening is not None:
            listen = self._listening[1]
            grammar = Grammar(listen.grammar, listen.phrases, listen.senses)
        self._mark_progress(STUCK_SECONDS + DECODE_SECONDS)
        self._link.report(Beat(busy_seconds=DECODE_SECONDS))
        try:
            heard = self._transcriber.transcribe(self._cut(utterance), grammar)
        except EngineError as error:
            log.warning("engine.failed", engine=self._transcriber.name, reason=error.code)
            if turn is not None:
                self._ask_core(NothingHeard(turn=turn))
            return
        if turn is None and not heard.text and heard.safety is None:
            self._listen_for_dictation()
            return
        self._ask_core(
            SpeechHeard(
                turn=turn,
                text=heard.text,
                accepted=heard.accepted,
                confidence=heard.confidence,
                engine=heard.engine,
                doubted=heard.doubted,
                safety=heard.safety,
                ended_monotonic_seconds=ended_at,
            )
        )

    def _cut(self, utterance: Ended) -> Samples:
        chunks = [
            chunk.samples
            for chunk in self._buffer
            if utterance.start_seconds - CHUNK_SECONDS < chunk.at_seconds < utterance.end_seconds
        ]
        return np.concatenate(chunks) if chunks else np.zeros(1, np.int16)

    def _ask_core(self, perception: WakeHeard | SpeechHeard | NothingHeard) -> None:
        """Report, and do nothing more until the core has said what follows: nothing may be heard out of turn."""
        self._link.report(perception)
        self._mark_progress(REPLY_SECONDS + STUCK_SECONDS)
        instruction = self._link.instruction(REPLY_SECONDS)
        if instruction is None:
            self._wait_for_wake_word()
        else:
            self._follow(instruction)

    def _follow(self, instruction: Instruction) -> None:
        self._dictation = instruction.dictation
        for sentence in instruction.say:
            self._speak(sentence)
        if instruction.tone:
            with contextlib.suppress(AudioError):
                self._sink.tone()
        if instruction.say or instruction.tone:
            self._source.discard()
        if instruction.listen is None:
            self._wait_for_wake_word()
        else:
            self._listening = (instruction.turn, instruction.listen)
            self._endpointer = Endpointer(EndpointLimits(no_speech_seconds=instruction.listen.patience_seconds))
            self._activity.reset()

    def _speak(self, sentence: str) -> None:
        self._mark_progress(STUCK_SECONDS + 10)
        try:
            speech = self._synthesiser.synthesise(sentence)
            self._mark_progress(STUCK_SECONDS + speech.samples.size / SAMPLE_RATE_HZ)
            self._sink.play(speech)
        except (EngineError, AudioError) as error:
            log.warning("speech.failed", reason=error.code)

    def _wait_for_wake_word(self) -> None:
        self._listening = None
        for detector in self._wake_words:
            detector.reset()
        self._listen_for_dictation()

    def _listen_for_dictation(self) -> None:
        self._endpointer = Endpointer(DICTATION_LIMITS) if self._dictation else None
        self._activity.reset()


class Mouth:
    """Ears without consent to hear: no microphone is opened, the room only speaks. Works until the core is gone."""

    def __init__(self, link: CoreLink, sink: AudioSink, synthesiser: Synthesiser) -> None:
        self._link = link
        self._sink = sink
        self._synthesiser = synthesiser

    def run(self) -> None:
        """Work until the core is gone."""
        threading.Thread(target=self._beat, name="beat", daemon=True).start()
        self._link.report(Hearing(state="closed", reason="consent-withdrawn"))
        while not self._link.closed.is_set():
            instruction = self._link.instruction(BEAT_SECONDS)
            for sentence in instruction.say if instruction is not None else ():
                try:
                    self._sink.play(self._synthesiser.synthesise(sentence))
                except (EngineError, AudioError) as error:
                    log.warning("speech.failed", reason=error.code)

    def _beat(self) -> None:
        while not self._link.closed.wait(BEAT_SECONDS):
            self._link.report(Beat())


def run(settings: NodeSettings, socket_path: Path, *, deaf: bool = False) -> None:
    """Build the ears from the settings and work until the core is gone.

    Args:
        settings: How the node is run.
        socket_path: The core's socket.
        deaf: Open no microphone, only speak.

    Raises:
        NodeError: An engine or the audio device is missing; the message says what to do.
    """
    link = CoreLink(socket_path)
    if deaf:
        sink = _sound(settings)[1] if settings.audio == "simulated" else SpeakerSink(settings.audio_output)
        try:
            Mouth(link, sink, synthesiser(settings)).run()
        finally:
            sink.close()
        return
    source, sink = _sound(settings)
    wake_words: list[WakeWord] = [MicroWakeWords(words=settings.wake_words)]
    if settings.wake_models:
        wake_words.append(OpenWakeWords(settings.wake_models))
    try:
        Ears(link, source, sink, wake_words, transcriber(settings), synthesiser(settings)).run()
    finally:
        source.close()
        sink.close()


def transcriber(settings: NodeSettings) -> Transcriber:
    """Return the engine that turns the room's speech into text."""
    return WhisperTranscriber(settings.whisper_model) if settings.whisper_model else TwofoldTranscriber()


def synthesiser(settings: NodeSettings) -> Synthesiser:
    """Return the room's voice."""
    if settings.piper_voice is not None:
        return PiperSynthesiser(settings.piper_voice)
    return EspeakSynthesiser(settings.voice, words_per_minute=settings.words_per_minute)


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
    if settings.audio == "file" and settings.audio_file is not None:
        return FileSource(settings.audio_file, real_time=True), SpeakerSink(settings.audio_output)
    return MicrophoneSource(settings.audio_input), SpeakerSink(settings.audio_output)
