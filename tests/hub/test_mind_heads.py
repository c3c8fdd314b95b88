"""The small heads: the shipped files are those of their descriptions, and give what they gave when they were made."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from forge_hub.mind.taggers import installed
from forge_hub.tag_commands import tags
from forge_hub.training.heads import home
from forge_hub.training.writing import MOST_BYTES
from forge_language.emotions import EMOTIONS, FROM_GOEMOTIONS, of_clinicians
from forge_language.encoder.numbers_file import in_bytes, written
from forge_language.heads.files import HeadName, head_file, read
from forge_language.heads.grams import hashes, placed_tokens
from forge_language.taxonomy import DISTORTIONS, GOEMOTIONS

MODELS = Path(__file__).parents[2] / "models" / "mind"


@pytest.mark.parametrize("name", get_args(HeadName))
def test_a_head_is_the_one_that_its_description_names_and_small_enough_for_the_repository(name: HeadName) -> None:
    data = (home() / f"{name}.npz").read_bytes()
    assert hashlib.sha256(data).hexdigest() == head_file(name).about["sha256"]
    assert len(data) <= MOST_BYTES
    assert head_file(name).version in (MODELS / name / "README.md").read_text(encoding="utf-8")


def test_a_head_whose_file_was_altered_is_not_read() -> None:
    data = (home() / "distortions.npz").read_bytes()
    with pytest.raises(ValueError, match="not the one"):
        read("distortions", data + b" ", head_file("distortions").about)


def test_the_same_numbers_are_the_same_bytes_and_come_back_within_half_a_step() -> None:
    values = head_file("distortions")["grams"]
    numbers = in_bytes("grams", values)
    assert written(numbers) == written(in_bytes("grams", values))
    about = {"sha256": hashlib.sha256(written(numbers)).hexdigest(), **_encoder()}
    again = read("distortions", written(numbers), about)["grams"]
    assert abs(again - values).max() <= float(numbers["grams.scale"].max())


@pytest.fixture(autouse=True)
def _no_fine_tuned_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The golden answers are the small heads', also on a machine that has better ones."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    installed.cache_clear()
    yield
    installed.cache_clear()


def golden() -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((MODELS / "golden.json").read_text(encoding="utf-8"))["cases"]
    return cases


def differing(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """Return in which fields two answers differ by more than the heads' tolerance."""
    wrong = [axis for axis in ("valence", "arousal") if abs(expected[axis] - found[axis]) > 0.01]
    for field in ("emotions", "distortions"):
        labels = [[one["label"] for one in each[field]] for each in (expected, found)]
        if labels[0] != labels[1] or any(
            abs(one["confidence"] - other["confidence"]) > 0.01
            for one, other in zip(expected[field], found[field], strict=True)
        ):
            wrong.append(field)
    return wrong


@pytest.mark.parametrize("case", golden(), ids=lambda case: case["text"][:30])
def test_the_heads_give_what_they_gave_when_they_were_made(case: dict[str, Any]) -> None:
    assert differing(case, tags(case["text"], installed().infer([case["text"]])[0])) == []


def test_the_golden_comparison_sees_a_changed_head() -> None:
    [case] = [case for case in golden() if case["distortions"]][:1]
    found = tags(case["text"], installed().infer([case["text"]])[0])
    assert differing({**case, "valence": case["valence"] + 0.02}, found) == ["valence"]
    assert differing({**case, "distortions": []}, found) == ["distortions"]


def test_every_emotion_of_goemotions_is_one_of_the_23() -> None:
    assert len(EMOTIONS) == 23
    mapped = [label for labels in FROM_GOEMOTIONS.values() for label in labels]
    assert sorted([*mapped, "neutral"]) == sorted(GOEMOTIONS)


def test_each_of_the_23_is_as_sure_as_the_surest_that_it_stands_for() -> None:
    scores = of_clinicians({label: place / 100 for place, label in enumerate(GOEMOTIONS)})
    assert set(scores) == set(EMOTIONS)
    assert scores["joy"] == max(GOEMOTIONS.index("joy"), GOEMOTIONS.index("amusement")) / 100


def test_grams_know_spelling_and_not_case_nor_the_kind_of_apostrophe() -> None:
    assert hashes("I\u2019m Here") == hashes("i'm here")
    assert hashes("worthless") & hashes("worthles")
    assert not hashes("")
    assert placed_tokens("Oh, no!") == [("oh", 0, 2), (",", 2, 3), ("no", 4, 6), ("!", 6, 7)]


WRITTEN = sorted((MODELS / "distortions" / "data").glob("*.jsonl"))


def test_seventeen_files_of_utterances_teach_and_judge_the_head() -> None:
    assert [file.stem for file in WRITTEN] == ["threshold", *sorted(f"writer_{number}" for number in range(1, 17))]


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: str(file.stem))
def test_every_label_of_an_utterance_is_a_distortion_and_quotes_its_text(file: Path) -> None:
    utterances = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(utterances) >= 400
    assert len({one["text"] for one in utterances}) == len(utterances)
    heard = sum(one["text"] == one["text"].lower() and "." not in one["text"] for one in utterances)
    assert heard >= len(utterances) / 4
    for one in utterances:
        assert (one["kind"] == "distortion") == bool(one["labels"])
        for quote in one["labels"]:
            assert quote["label"] in DISTORTIONS
            assert 0 <= quote["start"] < quote["end"] <= len(one["text"])


def _encoder() -> dict[str, Any]:
    return {"encoder_sha256": head_file("distortions").about["encoder_sha256"]}
