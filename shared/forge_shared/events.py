"""The events that leave a room, and the envelope they travel in (CloudEvents 1.0, structured JSON).

Every field is typed and coded; the only free text is `UtteranceSaid.text`, which exists only for a session that was
consented to and is on, and only after redaction. A type's newest version is its class here; the version before is read
and lifted by `_LIFTS`. Types are never reused for another meaning.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, FailFast, Field, PlainSerializer, ValidationError

from forge_shared.errors import EventInvalidError, EventMisplacedError, EventUnknownError
from forge_shared.model import Frozen
from forge_shared.topics import EventAddress, Lane

TYPE_PREFIX = "org.personaforge"

_YEARS = range(1970, 9999)
"""Years that every store can hold in every time zone; a clock that was never set begins in 1970."""


def _within_range(at: datetime) -> datetime:
    if at.year not in _YEARS:
        raise ValueError("a time that no store can hold")
    return at


MOST_ITEMS = 600
"""Answers of a form, or kinds of redactions, in one event. Ours: more than the longest questionnaire in wide use
(MMPI-2, 567 items). Without it, and an end at the first fault, one message of 64 KiB keeps the hub busy for seconds.
"""
MOST_AGE_SECONDS = 10**9
"""Thirty years: longer than a machine runs without a new start, and short enough for any store's arithmetic."""

Mode = Literal["voice", "touch", "text", "staff", "unknown"]
"""How a person entered something; ``staff``: a member of the staff did it for them. Modes shift scores, so each answer
keeps its own."""

SenseReason = Literal[
    "started", "stopped", "process-died", "source-silent", "source-failed", "recovered", "consent-withdrawn"
]
"""Why a sense changed. Withdrawn consent closes it at once; nothing is broken then."""

SessionEnd = Literal["asked", "time-limit", "restart", "consent-withdrawn", "stay-ended"]
"""Why a recorded session ended."""

RequestCode = Literal["water", "nurse", "pain", "help", "toilet", "blanket", "light", "temperature", "music", "menu"]
"""What a person in the room may ask of the staff.

From "toilet" on they came later, within version 2: a hub that does not know one of these sets it aside as an alarm that
it cannot read, which calls somebody too; under a version of its own it would no longer read the first four either.
"""

ReminderKind = Literal["medication", "drink", "move", "appointment", "other"]
"""What a reminder reminds of."""

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9./_-]{0,63}$")]
"""A code of a closed vocabulary (LOINC, a link id); too narrow to hold a sentence."""

Canonical = Annotated[str, Field(pattern=r"^https?://[A-Za-z0-9./_-]{1,200}(\|[A-Za-z0-9.-]{1,20})?$")]
"""A FHIR canonical: URL, bar, version."""

Identifier = Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")]
Pseudonym = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Probability = Annotated[float, Field(ge=0, le=1)]
UtcDatetime = Annotated[
    AwareDatetime,
    AfterValidator(_within_range),
    PlainSerializer(lambda at: at.astimezone(UTC).isoformat(), when_used="json"),
]
SpokenText = Annotated[
    str, Field(min_length=1, max_length=2000, pattern=r"^[^\u0000-\u0008\u000b-\u001f\u007f-\u009f]*$")
]
"""Words without control characters but tab and newline: PostgreSQL stores no zero character."""


class EventData(Frozen):
    """The data of one event type. Subclasses name their type, its version and its lane."""

    noun_verb: ClassVar[str]
    version: ClassVar[int]
    lane: ClassVar[Lane]

    @classmethod
    def type_name(cls) -> str:
        """Return the CloudEvents type, such as ``org.personaforge.request.made.v2``."""
        return f"{TYPE_PREFIX}.{cls.noun_verb}.v{cls.version}"


class RequestMade(EventData):
    """A person in the room asked for something that staff must bring or do."""

    noun_verb = "request.made"
    version = 2
    lane = "alarm"

    request: RequestCode
    mode: Mode


class RiskAnswered(EventData):
    """A form's risk item was answered other than with its lowest option, or could not be answered.

    Sent the moment it is heard, before it is read back; `RiskReviewed` follows. ``answer`` is absent when the item was
    skipped or not understood: no answer never reassures.
    """

    noun_verb = "risk.answered"
    version = 1
    lane = "alarm"

    questionnaire: Canonical
    link_id: Code
    answer: Code | None
    ordinal: Annotated[int, Field(ge=0, le=100)] | None
    mode: Mode


