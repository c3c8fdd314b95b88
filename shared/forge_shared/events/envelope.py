"""The envelope that events travel in (CloudEvents 1.0, structured JSON), and reading it."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from forge_shared.errors import EventInvalidError, EventMisplacedError, EventUnknownError
from forge_shared.events.alarms import (
    CanarySent,
    CrisisHeard,
    CrisisNoted,
    DangerSeen,
    ReminderMissed,
    RequestMade,
    RiskAnswered,
    RiskReviewed,
    SenseChanged,
)
from forge_shared.events.data import TYPE_PREFIX, EventData
from forge_shared.events.form_answers import (
    AbsentAnswer,
    AnswerValue,
    EarlierAnswer,
    FormAnswer,
    FormRecorded,
    FormSignature,
)
from forge_shared.events.releases import ReleaseChanged
from forge_shared.events.sessions import (
    InferenceReviewed,
    SessionEnded,
    SessionStarted,
    UtteranceCorrected,
    UtteranceSaid,
)
from forge_shared.events.tombstones import EventErased, EventsWithheld
from forge_shared.events.vocabulary import (
    MOST_AGE_SECONDS,
    Identifier,
    Pseudonym,
    UtcDatetime,
)
from forge_shared.model import Frozen
from forge_shared.topics import EventAddress, Lane

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
        DangerSeen,
        CanarySent,
        FormRecorded,
        SessionStarted,
        SessionEnded,
        UtteranceSaid,
        UtteranceCorrected,
        InferenceReviewed,
        EventsWithheld,
        EventErased,
        ReleaseChanged,
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
