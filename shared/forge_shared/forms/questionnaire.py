"""Any FHIR R4 Questionnaire: what a room asks, by voice where it can, by text or touch otherwise.

What a form asks for and this program does not do is left out when it is imported, with a warning that names the place
(`forge_shared.forms.intake`); what contradicts itself is refused. Nothing is half-understood at the bedside.
"""

import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from forge_shared.errors import FormInvalidError, FormUnknownError
from forge_shared.forms import elements, intake, licences
from forge_shared.forms.elements import AnswerOption, Coding, Element, EnableWhen, Expression, Extension, Fhir, Value
from forge_shared.forms.intake import Warned

LARGEST_ORDINAL = 100
LONGEST_CHAIN = 100
"""Most items in a row of which each is enabled by the one before, or stands in it. Ours."""
_CANONICAL = r"https?://[A-Za-z0-9./_-]{1,200}\|[A-Za-z0-9.-]{1,20}"
"""What an event can name a form by. Source: `forge_shared.events`."""
_CODE = r"[A-Za-z0-9][A-Za-z0-9./_-]{0,63}"

ItemType = Literal[
    "group",
    "display",
    "boolean",
    "decimal",
    "integer",
    "date",
    "dateTime",
    "time",
    "string",
    "text",
    "url",
    "choice",
    "open-choice",
    "quantity",
    "attachment",
    "reference",
]
UNANSWERABLE = frozenset({"attachment", "reference"})
"""Types of questions that nobody can answer here: they are kept and never asked."""


class Item(Fhir):
    """A group, a text to read out, or a question; one that is read-only or calculated is not asked."""

    link_id: Annotated[str, Field(min_length=1, max_length=255)]
    type: ItemType
    text: str = ""
    text_element: Annotated[Element | None, Field(alias="_text")] = None
    prefix: str = ""
    code: tuple[Coding, ...] = ()
    required: bool = False
    read_only: bool = False
    repeats: bool = False
    max_length: Annotated[int, Field(ge=1)] | None = None
    extension: tuple[Extension, ...] = ()
    enable_when: tuple[EnableWhen, ...] = ()
    enable_behavior: Literal["all", "any"] = "all"
    answer_option: tuple[AnswerOption, ...] = ()
    answer_value_set: str | None = None
    initial: tuple[Value, ...] = ()
    item: "tuple[Item, ...]" = ()

    @property
    def is_risk(self) -> bool:
        """Whether any answer but the lowest raises an alarm at once."""
        return any(e.url == elements.RISK_ITEM and e.value_boolean for e in self.extension)

    @property
    def is_hidden(self) -> bool:
        """Whether the form says that nobody is shown this."""
        return elements.first(self.extension, elements.HIDDEN) is True

    @property
    def calculated(self) -> Expression | None:
        """What this item's value is calculated from, if it is."""
        found = elements.first(self.extension, elements.CALCULATED_EXPRESSION)
        return found if isinstance(found, Expression) else None

    @property
    def enabled_by(self) -> Expression | None:
        """The expression that says whether this item is shown, if there is one."""
        found = elements.first(self.extension, elements.ENABLE_WHEN_EXPRESSION)
        return found if isinstance(found, Expression) else None

    @property
    def is_question(self) -> bool:
        """Whether this can have an answer."""
        return self.type not in ("group", "display")

    @property
    def is_asked(self) -> bool:
        """Whether somebody is asked for the answer; otherwise it is calculated, given, or cannot be asked."""
        shown = not (self.read_only or self.is_hidden)
        return self.is_question and self.type not in UNANSWERABLE and self.calculated is None and shown

    def option(self, code: str) -> AnswerOption | None:
        """Return the option with ``code``, if this item has it."""
        return next((option for option in self.answer_option if option.code == code), None)

    def text_in(self, language: str) -> str:
        """Return the text in ``language``, a BCP 47 tag; in the form's own language where it was not translated."""
        translated = self.text_element.translation(language) if self.text_element else None
        return translated or self.text


