"""A room with walls: what its loudspeaker plays comes back to its microphone, and sounds happen when a test says so.

Time is stream time: 32 ms pass with every chunk that is read, at most ``speed`` times as fast as real time.
"""

import threading
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forge_edge.audio.earcons import sound
from forge_edge.audio.noise import at_level, room_noise, spoken_part
from forge_edge.audio.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, AudioChunk, Earcon, Samples, Speech
from forge_edge.errors import AudioError, AudioSourceLostError

CHUNK_SECONDS = CHUNK_SAMPLES / SAMPLE_RATE_HZ
SPEECH_DBFS = -26.0
REVERBERATION_SECONDS = 0.15


@dataclass(slots=True)
class Heard:
    """One thing that the room has said: when it began and ended, and whether to its end."""

    text: str
    from_seconds: float
    until_seconds: float
    whole: bool


def voice(samples: Samples, level_dbfs: float = SPEECH_DBFS) -> NDArray[np.float32]:
    """Return speech as a person in the room would be heard: without silence around it, at a level."""
    return at_level(spoken_part(samples), level_dbfs)


def cough(seed: int, seconds: float = 0.35, level_dbfs: float = SPEECH_DBFS + 6) -> NDArray[np.float32]:
    """Return a cough: a burst of air and its decay, with the resonances of a throat and without a pitch."""
    random = np.random.default_rng(seed)
    count = int(seconds * SAMPLE_RATE_HZ)
    time_s = np.arange(count) / SAMPLE_RATE_HZ
    envelope = np.minimum(time_s / 0.01, 1) * np.exp(-time_s / 0.09) + 0.3 * np.exp(-(((time_s - 0.22) / 0.05) ** 2))
    spectrum = np.fft.rfft(random.standard_normal(count) * envelope)
    hertz = np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ)
    formants = sum(np.exp(-(((hertz - f) / w) ** 2)) for f, w in ((500, 250), (1500, 400), (2600, 500), (4200, 900)))
    return at_level(np.fft.irfft(spectrum * (0.1 + formants), count).astype(np.float32), level_dbfs)


