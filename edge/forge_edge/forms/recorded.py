"""What comes of a form: the observation that may leave the room, and the QuestionnaireResponse that stays in it."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from forge_edge.forms.asked import AskedForm
from forge_edge.forms.state import Absent, Entry, FormState
from forge_edge.observations import FormObserved
from forge_shared.events import AbsentAnswer, AbsentReason, AnswerValue, EarlierAnswer, FormAnswer, Mode
from forge_shared.forms import elements, scoring
from forge_shared.forms.elements import AnswerOption, Coding, Quantity, Value
from forge_shared.forms.filling import ABSENT_REASON, DECLINE_REASON, Json, Place
from forge_shared.forms.questionnaire import Item

REASONS: Mapping[Absent, AbsentReason] = {
    "skipped": "unknown",
    "declined": "asked-declined",
    "not-understood": "asked-unknown",
    "unsupported": "unsupported",
}
"""Source: HL7 terminology, data-absent-reason: `unknown` is a value that exists and is not known, `unsupported` one
that the source system was not capable of supporting."""

LARGEST_TOTAL = 1000
"""What an event can hold. Source: `forge_shared.events.FormRecorded`."""
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9./_-]{0,63}")
_UNIT = re.compile(r"[A-Za-z0-9%\[\]{}/.*'^_+-]{1,32}")
_MOMENTS = {"value_date": "date", "value_date_time": "date-time", "value_time": "time"}


def form_observed(form: AskedForm, state: FormState) -> FormObserved:
    """Return what is observed of a form that is over: coded and typed, without a word of what a person said."""
    filling = form.filling(state)
    shown = {passage.place for passage in form.passages(filling) if passage.kind == "ask"}
    order = {link_id: number for number, link_id in enumerate(form.items)}
    entries = sorted(
        (entry for entry in state.entries if entry.place in shown),
        key=lambda entry: (order[entry.link_id], entry.place),
    )
    answered = [entry for entry in entries if entry.values]
    absent = [entry for entry in entries if not entry.values]
    total = scoring.Scorer(form.form).total(filling.codes()) if state.status == "completed" else None
    total = total if total is not None and 0 <= total <= LARGEST_TOTAL else None
    return FormObserved(
        response=state.response,
        questionnaire=form.form.canonical,
        status="completed" if state.status == "completed" else "stopped",
        answers=tuple(_answer(form.item(entry.place), entry) for entry in answered),
        skipped=tuple(dict.fromkeys(entry.link_id for entry in absent)),
        total=total,
        re_prompts=state.re_prompts,
        started_at=state.started_at,
        absent=tuple(
            AbsentAnswer(
                link_id=entry.link_id,
                reason=REASONS[entry.absent or "skipped"],
                mode=entry.how.mode,
                repetition=_repetition(entry.place),
            )
            for entry in absent
        ),
        modes=modes(entries),
    )


def modes(entries: Sequence[Entry]) -> tuple[Mode, ...]:
    """Return every way in which any of these was entered, in the order of first use."""
    ways = [mode for entry in entries for mode in (*(one.mode for one in entry.earlier), entry.how.mode)]
    return tuple(dict.fromkeys(ways))


def response(form: AskedForm, state: FormState, authored: datetime) -> dict[str, Any]:
    """Return the FHIR R4 QuestionnaireResponse of a form, with the provenance of each answer.

    It holds what a person said in own words, so it stays in the room.
    """
    filling = form.filling(state)
    written = filling.response(
        status=state.status, authored=authored, expressions=form.expressions, notes=_Noted(state.entries)
    )
    ways = modes(state.entries)
    noted = [{"url": elements.RESPONSE_MODE, "valueCode": mode} for mode in ways]
    head = {"resourceType": written.pop("resourceType"), "id": state.response, "language": form.form.language}
    return {**head, **({"extension": noted} if noted else {}), **written}


class _Noted:
    """Provenance as FHIR extensions."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = {entry.place: entry for entry in entries}

    def of_item(self, place: Place) -> list[Json]:
        entry = self._entries.get(place)
        if entry is None or entry.values or entry.absent is None:
            return []
        noted: list[Json] = [{"url": ABSENT_REASON, "valueCode": REASONS[entry.absent]}]
        if entry.reason:
            noted.append({"url": DECLINE_REASON, "valueString": entry.reason})
        return [*noted, {"url": elements.ANSWER_MODE, "valueCode": entry.how.mode}, _provenance(entry)]

    def of_answer(self, place: Place) -> list[Json]:
        entry = self._entries.get(place)
        if entry is None:
            return []  # what the form held before it was asked; nobody entered it
        return [{"url": elements.ANSWER_MODE, "valueCode": entry.how.mode}, _provenance(entry)]


