"""`forge-edge form`, as somebody at a terminal uses it."""

import json
from pathlib import Path
from typing import Any

import pytest

from forge_edge.__main__ import main

FORM = {
    "resourceType": "Questionnaire",
    "item": [{"linkId": "a", "type": "boolean", "text": "Are you warm enough?", "unheardOf": 1}],
}


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_checked_files_are_one_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, absent = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "absent.json"
    good.write_text(json.dumps(FORM))
    bad.write_text('{"resourceType": "Patient"}')
    assert main(["form", "check", str(good), str(bad), str(absent), "--json"]) == 1
    first, second, third = lines(capsys)
    assert all(set(line) == {"file", "ok", "warnings", "error"} for line in (first, second, third))
    assert (first["file"], first["ok"], first["error"]) == (str(good), True, None)
    assert {"code": "element.unknown", "link_id": "a"}.items() <= first["warnings"][-1].items()
    assert (second["ok"], third["ok"]) == (False, False)
    assert "is a Patient, not a Questionnaire" in second["error"]


def test_a_person_can_read_what_was_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "good.json"
    path.write_text(json.dumps(FORM))
    assert main(["form", "check", str(path)]) == 0
    assert "element.unknown a: unheardOf" in capsys.readouterr().out
