"""A simulated room with a patient in it, in place of microphone and loudspeaker.

It ships with the product: demo, benchmark and tests run the same node as a ward, only the ends of its sound differ.
"""

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forge_edge.audio import patient as mind
from forge_edge.audio.noise import QUIET_DBFS, SPEECH_DBFS, at_level, room_noise, spoken_part
from forge_edge.audio.outcome import Outcome, Said, write
from forge_edge.audio.patient import SLOWEST_WORDS_PER_MINUTE, PatientScript, Phase, Says, Turn, Voice
from forge_edge.audio.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, AudioChunk, Earcon, Speech
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.speech.flite import FliteSynthesiser
from forge_edge.speech.ports import Synthesiser
from forge_shared.forms import questionnaire

REPLY_SECONDS = (0.3, 0.8)
"""Stream time from the room's last word to the patient's first."""

IMPATIENCE_SECONDS = 20.0
"""Stream time after which a patient calls a silent room again. Longer than the room's own patience for an answer."""

IMPATIENCE_WALL_SECONDS = 5.0
"""And wall time, so that at accelerated time a machine that thinks is not taken for one that is silent."""

FINAL_SILENCE_SECONDS = 3.0

SILENCE_SPEED = 40.0
"""Without a set speed, silence still runs at most this much faster than real time: a reader must not spin."""

REPLY_SPEED = 10.0
"""The same for the pause before a reply, so that a room which has just spoken has time to open its ears."""

CATCH_UP_SECONDS = 0.2
"""Stream time that a late reader may read at once."""

REPETITION_SPEEDS = (1.0, 0.9, 0.8)
"""Who is not understood says it again more slowly, in turns; the wake word stays as it is.

Source: Oviatt, Levow, MacEachern and Kuhn 1996, ICSLP: after a recognition error speech is longer. The steps are ours.
"""

_CHUNK_SECONDS = CHUNK_SAMPLES / SAMPLE_RATE_HZ


def voice_engine(voice: Voice) -> Synthesiser:
    """Return the engine that speaks with a patient's voice.

    Raises:
        EngineError: There is no such voice.
    """
    if voice.engine == "flite":
        return FliteSynthesiser(voice.voice, words_per_minute=voice.words_per_minute)
    return EspeakSynthesiser(voice.voice, words_per_minute=voice.words_per_minute, pitch=voice.pitch)


def _slower(voice: Voice, factor: float) -> Voice:
    words_per_minute = max(SLOWEST_WORDS_PER_MINUTE, round(voice.words_per_minute * factor))
    return voice.model_copy(update={"words_per_minute": words_per_minute})


@dataclass(slots=True)
class _Utterance:
    says: Says
    samples: NDArray[np.float32]
    position: int = 0


