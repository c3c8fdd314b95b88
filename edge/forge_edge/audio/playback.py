"""The room's loudspeaker, by PortAudio, and the tone that says: I am listening."""

import threading

import numpy as np

from forge_edge.audio.microphone import portaudio
from forge_edge.audio.ports import SAMPLE_RATE_HZ, Samples, Speech
from forge_edge.errors import AudioError

BLOCK_SAMPLES = 800
"""50 ms: how soon `SpeakerSink.stop` is obeyed."""

_NOTES_HZ = (659.26, 880.0)  # E5 and A5: a rising fourth, taken for a question in most ears
_NOTE_SECONDS = 0.1
_LOUDNESS = 0.12  # soft beside speech, which peaks near full scale


def tone() -> Samples:
    """Return the listening tone: 200 ms, two soft rising notes, shape ``(3200,)``, int16, 16 kHz mono."""
    time_s = np.arange(int(_NOTE_SECONDS * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    envelope = np.sin(np.pi * time_s / _NOTE_SECONDS) ** 2  # no click at either end
    notes = [np.sin(2 * np.pi * note_hz * time_s) * envelope for note_hz in _NOTES_HZ]
    return (np.concatenate(notes) * _LOUDNESS * 32_767).astype(np.int16)


class SpeakerSink:
    """A loudspeaker as an `AudioSink`."""

    def __init__(self, device: str | None) -> None:
        """Open the device.

        Args:
            device: PortAudio's name of the device, or a unique part of it; None for the system's default.

        Raises:
            AudioError: The device is missing or refuses 16 kHz mono.
            EngineMissingError: The PortAudio library is not installed.
        """
        library = portaudio()
        self._failure = library.PortAudioError
        self._stopped = threading.Event()
        self._closed = False
        try:
            self._stream = library.OutputStream(
                device=device, samplerate=SAMPLE_RATE_HZ, blocksize=0, channels=1, dtype="int16"
            )
        except (library.PortAudioError, ValueError):
            wanted = "the default loudspeaker" if device is None else f"the loudspeaker {device!r}"
            raise AudioError(f"{wanted} cannot be opened at 16 kHz: see `forge-edge doctor`") from None

    def play(self, speech: Speech) -> None:
        """Play and return when it has been heard, or when `stop` was called.

        Raises:
            AudioError: The device failed or is closed.
        """
        self._play(speech.samples)

    def tone(self) -> None:
        """Play the listening tone.

        Raises:
            AudioError: The device failed or is closed.
        """
        self._play(tone())

    def stop(self) -> None:
        """End the current playback within 50 ms."""
        self._stopped.set()

    def close(self) -> None:
        """Release the device. Further calls do nothing."""
        self._stopped.set()
        if not self._closed:
            self._closed = True
            self._stream.close()

    def _play(self, samples: Samples) -> None:
        if self._closed:
            raise AudioError("the loudspeaker is closed")
        self._stopped.clear()
        try:
            self._stream.start()
            for start in range(0, len(samples), BLOCK_SAMPLES):
                if self._stopped.is_set():
                    self._stream.abort()
                    return
                self._stream.write(samples[start : start + BLOCK_SAMPLES, np.newaxis])
            self._stream.stop()  # waits until what was written has been heard
        except self._failure:
            raise AudioError("the loudspeaker failed") from None
