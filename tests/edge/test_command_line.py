"""The node's command line, as somebody at a terminal uses it: the real program, its output and its exit status."""

import io
import json
import os
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr  # type: ignore[import-untyped]  # it carries no types

from forge_edge.__main__ import main
from forge_edge.audio.files import load
from forge_edge.audio.ports import Samples
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.speech.flite import FliteSynthesiser
from forge_shared.forms.questionnaire import installed
from forge_shared.plan import Secret

ITEM = "44250-9"
LIMIT_SECONDS = 60
COMMANDS = ("run", "ears", "wake", "transcribe", "say", "doctor", "form", "settings")


def forge_edge(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    bare = {name: value for name, value in os.environ.items() if not name.startswith("FORGE_EDGE_")}
    return subprocess.run(
        [sys.executable, "-m", "forge_edge", *map(str, arguments)],
        env={**bare, **environment},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )


def lines(ended: "subprocess.CompletedProcess[str]") -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.stdout.splitlines()]


def surrounded(sound: Samples) -> Samples:
    silence = np.zeros(16_000, np.int16)
    return np.concatenate((silence, sound, silence))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    rms = FliteSynthesiser("rms")
    word, answer = surrounded(rms.synthesise("okay nabu").samples), surrounded(rms.synthesise("several days").samples)
    soundfile.write(folder / "word.wav", word, 16_000)
    soundfile.write(folder / "answer.wav", answer, 16_000)
    in_espeak = surrounded(EspeakSynthesiser("en-us", words_per_minute=160).synthesise("okay nabu").samples)
    soundfile.write(folder / "espeak.wav", in_espeak, 16_000)
    for name, sound in (("word", word), ("answer", answer)):
        exact = sound.astype(np.float32) / 32_768
        soundfile.write(folder / f"{name}-8k.wav", soxr.resample(exact, 16_000, 8_000), 8_000)
        wide = soxr.resample(exact, 16_000, 44_100)
        soundfile.write(folder / f"{name}-44k.wav", np.stack((wide, wide), axis=1), 44_100)
        soundfile.write(folder / f"{name}.flac", sound, 16_000)
    (folder / "broken.wav").write_bytes(b"RIFF and nothing more")
    return folder


@pytest.mark.parametrize("name", ["word.wav", "espeak.wav"])
def test_a_wake_word_is_one_line_with_its_time_and_score(folder: Path, name: str) -> None:
    ended = forge_edge("wake", folder / name, "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    (line,) = [line for line in lines(ended) if line["word"] == "okay_nabu"]
    assert set(line) == {"file", "word", "at_s", "score"}
    assert line["file"] == str(folder / name)
    assert 1.0 < line["at_s"] < 3.0
    assert 0.0 < line["score"] <= 1.0


def test_without_json_a_person_can_read_it(folder: Path) -> None:
    ended = forge_edge("wake", folder / "word.wav", "--word", "okay_nabu")
    assert ended.returncode == 0
    assert f"file={folder / 'word.wav'}  word=okay_nabu  at_s=" in ended.stdout


def test_a_recording_without_the_word_is_no_line_and_no_failure(folder: Path) -> None:
    ended = forge_edge("wake", folder / "answer.wav", "--json")
    assert (ended.returncode, ended.stdout) == (0, "")


@pytest.mark.parametrize(
    ("command", "status"), [(("wake",), 0), (("transcribe", "--form", "phq-9", "--item", ITEM), 1)]
)
def test_a_file_that_cannot_be_decoded_is_one_line_and_the_others_are_heard(
    folder: Path, command: tuple[str, ...], status: int
) -> None:
    files = [folder / "broken.wav", folder / "word.wav", folder / "missing.wav"]
    ended = forge_edge(*command, "--json", *files)
    assert ended.returncode == status
    broken, good, missing = lines(ended)
    assert set(broken) == set(missing) == {"file", "error"}
    assert [broken["file"], good["file"], missing["file"]] == [str(path) for path in files]
    assert "error" not in good


def test_only_when_no_recording_could_be_read_does_the_search_for_wake_words_fail(folder: Path) -> None:
    ended = forge_edge("wake", "--json", folder / "broken.wav", folder / "missing.wav")
    assert ended.returncode == 1
    assert [set(line) for line in lines(ended)] == [{"file", "error"}] * 2


def test_wake_words_and_their_threshold_can_be_chosen(folder: Path) -> None:
    chosen = forge_edge("wake", folder / "word.wav", "--words", "alexa,okay_nabu", "--json")
    assert [line["word"] for line in lines(chosen)] == ["okay_nabu"]
    assert lines(forge_edge("wake", folder / "word.wav", "--words", "alexa", "--json")) == []
    assert lines(forge_edge("wake", folder / "word.wav", "--threshold", "1.0", "--json")) == []


def test_an_unknown_wake_word_is_refused_with_those_that_exist(folder: Path) -> None:
    ended = forge_edge("wake", folder / "word.wav", "--word", "abracadabra")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "okay_nabu" in sentence(ended)


def test_an_answer_is_heard_in_the_words_of_the_form(folder: Path) -> None:
    ended = forge_edge("transcribe", folder / "answer.wav", "--json", "--form", "phq-9", "--item", ITEM)
    assert (ended.returncode, ended.stderr) == (0, "")
    (line,) = lines(ended)
    assert set(line) == {"file", "text", "accepted", "confidence", "engine"}
    assert line["file"] == str(folder / "answer.wav")
    assert line["accepted"] is True or line["text"]
    assert 0.0 <= line["confidence"] <= 1.0
    assert line["engine"]


def test_silence_is_a_line_without_words(tmp_path: Path) -> None:
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(16_000, np.int16), 16_000)
    (line,) = lines(forge_edge("transcribe", path, "--json", "--form", "phq-9", "--item", ITEM))
    assert (line["text"], line["accepted"], line["confidence"]) == ("", False, 0.0)