class Questionnaire(Fhir):
    """A form: FHIR R4 Questionnaire."""

    resource_type: Literal["Questionnaire"]
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    url: Annotated[str, Field(pattern=r"^[^\s|]{1,500}$")]
    version: Annotated[str, Field(pattern=r"^[^\s|]{1,64}$")]
    title: str
    title_element: Annotated[Element | None, Field(alias="_title")] = None
    status: Literal["draft", "active", "retired", "unknown"]
    language: str = "en"
    description: str = ""
    copyright: str = ""
    subject_type: tuple[str, ...] = ("Patient",)
    code: tuple[Coding, ...] = ()
    extension: tuple[Extension, ...] = ()
    item: Annotated[tuple[Item, ...], Field(min_length=1)]

    @property
    def canonical(self) -> str:
        """URL and version, as FHIR references a form."""
        return f"{self.url}|{self.version}"

    @property
    def questions(self) -> tuple[Item, ...]:
        """The choices in reading order."""
        return tuple(item for item in self.walk() if item.type == "choice")

    @property
    def total(self) -> Item | None:
        """The read-only total, if the form has one."""
        return next((item for item in self.walk() if item.type == "integer" and item.read_only), None)

    def walk(self) -> Iterator[Item]:
        """Yield every item, parents before children, in reading order."""
        pending = list(reversed(self.item))
        while pending:
            item = pending.pop()
            yield item
            pending.extend(reversed(item.item))

    def question(self, link_id: str) -> Item | None:
        """Return the choice with ``link_id``, if the form has it."""
        return next((item for item in self.questions if item.link_id == link_id), None)

    @model_validator(mode="after")
    def _check(self) -> Self:
        parents: dict[str, str | None] = {top.link_id: None for top in self.item}
        seen: set[str] = set()
        for item in self.walk():
            if item.link_id in seen:
                raise ValueError(f"link id {item.link_id} is used twice")
            seen.add(item.link_id)
            parents |= {below.link_id: item.link_id for below in item.item}
            if item.type in ("choice", "open-choice"):
                _check_choice(item)
            if item.type == "display" and item.item:
                raise ValueError(f"item {item.link_id}: a text to read out has nothing below it")
        waits_for = {item.link_id: [condition.question for condition in item.enable_when] for item in self.walk()}
        for link_id, questions in waits_for.items():
            if any(question not in seen for question in questions):
                raise ValueError(f"item {link_id} is enabled by an item that the form does not have")
            parent = parents[link_id]
            questions.extend([parent] if parent is not None else [])
        _check_circle(waits_for)
        return self


def _check_circle(waits_for: dict[str, list[str]]) -> None:
    """Refuse items that are enabled, by way of each other or of what they stand below, only by themselves."""
    left = {link_id: set(others) for link_id, others in waits_for.items()}
    rounds = 0
    while left:
        rounds += 1
        if rounds > LONGEST_CHAIN:
            raise ValueError(f"more than {LONGEST_CHAIN} items are enabled one by the other")
        free = {link_id for link_id, others in left.items() if not others & left.keys()}
        if not free:
            raise ValueError(f"item {min(left)} is enabled in a circle, so that it can never be asked")
        left = {link_id: others for link_id, others in left.items() if link_id not in free}


def _check_choice(item: Item) -> None:
    codes = [(option.system, option.code) for option in item.answer_option]
    if not codes and item.answer_value_set is None and item.type == "choice":
        raise ValueError(f"item {item.link_id}: a choice needs options")
    if len(set(codes)) < len(codes):
        raise ValueError(f"item {item.link_id}: two options have the same code")
    if item.is_risk and any(option.ordinal is None for option in item.answer_option):
        raise ValueError(f"item {item.link_id}: a risk item needs an ordinal value on every option")


def obstacle(form: Questionnaire) -> str | None:
    """Return why a room cannot offer ``form`` and send what was answered; None when it can.

    That an alarm could not be sent, say, must be found out when a room starts, never at the bedside.
    """
    if not any(item.is_asked for item in form.walk()):
        return "the form asks nothing"
    if re.fullmatch(_CANONICAL, form.canonical) is None:
        return "an event cannot name the form: its url or version is too long, or has other characters"
    return next((reason for item in form.walk() for reason in [_obstacle(item)] if reason is not None), None)