class AcousticRoom:
    """An `AudioSource` and, as ``sink``, an `AudioSink`.

    Args:
        echo_db: Level of the room's voice at its microphone, beside what was played.
        delay_ms: From the sound card to the microphone.
        speed: Times real time; None: as fast as it is read.
        behind_seconds: How much a slow reader finds waiting, as in a microphone's queue; beyond that, time stops.
        noise_dbfs: Level of the room's noise.
        seed: Of the noise and the walls.
    """

    def __init__(  # noqa: PLR0913 (what a room is like, by keyword)
        self,
        *,
        echo_db: float | None = -18.0,
        delay_ms: float = 60.0,
        speed: float | None = 1.0,
        behind_seconds: float = 0.2,
        noise_dbfs: float = -65.0,
        seed: int = 0,
    ) -> None:
        self._speed = speed
        self._behind_seconds = behind_seconds
        self._changed = threading.Condition()
        self._noise = at_level(room_noise(seed), noise_dbfs)
        random = np.random.default_rng(seed)
        count = int(0.3 * SAMPLE_RATE_HZ)
        walls = (
            0.03
            * random.standard_normal(count)
            * np.exp(-3 * np.arange(count) / SAMPLE_RATE_HZ / REVERBERATION_SECONDS)
        )
        walls[0] = 1.0
        self._walls = walls * 10 ** ((echo_db or 0.0) / 20)
        self._echoes = echo_db is not None
        self._delay = int(delay_ms * SAMPLE_RATE_HZ / 1000)
        self._sounds: list[tuple[int, NDArray[np.float32]]] = []
        self._chunks = 0
        self._started: float | None = None
        self._stops = 0
        self._lost_reads = 0
        self._closed = False
        self.switched_off = False
        self.loudspeaker_works = True
        self.said: list[Heard] = []
        self.earcons: list[Earcon] = []
        self.sink = _Sink(self)

    @property
    def now_seconds(self) -> float:
        """Stream time."""
        return self._chunks * CHUNK_SECONDS

    def happens(self, samples: NDArray[np.float32], *, in_seconds: float = 0.0) -> float:
        """Let a sound be heard; return the stream time at which it begins."""
        with self._changed:
            start = int((self.now_seconds + in_seconds) * SAMPLE_RATE_HZ)
            self._sounds.append((start, samples))
            return start / SAMPLE_RATE_HZ

    def loses_microphone(self, reads: int) -> None:
        """Let so many reads fail."""
        with self._changed:
            self._lost_reads = reads

    def echo_of(self, samples: Samples) -> NDArray[np.float32]:
        """Return what the walls make of a sound."""
        return np.convolve(samples.astype(np.float32), self._walls).astype(np.float32)

    def until(self, seconds: float, limit_seconds: float = 30.0) -> None:
        """Wait for a stream time."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.now_seconds >= seconds or self._closed, limit_seconds)

    def wait(self, seconds: float) -> None:
        """Wait for so much stream time to pass."""
        self.until(self.now_seconds + seconds)

    # The microphone

    def read(self) -> AudioChunk | None:
        """Return the next chunk."""
        self._pace()
        with self._changed:
            if self._closed:
                return None
            if self._lost_reads:
                self._lost_reads -= 1
                raise AudioSourceLostError("unplugged")
            start = self._chunks * CHUNK_SAMPLES
            sound_here = self._noise[np.arange(start, start + CHUNK_SAMPLES) % len(self._noise)].copy()
            for at, samples in self._sounds:
                piece = samples[max(0, start - at) : max(0, start + CHUNK_SAMPLES - at)]
                offset = max(0, at - start)
                sound_here[offset : offset + len(piece)] += piece
            self._sounds = [(at, samples) for at, samples in self._sounds if at + len(samples) > start + CHUNK_SAMPLES]
            if self.switched_off:
                sound_here[:] = 0
            chunk = AudioChunk(np.clip(np.rint(sound_here), -32_768, 32_767).astype(np.int16), self.now_seconds)
            self._chunks += 1
            self._changed.notify_all()
            return chunk

    def discard(self) -> None:
        """Nothing waits in this microphone."""

    def close(self) -> None:
        """End the room."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _pace(self) -> None:
        if self._speed is None:
            return
        now = time.monotonic()
        if self._started is None:
            self._started = now
        due = self._started + (self._chunks + 1) * CHUNK_SECONDS / self._speed
        time.sleep(max(0.0, due - now))
        self._started += max(0.0, now - due - self._behind_seconds)

    # The loudspeaker

    def play(self, samples: Samples, text: str, cancelled: threading.Event | None) -> None:
        """Play, come back as an echo, and return when it was heard or stopped."""
        if not self.loudspeaker_works:
            raise AudioError("the loudspeaker failed")
        with self._changed:
            if cancelled is not None and cancelled.is_set():
                return
            stops = self._stops
            first = self._chunks * CHUNK_SAMPLES
            echo = self.echo_of(samples) if len(samples) else None
            if self._echoes and echo is not None:
                self._sounds.append((first + self._delay, echo))
            end = first + len(samples)
            heard = Heard(text, self.now_seconds, 0.0, whole=False)
            if text:
                self.said.append(heard)
            self._changed.wait_for(
                lambda: self._chunks * CHUNK_SAMPLES >= end or self._stops != stops or self._closed, 60.0
            )
            heard.until_seconds = self.now_seconds
            heard.whole = self._chunks * CHUNK_SAMPLES >= end
            if not heard.whole and echo is not None:
                silent_from = self._chunks * CHUNK_SAMPLES - first
                echo[silent_from + len(self._walls) :] = 0
                tail = echo[silent_from : silent_from + len(self._walls)]
                tail *= np.exp(-6 * np.arange(len(tail)) / max(len(tail), 1))

    def stop(self) -> None:
        """Be silent."""
        with self._changed:
            self._stops += 1
            self._changed.notify_all()


class _Sink:
    def __init__(self, room: AcousticRoom) -> None:
        self._room = room

    def play(self, speech: Speech, *, more: bool = False, cancelled: threading.Event | None = None) -> None:
        del more
        self._room.play(speech.samples, speech.text, cancelled)

    def tone(self, earcon: Earcon = "listening") -> None:
        self._room.play(sound(earcon), "", None)
        self._room.earcons.append(earcon)

    def stop(self) -> None:
        self._room.stop()

    def close(self) -> None:
        self._room.close()
