"""The doctor: it finds what is wrong and says what to do."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from forge_edge import doctor
from forge_edge.doctor import Finding, examine
from forge_edge.settings import NodeSettings


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def settings(tmp_path: Path, port: int) -> NodeSettings:
    return settings_of(tmp_path, credentials=credentials(tmp_path, port))


def settings_of(folder: Path, **changes: Any) -> NodeSettings:
    sound = folder / "room.wav"
    sound.touch()
    return NodeSettings(**{"state_dir": folder / "state", "audio": "file", "audio_file": sound, **changes})


def credentials(folder: Path, port: int, mode: int = 0o600) -> Path:
    path = folder / "room-1.json"
    content = {"site": "site", "node": "room-1", "host": "127.0.0.1", "port": port, "password": "planted-secret"}
    path.write_text(json.dumps(content), encoding="utf-8")
    path.chmod(mode)
    return path


def finding(settings: NodeSettings, check: str) -> Finding:
    (found,) = [found for found in examine(settings) if found.check == check]
    return found


def test_every_part_that_the_node_needs_is_looked_at(settings: NodeSettings) -> None:
    looked_at = {found.check for found in examine(settings)}
    assert looked_at == {"microphone", "wake word", "hearing", "voice", "broker", "clock", "disk", "accelerator"}


def test_a_node_that_has_everything_is_well(settings: NodeSettings) -> None:
    assert [found for found in examine(settings) if not found.ok] == []


def test_whatever_is_not_well_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(doctor, "FREE_MEGABYTES", 10**12)
    monkeypatch.setattr(doctor, "OLDEST_YEAR", 3000)
    settings = settings_of(
        tmp_path,
        whisper_model=tmp_path,
        wake_models=(tmp_path / "absent.onnx",),
        audio="microphone",
        audio_input="none",
    )
    findings = {found.check: found for found in examine(settings)}
    ill = {check for check, found in findings.items() if not found.ok}
    assert ill == {"microphone", "wake word", "hearing", "voice", "broker", "clock", "disk"}
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


def test_no_finding_shows_the_password(settings: NodeSettings) -> None:
    assert "planted-secret" not in "".join(f"{found}" for found in examine(settings))


def test_a_disk_that_cannot_be_written_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The superuser may write anywhere, so the system's answer is set.
    monkeypatch.setattr("forge_edge.doctor.os.access", lambda *_: False)
    found = finding(settings_of(tmp_path), "disk")
    assert (found.ok, "FORGE_EDGE_STATE_DIR" in found.do) == (False, True)


def test_a_missing_voice_program_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    found = finding(settings_of(tmp_path), "voice")
    assert (found.ok, found.do) == (False, "apt install espeak-ng")


@pytest.mark.xfail(reason="neither core nor ears can start with this, and the doctor calls it well")
@pytest.mark.parametrize("change", [{"form": "absent"}, {"known_names": "absent.txt"}, {"audio_file": "absent.wav"}])
def test_what_keeps_the_node_from_starting_is_found(tmp_path: Path, port: int, change: dict[str, str]) -> None:
    values = {name: value if name == "form" else tmp_path / value for name, value in change.items()}
    settings = settings_of(tmp_path, credentials=credentials(tmp_path, port), **values)
    assert [found for found in examine(settings) if not found.ok]
