"""The node's settings and credentials: checked before anything starts, and never repeated in an error."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from forge_edge.__main__ import EXIT_USAGE, main
from forge_edge.errors import NodeConfigError
from forge_edge.settings import NodeSettings, load_credentials

PEM = "-----BEGIN CERTIFICATE-----\n"
CREDENTIALS = {
    "site": "site",
    "node": "room-1",
    "host": "127.0.0.1",
    "port": 8883,
    "hub": "https://127.0.0.1:8443",
    "authority": PEM,
    "certificate": PEM,
    "key": "planted-secret",
}


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NodeSettings.model_fields:
        monkeypatch.delenv(f"FORGE_EDGE_{name.upper()}", raising=False)


def written(folder: Path, content: Any, mode: int = 0o600) -> Path:
    path = folder / "room-1.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_node_starts_without_a_single_setting() -> None:
    settings = NodeSettings()
    assert settings.audio == "microphone"
    assert settings.credentials is None
    assert "~" not in str(settings.folder)


def test_every_setting_comes_from_its_environment_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FORGE_EDGE_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("FORGE_EDGE_WAKE_WORDS", '["alexa"]')
    settings = NodeSettings()
    assert settings.folder == tmp_path
    assert settings.wake_words == ("alexa",)


def test_every_setting_is_described() -> None:
    assert [name for name, field in NodeSettings.model_fields.items() if not field.description] == []


def test_settings_cannot_be_changed_after_the_start() -> None:
    with pytest.raises(ValidationError):
        NodeSettings().form = "other"  # type: ignore[misc]  # that it is refused is the claim


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUDIO", "telepathy"),
        ("AUDIO", "file"),
        ("AUDIO", "simulated"),
        ("WAKE_WORDS", "[]"),
        ("WAKE_WORDS", '["computer"]'),
        ("WORDS_PER_MINUTE", "1000"),
        ("OUTBOX_LIMIT_MEGABYTES", "0"),
        ("ROOM_SPEED", "-1"),
    ],
)
def test_a_setting_that_cannot_work_is_refused_at_the_start(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"FORGE_EDGE_{name}", value)
    with pytest.raises(ValidationError):
        NodeSettings()


@pytest.mark.parametrize(
    ("misspelt", "nearest"),
    [("FORGE_EDGE_CREDENTIAL", "FORGE_EDGE_CREDENTIALS"), ("forge_edge_audio_imput", "FORGE_EDGE_AUDIO_INPUT")],
)
def test_a_misspelt_setting_is_refused_with_the_nearest(
    misspelt: str, nearest: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(misspelt, "planted-secret")
    assert main(["settings"]) == EXIT_USAGE
    said = capsys.readouterr()
    assert said.err == f"forge-edge: {misspelt} is no setting; the nearest is {nearest}\n"
    assert said.out == ""


def test_a_setting_like_no_other_points_to_the_list(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORGE_EDGE_ZZZZZZZZ", "1")
    assert main(["settings"]) == EXIT_USAGE
    assert "`forge-edge settings`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("AUDIO", "file", "forge-edge: audio=file needs FORGE_EDGE_AUDIO_FILE"),
        ("WORDS_PER_MINUTE", "1000", "forge-edge: FORGE_EDGE_WORDS_PER_MINUTE: "),
        ("WAKE_WORDS", '["computer"]', "forge-edge: FORGE_EDGE_WAKE_WORDS: 1 of the wake words"),
        ("WAKE_WORDS", "computer", "forge-edge: FORGE_EDGE_WAKE_WORDS: a list is written as JSON"),
    ],
)
def test_a_setting_that_cannot_work_is_named_in_one_sentence(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(f"FORGE_EDGE_{name}", value)
    assert main(["settings"]) == EXIT_USAGE
    said = capsys.readouterr().err
    assert said.startswith(sentence)
    assert said.count("\n") == 1


def test_every_wrong_setting_is_named_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORGE_EDGE_FORMS", "phq-9")
    monkeypatch.setenv("FORGE_EDGE_ROOM_SPEED", "-1")
    monkeypatch.setenv("FORGE_EDGE_WORDS_PER_MINUTE", "fast")
    assert main(["settings"]) == EXIT_USAGE
    assert capsys.readouterr().err.count("\n") == 3


def test_credentials_are_read_and_their_key_does_not_show(tmp_path: Path) -> None:
    credentials = load_credentials(written(tmp_path, CREDENTIALS))
    assert credentials.key.get_secret_value() == "planted-secret"
    assert "planted-secret" not in f"{credentials!r} {credentials}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_credentials_that_others_can_read_are_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(NodeConfigError, match="chmod 600"):
        load_credentials(written(tmp_path, CREDENTIALS, mode))


@pytest.mark.parametrize("content", ["", "no json planted-secret", "[]", {**CREDENTIALS, "port": 0}, {"site": "site"}])
def test_a_file_that_is_no_credentials_is_refused_without_repeating_it(tmp_path: Path, content: Any) -> None:
    with pytest.raises(NodeConfigError, match="no credentials file") as refused:
        load_credentials(written(tmp_path, content))
    assert "planted-secret" not in str(refused.value)


def test_missing_credentials_say_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(NodeConfigError, match="forge-edge enrol"):
        load_credentials(tmp_path / "absent.json")


@pytest.mark.parametrize(
    "change",
    [
        {"site": "Ward 3"},
        {"node": "a/b"},
        {"node": "hub"},
        {"key": ""},
        {"host": ""},
        {"host": "a b"},
        {"site": ""},
    ],
)
def test_credentials_that_cannot_work_are_refused(tmp_path: Path, change: dict[str, str]) -> None:
    with pytest.raises(NodeConfigError):
        load_credentials(written(tmp_path, {**CREDENTIALS, **change}))


def test_a_cameras_address_is_not_shown_with_the_settings_and_a_simulated_one_needs_its_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORGE_EDGE_CAMERA", "rtsp://ward:secret@10.0.0.7/room")
    assert "secret" not in repr(NodeSettings())
    monkeypatch.setenv("FORGE_EDGE_CAMERA", "simulated")
    with pytest.raises(ValidationError, match="FORGE_EDGE_CAMERA_SCRIPT"):
        NodeSettings()
