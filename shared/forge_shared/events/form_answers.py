"""A questionnaire that was filled in: every answer with how it was entered."""

from typing import Annotated, Literal

from pydantic import FailFast, Field

from forge_shared.events.data import EventData
from forge_shared.events.vocabulary import MOST_ITEMS, Canonical, Code, Identifier, Mode, Probability, UtcDatetime
from forge_shared.model import Frozen


class AnswerValue(Frozen):
    """One value of an answer, typed. Words stay in the room: of them only that there are some is sent.

    Attributes:
        code: A choice's code.
        option: A choice's place among the form's options, from 1, where its code is none that can be sent.
        number: Of a whole or decimal number or a quantity; of a boolean 1 for yes and 0 for no.
        moment: A date, a time or both, as FHIR writes them.
        unit: A quantity's unit in UCUM's signs, where it is one that the form names.
    """

    kind: Literal["choice", "boolean", "integer", "decimal", "quantity", "date", "date-time", "time", "words"]
    code: Code | None = None
    option: Annotated[int, Field(ge=1, le=10_000)] | None = None
    number: Annotated[float, Field(allow_inf_nan=False)] | None = None
    moment: Annotated[str, Field(pattern=r"^[0-9T:.Z+-]{2,35}$")] | None = None
    unit: Annotated[str, Field(pattern=r"^[A-Za-z0-9%\[\]{}/.*'^_+-]{1,32}$")] | None = None


Values = Annotated[tuple[AnswerValue, ...], Field(max_length=50), FailFast()]
AbsentReason = Literal["unknown", "asked-declined", "asked-unknown", "unsupported"]
"""Why a question has no answer. Source: HL7 terminology, code system data-absent-reason."""


class EarlierAnswer(Frozen):
    """What was stored for a question before it was answered anew; no values: it had been left out."""

    values: Values
    mode: Mode
    at: UtcDatetime


class FormAnswer(Frozen):
    """One stored answer: what it is, how it was entered, how often the question was asked.

    Attributes:
        code: The option's code, where one option was chosen.
        values: The answers, where they are anything else than one option's code.
        repetition: Numbers of the repetitions of the groups that the question stands in, outermost first.
        language: In which it was asked and answered, BCP 47.
        engine: What heard it, and how sure it was; absent where nothing was heard.
        earlier: What was stored before, oldest first.
    """

    link_id: Code
    code: Code | None = None
    mode: Mode
    times_asked: Annotated[int, Field(ge=1, le=1000)]
    corrected: bool = False
    values: Values = ()
    repetition: Annotated[tuple[Annotated[int, Field(ge=0, le=1000)], ...], Field(max_length=20)] = ()
    language: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{2,35}$")] = "en"
    engine: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+._-]{0,62}$")] | None = None
    confidence: Probability | None = None
    earlier: Annotated[tuple[EarlierAnswer, ...], Field(max_length=50), FailFast()] = ()


class AbsentAnswer(Frozen):
    """A question that has no answer, and why."""

    link_id: Code
    reason: AbsentReason
    mode: Mode
    repetition: Annotated[tuple[Annotated[int, Field(ge=0, le=1000)], ...], Field(max_length=20)] = ()


class FormSignature(Frozen):
    """The room's signature on a form (`forge_shared.signatures`)."""

    when: UtcDatetime
    jws: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,8000}\.\.[A-Za-z0-9_-]{1,200}$")]


class FormRecorded(EventData):
    """A questionnaire was completed, or stopped before its end. ``total`` is absent unless complete.

    ``modes`` are all ways in which any of it was entered, so that nobody takes a mixed response for one of one way.
    """

    noun_verb = "form.recorded"
    version = 2
    lane = "record"

    response: Identifier
    questionnaire: Canonical
    status: Literal["completed", "stopped"]
    answers: Annotated[tuple[FormAnswer, ...], Field(max_length=MOST_ITEMS), FailFast()]
    skipped: Annotated[tuple[Code, ...], Field(max_length=MOST_ITEMS)] = ()
    total: Annotated[int, Field(ge=0, le=1000)] | None
    re_prompts: Annotated[int, Field(ge=0, le=10_000)]
    started_at: UtcDatetime
    absent: Annotated[tuple[AbsentAnswer, ...], Field(max_length=MOST_ITEMS), FailFast()] = ()
    modes: Annotated[tuple[Mode, ...], Field(max_length=5)] = ()
    signature: FormSignature | None = None
