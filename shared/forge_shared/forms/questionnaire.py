"""The subset of FHIR R4 Questionnaire that a room can speak and show.

Groups, choices with one answer each, display texts and one read-only total. What lies outside the subset is refused
when the form is loaded, never half-understood at the bedside.
"""

import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from forge_shared.errors import FormInvalidError, FormUnknownError
from forge_shared.forms import loinc

ORDINAL_VALUE = "http://hl7.org/fhir/StructureDefinition/ordinalValue"
RISK_ITEM = "https://personaforge.org/fhir/StructureDefinition/risk-item"
"""Marks an item of which any answer but the lowest raises an alarm at once."""
SPOKEN_AS = "https://personaforge.org/fhir/StructureDefinition/spoken-as"
"""A further way of saying an answer option, accepted by voice and read back in the option's own words."""

LARGEST_ORDINAL = 100
_CODE = r"[A-Za-z0-9][A-Za-z0-9./_-]{0,63}"


class _Fhir(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class Extension(_Fhir):
    """One of the three extensions above."""

    url: Literal[
        "http://hl7.org/fhir/StructureDefinition/ordinalValue",
        "https://personaforge.org/fhir/StructureDefinition/risk-item",
        "https://personaforge.org/fhir/StructureDefinition/spoken-as",
    ]
    value_decimal: float | None = None
    value_boolean: bool | None = None
    value_string: str | None = None


class Coding(_Fhir):
    """A code with its system."""

    system: str
    code: str
    display: str = ""
    extension: tuple[Extension, ...] = ()

    @model_validator(mode="after")
    def _check_loinc(self) -> Self:
        if self.system == loinc.SYSTEM and not loinc.is_valid(self.code):
            raise ValueError("wrong LOINC check digit")
        return self


class AnswerOption(_Fhir):
    """One answer of a choice."""

    value_coding: Coding
    extension: tuple[Extension, ...] = ()

    @property
    def code(self) -> str:
        """The option's code, unique in its item."""
        return self.value_coding.code

    @property
    def display(self) -> str:
        """The option in the words that are read out."""
        return self.value_coding.display

    @property
    def ordinal(self) -> int | None:
        """The option's score, if it has one."""
        for extension in (*self.extension, *self.value_coding.extension):
            if extension.url == ORDINAL_VALUE and extension.value_decimal is not None:
                return int(extension.value_decimal)
        return None

    @property
    def spoken(self) -> tuple[str, ...]:
        """Every way of saying this option, its display first, in lower case."""
        further = (e.value_string for e in self.extension if e.url == SPOKEN_AS and e.value_string)
        return tuple(words.lower() for words in (self.display, *further))


class EnableWhen(_Fhir):
    """A condition on another item's integer value (the total) or answer."""

    question: str
    operator: Literal["=", "!=", ">", "<", ">=", "<="]
    answer_integer: int | None = None
    answer_coding: Coding | None = None


class Item(_Fhir):
    """A group, a question with answer options, a text to read out, or the read-only total."""

    link_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$")]
    type: Literal["group", "choice", "display", "integer"]
    text: str = ""
    prefix: str = ""
    code: tuple[Coding, ...] = ()
    required: bool = False
    read_only: bool = False
    repeats: Literal[False] = False
    extension: tuple[Extension, ...] = ()
    enable_when: tuple[EnableWhen, ...] = ()
    answer_option: tuple[AnswerOption, ...] = ()
    item: "tuple[Item, ...]" = ()

    @property
    def is_risk(self) -> bool:
        """Whether any answer but the lowest raises an alarm at once."""
        return any(e.url == RISK_ITEM and e.value_boolean for e in self.extension)

    def option(self, code: str) -> AnswerOption | None:
        """Return the option with ``code``, if this item has it."""
        return next((option for option in self.answer_option if option.code == code), None)


class Questionnaire(_Fhir):
    """A form: FHIR R4 Questionnaire within the supported subset."""

    resource_type: Literal["Questionnaire"]
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    url: Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9./_-]{1,200}$")]
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]{1,20}$")]
    title: str
    status: Literal["draft", "active", "retired"]
    language: str = "en"
    description: str = ""
    copyright: str = ""
    subject_type: tuple[str, ...] = ("Patient",)
    code: tuple[Coding, ...] = ()
    extension: tuple[Extension, ...] = ()
    item: tuple[Item, ...]

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
        seen: set[str] = set()
        for item in self.walk():
            if item.link_id in seen:
                raise ValueError(f"link id {item.link_id} is used twice")
            seen.add(item.link_id)
            if item.type == "choice":
                _check_choice(item)
            if item.type == "integer" and not item.read_only:
                raise ValueError(f"item {item.link_id}: an integer can only be a read-only total here")
        for item in self.walk():
            for condition in item.enable_when:
                if condition.question not in seen:
                    raise ValueError(f"item {item.link_id} is enabled by an item that the form does not have")
        return self


