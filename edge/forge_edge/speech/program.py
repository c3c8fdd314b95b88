"""Speech programs: engines that run as a process of their own, one per utterance, and hand back a WAV file.

Their licences (espeak-ng and piper are GPL) and their crashes stay on the other side of a pipe.
"""

import contextlib
import io
import os
import signal
import subprocess
from collections.abc import Sequence

import numpy as np
import soundfile

from forge_edge.audio.files import resample, to_int16
from forge_edge.audio.ports import Samples
from forge_edge.errors import EngineError, EngineMissingError

LIMIT_SECONDS = 10.0
"""The synthesiser port's promise."""

MAX_CHARACTERS = 1_000
"""The synthesiser port's limit on a text."""

_AS_SPACE = str.maketrans(dict.fromkeys("<>[]{}|\\`^~_*#", " "))
"""Markup that one engine or the other would act on: SSML tags, ``[[phonemes]]``, escapes."""


def plain_text(text: str) -> str:
    """Return ``text`` on one line, without anything that an engine could take for markup or a command.

    Raises:
        EngineError: It is longer than 1,000 characters.
    """
    if len(text) > MAX_CHARACTERS:
        raise EngineError(f"a text to speak has {len(text)} characters; the limit is {MAX_CHARACTERS}")
    printable = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(printable.translate(_AS_SPACE).split())


def is_speakable(text: str) -> bool:
    """Tell whether ``text`` has anything to say aloud: a letter or a digit."""
    return any(character.isalnum() for character in text)


def run(command: Sequence[str], text: str, *, install: str, limit_seconds: float = LIMIT_SECONDS) -> bytes:
    """Run a program that reads text from its standard input, and return what it writes to its standard output.

    Args:
        command: The program and its arguments.
        text: One line, from `plain_text`; a newline is added.
        install: How to get the program, for the error message.
        limit_seconds: After this long the program and its children are killed.

    Raises:
        EngineMissingError: There is no such program.
        EngineError: It failed or took too long. Its own words are withheld: they may quote the text.
    """
    name = os.path.basename(command[0])  # noqa: PTH119 (a name of a program, not a path of ours)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        raise EngineMissingError(f"{name} is not installed: {install}") from None
    try:
        output, _ = process.communicate(f"{text}\n".encode(), timeout=limit_seconds)
    except subprocess.TimeoutExpired:
        raise EngineError(f"{name} did not finish within {limit_seconds:g} s") from None
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    if process.returncode:
        raise EngineError(f"{name} ended with status {process.returncode}")
    return output


def decode(wav: bytes, engine: str) -> Samples:
    """Return the sound of a WAV file in memory: shape ``(n,)``, int16, 16 kHz mono; n is 0 when it holds none.

    Raises:
        EngineError: It is no WAV file.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(_with_true_lengths(wav))) as file:
            samples = file.read(dtype="float32", always_2d=True)
            rate = file.samplerate
    except (RuntimeError, ValueError):
        raise EngineError(f"{engine} wrote no sound") from None
    if not len(samples):
        return np.zeros(0, dtype=np.int16)
    return to_int16(resample(samples.mean(axis=1), rate))


def _with_true_lengths(wav: bytes) -> bytes:
    """Write the real sizes into a WAV header: a program that writes to a pipe cannot go back to fill them in."""
    start = wav.find(b"data", 12)
    if not wav.startswith(b"RIFF") or start < 0:
        return wav
    riff = (len(wav) - 8).to_bytes(4, "little")
    data = (len(wav) - start - 8).to_bytes(4, "little")
    return wav[:4] + riff + wav[8 : start + 4] + data + wav[start + 8 :]
