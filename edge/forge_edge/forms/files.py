"""Questionnaires and their answers in files, as somebody at a terminal has them."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from forge_edge.forms import written
from forge_edge.forms.asked import AskedForm
from forge_edge.forms.expressions import FhirPath
from forge_edge.forms.recorded import response
from forge_edge.forms.steps import Step
from forge_edge.observations import RiskAnswerObserved
from forge_shared.errors import FormInvalidError, FormUnknownError, ResponseInvalidError
from forge_shared.forms import instruments
from forge_shared.forms.intake import Warned
from forge_shared.forms.questionnaire import Questionnaire, installed, load, read
from forge_shared.forms.recorded import filled_by
from forge_shared.ids import new_id

MOST_SIBLINGS = 200
"""Files beside a response that are looked through for its questionnaire. Ours."""
ALARM = "! In a room this answer calls the staff at once."


def check_files(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Yield for each file whether it is a form that can be used, what of it is left out, and why it cannot be used."""
    for path in files:
        line: dict[str, Any] = {"file": str(path), "ok": True, "warnings": [], "error": None}
        try:
            form, warnings = read(path)
        except (FormInvalidError, FormUnknownError) as error:
            line |= {"ok": False, "error": str(error)}
        else:
            text = "this expression fails even while nothing is answered; a question is then asked, a value left out"
            failing = [Warned("expression.fails", link, f"{kind}: {text}") for link, kind in FhirPath(form).unusable()]
            line["warnings"] = [asdict(warned) for warned in (*warnings, *failing)]
        yield line


def score_files(files: Iterable[Path], form_file: Path | None, forms_dir: Path | None) -> Iterator[dict[str, Any]]:
    """Yield the score of each response, or why it has none.

    Args:
        files: QuestionnaireResponses.
        form_file: Their questionnaire; None to look for it among the installed ones and beside each response.
        forms_dir: The site's own forms.

    Raises:
        FormInvalidError: ``form_file`` is no form.
        FormUnknownError: It is not there.
    """
    given = load(form_file) if form_file is not None else None
    known = [] if given is not None else list(installed(forms_dir).values())
    for path in files:
        line: dict[str, Any] = {"file": str(path)}
        try:
            given_response = _response(path)
            form = given or _form_of(given_response, known, path.parent)
            line |= {"questionnaire": form.canonical, **_scored(form, given_response)}
        except (FormInvalidError, FormUnknownError, ResponseInvalidError) as error:
            line["error"] = str(error)
        yield line


def form_named(name: Path, forms_dir: Path | None) -> Questionnaire:
    """Return the form in the file ``name``, or the installed one with that id.

    Raises:
        FormInvalidError: The file is no form.
        FormUnknownError: There is neither.
    """
    if name.is_file():
        return load(name)
    forms = installed(forms_dir)
    if str(name) not in forms:
        raise FormUnknownError(f"there is no file and no form {name.name}; installed: {', '.join(sorted(forms))}")
    return forms[str(name)]


def run_written(form: Questionnaire, lines: Iterable[str], show: Callable[[str], object]) -> dict[str, Any]:
    """Fill in a form with lines as they come, and return its QuestionnaireResponse.

    When the lines end before the form does, the response is one in progress. That an answer would raise an alarm is
    shown; nobody is called from here.
    """
    # Times that name no zone are those of the place where they are written.
    now = datetime.now().astimezone()
    asked = AskedForm(form, zone=now.tzinfo or UTC)
    step = written.begin(asked, new_id(), now)
    _show(step, show)
    for line in lines if step.state.at is not None else ():
        step = written.hear(asked, step.state, line, now=datetime.now(now.tzinfo))
        _show(step, show)
        if step.state.at is None:
            break
    return response(asked, step.state, now)


def _show(step: Step, show: Callable[[str], object]) -> None:
    if any(isinstance(seen, RiskAnswerObserved) for seen in step.observations):
        show(ALARM)
    for sentence in step.say:
        show(sentence)


def _response(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError:
        raise ResponseInvalidError(f"cannot read {path.name}") from None
    except (ValueError, RecursionError):
        raise ResponseInvalidError(f"{path.name} is not JSON") from None
    if not isinstance(content, dict) or content.get("resourceType") != "QuestionnaireResponse":
        raise ResponseInvalidError(f"{path.name} is no QuestionnaireResponse")
    return content


def _form_of(response: dict[str, Any], known: list[Questionnaire], folder: Path) -> Questionnaire:
    """Return the form that a response answers: an installed one, or one that lies beside it."""
    named = str(response.get("questionnaire") or "")
    url, _, version = named.partition("|")
    for form in known:
        if form.url == url and version in ("", form.version):
            return form
    for path in sorted(folder.glob("*.json"))[:MOST_SIBLINGS]:
        try:
            form = load(path)
        except (FormInvalidError, FormUnknownError):
            continue  # most files beside a response are none of its business
        if url and form.url == url and version in ("", form.version):
            return form
    raise FormUnknownError("the response names a questionnaire that is not installed; name its file with --form")


def _scored(form: Questionnaire, response: dict[str, Any]) -> dict[str, Any]:
    filling = filled_by(form, response)
    score = asdict(instruments.score(form, filling.codes()))
    settled = filling.settled(FhirPath(form))
    calculated = {
        item.link_id: [value.content for value in settled.values(settled.first_place(item.link_id))]
        for item in form.walk()
        if item.calculated is not None
    }
    plain = {
        link_id: [one.model_dump(exclude_defaults=True) if hasattr(one, "model_dump") else one for one in values]
        for link_id, values in calculated.items()
    }
    return {**score, "calculated": plain}
