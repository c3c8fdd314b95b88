"""A form that is being filled in: its answers, what is asked next to them, and the response that they make."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, Protocol

from forge_shared.forms import conditions, scoring
from forge_shared.forms.elements import ORDINAL_VALUE, Coding, Expression, Value
from forge_shared.forms.questionnaire import Item, Questionnaire

Place = tuple[tuple[str, int], ...]
"""Where an answer stands: link ids from the top down, each with the number of its repetition from 0."""
Json = dict[str, Any]
Status = Literal["in-progress", "completed", "stopped"]

ABSENT_REASON = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
DECLINE_REASON = "https://personaforge.org/fhir/StructureDefinition/decline-reason"
"""In the person's own words why they declined a question: free text, which stays in the room."""
_MOST_ROUNDS = 5
"""Values that are calculated from each other settle within this many rounds, or stay as they are. Ours."""


class Expressions(Protocol):
    """Evaluates FHIRPath. Keeps no state that a result depends on; may be called from one thread at a time."""

    def is_true(self, expression: Expression, filling: "Filling", place: Place) -> bool:
        """Tell whether ``expression`` holds; true when it cannot be evaluated: better one question too many."""

    def values(self, expression: Expression, filling: "Filling", place: Place) -> tuple[Value, ...] | None:
        """Return what ``expression`` gives as answers to the item at ``place``; None when it cannot be evaluated."""


class Notes(Protocol):
    """What is noted beside the answers of a response, as FHIR extensions. Pure."""

    def of_item(self, place: Place) -> list[Json]:
        """Return what is noted of the question at ``place``, such as why it has no answer."""

    def of_answer(self, place: Place) -> list[Json]:
        """Return what is noted with each of its answers."""