def test_rates_channels_and_formats_make_no_difference(folder: Path) -> None:
    endings = ("-8k.wav", "-44k.wav", ".flac")
    words = forge_edge("wake", "--word", "okay_nabu", "--json", *(folder / f"word{ending}" for ending in endings))
    assert words.returncode == 0
    assert {line["file"] for line in lines(words)} >= {str(folder / "word-44k.wav"), str(folder / "word.flac")}
    assert all("error" not in line for line in lines(words))
    files = [folder / f"answer{ending}" for ending in endings]
    answers = forge_edge("transcribe", "--form", "phq-9", "--item", ITEM, "--json", *files)
    assert answers.returncode == 0
    assert [line["file"] for line in lines(answers)] == [str(path) for path in files]
    assert all(line["text"] for line in lines(answers))


def test_an_unknown_form_is_refused_with_those_that_exist(folder: Path) -> None:
    ended = forge_edge("transcribe", folder / "answer.wav", "--json", "--form", "absent", "--item", ITEM)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert all(form in sentence(ended) for form in ("absent", *installed()))


def test_an_unknown_question_is_refused_with_those_that_exist(folder: Path) -> None:
    ended = forge_edge("transcribe", folder / "answer.wav", "--json", "--form", "phq-9", "--item", "1")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert all(question.link_id in sentence(ended) for question in installed()["phq-9"].questions)


@pytest.mark.parametrize("half", [("--form", "phq-9"), ("--item", ITEM)])
def test_a_form_without_its_question_is_a_wrong_call(folder: Path, half: tuple[str, str]) -> None:
    ended = forge_edge("transcribe", folder / "answer.wav", "--json", *half)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--form and --item belong together" in sentence(ended)