class SimulatedRoom:
    """A room with one patient, for one ears process.

    ``source`` is read by one thread, ``sink`` is played by the same or another. Everything random comes from the
    script's seed; what is left to chance is only how long the room takes to answer.
    """

    def __init__(
        self,
        script: PatientScript,
        *,
        speed: float | None,
        linger_seconds: float = 0.0,
        outcome_file: Path | None = None,
    ) -> None:
        """Prepare the room; nothing sounds before it is read.

        Args:
            script: The patient.
            speed: 1 is real time, N at most N times faster, None as fast as it is read.
            linger_seconds: Silence after the patient has finished and three seconds have passed, then the source ends.
            outcome_file: Where the outcome is written whenever it changes, replaced atomically.

        Raises:
            NodeConfigError: The script names a form, an item or an answer that does not exist.
            EngineError: There is no such voice.
        """
        self._speed = speed
        self._linger_seconds = linger_seconds
        self._outcome_file = outcome_file
        self._saved: Outcome | None = None
        self._engines = tuple(voice_engine(_slower(script.voice, slower)) for slower in REPETITION_SPEEDS)
        self._random = np.random.default_rng(script.noise.seed)
        self._noise = at_level(
            room_noise(script.noise.seed),
            QUIET_DBFS if script.noise.snr_db is None else SPEECH_DBFS - script.noise.snr_db,
        )
        self._changed = threading.Condition()
        self._patient = mind.begin(script, questionnaire.installed())
        self._said: tuple[Said, ...] = ()
        self._heard: list[str] = []
        self._toned = self._is_spoken_to = False
        self._utterance: _Utterance | None = None
        self._chunks = 0
        self._due_seconds: float | None = None
        self._quiet_since_seconds = 0.0
        self._quiet_since_wall = time.monotonic()
        self._paced_until = 0.0
        self._stops = 0
        self._closed = False
        self.source = SimulatedSource(self)
        self.sink = SimulatedSink(self)

    @property
    def outcome(self) -> Outcome:
        """What the patient has said and come to so far; frozen."""
        with self._changed:
            return self._outcome()

    def read(self) -> AudioChunk | None:
        """Return the next 32 ms of the room, or None when the patient has finished and the room is closed or empty."""
        with self._changed:
            if self._closed:
                return None
            self._think()
            if self._is_over():
                self._save()
                return None
            self._pace()
            chunk = self._mix()
            self._save()
            return chunk

    def hear(self, speech: Speech, *, more: bool = False, cancelled: threading.Event | None = None) -> None:
        """The room speaks: takes as long as the speech, at the room's speed, then the patient has heard it.

        They listen to the end, ``more`` sentences included, before they answer.
        """
        with self._changed:
            if cancelled is not None and cancelled.is_set():
                return
            self._is_spoken_to = True
        was_heard = self._listen(len(speech.samples) / SAMPLE_RATE_HZ)
        with self._changed:
            if was_heard:
                self._heard.append(speech.text)
            if not (was_heard and more):
                self._room_spoke()

    def hear_tone(self) -> None:
        """The room says that it listens."""
        with self._changed:
            self._toned = True
            self._room_spoke()

    def silence_room(self) -> None:
        """End what the room is saying; the patient has then not heard it."""
        with self._changed:
            self._stops += 1
            self._is_spoken_to = False
            self._changed.notify_all()

    def close(self) -> None:
        """End the room. Further calls do nothing."""
        with self._changed:
            self._closed = True
            self._stops += 1
            self._changed.notify_all()

    @property
    def _now_seconds(self) -> float:
        return self._chunks * _CHUNK_SECONDS

    def _listen(self, seconds: float) -> bool:
        with self._changed:
            before = self._stops
            limit = seconds / self._speed if self._speed else 0.0
            return not self._changed.wait_for(lambda: self._stops != before, timeout=limit)

    def _room_spoke(self) -> None:
        self._is_spoken_to = False
        self._rest(float(self._random.uniform(*REPLY_SECONDS)) if self._due_seconds is None else None)
        self._changed.notify_all()

    def _rest(self, pause_seconds: float | None) -> None:
        """Silence begins now; ``pause_seconds`` after it the patient's turn comes, if it is not already coming."""
        self._quiet_since_seconds = self._now_seconds
        self._quiet_since_wall = time.monotonic()
        if pause_seconds is not None:
            self._due_seconds = self._now_seconds + pause_seconds

    def _think(self) -> None:
        """Let the patient begin to speak when their turn has come."""
        if self._utterance is not None or self._is_spoken_to:
            return
        if self._due_seconds is not None:
            if self._now_seconds >= self._due_seconds:
                self._due_seconds = None
                self._take(self._answer())
        elif self._patient.phase is Phase.RESTING:
            self._rest(mind.pause_seconds(self._patient))
        elif self._patient.waits_for_room and self._is_too_quiet():
            self._take(mind.grow_impatient(self._patient))

    def _is_too_quiet(self) -> bool:
        return (
            self._now_seconds - self._quiet_since_seconds >= IMPATIENCE_SECONDS
            and time.monotonic() - self._quiet_since_wall >= IMPATIENCE_WALL_SECONDS
        )

    def _answer(self) -> Turn:
        heard, self._heard = " ".join(self._heard), []
        toned, self._toned = self._toned, False
        if self._patient.phase is Phase.RESTING:
            patient, says = mind.proceed(self._patient)
            return mind.react(patient, heard) if patient.phase is Phase.LISTENING else (patient, says)
        patient, says = mind.react(self._patient, heard)
        if patient.phase is Phase.RESTING and says is None:
            # What the patient waits for next may have been said together with the answer.
            self._heard = [heard]
        return mind.hear_tone(patient) if says is None and toned else (patient, says)

    def _take(self, turn: Turn) -> None:
        self._patient, says = turn
        self._rest(None)
        if says is not None:
            repetition = 0 if says.meaning == "wake" else self._patient.tries
            engine = self._engines[repetition % len(self._engines)]
            samples = at_level(spoken_part(engine.synthesise(says.text).samples), SPEECH_DBFS)
            self._utterance = _Utterance(says, samples)

    def _mix(self) -> AudioChunk:
        start = self._chunks * CHUNK_SAMPLES
        sound = self._noise[np.arange(start, start + CHUNK_SAMPLES) % len(self._noise)]
        at_seconds = self._now_seconds
        self._chunks += 1
        utterance = self._utterance
        if utterance is not None:
            piece = utterance.samples[utterance.position : utterance.position + CHUNK_SAMPLES]
            sound[: len(piece)] += piece
            utterance.position += CHUNK_SAMPLES
            if utterance.position >= len(utterance.samples):
                self._utterance = None
                last_word = at_seconds + len(piece) / SAMPLE_RATE_HZ
                said = Said(
                    text=utterance.says.text,
                    meaning=utterance.says.meaning,
                    last_word_at_seconds=last_word,
                    last_word_at=datetime.now(UTC),
                )
                self._said = (*self._said, said)
                self._rest(None)
        return AudioChunk(np.clip(np.rint(sound), -32_768, 32_767).astype(np.int16), at_seconds)

    def _pace(self) -> None:
        """Wait until the next chunk is due, at most 32 ms."""
        if self._speed is not None:
            speed = self._speed
        elif self._utterance is not None:
            return
        else:
            speed = REPLY_SPEED if self._due_seconds is not None and self._patient.waits_for_room else SILENCE_SPEED
        now = time.monotonic()
        # A reader that fell behind catches up, as with a sound card, but by no more than that.
        self._paced_until = max(self._paced_until, now - CATCH_UP_SECONDS / speed) + _CHUNK_SECONDS / speed
        self._changed.wait_for(lambda: self._closed, timeout=max(0.0, self._paced_until - now))

    def _is_over(self) -> bool:
        quiet = self._now_seconds - self._quiet_since_seconds
        has_finished = self._patient.has_finished and self._utterance is None
        return has_finished and quiet >= FINAL_SILENCE_SECONDS + self._linger_seconds

    def _outcome(self) -> Outcome:
        return Outcome(
            done=self._patient.phase is Phase.DONE,
            gave_up=self._patient.phase is Phase.GAVE_UP,
            re_prompts=self._patient.re_prompts,
            said=self._said,
        )

    def _save(self) -> None:
        outcome = self._outcome()
        if self._outcome_file is not None and outcome != self._saved:
            write(self._outcome_file, outcome)
            self._saved = outcome


