"""The parts of FHIR R4 that a questionnaire is made of."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from forge_shared.forms import loinc

_HL7 = "http://hl7.org/fhir/StructureDefinition/"
_SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
_OURS = "https://personaforge.org/fhir/StructureDefinition/"

ORDINAL_VALUE = f"{_HL7}ordinalValue"
ITEM_WEIGHT = f"{_HL7}itemWeight"
TRANSLATION = f"{_HL7}translation"
MIN_VALUE = f"{_HL7}minValue"
MAX_VALUE = f"{_HL7}maxValue"
MIN_LENGTH = f"{_HL7}minLength"
MAX_DECIMAL_PLACES = f"{_HL7}maxDecimalPlaces"
MIN_OCCURS = f"{_HL7}questionnaire-minOccurs"
MAX_OCCURS = f"{_HL7}questionnaire-maxOccurs"
UNIT = f"{_HL7}questionnaire-unit"
UNIT_OPTION = f"{_HL7}questionnaire-unitOption"
CONSTRAINT = f"{_HL7}questionnaire-constraint"
HIDDEN = f"{_HL7}questionnaire-hidden"
OPTION_EXCLUSIVE = f"{_HL7}questionnaire-optionExclusive"
VARIABLE = f"{_HL7}variable"
CALCULATED_EXPRESSION = f"{_SDC}calculatedExpression"
ENABLE_WHEN_EXPRESSION = f"{_SDC}enableWhenExpression"
INITIAL_EXPRESSION = f"{_SDC}initialExpression"
RISK_ITEM = f"{_OURS}risk-item"
"""Marks an item of which any answer but the lowest raises an alarm at once."""
ANSWER_MODE = f"{_OURS}answer-mode"
"""How an answer was given: ``voice``, ``touch``, ``text``, ``staff`` or ``unknown``. Modes shift scores."""
ANSWER_PROVENANCE = f"{_OURS}answer-provenance"
"""Language, engine, confidence, time and number of askings of an answer, and what was stored before it."""
RESPONSE_MODE = f"{_OURS}response-mode"
"""Each way in which any of a response was entered."""
SIGNATURE = f"{_HL7}questionnaireresponse-signature"
SPOKEN_AS = f"{_OURS}spoken-as"
"""A further way of saying an answer option, accepted by voice and read back in the option's own words."""

UNDERSTOOD = frozenset(
    {
        *(ORDINAL_VALUE, ITEM_WEIGHT, TRANSLATION, MIN_VALUE, MAX_VALUE, MIN_LENGTH, MAX_DECIMAL_PLACES),
        *(MIN_OCCURS, MAX_OCCURS, UNIT, UNIT_OPTION, CONSTRAINT, HIDDEN, OPTION_EXCLUSIVE, VARIABLE),
        *(CALCULATED_EXPRESSION, ENABLE_WHEN_EXPRESSION, INITIAL_EXPRESSION, RISK_ITEM, SPOKEN_AS),
    }
)
"""The extensions that have an effect here. Every other one is left out when a form is imported."""


class Fhir(BaseModel):
    """An element of a FHIR resource, in FHIR's own names when written."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class Expression(Fhir):
    """An expression in FHIRPath; ``name`` is given to those that define a variable."""

    language: Literal["text/fhirpath"] = "text/fhirpath"
    expression: Annotated[str, Field(min_length=1, max_length=10_000)]
    name: str = ""
    description: str = ""


class Quantity(Fhir):
    """A number with its unit, or a unit alone."""

    value: float | None = None
    unit: str = ""
    system: str = ""
    code: str = ""


class Extension(Fhir):
    """One of the extensions of `UNDERSTOOD`, or a part of one, which is named in ``url`` alone."""

    url: str
    value_decimal: float | None = None
    value_integer: int | None = None
    value_boolean: bool | None = None
    value_string: str | None = None
    value_code: str | None = None
    value_id: str | None = None
    value_markdown: str | None = None
    value_date: str | None = None
    value_date_time: str | None = None
    value_time: str | None = None
    value_coding: "Coding | None" = None
    value_quantity: Quantity | None = None
    value_expression: Expression | None = None
    extension: "tuple[Extension, ...]" = ()

    @property
    def value(self) -> Any:  # noqa: ANN401 (FHIR's value[x]: one of the types above, or None)
        """Whatever value the extension carries."""
        found = (getattr(self, name) for name in Extension.model_fields if name.startswith("value_"))
        return next((value for value in found if value is not None), None)

    def part(self, name: str) -> Any:  # noqa: ANN401 (as above)
        """Return the value of the part ``name`` of a compound extension, None if it has none."""
        return next((inner.value for inner in self.extension if inner.url == name), None)


class Element(Fhir):
    """What FHIR keeps beside a text: here, its translations."""

    extension: tuple[Extension, ...] = ()

    def translation(self, language: str) -> str | None:
        """Return the text in ``language``, a BCP 47 tag, if it was translated."""
        for extension in self.extension:
            if extension.url == TRANSLATION and extension.part("lang") == language:
                return extension.part("content") or None
        return None


class Coding(Fhir):
    """A code with its system."""

    system: str = ""
    version: str = ""
    code: str = ""
    display: str = ""
    display_element: Annotated[Element | None, Field(alias="_display")] = None
    extension: tuple[Extension, ...] = ()

    @model_validator(mode="after")
    def _check_loinc(self) -> Self:
        if self.system == loinc.SYSTEM and not loinc.is_valid(self.code):
            raise ValueError("wrong LOINC check digit")
        return self


class Value(Fhir):
    """An answer, or what a question holds before it is asked: FHIR's value[x]."""

    value_boolean: bool | None = None
    value_decimal: float | None = None
    value_integer: int | None = None
    value_date: str | None = None
    value_date_time: str | None = None
    value_time: str | None = None
    value_string: str | None = None
    value_uri: str | None = None
    value_coding: Coding | None = None
    value_quantity: Quantity | None = None

    @property
    def content(self) -> Any:  # noqa: ANN401 (one of the types above, or None)
        """The value itself; None when there is none."""
        return next((held for name in Value.model_fields if (held := getattr(self, name)) is not None), None)

    def as_json(self) -> dict[str, Any]:
        """Return the value as it stands in FHIR JSON."""
        written: dict[str, Any] = self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return written


