"""A form with all that asking it needs, made once: its expressions compiled, its way from question to question."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

from forge_edge.forms.expressions import FhirPath
from forge_edge.forms.state import Entry, FormState, Key, Kind
from forge_shared.errors import AnswerUnfitError
from forge_shared.forms import elements, entry
from forge_shared.forms.elements import Coding, Quantity, Value
from forge_shared.forms.filling import Filling, Place
from forge_shared.forms.questionnaire import Item, Questionnaire, obstacle

MOST_REPETITIONS = 50
"""Times a group is offered again where the form sets no limit. Ours."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One thing on the way through a form: a text that is said, a question, or whether a group is filled in again."""

    kind: Kind
    place: Place
    item: Item
    number: int = 0

    @property
    def key(self) -> Key:
        """The passage as a state names it."""
        return self.kind, self.place, self.number


class AskedForm:
    """One form as it is asked: everything about it that does not change. May be used from one thread at a time.

    Args:
        form: The form.
        zone: Time zone of a time that names none.
        dictation: Whether an engine here takes down free speech, so that a voice can answer in own words.
        screen: Whether there is a screen on which somebody can answer what a voice cannot.
    """

    def __init__(
        self, form: Questionnaire, *, zone: tzinfo = UTC, dictation: bool = False, screen: bool = False
    ) -> None:
        self.form = form
        self.zone = zone
        self.dictation = dictation
        self.screen = screen
        self.expressions = FhirPath(form)
        self.items = {item.link_id: item for item in form.walk()}
        self.obstacle = obstacle(form)
        """Why no room can offer this form, None where one can; it can be written all the same."""
        # Calculating is the slow part of a step, and one step looks at the same answers several times.
        self._last: tuple[tuple[Entry, ...], tuple[tuple[Place, int], ...], Filling] | None = None

    def item(self, place: Place) -> Item:
        """Return the item at ``place``."""
        return self.items[place[-1][0]]

    def filling(self, state: FormState) -> Filling:
        """Return the answers of ``state`` with everything that the form calculates from them."""
        if self._last is None or self._last[0] is not state.entries or self._last[1] != state.repetitions:
            given = {stored.place: stored.values for stored in state.entries}
            filling = Filling(self.form, given, dict(state.repetitions)).settled(self.expressions)
            self._last = (state.entries, state.repetitions, filling)
        return self._last[2]

    def passage(self, state: FormState) -> Passage:
        """Return what ``state`` asks; it is not over."""
        if state.at is None:
            raise ValueError("the form is over")
        kind, place, number = state.at
        return Passage(kind, place, self.item(place), number)

    def passages(self, filling: Filling) -> Iterator[Passage]:
        """Yield what comes on the way through the form with these answers, in reading order."""
        return self._below((), self.form.item, filling)

    def check(self, place: Place, values: Sequence[Value], filling: Filling) -> None:
        """Check answers against their question's limits and the form's constraints.

        Raises:
            AnswerUnfitError: They do not fit; the message never repeats them.
        """
        item = self.item(place)
        entry.check(item, values)
        answered = filling.answer(place, values).settled(self.expressions)
        for extension in (*self.form.extension, *item.extension):
            if extension.url != elements.CONSTRAINT or extension.part("severity") == "warning":
                continue
            expression = extension.part("expression")
            if isinstance(expression, str) and not self.expressions.is_met(expression, answered, place):
                raise AnswerUnfitError(str(extension.part("human") or "This does not fit. Please answer again."))

    def _below(self, above: Place, items: Sequence[Item], filling: Filling) -> Iterator[Passage]:
        for place, item in filling.children(above, items):
            if item.is_hidden or not filling.is_enabled(place, self.expressions):
                continue
            if item.is_asked:
                yield Passage("ask", place, item)
            elif not item.is_question:
                yield Passage("say", place, item)
            yield from self._below(place, _items_below(item), filling)
            if item.type == "group" and item.repeats:
                first, number = (*place[:-1], (item.link_id, 0)), place[-1][1] + 1
                most = elements.first(item.extension, elements.MAX_OCCURS) or MOST_REPETITIONS
                if _asks(item) and number < most:
                    yield Passage("more", first, item, number)


def titled(item: Item) -> str:
    """Return an item's number and text, verbatim; its link id where it has no text."""
    text = item.text or ("" if any(one.text for one in item.item) else item.link_id)
    return f"{item.prefix} {text}".strip() if item.prefix else text


def hints(item: Item) -> tuple[str, ...]:
    """Return the texts that stand right below a question, verbatim."""
    return tuple(below.text for below in item.item if below.type == "display" and below.text)


def shown(value: Value) -> str:
    """Return an answer in words, as it is shown and read back."""
    content = value.content
    if isinstance(content, Coding):
        return content.display or content.code
    if isinstance(content, Quantity):
        return f"{content.value:.15g} {content.unit or content.code}".strip()
    if isinstance(content, bool):
        return "yes" if content else "no"
    return f"{content:.15g}" if isinstance(content, float) else str(content)


def _items_below(item: Item) -> tuple[Item, ...]:
    """Return what is asked below ``item``; the texts right below a question are shown with it."""
    return tuple(one for one in item.item if not (item.is_question and one.type == "display"))


def _asks(item: Item) -> bool:
    return any(one.is_asked or _asks(one) for one in item.item)