def _obstacle(item: Item) -> str | None:
    place = f"item {item.link_id}"
    if item.is_question and re.fullmatch(_CODE, item.link_id) is None:
        return f"{place}: a link id has letters, digits, dots, slashes, hyphens only"
    if item.is_risk and item.type == "choice":
        wrong = _risk_obstacle(item)
        return f"{place}: {wrong}" if wrong else None
    return None


def _risk_obstacle(item: Item) -> str | None:
    spoken = [words for option in item.answer_option for words in option.spoken]
    if item.repeats or len(item.answer_option) < 2 or not all(spoken) or len(set(spoken)) < len(spoken):  # noqa: PLR2004 (a choice is between two)
        return "a risk item needs one answer of two options or more, each with words of its own"
    if any(not _is_sent(option.ordinal) for option in item.answer_option):
        return f"an ordinal value is a whole number between 0 and {LARGEST_ORDINAL}"
    if any(option.value_coding is None or re.fullmatch(_CODE, option.code) is None for option in item.answer_option):
        return "an option's code has letters, digits, dots, slashes, hyphens only"
    return None


def _is_sent(ordinal: int | None) -> bool:
    return ordinal is not None and 0 <= ordinal <= LARGEST_ORDINAL


def load(path: Path) -> Questionnaire:
    """Read a form from a FHIR JSON file.

    Raises:
        FormInvalidError: As for `read`.
        FormUnknownError: There is no such file.
    """
    return read(path)[0]


def read(path: Path) -> tuple[Questionnaire, tuple[Warned, ...]]:
    """Read a form from a FHIR JSON file, and say what of it was left out. Value sets in its folder are looked up.

    Raises:
        FormInvalidError: The file is no JSON, no Questionnaire, or contradicts itself; the message names the place.
        FormUnknownError: There is no such file.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError:
        raise FormUnknownError(f"cannot read the form {path.name}") from None
    except UnicodeDecodeError:
        raise FormInvalidError(f"{path.name} is not UTF-8") from None
    return imported(text, path.name, path.parent)


def parse(text: str, name: str) -> Questionnaire:
    """Read a form from FHIR JSON; ``name`` stands in error messages.

    Raises:
        FormInvalidError: As for `read`.
    """
    return imported(text, name, None)[0]


def imported(text: str, name: str, folder: Path | None) -> tuple[Questionnaire, tuple[Warned, ...]]:
    """Read a form from FHIR JSON, and say what of it was left out.

    Args:
        text: The JSON.
        name: Stands in error messages, and gives a form without an id its own.
        folder: Where value sets that the form names may lie, each in a file of its own.

    Raises:
        FormInvalidError: As for `read`.
    """
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        raise FormInvalidError(f"{name} is not JSON") from None
    content, warnings = intake.prepared(raw, name, folder)
    try:
        form = Questionnaire.model_validate(content)
    except ValidationError as error:
        places = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'form'}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors()[:5]
        )
        raise FormInvalidError(f"{name} is no Questionnaire that can be asked: {places}") from None
    return form, (*warnings, *licences.checked(name, form.title, form.url, tuple(code.code for code in form.code)))


def installed(site_folder: Path | None = None) -> dict[str, Questionnaire]:
    """Return every form by id: those of this package, then those in ``site_folder``, which may replace them.

    Value sets may lie there too.

    Raises:
        FormInvalidError: One of the files is no form.
    """
    forms = {}
    for entry in sorted(resources.files("forge_shared.forms").iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".json"):
            form = parse(entry.read_text(encoding="utf-8"), entry.name)
            forms[form.id] = form
    if site_folder is not None and site_folder.is_dir():
        for path in sorted(site_folder.glob("*.json")):
            if not intake.is_value_set(path):
                form = load(path)
                forms[form.id] = form
    return forms