class SimulatedSource:
    """The room's sound, an `AudioSource`."""

    def __init__(self, room: SimulatedRoom) -> None:
        self._room = room

    def read(self) -> AudioChunk | None:
        """Return the next chunk, or None when the patient has finished or the room was closed.

        Raises:
            EngineError: The patient's voice failed.
        """
        return self._room.read()

    def discard(self) -> None:
        """Do nothing: the simulated microphone does not hear the room's own voice."""

    def close(self) -> None:
        """End the room. Further calls do nothing."""
        self._room.close()


class SimulatedSink:
    """The room's voice, an `AudioSink`; the patient hears it."""

    def __init__(self, room: SimulatedRoom) -> None:
        self._room = room

    def play(self, speech: Speech, *, more: bool = False, cancelled: threading.Event | None = None) -> None:
        """Say something to the patient; returns when it was heard or stopped. They answer when there is no more."""
        self._room.hear(speech, more=more, cancelled=cancelled)

    def tone(self, earcon: Earcon = "listening") -> None:
        """Tell the patient that the room listens; other tones mean nothing to them."""
        if earcon == "listening":
            self._room.hear_tone()

    def stop(self) -> None:
        """End what is being said."""
        self._room.silence_room()

    def close(self) -> None:
        """End the room. Further calls do nothing."""
        self._room.close()
