"""Reads a QuestionnaireResponse back as the answers to its form."""

from typing import Any

from pydantic import ValidationError

from forge_shared.errors import ResponseInvalidError
from forge_shared.forms.elements import Coding, Value
from forge_shared.forms.filling import Filling, Place
from forge_shared.forms.intake import DEEPEST, MOST_ITEMS
from forge_shared.forms.questionnaire import Item, Questionnaire

_KEPT = {"system", "version", "code", "display", "value", "unit"}


def filled_by(form: Questionnaire, response: dict[str, Any]) -> Filling:
    """Return the answers that a FHIR R4 QuestionnaireResponse gives to ``form``.

    An item may stand elsewhere than in the form; items that the form does not have are refused.

    Raises:
        ResponseInvalidError: It does not fit the form; the message names the place.
    """
    return _Reading(form).read(response)


class _Reading:
    def __init__(self, form: Questionnaire) -> None:
        self._items = {item.link_id: item for item in form.walk()}
        self._above = {below.link_id: item.link_id for item in form.walk() for below in item.item}
        self._filling = Filling(form)
        self._given: dict[Place, tuple[Value, ...]] = {}
        self._count = 0

    def read(self, response: dict[str, Any]) -> Filling:
        self._level(response, (), 0)
        repetitions: dict[Place, int] = {}
        for place in self._given:
            for depth in range(1, len(place) + 1):
                link_id, number = place[depth - 1]
                first = (*place[: depth - 1], (link_id, 0))
                repetitions[first] = max(repetitions.get(first, 1), number + 1)
        # What the response does not name was not answered, whatever the form holds before it is asked.
        empty: dict[Place, tuple[Value, ...]] = {
            self._filling.first_place(link_id): () for link_id, item in self._items.items() if item.is_question
        }
        return Filling(self._filling.form, {**empty, **self._given}, repetitions)

    def _level(self, holder: dict[str, Any], above: Place, depth: int) -> None:
        seen: dict[str, int] = {}
        for one in _objects(holder.get("item")):
            self._count += 1
            link_id = one.get("linkId")
            if depth > DEEPEST or self._count > MOST_ITEMS:
                raise ResponseInvalidError("the response is larger or deeper than any form is")
            if not isinstance(link_id, str) or link_id not in self._items:
                raise ResponseInvalidError(f"the form has no item {str(link_id)[:64]}")
            item = self._items[link_id]
            number = seen.get(link_id, 0)
            seen[link_id] = number + 1
            place = (*self._path(link_id, above), (link_id, number if item.repeats and item.type == "group" else 0))
            given = _objects(one.get("answer"))
            if item.is_question and given:
                self._given[place] = tuple(_value(item, answer) for answer in given)
            for inner in (one, *given):
                self._level(inner, place, depth + 1)

    def _path(self, link_id: str, above: Place) -> Place:
        """Return where an item stands: below what the form puts above it, in the repetitions that are open."""
        numbers = dict(above)
        path: list[tuple[str, int]] = []
        parent = self._above.get(link_id)
        while parent is not None:
            path.append((parent, numbers.get(parent, 0)))
            parent = self._above.get(parent)
        return tuple(reversed(path))


def _value(item: Item, answer: dict[str, Any]) -> Value:
    raw = {key: value for key, value in answer.items() if key.startswith("value")}
    for key in ("valueCoding", "valueQuantity"):
        if isinstance(raw.get(key), dict):
            raw[key] = {name: value for name, value in raw[key].items() if name in _KEPT}
    try:
        value = Value.model_validate(raw)
    except ValidationError:
        raise ResponseInvalidError(f"the answer to {item.link_id[:64]} is of no kind that is known here") from None
    content = value.content
    if content is None:
        raise ResponseInvalidError(f"an answer to {item.link_id[:64]} has no value")
    if item.type == "choice" and item.answer_option and isinstance(content, Coding):
        option = item.option(content.code or content.display)
        if option is None or (content.system and option.system and content.system != option.system):
            raise ResponseInvalidError(f"question {item.link_id[:64]} has no such option")
        return option.value
    return value


def _objects(raw: object) -> list[dict[str, Any]]:
    if raw is None:
        return []
    if not isinstance(raw, list) or not all(isinstance(one, dict) for one in raw):
        raise ResponseInvalidError("a list of objects is needed where something else stands")
    return raw