@dataclass(frozen=True)
class Filling:
    """The answers so far. Immutable: every change makes a new one.

    Attributes:
        form: The form.
        given: Answers by place; an empty tuple is an answer taken back or left out.
        repetitions: How often a repeating group stands there, by the place of its first; 1 where it is not named.
    """

    form: Questionnaire
    given: Mapping[Place, tuple[Value, ...]] = field(default_factory=dict)
    repetitions: Mapping[Place, int] = field(default_factory=dict)

    def answer(self, place: Place, values: Sequence[Value]) -> "Filling":
        """Store the answers to a question; none at all leave it out."""
        return replace(self, given={**self.given, place: tuple(values)})

    def repeat(self, place: Place, times: int) -> "Filling":
        """Set how often a repeating group stands; answers in those that go are forgotten."""
        above, (link_id, _) = place[:-1], place[-1]
        gone = {(*above, (link_id, number)) for number in range(times, self.repetitions.get(place, 1))}
        kept = {other: values for other, values in self.given.items() if other[: len(place)] not in gone}
        return replace(self, given=kept, repetitions={**self.repetitions, place: times})

    def values(self, place: Place) -> tuple[Value, ...]:
        """Return the answers to the question at ``place``, or what it holds before it is asked."""
        if place in self.given:
            return self.given[place]
        return initial(self._items[place[-1][0]])

    def children(self, above: Place, items: Sequence[Item]) -> Iterator[tuple[Place, Item]]:
        """Yield ``items`` below ``above`` with their places, a repeating group as often as it stands."""
        for item in items:
            times = self.repetitions.get((*above, (item.link_id, 0)), 1)
            for number in range(times):
                yield (*above, (item.link_id, number)), item

    def is_enabled(self, place: Place, expressions: Expressions | None = None) -> bool:
        """Tell whether what stands at ``place`` is shown: its conditions hold, and those of all that it stands in.

        Without ``expressions`` only `enableWhen` counts.
        """
        if expressions is None and place in self._known_enabled:
            return self._known_enabled[place]
        item = self._items[place[-1][0]]
        enabled = len(place) == 1 or self.is_enabled(place[:-1], expressions)
        enabled = enabled and conditions.all_hold(item, lambda link_id: self._answers_near(link_id, place))
        if expressions is None:
            self._known_enabled[place] = enabled
        elif enabled and item.enabled_by is not None:
            enabled = expressions.is_true(item.enabled_by, self, place)
        return enabled

    def codes(self) -> dict[str, str]:
        """Return the codes of the choices that have an answer, by link id."""
        return {
            place[-1][0]: values[0].content.code or values[0].content.display
            for places in self._places.values()
            for place in places
            if (values := self.values(place)) and isinstance(values[0].content, Coding) and self.is_enabled(place)
        }

    def settled(self, expressions: Expressions | None) -> "Filling":
        """Return the same with everything calculated that the form calculates, the total among it."""
        filling = self
        for _ in range(_MOST_ROUNDS):
            following = filling._calculated(expressions)
            if following.given == filling.given:
                break
            filling = following
        return filling

    def response(
        self,
        *,
        status: Status,
        authored: datetime,
        expressions: Expressions | None = None,
        notes: "Notes | None" = None,
    ) -> Json:
        """Return a FHIR R4 QuestionnaireResponse of what is shown and answered.

        Args:
            status: FHIR's status of the response.
            authored: When the answers were given.
            expressions: Evaluates the form's expressions.
            notes: What is noted with each of the answers; None to note nothing.
        """
        response: Json = {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": self.form.canonical,
            "status": status,
            "authored": authored.isoformat(timespec="seconds"),
        }
        items = self._written((), self.form.item, expressions, notes)
        return {**response, **({"item": items} if items else {})}

    def first_place(self, link_id: str) -> Place:
        """Return where the item ``link_id`` stands, in the first of every repetition."""
        return min(self._places[link_id])

    def evaluated(self) -> Json:
        """Return the response that expressions are evaluated on: each code in it carries its score."""
        items = self._written((), self.form.item, None, None, scored=True)
        return {"resourceType": "QuestionnaireResponse", "questionnaire": self.form.canonical, "item": items}

    def item_at(self, place: Place) -> Json:
        """Return the one item of the response at ``place``, as in `evaluated`, also where it is not shown."""
        return self._item(place, self._items[place[-1][0]], None, None, scored=True) or {"linkId": place[-1][0]}

    @cached_property
    def _items(self) -> dict[str, Item]:
        return {item.link_id: item for item in self.form.walk()}

    @cached_property
    def _known_enabled(self) -> dict[Place, bool]:
        return {}

    @cached_property
    def _places(self) -> dict[str, list[Place]]:
        found: dict[str, list[Place]] = {link_id: [] for link_id in self._items}
        pending = list(self.children((), self.form.item))
        while pending:
            place, item = pending.pop()
            found[item.link_id].append(place)
            pending.extend(self.children(place, item.item))
        return found

    def _answers_near(self, link_id: str, place: Place) -> tuple[Item, tuple[Value, ...]]:
        """Return the answers to a question that stands in the same repetitions as ``place`` does."""
        numbers = dict(place)
        near = [
            other
            for other in self._places[link_id]
            if all(numbers.get(link, number) == number for link, number in other) and self.is_enabled(other)
        ]
        return self._items[link_id], tuple(value for other in near for value in self.values(other))

    def _calculated(self, expressions: Expressions | None) -> "Filling":
        filling = self
        total = self.form.total
        for link_id, item in self._items.items():
            for place in self._places[link_id]:
                values: tuple[Value, ...] | None = None
                if item.calculated is not None and expressions is not None:
                    values = expressions.values(item.calculated, filling.answer(place, ()), place)
                elif total is not None and link_id == total.link_id and item.calculated is None:
                    number = scoring.Scorer(self.form).total(filling.codes())
                    values = () if number is None else (Value(value_integer=number),)
                if values is not None and values != filling.values(place):
                    filling = filling.answer(place, values)
        return filling

    def _written(
        self,
        above: Place,
        items: Sequence[Item],
        expressions: Expressions | None,
        notes: "Notes | None",
        *,
        scored: bool = False,
    ) -> list[Json]:
        written = (
            self._item(place, item, expressions, notes, scored=scored)
            for place, item in self.children(above, items)
            if self.is_enabled(place, expressions)
        )
        return [one for one in written if one is not None]

    def _item(
        self, place: Place, item: Item, expressions: Expressions | None, notes: "Notes | None", *, scored: bool
    ) -> Json | None:
        below = self._written(place, item.item, expressions, notes, scored=scored)
        values = self.values(place) if item.is_question else ()
        written: Json = {"linkId": item.link_id, **({"text": item.text} if item.text else {})}
        noted = notes.of_item(place) if notes is not None and item.is_asked else []
        if noted:
            written["extension"] = noted
        if values:
            beside = notes.of_answer(place) if notes is not None and item.is_asked else []
            written["answer"] = [_answer(item, value, beside, scored=scored) for value in values]
            if below:
                written["answer"][0]["item"] = below
        elif below:
            written["item"] = below
        return written if values or below or noted else None


def initial(item: Item) -> tuple[Value, ...]:
    """Return what a question holds before it is asked; a quantity of which only the unit is given holds nothing."""
    given = tuple(
        value for value in item.initial if value.value_quantity is None or value.value_quantity.value is not None
    )
    return given or tuple(option.value for option in item.answer_option if option.initial_selected)


def _answer(item: Item, value: Value, noted: list[Json], *, scored: bool) -> Json:
    written = value.as_json()
    if scored and isinstance(value.content, Coding):
        option = item.option(value.content.code or value.content.display)
        if option is not None and option.weight is not None:
            written["valueCoding"]["extension"] = [{"url": ORDINAL_VALUE, "valueDecimal": option.weight}]
    return {"extension": noted, **written} if noted else written
