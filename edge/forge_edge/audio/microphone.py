"""The room's microphone, by PortAudio."""

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from forge_edge.audio.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, AudioChunk, Samples
from forge_edge.errors import AudioSourceLostError, EngineMissingError
from forge_shared.logs import get_logger

QUEUE_CHUNKS = 128
"""About four seconds. When the reader is slower, the oldest chunk is dropped and counted: what is said now matters."""

NO_DATA_SECONDS = 2.0
"""A stream that delivers nothing for this long is lost; the port allows `read` to block about as long."""

DIGITAL_ZERO_SECONDS = 10.0
"""A live converter is never exactly zero for so long: the microphone is muted by a switch, or a sound server delivers
silence in place of one that was unplugged. So often it is opened anew; the ears say that nothing is heard."""


@dataclass(frozen=True, slots=True)
class Device:
    """A sound device: PortAudio's index, its name, and how many channels go in and out."""

    index: int
    name: str
    inputs: int
    outputs: int


class InputStream(Protocol):
    """A started capture. `active` turns false when the device fails."""

    @property
    def active(self) -> bool:
        """Whether the device still delivers."""

    def close(self) -> None:
        """Release the device."""


OnSamples = Callable[[Samples], None]
"""Takes one block, shape ``(512,)``, int16; called from the sound system's thread, must not block."""


def portaudio() -> ModuleType:
    """Return the binding of PortAudio, which is loaded only when a device is used.

    Raises:
        EngineMissingError: The PortAudio library is not installed.
    """
    try:
        import sounddevice  # noqa: PLC0415 (importing it opens the sound system)
    except (ImportError, OSError):
        raise EngineMissingError("the PortAudio library is missing: apt install libportaudio2") from None
    module: ModuleType = sounddevice
    return module


def devices() -> tuple[Device, ...]:
    """Return every sound device of this machine; none is a valid answer.

    Raises:
        EngineMissingError: The PortAudio library is not installed.
        AudioSourceLostError: The sound system does not answer.
    """
    library = portaudio()
    try:
        found = library.query_devices()
    except library.PortAudioError:
        raise AudioSourceLostError("the sound system does not answer") from None
    return tuple(
        Device(index, str(entry["name"]), int(entry["max_input_channels"]), int(entry["max_output_channels"]))
        for index, entry in enumerate(found)
    )


def open_input(device: str | None, on_samples: OnSamples) -> InputStream:
    """Start capture from a PortAudio device.

    Raises:
        AudioSourceLostError: There is no such microphone, or it refuses 16 kHz mono.
        EngineMissingError: The PortAudio library is not installed.
    """
    library = portaudio()

    def callback(block: Any, _frames: int, _time: Any, _status: Any) -> None:  # noqa: ANN401 (PortAudio's signature)
        on_samples(block[:, 0].copy())

    try:
        stream: InputStream = library.InputStream(
            device=device, samplerate=SAMPLE_RATE_HZ, blocksize=CHUNK_SAMPLES, channels=1, dtype="int16",
            callback=callback,
        )  # fmt: skip
        stream.start()  # type: ignore[attr-defined]  # started here once, by nobody else
    except (library.PortAudioError, ValueError):
        wanted = "the default microphone" if device is None else f"the microphone {device!r}"
        raise AudioSourceLostError(f"{wanted} cannot be opened at 16 kHz: see `forge-edge doctor`") from None
    return stream


class MicrophoneSource:
    """A microphone as an `AudioSource`."""

    def __init__(
        self, device: str | None, *, open_stream: Callable[[str | None, OnSamples], InputStream] = open_input
    ) -> None:
        """Open the device and begin to capture.

        Args:
            device: PortAudio's name of the device, or a unique part of it; None for the system's default.
            open_stream: Opens the capture; another one than PortAudio in tests.

        Raises:
            AudioSourceLostError: The device is missing.
            EngineMissingError: The PortAudio library is not installed.
        """
        self._queue: queue.Queue[Samples] = queue.Queue(QUEUE_CHUNKS)
        self._dropped = 0
        self._reported = 0
        self._delivered = 0
        self._zero_seconds = 0.0
        self._closed = False
        self._device = device
        self._open_stream = open_stream
        self._stream: InputStream | None = open_stream(device, self._take)

    @property
    def dropped_chunks(self) -> int:
        """How many chunks were dropped because the reader was too slow."""
        return self._dropped

    def read(self) -> AudioChunk | None:
        """Return the next chunk, or None after `close`. After a loss or ten seconds of zeros it opens the device anew.

        Raises:
            AudioSourceLostError: Nothing came for two seconds, the stream failed, or the device cannot be opened again.
        """
        if self._closed:
            return None
        if self._stream is None:
            self._stream = self._open_stream(self._device, self._take)
        samples = self._next(self._stream)
        if self._dropped != self._reported:
            self._reported = self._dropped
            get_logger().warning("microphone.overflow", dropped_chunks=self._dropped)
        self._zero_seconds = 0.0 if np.any(samples) else self._zero_seconds + CHUNK_SAMPLES / SAMPLE_RATE_HZ
        if self._zero_seconds >= DIGITAL_ZERO_SECONDS:
            self._zero_seconds = 0.0
            self._release()
        chunk = AudioChunk(samples, self._delivered * CHUNK_SAMPLES / SAMPLE_RATE_HZ)
        self._delivered += 1
        return chunk

    def discard(self) -> None:
        """Forget what was captured and not read yet. It still counts in the time of the chunks that follow."""
        while True:
            try:
                self._queue.get_nowait()
            except queue.Empty:
                return
            self._delivered += 1

    def close(self) -> None:
        """Release the device. Further calls do nothing."""
        self._closed = True
        self._release()

    def _next(self, stream: InputStream) -> Samples:
        deadline = time.monotonic() + NO_DATA_SECONDS
        while time.monotonic() < deadline:
            try:
                return self._queue.get(timeout=0.1)
            except queue.Empty:
                if not stream.active:
                    raise self._lost("the microphone's stream ended") from None
        raise self._lost(f"the microphone delivered nothing for {NO_DATA_SECONDS:g} s")

    def _lost(self, reason: str) -> AudioSourceLostError:
        self._release()
        self._zero_seconds = 0.0
        return AudioSourceLostError(reason)

    def _release(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _take(self, samples: Samples) -> None:
        while True:
            try:
                self._queue.put_nowait(samples)
            except queue.Full:
                try:
                    self._queue.get_nowait()
                    self._dropped += 1
                except queue.Empty:
                    continue  # the reader was faster after all
            else:
                return