class AnswerOption(Fhir):
    """One answer of a choice: a coding, or a value that stands for itself."""

    value_coding: Coding | None = None
    value_string: str | None = None
    value_integer: int | None = None
    value_date: str | None = None
    value_time: str | None = None
    initial_selected: bool = False
    extension: tuple[Extension, ...] = ()

    @model_validator(mode="after")
    def _check_value(self) -> Self:
        values = (self.value_coding, self.value_string, self.value_integer, self.value_date, self.value_time)
        if sum(value is not None for value in values) != 1:
            raise ValueError("an answer option has one value")
        if not self.display:
            raise ValueError("an answer option needs a code or words")
        return self

    @property
    def code(self) -> str:
        """The option's code, or the value that it stands for; unique in its item."""
        return (self.value_coding.code or self.value_coding.display) if self.value_coding else self.display

    @property
    def value(self) -> Value:
        """The option as an answer."""
        if self.value_coding is not None:
            coding = self.value_coding
            return Value(value_coding=Coding(system=coding.system, code=coding.code, display=coding.display))
        return Value(
            value_string=self.value_string,
            value_integer=self.value_integer,
            value_date=self.value_date,
            value_time=self.value_time,
        )

    @property
    def system(self) -> str:
        """The code's system, empty where there is none."""
        return self.value_coding.system if self.value_coding else ""

    @property
    def display(self) -> str:
        """The option in the words that are read out."""
        if self.value_coding is not None:
            return self.value_coding.display or self.value_coding.code
        value = next(
            v for v in (self.value_string, self.value_integer, self.value_date, self.value_time) if v is not None
        )
        return str(value)

    @property
    def ordinal(self) -> int | None:
        """The option's score, if it has a whole one."""
        weight = self.weight
        return int(weight) if weight is not None and weight == int(weight) else None

    @property
    def weight(self) -> float | None:
        """The option's score: its ordinal value or item weight, on the option or on its coding."""
        for extension in (*self.extension, *(self.value_coding.extension if self.value_coding else ())):
            if extension.url in (ORDINAL_VALUE, ITEM_WEIGHT) and extension.value_decimal is not None:
                return extension.value_decimal
        return None

    @property
    def is_exclusive(self) -> bool:
        """Whether this option excludes all others of a question with several answers."""
        return any(extension.url == OPTION_EXCLUSIVE and extension.value_boolean for extension in self.extension)

    @property
    def spoken(self) -> tuple[str, ...]:
        """Every way of saying this option, its display first, in lower case."""
        further = (e.value_string for e in self.extension if e.url == SPOKEN_AS and e.value_string)
        return tuple(words.lower() for words in (self.display, *further))


class EnableWhen(Fhir):
    """A condition on another question's answers."""

    question: str
    operator: Literal["exists", "=", "!=", ">", "<", ">=", "<="]
    answer_boolean: bool | None = None
    answer_decimal: float | None = None
    answer_integer: int | None = None
    answer_date: str | None = None
    answer_date_time: str | None = None
    answer_time: str | None = None
    answer_string: str | None = None
    answer_coding: Coding | None = None
    answer_quantity: Quantity | None = None

    @property
    def answer(self) -> Any:  # noqa: ANN401 (FHIR's answer[x]: one of the types above)
        """What the other question's answers are compared with."""
        found = (getattr(self, name) for name in EnableWhen.model_fields if name.startswith("answer_"))
        return next(value for value in found if value is not None)

    @model_validator(mode="after")
    def _check_answer(self) -> Self:
        given = [
            name for name in EnableWhen.model_fields if name.startswith("answer_") and getattr(self, name) is not None
        ]
        if len(given) != 1:
            raise ValueError("a condition compares with one answer")
        if self.operator == "exists" and given != ["answer_boolean"]:
            raise ValueError("a condition on an answer's existence needs true or false")
        if self.operator not in ("=", "!=", "exists") and given[0] in ("answer_coding", "answer_boolean"):
            raise ValueError("a code, true or false have no order to compare by")
        return self


def first(extensions: Iterable[Extension], url: str) -> Any:  # noqa: ANN401 (as `Extension.value`)
    """Return the value of the first extension ``url``, None if there is none."""
    return next((extension.value for extension in extensions if extension.url == url), None)
