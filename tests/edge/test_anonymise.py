"""`forge-edge anonymise`: one line out for each line in, at once, with places of the line that came in."""

import json
import os
import subprocess
import sys

import pytest
from tests.fakes.clock import FakeClock

from forge_edge.anonymiser import WITHHELD, Anonymiser
from forge_edge.observations import SessionClosed, SessionOpened, UtteranceHeard
from forge_language.tagging import network
from forge_shared.events import UtteranceSaid
from forge_shared.ids import new_id

COMMAND = [sys.executable, "-m", "forge_edge", "anonymise"]


def anonymised(given: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*COMMAND, *options], input=given, capture_output=True, check=False, timeout=60)


def test_each_line_is_answered_with_its_text_and_the_places_of_what_was_taken() -> None:
    lines = ["i'm 😀 and my name is siobhan", "", "nearly every day", "call 01632 960118\r"]
    result = anonymised("\n".join(lines).encode(), "--json")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert answers == [
        {"text": "i'm 😀 and my name is [NAME]", "spans": [{"start": 21, "end": 28, "kind": "NAME"}]},
        {"text": "", "spans": []},
        {"text": "nearly every day", "spans": []},
        {"text": "call [PHONE]", "spans": [{"start": 5, "end": 17, "kind": "PHONE"}]},
    ]
    assert lines[0][21:28] == "siobhan"


def test_without_json_only_the_texts_come_out_and_empty_lines_stay() -> None:
    result = anonymised("My wife Ngozi rang.\n\nfine\u2028thanks\n".encode())
    assert result.stdout.decode() == "My wife [NAME] rang.\n\nfine\u2028thanks\n"
    assert anonymised(b"").stdout == b""


def test_a_name_has_one_invented_word_in_all_lines() -> None:
    first, second = anonymised(b"i miss ngozi\nngozi is here\n", "--surrogates").stdout.decode().splitlines()
    assert first.removeprefix("i miss ") == second.removesuffix(" is here")
    assert first.startswith("i miss ‹")


def test_a_line_is_answered_before_the_next_is_written() -> None:
    with subprocess.Popen([*COMMAND, "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        for _ in range(3):
            program.stdin.write(b"hello\n")
            program.stdin.flush()
            assert json.loads(program.stdout.readline()) == {"text": "hello", "spans": []}
        program.stdin.close()
        assert program.wait(20) == 0


def test_what_is_not_utf_8_is_an_error_that_names_the_line_and_quotes_nothing() -> None:
    result = anonymised(b"fine\nsecret \xff\n", "--json")
    assert result.returncode == 1
    assert b"line 2 is not UTF-8" in result.stderr
    assert b"secret" not in result.stderr
    assert len(result.stdout.splitlines()) == 1


def test_the_names_of_the_ward_are_taken_out(tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> None:
    names = os.path.join(tmp_path, "names.txt")  # noqa: PTH118 (either kind of path)
    with open(names, "w", encoding="utf-8") as file:  # noqa: PTH123 (as above)
        file.write("Blessing\n")
    monkeypatch.setenv("FORGE_EDGE_KNOWN_NAMES", names)
    assert anonymised(b"tell blessing\n").stdout == b"tell [NAME]\n"


def said(anonymiser: Anonymiser, text: str) -> str:
    event = anonymiser.event_of(UtteranceHeard(text, 0.7))
    assert event is not None
    assert isinstance(event.data, UtteranceSaid)
    return event.data.text


def test_a_room_with_invented_words_deals_new_ones_in_each_session() -> None:
    anonymiser = Anonymiser("p-1", FakeClock(), surrogates=True)
    heard = []
    for _ in range(2):
        session = new_id()
        anonymiser.event_of(SessionOpened(session, new_id()))
        heard.append([said(anonymiser, "i miss ngozi"), said(anonymiser, "i miss ngozi")])
        anonymiser.event_of(SessionClosed(session, "asked"))
    assert heard[0][0] == heard[0][1] != heard[1][0]


@pytest.fixture
def no_tagger(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> network.Tagger:
        raise ValueError("head.npz is not the file that was measured")

    monkeypatch.setattr("forge_language.redaction.installed", refused)


@pytest.mark.usefixtures("no_tagger")
def test_nothing_is_passed_on_by_a_tagger_that_nobody_measured() -> None:
    anonymiser = Anonymiser("p-1", FakeClock())
    anonymiser.event_of(SessionOpened(new_id(), new_id()))
    assert said(anonymiser, "hello") == WITHHELD
