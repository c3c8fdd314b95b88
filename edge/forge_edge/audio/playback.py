"""The room's loudspeaker, by PortAudio."""

import contextlib
import threading
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from forge_edge.audio import earcons
from forge_edge.audio.microphone import portaudio
from forge_edge.audio.ports import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Earcon, Samples, Speech
from forge_edge.errors import AudioError

BLOCK_SAMPLES = CHUNK_SAMPLES
"""32 ms: how soon `SpeakerSink.stop` is obeyed."""


class OutputStream(Protocol):
    """A device that plays. Each of its functions fails with `AudioError`."""

    def start(self) -> None:
        """Begin to play what is written."""

    def write(self, block: NDArray[np.int16]) -> None:
        """Take a block, shape ``(n, 1)``, int16; waits while the device has enough."""

    def stop(self) -> None:
        """Wait until what was written has been heard."""

    def abort(self) -> None:
        """Be silent at once."""

    def close(self) -> None:
        """Release the device."""


class _PortAudioStream:
    def __init__(self, device: str | None) -> None:
        library = portaudio()
        self._failure = library.PortAudioError
        try:
            self._stream = library.OutputStream(
                device=device, samplerate=SAMPLE_RATE_HZ, blocksize=0, channels=1, dtype="int16", latency="low"
            )
        except (library.PortAudioError, ValueError):
            wanted = "the default loudspeaker" if device is None else f"the loudspeaker {device!r}"
            raise AudioError(f"{wanted} cannot be opened at 16 kHz: see `forge-edge doctor`") from None

    def start(self) -> None:
        self._call(self._stream.start)

    def write(self, block: NDArray[np.int16]) -> None:
        self._call(self._stream.write, block)

    def stop(self) -> None:
        self._call(self._stream.stop)

    def abort(self) -> None:
        self._call(self._stream.abort)

    def close(self) -> None:
        self._call(self._stream.close)

    def _call(self, function: Callable[..., Any], *arguments: NDArray[np.int16]) -> None:
        try:
            function(*arguments)
        except self._failure:
            raise AudioError("the loudspeaker failed") from None


def open_output(device: str | None) -> OutputStream:
    """Open a PortAudio device.

    Raises:
        AudioError: The device is missing or refuses 16 kHz mono.
        EngineMissingError: The PortAudio library is not installed.
    """
    return _PortAudioStream(device)


class SpeakerSink:
    """A loudspeaker as an `AudioSink`. One that fails is opened anew by the next playback."""

    def __init__(
        self,
        device: str | None,
        *,
        may_be_missing: bool = False,
        open_stream: Callable[[str | None], OutputStream] = open_output,
    ) -> None:
        """Open the device.

        Args:
            device: PortAudio's name of the device, or a unique part of it; None for the system's default.
            may_be_missing: Whether one that is missing now is only looked for when something is to be played.
            open_stream: Opens the playback; another one than PortAudio in tests.

        Raises:
            AudioError: The device is missing or refuses 16 kHz mono.
            EngineMissingError: The PortAudio library is not installed.
        """
        self._device = device
        self._open_stream = open_stream
        self._stopped = threading.Event()
        self._closed = False
        self._running = False
        self._stream: OutputStream | None = None
        try:
            self._stream = open_stream(device)
        except AudioError:
            if not may_be_missing:
                raise

    def play(self, speech: Speech, *, more: bool = False, cancelled: threading.Event | None = None) -> None:
        """Play, as the port says.

        Raises:
            AudioError: The device failed, is missing or is closed.
        """
        self._play(speech.samples, more=more, cancelled=cancelled or threading.Event())

    def tone(self, earcon: Earcon = "listening") -> None:
        """Play a short tone.

        Raises:
            AudioError: The device failed, is missing or is closed.
        """
        self._play(earcons.sound(earcon), more=False, cancelled=threading.Event())

    def stop(self) -> None:
        """End the current playback within 32 ms."""
        self._stopped.set()

    def close(self) -> None:
        """Release the device. Further calls do nothing."""
        self._stopped.set()
        self._closed = True
        self._release()

    def _play(self, samples: Samples, *, more: bool, cancelled: threading.Event) -> None:
        if self._closed:
            raise AudioError("the loudspeaker is closed")
        self._stopped.clear()
        try:
            stream = self._stream = self._stream or self._open_stream(self._device)
            if not self._running:
                stream.start()
                self._running = True
            for start in range(0, len(samples), BLOCK_SAMPLES):
                if self._stopped.is_set() or cancelled.is_set():
                    self._running = False
                    stream.abort()
                    return
                stream.write(samples[start : start + BLOCK_SAMPLES, np.newaxis])
            if not more:
                self._running = False
                stream.stop()
        except AudioError:
            self._release()
            raise

    def _release(self) -> None:
        stream, self._stream, self._running = self._stream, None, False
        if stream is not None:
            with contextlib.suppress(AudioError):  # a device that is gone cannot be closed either
                stream.close()
