"""``forge-hub mind tag --json``: one line of JSON for each line of text, with exactly the promised fields."""

import io
import json
from typing import Any

import pytest

from forge_hub.__main__ import main
from forge_hub.mind.taggers import installed
from forge_hub.tag_commands import answer
from forge_language.taxonomy import DISTORTIONS, GOEMOTIONS


def tagged(*lines: str) -> list[dict[str, Any]]:
    out = io.StringIO()
    answer(io.StringIO("".join(f"{line}\n" for line in lines)), out, installed())
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_every_line_is_answered_by_one_with_the_promised_fields() -> None:
    lines = [
        "Thank you so much for your help!",
        "",
        "Everyone thinks I'm a failure.",
        "\U0001f642",
        "a\u2028b",
        "x" * 5000,
    ]
    answers = tagged(*lines)
    assert [answer["text"] for answer in answers] == lines
    for one in answers:
        assert list(one) == ["text", "valence", "arousal", "emotions", "distortions"]
        assert -1 <= one["valence"] <= 1
        assert -1 <= one["arousal"] <= 1
        for emotion in one["emotions"]:
            assert set(emotion) == {"label", "confidence"}
            assert emotion["label"] in GOEMOTIONS
        for found in one["distortions"]:
            assert set(found) == {"label", "span", "confidence"}
            assert found["label"] in DISTORTIONS
            assert 0 <= found["span"][0] < found["span"][1] <= len(one["text"])
    assert answers[1] == {"text": "", "valence": 0.0, "arousal": 0.0, "emotions": [], "distortions": []}
    assert answers[0]["valence"] > 0
    assert "gratitude" in [emotion["label"] for emotion in answers[0]["emotions"]]


def test_the_founding_examples_are_told_apart() -> None:
    said, loved = tagged(
        "I always mess things up. Everyone probably thinks I'm a failure.", "I have always loved my sister"
    )
    labels = {found["label"] for found in said["distortions"]}
    assert {"overgeneralisation", "mind_reading"} <= labels
    assert said["valence"] < 0
    assert loved["distortions"] == []
    assert "love" in [emotion["label"] for emotion in loved["emotions"]]


def test_the_same_line_has_the_same_answer_alone_and_among_others() -> None:
    lines = ["I'll never get better.", "the tray is on the table", "I am so angry with him", "what a lovely day"] * 20
    assert tagged(*lines)[:4] == [tagged(line)[0] for line in lines[:4]]


def test_only_json_is_spoken(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mind", "tag"]) == 1
    assert "--json" in capsys.readouterr().err