class RiskReviewed(EventData):
    """The answer that raised an alarm was read back: the person confirmed or corrected it. The alarm stands."""

    noun_verb = "risk.reviewed"
    version = 1
    lane = "alarm"

    risk_event: Identifier
    outcome: Literal["confirmed", "corrected", "not-reviewed"]


class CrisisHeard(EventData):
    """What somebody in the room said, wrote or touched means that a person must come: what danger, and how soon.

    Never the words. Sent before anything else is done.
    """

    noun_verb = "crisis.heard"
    version = 1
    lane = "alarm"

    category: Code
    priority: Literal["staff", "urgent"]
    confidence: Probability
    mode: Mode


class CrisisNoted(EventData):
    """In a recorded session a danger was named that is denied, past, quoted or somebody else's; never the words."""

    noun_verb = "crisis.noted"
    version = 1
    lane = "record"

    session: Identifier
    category: Code
    reasons: Annotated[tuple[Code, ...], Field(max_length=20)]
    confidence: Probability
    mode: Mode


class ReminderMissed(EventData):
    """The room reminded of something that the staff had planned, and nobody in the room confirmed it in time."""

    noun_verb = "reminder.missed"
    version = 1
    lane = "alarm"

    kind: ReminderKind
    due_at: UtcDatetime
    times_said: Annotated[int, Field(ge=0, le=100)]


class SenseChanged(EventData):
    """A microphone or camera stopped or resumed. Unknown is a state."""

    noun_verb = "sense.changed"
    version = 1
    lane = "alarm"

    sense: Literal["hearing", "sight"]
    state: Literal["ok", "lost", "closed"]
    reason: SenseReason


class CanarySent(EventData):
    """A room proves that an alarm of it would come through; nobody is called by it."""

    noun_verb = "canary.sent"
    version = 1
    lane = "alarm"


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


class SessionStarted(EventData):
    """A recorded session began: consent was stated to the hub and the room shows and says that it is on."""

    noun_verb = "session.started"
    version = 1
    lane = "record"

    session: Identifier
    consent: Identifier


class SessionEnded(EventData):
    """A recorded session ended; nothing said after it leaves the room."""

    noun_verb = "session.ended"
    version = 1
    lane = "record"

    session: Identifier
    reason: SessionEnd


class UtteranceSaid(EventData):
    """One pseudonymised utterance of a consented session that is on."""

    noun_verb = "utterance.said"
    version = 1
    lane = "record"

    session: Identifier
    speaker: Literal["patient", "unknown"]
    text: SpokenText
    redactions: Annotated[Mapping[Code, Annotated[int, Field(ge=1, le=2000)]], Field(max_length=MOST_ITEMS)]
    confidence: Probability


class EventsWithheld(EventData):
    """A tombstone: this place in the sequence was given up so that alarms could be kept on a full disk."""

    noun_verb = "events.withheld"
    version = 1
    lane = "record"

    reason: Literal["disk-full"]
    withheld_type: Annotated[str, Field(pattern=r"^[a-z0-9.]{1,100}$")]


class EventErased(EventData):
    """What the hub puts in the place of an event whose person was erased, or whose time to be kept is over.

    No node sends it. It may stand in either lane: the place in the sequence is all that is left.
    """

    noun_verb = "event.erased"
    version = 1
    lane = "record"


TYPES: Mapping[str, type[EventData]] = {
    kind.type_name(): kind
    for kind in (
        RequestMade,
        RiskAnswered,
        RiskReviewed,
        CrisisHeard,
        CrisisNoted,
        ReminderMissed,
        SenseChanged,
        CanarySent,
        FormRecorded,
        SessionStarted,
        SessionEnded,
        UtteranceSaid,
        EventsWithheld,
        EventErased,
    )
}
"""Every type at its newest version, by its CloudEvents name."""

_LIFTS: Mapping[str, tuple[type[EventData], Callable[[dict[str, Any]], dict[str, Any]]]] = {
    # Version 1 did not say how the request was made.
    f"{TYPE_PREFIX}.request.made.v1": (RequestMade, lambda data: {**data, "mode": "unknown"}),
    # Version 1 had choices only, and neither provenance nor a signature.
    f"{TYPE_PREFIX}.form.recorded.v1": (FormRecorded, lambda data: data),
}

READABLE_TYPES = frozenset(TYPES) | frozenset(_LIFTS)


