import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from forge_edge import engines, settings
from forge_edge.errors import EngineMissingError
from forge_edge.settings import NodeSettings
from forge_edge.speech import whisper_package
from forge_edge.speech.twofold import TwofoldTranscriber


def hearing(**given: object) -> NodeSettings:
    return NodeSettings.model_validate({"hearing": "auto", **given})


def packages(monkeypatch: pytest.MonkeyPatch, files: Mapping[str, bytes] | None, state: str) -> None:
    monkeypatch.setattr(whisper_package, "is_installed", lambda: state != "absent")
    monkeypatch.setattr(whisper_package, "packaged", lambda: (files, state))


def test_without_whispers_packages_a_room_hears_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    packages(monkeypatch, None, "absent")
    assert not hearing().takes_dictation
    assert isinstance(engines.transcriber(hearing()), TwofoldTranscriber)


def test_a_small_machine_hears_twice_unless_it_is_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    packages(monkeypatch, {}, "ready")
    monkeypatch.setattr(settings, "_memory_bytes", lambda: 2_000_000_000)
    assert not hearing().takes_dictation
    assert hearing(hearing="whisper").takes_dictation
    monkeypatch.setattr(settings, "_memory_bytes", lambda: 4_000_000_000)
    assert hearing().takes_dictation
    assert not hearing(hearing="light", whisper_model=Path()).takes_dictation


@pytest.mark.parametrize(("files", "state"), [(None, "altered"), ({"model.bin": b"no model"}, "ready")])
def test_a_broken_package_costs_the_third_hearing_and_not_the_ears(
    monkeypatch: pytest.MonkeyPatch, files: Mapping[str, bytes] | None, state: str
) -> None:
    packages(monkeypatch, files, state)
    with capture_logs() as logs:
        assert isinstance(engines.transcriber(hearing()), TwofoldTranscriber)
    assert [entry["event"] for entry in logs] == ["engine.left-out"]
    with pytest.raises(EngineMissingError):
        engines.transcriber(hearing(hearing="whisper"))


def test_a_sites_own_model_is_not_replaced_in_silence(tmp_path: Path) -> None:
    with pytest.raises(EngineMissingError, match=r"model\.bin"):
        engines.transcriber(hearing(whisper_model=tmp_path))


def test_whisper_that_is_asked_for_and_absent_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    packages(monkeypatch, None, "absent")
    with pytest.raises(EngineMissingError, match="FORGE_EDGE_HEARING=light"):
        engines.transcriber(hearing(hearing="whisper"))


@pytest.mark.parametrize("module", ["forge_edge.app", "forge_edge.doctor"])
def test_core_and_doctor_start_where_a_speech_engine_is_broken(module: str) -> None:
    engines_loaded = f"import {module}, sys; print({{'pocketsphinx', 'soundfile', 'ctranslate2'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", engines_loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
