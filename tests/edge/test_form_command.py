"""`forge-edge form`, as somebody at a terminal uses it."""

import io
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


PHQ9_ITEMS = ("44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8")


def response_to(questionnaire: str, items: list[dict[str, Any]]) -> str:
    return json.dumps({"resourceType": "QuestionnaireResponse", "questionnaire": questionnaire, "item": items})


def test_a_form_is_filled_in_and_its_response_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("several days\n" * 9 + "1\n"))
    assert main(["form", "run", "phq-9", "--text", "--json"]) == 0
    printed = capsys.readouterr()
    (response,) = [json.loads(line) for line in printed.out.splitlines()]
    assert response["status"] == "completed"
    assert "Little interest or pleasure" in printed.err
    path = tmp_path / "response.json"
    path.write_text(json.dumps(response))
    assert main(["form", "score", str(path), "--json"]) == 0
    (line,) = lines(capsys)
    assert {"file": str(path), "instrument": "PHQ-9", "total": 9, "band": "mild", "missing": []}.items() <= line.items()


def test_a_form_that_is_not_finished_is_printed_as_one_in_progress(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("not at all\n"))
    assert main(["form", "run", "gad-7", "--text", "--json"]) == 1
    (response,) = lines(capsys)
    assert response["status"] == "in-progress"


def test_a_response_with_answers_missing_is_scored_by_its_bounds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items = [{"linkId": link, "answer": [{"valueCoding": {"code": "LA6571-9"}}]} for link in PHQ9_ITEMS[:8]]
    path = tmp_path / "response.json"
    path.write_text(response_to("https://personaforge.org/fhir/Questionnaire/phq-9", items))
    assert main(["form", "score", str(path), "--json"]) == 0
    (line,) = lines(capsys)
    assert (line["total"], line["lowest"], line["highest"], line["band"]) == (None, 24, 27, "severe")
    assert line["missing"] == ["44260-8"]


def test_what_cannot_be_scored_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    phq9 = "https://personaforge.org/fhir/Questionnaire/phq-9"
    contents = (
        ("{", "not JSON"),
        ('{"resourceType": "Patient"}', "no QuestionnaireResponse"),
        (response_to("urn:nobody", []), "not installed"),
        (response_to(phq9, [{"linkId": "planted"}]), "has no item"),
        (response_to(phq9, [{"linkId": PHQ9_ITEMS[0], "answer": [{"valueCoding": {"code": "x"}}]}]), "no such option"),
        (response_to(phq9, [{"linkId": PHQ9_ITEMS[0], "answer": [{"valueCoding": 3}]}]), "no kind"),
    )
    for number, (content, reason) in enumerate(contents):
        path = tmp_path / f"{number}.txt"
        path.write_text(content)
        assert main(["form", "score", str(path), "--json"]) == 1
        (line,) = lines(capsys)
        assert reason in line["error"]


def test_a_response_to_a_form_of_others_is_scored_with_the_file_of_that_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [
        {
            "valueCoding": {"code": str(n), "display": f"{n} days"},
            "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/ordinalValue", "valueDecimal": n}],
        }
        for n in range(4)
    ]
    form = {
        "resourceType": "Questionnaire",
        "url": "urn:theirs",
        "title": "PHQ-9",
        "item": [{"linkId": str(n), "type": "choice", "answerOption": options} for n in range(9)],
    }
    (tmp_path / "theirs.json").write_text(json.dumps(form))
    items = [{"linkId": str(n), "answer": [{"valueCoding": {"code": "2"}}]} for n in range(9)]
    answered = tmp_path / "answered.json"
    answered.write_text(response_to("urn:theirs", items))
    for further in ([], ["--form", str(tmp_path / "theirs.json")]):
        assert main(["form", "score", str(answered), "--json", *further]) == 0
        (line,) = lines(capsys)
        assert (line["instrument"], line["total"], line["band"]) == ("PHQ-9", 18, "moderately severe")


@pytest.mark.parametrize("text", ["'a' + 1", ")(", "#", "item.\\"])
def test_an_expression_that_fails_is_a_named_warning_and_nothing_else_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    url = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression"
    failing = {"url": url, "valueExpression": {"language": "text/fhirpath", "expression": text}}
    item = {"linkId": "a", "type": "integer", "extension": [failing]}
    path = tmp_path / "form.json"
    path.write_text(json.dumps({"resourceType": "Questionnaire", "item": [item]}))
    assert main(["form", "check", str(path), "--json"]) == 0
    printed = capsys.readouterr()
    (line,) = [json.loads(one) for one in printed.out.splitlines()]
    assert line["warnings"][-1]["code"] == "expression.fails"
    assert printed.err == ""


def test_an_unknown_form_is_refused_with_those_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["form", "run", "absent", "--text"]) == 1
    assert "phq-9" in capsys.readouterr().err
