"""`forge-edge doctor`: whether this node can do its work, and what to do where it cannot."""

import importlib.util
import os
import platform
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from forge_edge.errors import NodeError
from forge_edge.settings import NodeSettings, load_credentials

FREE_MEGABYTES = 500
"""Room for the outbox at its default limit."""
OLDEST_YEAR = 2026
"""A clock before the year of this release is not set: a Pi has none of its own and starts in the past."""
CONNECT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check: what was found, and what to do where it is not well (else empty)."""

    check: str
    ok: bool
    found: str
    do: str = ""


def examine(settings: NodeSettings) -> list[Finding]:
    """Check everything the node needs. Takes at most about ten seconds and changes nothing."""
    checks: list[Callable[[NodeSettings], Finding]] = [
        _microphone,
        _wake_words,
        _speech_to_text,
        _text_to_speech,
        _broker,
        _clock,
        _disk,
        _accelerator,
    ]
    return [check(settings) for check in checks]


def _microphone(settings: NodeSettings) -> Finding:
    if settings.audio != "microphone":
        return Finding("microphone", ok=True, found=f"not used: sound comes from audio={settings.audio}")
    from forge_edge.audio.microphone import devices  # noqa: PLC0415 (PortAudio may be missing: that is a finding)

    try:
        names = devices()
    except NodeError as error:
        return Finding("microphone", ok=False, found="cannot ask for devices", do=str(error))
    if settings.audio_input is not None and not any(settings.audio_input in name for name in names):
        return Finding(
            "microphone",
            ok=False,
            found=f"none is called {settings.audio_input}; there are {len(names)}",
            do=f"set FORGE_EDGE_AUDIO_INPUT to one of: {'; '.join(names) or 'none found'}",
        )
    if not names:
        return Finding(
            "microphone",
            ok=False,
            found="no input device",
            do="plug in a USB microphone; `arecord -l` lists what the system sees; the user must be in group audio",
        )
    return Finding("microphone", ok=True, found=settings.audio_input or names[0])


def _wake_words(settings: NodeSettings) -> Finding:
    missing = [path.name for path in settings.wake_models if not path.is_file()]
    if missing:
        return Finding(
            "wake word", ok=False, found=f"{len(missing)} models missing", do=f"put back: {', '.join(missing)}"
        )
    if settings.wake_models and importlib.util.find_spec("openwakeword") is None:
        return Finding(
            "wake word",
            ok=False,
            found="the site's own words need openwakeword",
            do="install from requirements/edge.txt, which holds it",
        )
    return Finding(
        "wake word", ok=True, found=", ".join((*settings.wake_words, *(p.stem for p in settings.wake_models)))
    )


def _speech_to_text(settings: NodeSettings) -> Finding:
    folder = settings.whisper_model
    if folder is None:
        return Finding("hearing", ok=True, found="pocketsphinx, English, forms and requests")
    if not (folder / "model.bin").is_file():
        return Finding(
            "hearing",
            ok=False,
            found="the Whisper model folder has no model.bin",
            do="point FORGE_EDGE_WHISPER_MODEL to a CTranslate2 model, or unset it to use pocketsphinx",
        )
    return Finding("hearing", ok=True, found=f"faster-whisper, {folder.name}")


def _text_to_speech(settings: NodeSettings) -> Finding:
    program = "piper" if settings.piper_voice else "espeak-ng"
    if shutil.which(program) is None:
        install = "pip install piper-tts" if settings.piper_voice else "apt install espeak-ng"
        return Finding("voice", ok=False, found=f"{program} is not installed", do=install)
    if settings.piper_voice and not settings.piper_voice.is_file():
        return Finding("voice", ok=False, found="the piper voice is missing", do="set FORGE_EDGE_PIPER_VOICE")
    return Finding("voice", ok=True, found=program)


def _broker(settings: NodeSettings) -> Finding:
    if settings.credentials is None:
        return Finding(
            "broker",
            ok=False,
            found="no credentials: the room works alone and nobody is alerted",
            do="run `forge-hub enrol NODE` on the hub and set FORGE_EDGE_CREDENTIALS to the file",
        )
    try:
        credentials = load_credentials(settings.credentials)
    except NodeError as error:
        return Finding("broker", ok=False, found="credentials unusable", do=str(error))
    try:
        started = time.monotonic()
        with socket.create_connection((credentials.host, credentials.port), timeout=CONNECT_SECONDS):
            took_ms = 1000 * (time.monotonic() - started)
    except OSError:
        return Finding(
            "broker",
            ok=False,
            found=f"{credentials.host}:{credentials.port} does not answer",
            do="is the hub running, and is the network up? Events wait in the outbox meanwhile",
        )
    return Finding("broker", ok=True, found=f"{credentials.host}:{credentials.port} answers in {took_ms:.0f} ms")


def _clock(_: NodeSettings) -> Finding:
    year = time.gmtime().tm_year
    synchronised = Path("/run/systemd/timesync/synchronized").exists() or Path("/var/lib/chrony/drift").exists()
    if year < OLDEST_YEAR:
        return Finding("clock", ok=False, found=f"it says {year}", do="enable NTP: `timedatectl set-ntp true`")
    return Finding("clock", ok=True, found="synchronised" if synchronised else "plausible; synchronisation unknown")


def _disk(settings: NodeSettings) -> Finding:
    folder = settings.folder
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        return Finding("disk", ok=False, found=f"cannot write to {folder}", do="set FORGE_EDGE_STATE_DIR")
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < FREE_MEGABYTES:
        return Finding(
            "disk", ok=False, found=f"{free} MB free", do="free some space: alarms stay, records are thinned"
        )
    return Finding("disk", ok=True, found=f"{free} MB free")


def _accelerator(settings: NodeSettings) -> Finding:
    jetson = Path("/etc/nv_tegra_release").exists()
    if jetson and settings.whisper_model is not None:
        return Finding(
            "accelerator",
            ok=True,
            found="Jetson; the packaged CTranslate2 for aarch64 has no CUDA, so Whisper runs on the CPU",
        )
    return Finding("accelerator", ok=True, found="Jetson" if jetson else f"none used ({platform.machine()})")
