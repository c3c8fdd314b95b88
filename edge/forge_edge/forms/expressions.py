"""FHIRPath in forms: what an item is calculated from, when it is shown, what its answer must meet."""

import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from decimal import Decimal
from typing import Any

from fhirpathpy import compile as compiled
from fhirpathpy.engine.nodes import ResourceNode
from fhirpathpy.models import models

from forge_shared import logs
from forge_shared.forms.elements import ITEM_WEIGHT, ORDINAL_VALUE, VARIABLE, Coding, Expression, Quantity, Value
from forge_shared.forms.filling import Filling, Place
from forge_shared.forms.questionnaire import Item, Questionnaire

log = logs.get_logger()

Json = dict[str, Any]
_Evaluate = Callable[[Any, Mapping[str, Any]], list[Any]]
_WHOLE = Decimal(1)


class FhirPath:
    """Evaluates the expressions of one form; each is compiled once.

    `ordinal()`, `weight()` and `answers()` are those of HL7's Structured Data Capture, `sum(expression)` is what its
    examples use.

    Args:
        form: The form.
    """

    def __init__(self, form: Questionnaire) -> None:
        self._form = form
        self._items = {item.link_id: item for item in form.walk()}
        self._names = tuple(
            extension.value.name
            for extension in (*form.extension, *(one for item in self._items.values() for one in item.extension))
            if extension.url == VARIABLE and isinstance(extension.value, Expression)
        )
        self._compiled: dict[str, _Evaluate] = {}
        self._said: set[str] = set()

    def is_true(self, expression: Expression, filling: Filling, place: Place) -> bool:
        """Tell whether ``expression`` holds; true when it cannot be evaluated: better one question too many."""
        found = self._evaluated(expression.expression, filling, place)
        return True if found is None else bool(found) and found[0] is not False

    def values(self, expression: Expression, filling: Filling, place: Place) -> tuple[Value, ...] | None:
        """Return what ``expression`` gives as answers to the item at ``place``; None when it cannot be evaluated."""
        found = self._evaluated(expression.expression, filling, place)
        if found is None:
            return None
        item = self._items[place[-1][0]]
        values = (_value(item, one) for one in (found if item.repeats else found[:1]))
        return tuple(value for value in values if value is not None)

    def is_met(self, constraint: str, filling: Filling, place: Place) -> bool:
        """Tell whether a constraint holds; true when it cannot be evaluated, since nobody could meet it."""
        found = self._evaluated(constraint, filling, place)
        return found is None or not found or found[0] is not False

    def unusable(self) -> Iterator[tuple[str, str]]:
        """Yield the link id and kind of every item's expression that fails even while nothing is answered."""
        empty = Filling(self._form)
        for link_id, item in self._items.items():
            for extension in item.extension:
                if not isinstance(extension.value, Expression) or extension.url == VARIABLE:
                    continue
                if self._evaluated(extension.value.expression, empty, empty.first_place(link_id), say=False) is None:
                    yield link_id, extension.url.rsplit("/", 1)[-1]

    def _compile(self, expression: str) -> _Evaluate:
        if expression not in self._compiled:
            written = _summed(self._quoted(expression))
            # The parser prints what it does not understand, also to where a program reads our answers.
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                self._compiled[expression] = compiled(written, models["r4"], {"userInvocationTable": _FUNCTIONS})
        return self._compiled[expression]

    def _quoted(self, expression: str) -> str:
        """Put names of variables that are no plain words into the quotes that FHIRPath wants around them."""
        for name in self._names:
            if re.fullmatch(r"\w+", name) is None:
                expression = re.sub(rf"%{re.escape(name)}(?![\w-])", f"%`{name}`", expression)
        return expression

    def _evaluated(self, expression: str, filling: Filling, place: Place, *, say: bool = True) -> list[Any] | None:
        resource = filling.evaluated()
        names: dict[str, Any] = {
            "resource": resource,
            "rootResource": resource,
            "context": _node(filling.item_at(place), "QuestionnaireResponse.item"),
            "questionnaire": {"resourceType": "Questionnaire"},
            "qitem": {"linkId": place[-1][0]},
        }
        try:
            for variable in self._variables(place):
                names[variable.name] = self._compile(variable.expression)(resource, names)
            return self._compile(expression)(resource, names)
        except Exception as error:  # noqa: BLE001 (the library raises bare exceptions: the form goes on without this expression)
            if say and expression not in self._said:
                self._said.add(expression)
                log.warning("form.expression-failed", form=self._form.id, item=place[-1][0], error=type(error).__name__)
            return None

    def _variables(self, place: Place) -> Iterator[Expression]:
        above = (extension for link_id, _ in place for extension in self._items[link_id].extension)
        for extension in (*self._form.extension, *above):
            if extension.url == VARIABLE and isinstance(extension.value, Expression):
                yield extension.value


