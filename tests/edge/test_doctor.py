"""The doctor: it finds what is wrong and says what to do."""

import json
import os
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from tests.fakes import keys

from forge_edge import doctor
from forge_edge.audio.microphone import Device
from forge_edge.counterpart import Counterpart
from forge_edge.doctor import Finding, examine
from forge_edge.settings import NodeSettings
from forge_edge.speech import whisper_package
from forge_language.danger import resemblance
from forge_shared.wire import PROTOCOL

OF_THE_MACHINE = {"hardware", "heat, power", "memory", "storage"}
"""How they are ill stands in test_device_health.py: this machine is not made hot for a test."""


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def settings(tmp_path: Path, port: int) -> NodeSettings:
    return settings_of(tmp_path, credentials=credentials(tmp_path, port))


def settings_of(folder: Path, **changes: Any) -> NodeSettings:
    script = folder / "patient.json"
    script.write_text("{}", encoding="utf-8")
    return NodeSettings(**{"state_dir": folder / "state", "audio": "simulated", "room_script": script, **changes})


def program(folder: Path, name: str, content: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{content}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def _synchronised(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path_factory.mktemp("bin")
    program(folder, "timedatectl", "echo yes")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def credentials(folder: Path, port: int, mode: int = 0o600, valid_for: timedelta = timedelta(days=90)) -> Path:
    path = folder / "room-1.json"
    path.write_bytes(keys.credentials(keys.authority(folder), port, valid_for=valid_for).to_json())
    path.chmod(mode)
    return path


def finding(settings: NodeSettings, check: str) -> Finding:
    (found,) = [found for found in examine(settings) if found.check == check]
    return found


def test_every_part_that_the_node_needs_is_looked_at(settings: NodeSettings) -> None:
    looked_at = {found.check for found in examine(settings)}
    assert looked_at == {
        "microphone",
        "loudspeaker",
        "camera",
        "masks",
        "wake word",
        "hearing",
        "voice",
        "form",
        "names",
        "crisis language",
        "broker",
        "hub",
        "certificate",
        "clock",
        "disk",
        "accelerator",
        *OF_THE_MACHINE,
    }


@pytest.mark.usefixtures("_synchronised")
def test_a_node_that_has_everything_is_well(settings: NodeSettings) -> None:
    assert [found for found in examine(settings) if not found.ok] == []


def test_whatever_is_not_well_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(doctor, "FREE_MEGABYTES", 10**12)
    monkeypatch.setattr(doctor, "OLDEST_YEAR", 3000)
    monkeypatch.setattr(resemblance, "head", lambda _: (None, "absent"))
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "hub-protocol").write_text("1")
    settings = settings_of(
        tmp_path,
        whisper_model=tmp_path,
        wake_models=(tmp_path / "absent.onnx",),
        audio="microphone",
        audio_input="none",
        audio_output="none",
        form="absent",
        known_names=tmp_path / "absent.txt",
        camera="/dev/video99",
    )
    (tmp_path / "state" / "masks.json").write_text("{")
    findings = {found.check: found for found in examine(settings)}
    ill = {check for check, found in findings.items() if not found.ok}
    assert ill == set(findings) - {"accelerator", *OF_THE_MACHINE}
    assert all(findings[check].do for check in ill)
    assert all(not found.do for found in findings.values() if found.ok)


def test_nothing_is_changed(settings: NodeSettings, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    examine(settings)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_node_without_credentials_alerts_nobody_and_that_is_said(tmp_path: Path) -> None:
    found = finding(settings_of(tmp_path), "broker")
    assert not found.ok
    assert "nobody is alerted" in found.found


def test_credentials_that_others_can_read_are_found(tmp_path: Path, port: int) -> None:
    found = finding(settings_of(tmp_path, credentials=credentials(tmp_path, port, 0o644)), "broker")
    assert (found.ok, "chmod 600" in found.do) == (False, True)


def test_a_broker_that_does_not_answer_is_found_in_time(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    started = time.monotonic()
    found = finding(settings_of(tmp_path, credentials=credentials(tmp_path, closed)), "broker")
    assert not found.ok
    assert time.monotonic() - started < 10


def test_no_finding_shows_the_key(settings: NodeSettings) -> None:
    assert settings.credentials is not None
    key = json.loads(settings.credentials.read_bytes())["key"].splitlines()[1]
    assert key not in "".join(f"{found}" for found in examine(settings))


def test_the_end_of_the_certificate_is_said(tmp_path: Path, port: int, settings: NodeSettings) -> None:
    assert finding(settings, "certificate").ok
    assert "89 days" in finding(settings, "certificate").found
    for life, words in ((timedelta(seconds=-1), "ended"), (timedelta(days=5, hours=1), "5 days")):
        found = finding(settings_of(tmp_path, credentials=credentials(tmp_path, port, valid_for=life)), "certificate")
        assert found.ok is (life > timedelta(0))
        assert words in found.found


def test_a_disk_that_cannot_be_written_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The superuser may write anywhere, so the system's answer is set.
    monkeypatch.setattr("forge_edge.doctor.os.access", lambda *_: False)
    found = finding(settings_of(tmp_path), "disk")
    assert (found.ok, "FORGE_EDGE_STATE_DIR" in found.do) == (False, True)


def test_a_missing_voice_program_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    found = finding(settings_of(tmp_path), "voice")
    assert (found.ok, found.do) == (False, "apt install espeak-ng")


@pytest.mark.parametrize(
    ("change", "variable"),
    [
        ({"form": "absent"}, "FORGE_EDGE_FORM to one of: admission, asq"),
        ({"known_names": "absent.txt"}, "FORGE_EDGE_KNOWN_NAMES"),
        ({"forms_dir": "absent"}, "FORGE_EDGE_FORMS_DIR"),
        ({"room_script": "absent.json"}, "FORGE_EDGE_ROOM_SCRIPT"),
    ],
)
def test_what_keeps_the_node_from_starting_is_found(
    tmp_path: Path, port: int, change: dict[str, str], variable: str
) -> None:
    values = {name: value if name == "form" else tmp_path / value for name, value in change.items()}
    settings = settings_of(tmp_path, credentials=credentials(tmp_path, port), **values)
    (found,) = [found for found in examine(settings) if not found.ok and found.check != "clock"]
    assert variable in found.do


def test_a_form_whose_answers_could_not_be_sent_is_found(tmp_path: Path) -> None:
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "odd.json").write_text(
        '{"resourceType": "Questionnaire", "id": "odd", "url": "https://x.org/f", "version": "1", "title": "Odd",'
        ' "status": "active",'
        ' "item": [{"linkId": "a question", "type": "boolean", "text": "Well?"}]}'
    )
    found = finding(settings_of(tmp_path, form="odd", forms_dir=tmp_path / "forms"), "form")
    assert (found.ok, "a form that a room can offer" in found.do) == (False, True)


@pytest.mark.parametrize("content", [None, b"", b"no sound"])
def test_a_sound_file_that_cannot_be_heard_is_found(tmp_path: Path, content: bytes | None) -> None:
    sound = tmp_path / "room.wav"
    if content is not None:
        sound.write_bytes(content)
    found = finding(settings_of(tmp_path, audio="file", audio_file=sound), "microphone")
    assert (found.ok, "room.wav" in found.found, "FORGE_EDGE_AUDIO_FILE" in found.do) == (False, True, True)


def test_a_sound_file_that_can_be_heard_is_well(tmp_path: Path) -> None:
    sound = tmp_path / "room.flac"
    soundfile.write(sound, np.zeros(800, np.int16), 8_000)
    assert finding(settings_of(tmp_path, audio="file", audio_file=sound), "microphone").ok


@pytest.mark.parametrize(
    ("script", "place"),
    [
        ("no json", "JSON"),
        ('{"voice": {"engine": "planted-secret"}}', "voice.engine"),
        ('{"wants": [{"kind": "form", "form": "absent", "answers": {}}]}', "form"),
        ('{"voice": {"engine": "flite", "voice": "nobody"}}', "voice"),
    ],
)
def test_a_script_that_no_patient_can_follow_is_found(tmp_path: Path, script: str, place: str) -> None:
    path = tmp_path / "written.json"
    path.write_text(script, encoding="utf-8")
    found = finding(settings_of(tmp_path, room_script=path), "microphone")
    assert (found.ok, place in found.found, "written.json" in found.found) == (False, True, True)
    assert "planted-secret" not in found.found


@pytest.mark.parametrize("content", [b"no json", b'{"resourceType": "Questionnaire"}', b"\xff\xfe\x00"])
def test_a_form_of_the_site_that_cannot_be_read_is_found(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "forms"
    folder.mkdir()
    (folder / "own.json").write_bytes(content)
    found = finding(settings_of(tmp_path, forms_dir=folder), "form")
    assert not found.ok
    assert found.do
    assert "own.json" in found.found or "forms" in found.found


def test_the_list_of_names_is_counted_and_not_shown(tmp_path: Path) -> None:
    names = tmp_path / "names.txt"
    names.write_text("Planted Person\n\nOther Person\n", encoding="utf-8")
    found = finding(settings_of(tmp_path, known_names=names), "names")
    assert (found.ok, found.found) == (True, "2 in names.txt")


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe\xfd"])
def test_a_list_that_names_nobody_is_found(tmp_path: Path, content: bytes) -> None:
    names = tmp_path / "names.txt"
    names.write_bytes(content)
    assert not finding(settings_of(tmp_path, known_names=names), "names").ok


@pytest.mark.parametrize(
    ("answer", "ok", "found"),
    [
        ("echo yes", True, "synchronised"),
        ("echo no", False, "not synchronised"),
        ("exit 1", True, "plausible; whether it is synchronised is unknown"),
        ("exec sleep 60", True, "plausible; whether it is synchronised is unknown"),
    ],
)
def test_the_clock_is_as_synchronised_as_the_system_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, *, ok: bool, found: str
) -> None:
    program(tmp_path / "bin", "timedatectl", answer)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setattr(doctor, "TIMESYNC_FLAG", tmp_path / "absent")
    monkeypatch.setattr(doctor, "TIMEDATECTL_SECONDS", 0.5)
    clock = finding(settings_of(tmp_path), "clock")
    assert (clock.ok, clock.found) == (ok, found)


def test_without_timedatectl_the_flag_of_timesyncd_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    flag = tmp_path / "synchronized"
    monkeypatch.setattr(doctor, "TIMESYNC_FLAG", flag)
    assert finding(settings_of(tmp_path), "clock").found != "synchronised"
    flag.touch()
    assert finding(settings_of(tmp_path), "clock").found == "synchronised"


DEVICES = (Device(0, "HDMI", 0, 2), Device(1, "USB Conference Phone", 1, 2))


@pytest.mark.parametrize(
    ("check", "setting", "wanted", "ok"),
    [
        ("microphone", "audio_input", None, True),
        ("microphone", "audio_input", "usb", True),
        ("microphone", "audio_input", "HDMI", False),
        ("loudspeaker", "audio_output", "HDMI", True),
        ("loudspeaker", "audio_output", "absent", False),
    ],
)
def test_a_device_is_well_when_sound_goes_its_way(  # noqa: PLR0913 (one case's columns)
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: str, setting: str, wanted: str | None, *, ok: bool
) -> None:
    # A machine that runs tests has no sound card.
    monkeypatch.setattr("forge_edge.audio.microphone.devices", lambda: DEVICES)
    found = finding(settings_of(tmp_path, **{"audio": "microphone", setting: wanted}), check)
    assert found.ok == ok
    assert ok or "USB Conference Phone" in found.do
    assert json.dumps(found.found)


@pytest.mark.parametrize(
    ("heard", "words"),
    [
        (None, "has not said"),
        (PROTOCOL, "as this node does"),
        (PROTOCOL + 1, "update this node"),
        (PROTOCOL - 1, "is older"),
    ],
)
def test_a_hub_that_speaks_another_protocol_is_said(
    tmp_path: Path, settings: NodeSettings, heard: int | None, words: str
) -> None:
    if heard is not None:
        (tmp_path / "state").mkdir()
        Counterpart(tmp_path / "state" / "hub-protocol").heard(heard)
    found = finding(settings, "hub")
    assert words in found.found
    assert found.ok is (heard != PROTOCOL - 1)


@pytest.mark.parametrize(
    ("hearing", "state", "well"),
    [("light", "altered", True), ("auto", "ready", True), ("auto", "altered", False), ("whisper", "absent", False)],
)
def test_the_doctor_says_how_the_room_hears(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hearing: str, state: str, *, well: bool
) -> None:
    monkeypatch.setattr(whisper_package, "is_installed", lambda: state != "absent")
    monkeypatch.setattr(whisper_package, "packaged", lambda: ({} if state == "ready" else None, state))
    (finding,) = [one for one in examine(settings_of(tmp_path, hearing=hearing)) if one.check == "hearing"]
    assert finding.ok is well
    assert ("Whisper base" in finding.found) is (state == "ready")
    assert well or "FORGE_EDGE_HEARING=light" in finding.do
