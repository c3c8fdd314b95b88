"""What the phrases find and pass over; the sentences were written before them, none is from the blind set."""

import json
import subprocess
import sys
import time
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forge_language.crisis import Reason, judge, judge_by_phrases
from forge_language.danger.catalogue import read
from forge_language.danger.patterns import Line, Pattern

_FILE = Path(__file__).parents[1] / "golden" / "crisis_development.jsonl"
_SENTENCES: list[dict[str, Any]] = [json.loads(line) for line in _FILE.read_text(encoding="utf-8").splitlines()]


def test_nearly_every_crisis_is_found_in_every_category_and_harmless_speech_is_left_alone() -> None:
    found: Counter[str] = Counter()
    meant = Counter(sentence["category"] for sentence in _SENTENCES if sentence["crisis"])
    alarms = 0
    for sentence in _SENTENCES:
        if judge_by_phrases(sentence["text"]).crisis:
            found[sentence["category"]] += sentence["crisis"]
            alarms += not sentence["crisis"]
    assert found.total() / meant.total() >= 0.99
    assert {category for category in meant if found[category] / meant[category] < 0.95} == set()
    assert 1 - alarms / (len(_SENTENCES) - meant.total()) >= 0.97


def test_a_mention_that_is_no_alarm_does_not_vanish() -> None:
    notes = [sentence for sentence in _SENTENCES if sentence["priority"] == "note"]
    kept = sum(judge_by_phrases(sentence["text"]).priority != "none" for sentence in notes)
    assert kept / len(notes) >= 0.95


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("I don't want to die", "negated"),
        ("i don't think i'm going to hurt myself", "negated"),
        ("no i haven't had any chest pain", "negated"),
        ("i took an overdose fifteen years ago", "past"),
        ("i had chest pain but it has gone now", "over"),
        ('my brother wrote "I want to die" on the wall', "quoted"),
        ("the doctor asked me if i wanted to die", "reported"),
        ("i never said i wanted to die", "reported"),
        ("my sister is suicidal", "third-person"),
        ("if i get chest pain i will ring", "conditional"),
        ("in the film a man wants to kill himself", "unreal"),
        ("what are the signs of a stroke", "question"),
    ],
)
def test_what_takes_a_danger_back_is_named(said: str, reason: Reason) -> None:
    judged = judge_by_phrases(said)
    assert judged.priority == "note"
    assert reason in judged.mentions[0].reasons


@pytest.mark.parametrize(
    "said",
    [
        "i'm not ok i want to die",
        "I don't want to live.",
        "I can't breathe!",
        "i don't want to die but i will",
        "don't let me die",
        "i can't stop thinking about killing myself",
        "why don't i just kill myself",
        "my brother died last year and i want to die",
        "i keep telling you i can't breathe",
        "i used to be happy but now i want to die",
        "the film was good but my chest hurts",
        "i don't know if i want to live",
    ],
)
def test_a_denial_or_a_past_of_something_else_takes_nothing_back(said: str) -> None:
    assert judge_by_phrases(said).crisis


def test_a_mention_quotes_its_words() -> None:
    said = "Oh nurse. My CHEST really hurts, like anything"
    mention = judge_by_phrases(said).mentions[0]
    assert said[mention.start : mention.end] == "CHEST really hurts"


@settings(max_examples=60, deadline=None)
@given(text=st.text())
def test_any_text_gets_a_judgement_with_its_mentions_inside_it(text: str) -> None:
    judged = judge(text)
    assert 0 <= judged.confidence <= 1
    assert judged.crisis == (judged.priority in ("staff", "urgent"))
    assert (judged.category is None) == (judged.priority == "none")
    for mention in judged.mentions:
        assert 0 <= mention.start < mention.end <= len(text)


@settings(max_examples=50, deadline=None)
@given(
    said=st.sampled_from([sentence["text"] for sentence in _SENTENCES]),
    before=st.sampled_from(["", "  ", "um ", "please nurse ", "Erm, ", "oh nurse "]),
    after=st.sampled_from(["", " \t", " um", " please nurse", " please"]),
    capitals=st.booleans(),
)
def test_case_blanks_fillers_and_forms_of_address_change_nothing(
    said: str, before: str, after: str, *, capitals: bool
) -> None:
    plain = judge(said)
    changed = judge(before + (said.upper() if capitals else said) + after)
    assert (changed.priority, changed.category) == (plain.priority, plain.category)


def test_a_sentence_is_judged_in_less_than_two_milliseconds() -> None:
    judge_by_phrases("anything")
    started = time.process_time()
    for sentence in _SENTENCES:
        judge_by_phrases(sentence["text"])
    assert (time.process_time() - started) / len(_SENTENCES) < 0.002


def test_a_long_ramble_is_judged_in_time() -> None:
    started = time.process_time()
    judge_by_phrases("i do not know what to say about it and my chest is what it is " * 60)
    assert time.process_time() - started < 1


def test_another_language_is_another_catalogue() -> None:
    english = json.loads(resources.files("forge_language.danger").joinpath("en.json").read_text(encoding="utf-8"))
    other = {
        **english,
        "language": "de",
        "contractions": {},
        "endings": [],
        "verbs": ["sterben stirbt starb gestorben sterbend"],
        "classes": {},
        "words": {name: [] for name in english["words"]} | {"first": ["ich"], "negators": ["nicht"]},
        "dangers": [
            {"category": "wish-to-die", "priority": "staff", "confidence": 0.9, "phrases": ["will ~3 <sterben>"]}
        ],
        "idioms": {},
        "cues": {name: [] for name in english["cues"]},
    }
    words = read(other)
    hits = [hit for hit, _ in words.dangers.find(Line(["ich", "will", "nicht", "sterben"]))]
    assert [(hit.first, hit.last, set(hit.gaps)) for hit in hits] == [(1, 4, {2})]


def test_a_language_that_is_not_shipped_is_refused() -> None:
    with pytest.raises(ValueError, match="no catalogue"):
        judge_by_phrases("anything", "xx")


def test_a_phrase_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        Pattern("want (to) die", {}, {})
    with pytest.raises(ValueError, match="has not"):
        Pattern("<want> to die", {}, {})


def test_the_command_answers_each_line_at_once() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "forge_edge", "crisis", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        for said, crisis, category in [
            ("i can't breathe", True, "breathing"),
            ("", False, None),
            ("i could murder a cup of tea", False, None),
        ]:
            program.stdin.write(said + "\n")
            program.stdin.flush()
            answer = json.loads(program.stdout.readline())
            assert set(answer) == {"text", "crisis", "priority", "category", "confidence"}
            assert (answer["text"], answer["crisis"], answer["category"]) == (said, crisis, category)
        program.stdin.close()
        assert program.wait(timeout=10) == 0