def _check_choice(item: Item) -> None:
    codes = [option.code for option in item.answer_option]
    spoken = [words for option in item.answer_option for words in option.spoken]
    if len(codes) < 2 or len(set(codes)) < len(codes):  # noqa: PLR2004 (a choice is between two)
        raise ValueError(f"item {item.link_id}: a choice needs at least two options with different codes")
    if not all(spoken) or len(set(spoken)) < len(spoken):
        raise ValueError(f"item {item.link_id}: every option needs words of its own")
    if item.is_risk and any(option.ordinal is None for option in item.answer_option):
        raise ValueError(f"item {item.link_id}: a risk item needs an ordinal value on every option")
    # What an event can carry: an alarm that could not be sent must not be found out at the bedside.
    if any(option.ordinal is not None and not 0 <= option.ordinal <= LARGEST_ORDINAL for option in item.answer_option):
        raise ValueError(f"item {item.link_id}: an ordinal value lies between 0 and {LARGEST_ORDINAL}")
    if any(re.fullmatch(_CODE, code) is None for code in codes):
        raise ValueError(f"item {item.link_id}: an option's code has letters, digits, dots, slashes, hyphens only")


def load(path: Path) -> Questionnaire:
    """Read a form from a FHIR JSON file.

    Raises:
        FormInvalidError: The file is not JSON, or uses something outside the subset; the message names the place.
        FormUnknownError: There is no such file.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise FormUnknownError(f"cannot read the form {path.name}") from None
    except UnicodeDecodeError:
        raise FormInvalidError(f"{path.name} is not UTF-8") from None
    return parse(text, path.name)


def parse(text: str, name: str) -> Questionnaire:
    """Read a form from FHIR JSON; ``name`` stands in error messages.

    Raises:
        FormInvalidError: As for `load`.
    """
    try:
        return Questionnaire.model_validate(json.loads(text))
    except ValidationError as error:
        places = "; ".join(
            f"{'.'.join(str(part) for part in item['loc']) or 'form'}: {item['msg']}" for item in error.errors()[:5]
        )
        raise FormInvalidError(f"{name} is outside the supported FHIR subset: {places}") from None
    except ValueError:
        raise FormInvalidError(f"{name} is not JSON") from None


def installed(site_folder: Path | None = None) -> dict[str, Questionnaire]:
    """Return every form by id: those of this package, then those in ``site_folder``, which may replace them.

    Raises:
        FormInvalidError: One of the files is no supported form.
    """
    forms = {}
    for entry in sorted(resources.files("forge_shared.forms").iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".json"):
            form = parse(entry.read_text(encoding="utf-8"), entry.name)
            forms[form.id] = form
    if site_folder is not None and site_folder.is_dir():
        for path in sorted(site_folder.glob("*.json")):
            form = load(path)
            forms[form.id] = form
    return forms