def _node(content: Json, path: str) -> ResourceNode:
    """Return ``content`` as FHIRPath sees it where ``path`` stands: without its type, ``value`` would find nothing."""
    node: ResourceNode = ResourceNode.create_node(content, path)  # type: ignore[no-untyped-call]  # the library types its face only
    return node


def _answers(focus: list[Any]) -> list[ResourceNode]:
    """Return every answer below ``focus``, in reading order."""
    found = []
    pending = list(reversed(focus))
    while pending:
        node = pending.pop()
        if not isinstance(node, dict):
            continue
        given = [one for one in node.get("answer", []) if isinstance(one, dict)]
        found += [_node(one, "QuestionnaireResponse.item.answer") for one in given]
        pending += reversed([below for one in (node, *given) for below in one.get("item", [])])
    return found


def _ordinal(focus: list[Any]) -> list[Decimal]:
    """Return the scores of codings, or of answers that are one."""
    codings = (one.get("valueCoding", one) for one in focus if isinstance(one, dict))
    return [
        Decimal(str(extension["valueDecimal"]))
        for coding in codings
        for extension in coding.get("extension", [])
        if extension.get("url") in (ORDINAL_VALUE, ITEM_WEIGHT) and "valueDecimal" in extension
    ]


def _sum(focus: list[Any]) -> list[Any]:
    return [sum(Decimal(str(one)) for one in focus)]


_FUNCTIONS: dict[str, dict[str, Any]] = {
    "answers": {"fn": _answers, "arity": {0: []}},
    "ordinal": {"fn": _ordinal, "arity": {0: []}},
    "weight": {"fn": _ordinal, "arity": {0: []}},
    "sum": {"fn": _sum, "arity": {0: []}},
}


def _summed(expression: str) -> str:
    """Write ``sum(x)`` as ``select(x).sum()``, which is the same."""
    for match in re.finditer(r"\bsum\(", expression):
        start, depth, quote = match.end(), 1, ""
        for place in range(start, len(expression)):
            character = expression[place]
            if quote or character in "'`\"":
                quote = "" if character == quote else quote or character
                continue
            depth += {"(": 1, ")": -1}.get(character, 0)
            if depth == 0:
                inner = expression[start:place]
                if inner.strip():
                    rest = _summed(expression[place + 1 :])
                    return f"{expression[: match.start()]}select({_summed(inner)}).sum(){rest}"
                break
    return expression


def _value(item: Item, found: Any) -> Value | None:  # noqa: ANN401, PLR0911 (whatever FHIRPath gives; one return for each type)
    """Return what an expression gave as an answer to ``item``; None if it is of another kind."""
    if isinstance(found, int | float | Decimal) and not isinstance(found, bool):
        number = Decimal(str(found))
        if item.type == "integer":
            return Value(value_integer=int(number)) if number % _WHOLE == 0 else None
        if item.type == "quantity":
            return Value(value_quantity=Quantity(value=float(number)))
        return Value(value_decimal=float(number)) if item.type == "decimal" else None
    if item.type in ("choice", "open-choice"):
        option = item.option(found.get("code", "") if isinstance(found, dict) else str(found))
        if option is not None:
            return option.value
        return Value(value_coding=Coding(display=str(found))) if isinstance(found, str) else None
    if item.type == "boolean":
        return Value(value_boolean=found) if isinstance(found, bool) else None
    names = {"date": "value_date", "dateTime": "value_date_time", "time": "value_time", "url": "value_uri"}
    text = found if isinstance(found, str) else getattr(found, "asStr", None)
    if item.type in ("string", "text", *names) and isinstance(text, str):
        return Value.model_validate({names.get(item.type, "value_string"): text})
    return None
