"""Makes the golden input and output of an imported model by running it, where its engine is installed on this machine.

The output is JSON as a node's proof reads it: by name ``{"values": [...]}`` or ``{"text": "..."}``.
"""

import importlib
import io
import json
import re
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from forge_hub.errors import ReleaseError
from forge_shared.releases import Golden, ReleaseRole

SENTENCE: Final = "Please open the window and bring me a glass of water."
"""What is spoken and written down. Ours: everyday words without numbers, which engines write differently."""
ENGINE_SECONDS: Final = 300.0
"""How long an engine may take; a large transcriber loads for a minute."""
_TEXT_TOLERANCE: Final = 0.2
"""Share of letters: an engine in int8 on another processor now and then writes a word differently. Ours."""
_SECONDS_TOLERANCE: Final = 0.3
"""Share of the duration: piper varies it at random by its ``noise_w``. Ours."""


@dataclass(frozen=True, slots=True)
class Given:
    """What whoever imports has brought.

    Attributes:
        input: A file that goes in: speech (WAV) for a transcriber or wake word, a text for a voice.
        output: What must come out, JSON as a node's proof reads it; None: the engine is run.
    """

    input: Path | None = None
    output: Path | None = None


def make(role: ReleaseRole, folder: Path, main: str, given: Given) -> Golden:
    """Write ``golden/`` into a release's folder.

    Args:
        role: What the model is for.
        folder: The release's folder, with the model's files.
        main: Path of its weights in it.
        given: What need not be made.

    Raises:
        ReleaseError: The engine is not installed here, or fails; the message says what to do.
        OSError: Something could not be written.
    """
    target = folder / "golden"
    target.mkdir(exist_ok=True)
    run = _MAKERS.get(role)
    if run is None and (given.input is None or given.output is None):
        raise ReleaseError(
            f"the golden input and output of a {role} are not made here: give --golden-input FILE and "
            '--golden-output FILE (JSON: {"name": {"values": [..]}} or {"name": {"text": ".."}})'
        )
    name = "input.txt" if role in ("voice", "language-model") else "input.wav"
    if given.input is not None:
        _copy(given.input, target / name)
    elif role == "voice":
        (target / name).write_text(SENTENCE, encoding="utf-8")
    else:
        (target / name).write_bytes(_spoken())
    if given.output is not None:
        _copy(given.output, target / "output.json")
        _check(target / "output.json")
    elif run is not None:
        (target / "output.json").write_text(json.dumps(run(folder / main, target / name)), encoding="utf-8")
    tolerance = _SECONDS_TOLERANCE if role == "voice" else _TEXT_TOLERANCE if role == "transcriber" else 0.0
    return Golden(input=f"golden/{name}", output="golden/output.json", tolerance=tolerance)


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise ReleaseError(f"{source.name} cannot be read ({type(error).__name__})") from None


def _check(path: Path) -> None:
    try:
        found = json.loads(path.read_bytes())
        fits = bool(found) and all({"values", "text"} & set(part) for part in found.values())
    except (ValueError, AttributeError, TypeError):
        fits = False
    if not fits:
        raise ReleaseError('a golden output is JSON: {"name": {"values": [..]}} or {"name": {"text": ".."}}')


def _spoken() -> bytes:
    program = shutil.which("espeak-ng")
    if program is None:
        raise ReleaseError(
            "nothing here can speak a golden input: install espeak-ng, or give --golden-input with a WAV of "
            f'"{SENTENCE}"'
        )
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder) / "spoken.wav"
        _run((program, "-v", "en-gb", "-w", str(spoken), SENTENCE), b"")
        return spoken.read_bytes()


def _transcribed(weights: Path, sound: Path) -> Mapping[str, object]:
    try:
        engine = importlib.import_module("faster_whisper")
    except ImportError:
        raise ReleaseError(
            "faster-whisper is not installed on this machine: install it (`pip install faster-whisper`), or give "
            '--golden-output with what the model must write down: {"text": {"text": "please open the window .."}}'
        ) from None
    try:
        model = engine.WhisperModel(str(weights.parent), device="cpu", compute_type="int8", local_files_only=True)
        segments, _ = model.transcribe(str(sound), language="en", beam_size=5, condition_on_previous_text=False)
        text = " ".join(segment.text for segment in segments)
    except Exception as error:  # noqa: BLE001 (tokenizers raises no other)
        raise ReleaseError(f"the model does not run here ({type(error).__name__}): is it whole?") from None
    words = " ".join(re.sub(r"[^\w' ]", " ", text.lower()).split())
    if not words:
        raise ReleaseError("the model hears nothing in the golden input: give another one with --golden-input")
    return {"text": {"text": words}}


def _voiced(weights: Path, text: Path) -> Mapping[str, object]:
    program = shutil.which("piper")
    if program is None:
        raise ReleaseError(
            "piper is not installed on this machine: install it (`pip install piper-tts`, in an environment of its "
            'own), or give --golden-output with how long the voice speaks: {"seconds": {"values": [3.1]}}'
        )
    sound = _run((program, "-m", str(weights), "-f", "-"), text.read_bytes())
    try:
        with wave.open(io.BytesIO(sound)) as spoken:
            # The header's own count may be that of a stream; what came is what counts.
            frames = len(spoken.readframes(spoken.getnframes())) / (spoken.getsampwidth() * spoken.getnchannels())
            seconds = frames / spoken.getframerate()
    except (wave.Error, EOFError, ZeroDivisionError):
        raise ReleaseError("piper gave back no sound for this voice") from None
    if not seconds:
        raise ReleaseError("the voice says nothing")
    return {"seconds": {"values": [round(seconds, 3)]}}


def _run(command: tuple[str, ...], said: bytes) -> bytes:
    name = Path(command[0]).name
    try:
        ended = subprocess.run(command, input=said, capture_output=True, timeout=ENGINE_SECONDS, check=True)
    except subprocess.TimeoutExpired:
        raise ReleaseError(f"{name} took longer than {ENGINE_SECONDS:.0f} s") from None
    except (subprocess.CalledProcessError, OSError) as error:
        raise ReleaseError(f"{name} failed ({type(error).__name__}): does the model belong to it?") from None
    return ended.stdout


_MAKERS: Final[Mapping[ReleaseRole, Callable[[Path, Path], Mapping[str, object]]]] = {
    "transcriber": _transcribed,
    "voice": _voiced,
}