def test_what_the_room_says_becomes_a_sound_file(tmp_path: Path) -> None:
    path = tmp_path / "said.wav"
    ended = forge_edge("say", "I am listening.", "-o", path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
    sound, rate = soundfile.read(path, dtype="int16")
    assert 0.3 < len(sound) / rate < 5
    assert np.abs(load(path)).max() > 1_000


def test_a_sound_file_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    ended = forge_edge("say", "planted words", "-o", tmp_path / "absent" / "said.wav")
    assert ended.returncode == 1
    assert "said.wav" in sentence(ended)
    assert "planted" not in ended.stderr


def test_the_doctor_lists_every_check_and_fails_while_one_is_bad(tmp_path: Path) -> None:
    ended = forge_edge("doctor", "--json", FORGE_EDGE_STATE_DIR=str(tmp_path), FORGE_EDGE_FORM="absent")
    assert (ended.returncode, ended.stderr) == (1, "")
    found = {line["check"]: line for line in lines(ended)}
    assert all(set(line) == {"check", "ok", "found", "do"} for line in found.values())
    assert not found["form"]["ok"]
    assert "phq-9" in found["form"]["do"]
    assert found["disk"]["ok"]


def test_the_doctor_speaks_to_people_too(tmp_path: Path) -> None:
    ended = forge_edge("doctor", FORGE_EDGE_STATE_DIR=str(tmp_path), FORGE_EDGE_FORM="absent")
    assert ended.returncode == 1
    printed = ended.stdout.splitlines()
    place = next(place for place, line in enumerate(printed) if line.startswith("BAD  form "))
    assert "there is no form absent" in printed[place]
    assert printed[place + 1].strip().startswith("-> set FORGE_EDGE_FORM to one of: admission, asq")
    assert any(line.startswith("ok   disk ") for line in printed)


def test_a_misspelt_setting_stops_every_command(tmp_path: Path) -> None:
    for command in (("doctor",), ("run",), ("say", "hello", "-o", tmp_path / "said.wav")):
        ended = forge_edge(*command, FORGE_EDGE_CREDENTIAL="planted-secret")
        assert (ended.returncode, ended.stdout) == (2, "")
        assert (
            sentence(ended) == "forge-edge: FORGE_EDGE_CREDENTIAL is no setting; the nearest is FORGE_EDGE_CREDENTIALS"
        )
    assert list(tmp_path.iterdir()) == []


def test_a_node_with_a_form_that_is_not_there_says_which_there_are(tmp_path: Path) -> None:
    ended = forge_edge("run", FORGE_EDGE_STATE_DIR=str(tmp_path / "state"), FORGE_EDGE_FORM="absent")
    assert ended.returncode == 1
    assert "phq-9" in sentence(ended)


def test_a_node_does_not_start_with_a_form_whose_answers_it_could_not_send(tmp_path: Path) -> None:
    form: dict[str, Any] = {
        "resourceType": "Questionnaire",
        "id": "odd",
        "url": "https://x.org/f",
        "version": "1",
        "title": "Odd",
    }
    form |= {"status": "active", "item": [{"linkId": "a question", "type": "boolean", "text": "Well?"}]}
    (tmp_path / "odd.json").write_text(json.dumps(form))
    folders = {"FORGE_EDGE_STATE_DIR": str(tmp_path / "state"), "FORGE_EDGE_FORMS_DIR": str(tmp_path)}
    ended = forge_edge("run", FORGE_EDGE_FORM="odd", **folders)
    assert ended.returncode == 1
    assert "cannot be offered in a room" in sentence(ended)


def test_every_setting_is_listed_with_its_variable() -> None:
    ended = forge_edge("settings")
    assert ended.returncode == 0
    assert all(line.startswith("FORGE_EDGE_") and "(default: " in line for line in ended.stdout.splitlines())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    ended = forge_edge(command, "--help")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"usage: forge-edge {command}" in ended.stdout


def test_the_program_lists_its_commands() -> None:
    ended = forge_edge("--help")
    assert ended.returncode == 0
    assert all(command in ended.stdout for command in COMMANDS)


@pytest.mark.parametrize("arguments", [(), ("dance",), ("wake",), ("say", "hello"), ("transcribe", "--loud", "a.wav")])
def test_a_wrong_call_says_how_it_is_called(arguments: tuple[str, ...]) -> None:
    ended = forge_edge(*arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "usage: forge-edge" in ended.stderr


def sentence(ended: "subprocess.CompletedProcess[str]") -> str:
    (line,) = ended.stderr.splitlines()
    assert line.startswith("forge-edge: ")
    return line


def test_what_a_plan_holds_of_a_pin_opens_for_it_and_says_nothing_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("4711\n"))
    assert main(["plan-secret"]) == 0
    printed = capsys.readouterr().out
    assert "4711" not in printed
    secret = Secret.model_validate_json(printed)
    assert secret.matches("4711")
    assert not secret.matches("4712")
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert main(["plan-secret"]) == 2
