"""A form answered by recordings, as the command line plays them to the room's hearing."""

import json
from pathlib import Path
from typing import Any

import pytest

from forge_edge.__main__ import main
from forge_edge.audio.files import save
from forge_edge.speech.espeak import EspeakSynthesiser

pytestmark = pytest.mark.slow
FORM = {
    "resourceType": "Questionnaire",
    "title": "Small",
    "item": [
        {"linkId": "warm", "type": "boolean", "text": "Are you warm enough?"},
        {
            "linkId": "drinks",
            "type": "integer",
            "text": "How many cups did you drink?",
            "enableWhen": [{"question": "warm", "operator": "=", "answerBoolean": True}],
        },
        {"linkId": "words", "type": "text", "text": "Anything else?"},
    ],
}


def played(folder: Path, *said: str) -> list[str]:
    voice = EspeakSynthesiser("en-us", words_per_minute=140)
    paths = []
    for number, text in enumerate(said):
        path = folder / f"{number}.wav"
        save(path, voice.synthesise(text))
        paths.append(str(path))
    return paths


@pytest.fixture
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_EDGE_HEARING", "light")


def run(folder: Path, capsys: pytest.CaptureFixture[str], sounds: list[str], *further: str) -> tuple[int, Any, str]:
    (folder / "form.json").write_text(json.dumps(FORM))
    status = main(["form", "run", str(folder / "form.json"), "--audio", *sounds, "--json", *further])
    printed = capsys.readouterr()
    return status, json.loads(printed.out), printed.err


@pytest.mark.usefixtures("light")
def test_a_form_is_completed_by_recordings_of_answers_and_of_a_yes_to_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sounds = played(tmp_path, "yes", "yes", "forty two", "no", "twenty three", "yes")
    status, response, said = run(tmp_path, capsys, sounds)
    assert (status, response["status"]) == (0, "completed")
    warm, drinks, words = response["item"]
    assert (warm["answer"][0]["valueBoolean"], drinks["answer"][0]["valueInteger"]) == (True, 23)
    assert words["extension"][0]["valueCode"] == "unsupported"
    provenance = {part["url"]: part for part in drinks["answer"][0]["extension"][1]["extension"]}
    assert provenance["engine"]["valueString"] == "twofold"
    assert provenance["times-asked"]["valueInteger"] == 2
    assert "I heard: 42. Is that right?" in said


def test_with_whisper_an_open_question_is_asked_and_answered_by_voice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sounds = played(tmp_path, "yes", "yes", "twenty three", "yes", "the soup was cold today", "yes")
    status, response, said = run(tmp_path, capsys, sounds)
    assert (status, response["status"]) == (0, "completed"), said
    warm, drinks, words = response["item"]
    assert (warm["answer"][0]["valueBoolean"], drinks["answer"][0]["valueInteger"]) == (True, 23)
    assert "soup" in words["answer"][0]["valueString"]
    provenance = {part["url"]: part for part in drinks["answer"][0]["extension"][1]["extension"]}
    assert provenance["engine"]["valueString"] == "threefold"


@pytest.mark.usefixtures("light")
def test_recordings_of_answers_alone_do_where_every_reading_back_is_taken_as_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, response, _ = run(tmp_path, capsys, played(tmp_path, "no thank you"), "--assume-yes")
    assert (status, response["item"][0]["answer"][0]["valueBoolean"]) == (0, False)


def test_what_is_no_answer_is_not_stored_and_the_form_stays_in_progress(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sounds = played(tmp_path, "the weather in spain is mostly fine in autumn")
    status, response, _ = run(tmp_path, capsys, sounds, "--assume-yes")
    assert (status, response["status"], response.get("item")) == (1, "in-progress", None)