def _provenance(entry: Entry) -> Json:
    parts: list[Json] = [{"url": "language", "valueCode": entry.how.language}]
    if entry.how.engine is not None:
        parts.append({"url": "engine", "valueString": entry.how.engine})
    if entry.how.confidence is not None:
        parts.append({"url": "confidence", "valueDecimal": round(entry.how.confidence, 4)})
    parts.append({"url": "times-asked", "valueInteger": entry.times_asked})
    parts.append({"url": "at", "valueInstant": _instant(entry.at)})
    for earlier in entry.earlier:
        was: list[Json] = [{"url": "value", **value.as_json()} for value in earlier.values]
        if not earlier.values:
            was = [{"url": "absent", "valueCode": REASONS[earlier.absent or "skipped"]}]
        was += [{"url": "mode", "valueCode": earlier.mode}, {"url": "at", "valueInstant": _instant(earlier.at)}]
        parts.append({"url": "earlier", "extension": was})
    return {"url": elements.ANSWER_PROVENANCE, "extension": parts}


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def _answer(item: Item, entry: Entry) -> FormAnswer:
    values = tuple(_value(item, value) for value in entry.values)
    plain = len(values) == 1 and values[0].code is not None
    return FormAnswer(
        link_id=entry.link_id,
        code=values[0].code if plain else None,
        mode=entry.how.mode,
        times_asked=min(entry.times_asked, 1000),
        corrected=entry.corrected,
        values=() if plain else values[:50],
        repetition=_repetition(entry.place),
        language=entry.how.language,
        engine=entry.how.engine,
        confidence=entry.how.confidence,
        earlier=tuple(
            EarlierAnswer(
                values=tuple(_value(item, value) for value in one.values)[:50],
                mode=one.mode,
                at=one.at,
            )
            for one in entry.earlier[-50:]
        ),
    )


def _repetition(place: Place) -> tuple[int, ...]:
    """Return the numbers of the repetitions; empty where all are the first, as in most forms."""
    numbers = tuple(number for _, number in place[:-1])
    return numbers if any(numbers) else ()


def _value(item: Item, value: Value) -> AnswerValue:  # noqa: PLR0911 (one return for each type)
    """Return a value as it may leave the room: codes of the form, numbers, dates; of words only that there are some."""
    content = value.content
    if isinstance(content, Coding):
        option = item.option(content.code or content.display)
        return _choice(item, option) if option is not None else AnswerValue(kind="words")
    option = item.option(str(content)) if item.answer_option else None
    if option is not None:
        return _choice(item, option)
    if isinstance(content, bool):
        return AnswerValue(kind="boolean", number=int(content))
    if isinstance(content, Quantity):
        named = {e.value_coding.code for e in item.extension if e.value_coding is not None}
        unit = content.code if content.code in named and _UNIT.fullmatch(content.code) else None
        return AnswerValue(kind="quantity", number=content.value, unit=unit)
    if isinstance(content, int | float):
        return AnswerValue(kind="integer" if isinstance(content, int) else "decimal", number=content)
    for name, kind in _MOMENTS.items():
        if (moment := getattr(value, name)) is not None:
            return AnswerValue.model_validate({"kind": kind, "moment": moment})
    return AnswerValue(kind="words")


def _choice(item: Item, option: AnswerOption) -> AnswerValue:
    if _CODE.fullmatch(option.code) is None:
        return AnswerValue(kind="choice", option=item.answer_option.index(option) + 1)
    return AnswerValue(kind="choice", code=option.code)