class Envelope(Frozen):
    """A CloudEvents 1.0 envelope with the extensions ``epoch``, ``lane``, ``sequence``, ``backfill``, ``ageseconds``.

    ``backfill`` marks an event that was delivered late, so that yesterday's fall does not ring today. ``ageseconds`` is
    how long ago the event was when it was sent, by a clock that nobody sets; None: the machine was started since.
    ``time`` is what the room's clock said, which may be wrong by years.
    """

    specversion: Literal["1.0"] = "1.0"
    id: Identifier
    source: Annotated[str, Field(pattern=r"^/sites/[a-z0-9-]{1,63}/nodes/[a-z0-9-]{1,63}$")]
    type: str
    time: UtcDatetime
    subject: Pseudonym
    datacontenttype: Literal["application/json"] = "application/json"
    epoch: Identifier
    lane: Lane
    sequence: Annotated[int, Field(ge=1)]
    backfill: bool = False
    ageseconds: Annotated[int, Field(ge=0, le=MOST_AGE_SECONDS)] | None = None
    data: dict[str, Any]

    @property
    def site(self) -> str:
        """The site's name, out of ``source``."""
        return self.source.split("/")[2]

    @property
    def node(self) -> str:
        """The node's name, out of ``source``."""
        return self.source.split("/")[4]

    @property
    def address(self) -> EventAddress:
        """The identity of this event on the wire."""
        return EventAddress(site=self.site, node=self.node, epoch=self.epoch, lane=self.lane, sequence=self.sequence)

    def to_json(self) -> bytes:
        """Return the envelope as CloudEvents structured JSON, UTF-8."""
        return self.model_dump_json().encode()


def source_of(site: str, node: str) -> str:
    """Return the CloudEvents source of a node."""
    return f"/sites/{site}/nodes/{node}"


def read_envelope(payload: bytes, address: EventAddress) -> tuple[Envelope, EventData]:
    """Read one message as the event that its topic says it is.

    Args:
        payload: What arrived, at most a few kilobytes.
        address: The identity that the topic carried.

    Returns:
        The envelope as it was sent and its data at the newest version of its type.

    Raises:
        EventInvalidError: Not JSON, no valid envelope, not the event its topic names, or data that do not fit.
        EventMisplacedError: It belongs into the other lane.
        EventUnknownError: A type or version that this program does not read.
    """
    try:
        envelope = Envelope.model_validate_json(payload)
    except ValidationError as error:
        raise EventInvalidError(f"no valid envelope ({_where(error)})") from None
    if envelope.address != address:
        raise EventInvalidError("the envelope is not the event that its topic names")
    data = read_data(envelope.type, envelope.data)
    if data.lane != envelope.lane and not isinstance(data, EventErased):
        raise EventMisplacedError("an event of the other lane")
    return envelope, data


def read_data(type_name: str, data: Mapping[str, Any]) -> EventData:
    """Return event data at the newest version of their type.

    Raises:
        EventInvalidError: ``data`` do not fit the type.
        EventUnknownError: A type or version that this program does not read.
    """
    values = dict(data)
    if type_name in _LIFTS:
        kind, lift = _LIFTS[type_name]
        values = lift(values)
    elif type_name in TYPES:
        kind = TYPES[type_name]
    else:
        raise EventUnknownError("an event type or version that this program does not read")
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise EventInvalidError(f"data do not fit {kind.type_name()} ({_where(error)})") from None


_MODELS: tuple[type[BaseModel], ...] = (
    *(Envelope, FormAnswer, AnswerValue, EarlierAnswer, AbsentAnswer, FormSignature),
    *TYPES.values(),
)
_FIELDS = frozenset(name for model in _MODELS for name in model.model_fields)


_NAMED_FAULTS = 50
"""Faults of one message that are looked at. A message of 64 KiB can hold tens of thousands, to keep the hub busy."""


def _where(error: ValidationError) -> str:
    """Name the fields at fault, never their content: a name that is none of ours may be anything that was sent."""
    if error.error_count() > _NAMED_FAULTS:
        return "too many faults to name"
    if any(item["type"] == "json_invalid" for item in error.errors()):
        return "not JSON"
    return ", ".join(sorted({_path(item["loc"]) for item in error.errors()}))[:200]


def _path(places: tuple[int | str, ...]) -> str:
    named: list[str] = []
    for place in places:
        if isinstance(place, str) and place not in _FIELDS:
            return ".".join([*named, "an unknown field"])
        named.append(str(place))
    return ".".join(named) or "root"
