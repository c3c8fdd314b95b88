"""What the node concludes from what it perceived. Observations stay in the room; only the anonymiser reads them out.

They may carry more than may leave: what was heard, in words. The anonymiser decides what of it becomes an event.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from forge_shared.events import (
    AbsentAnswer,
    DangerKind,
    DangerStage,
    FormAnswer,
    Mode,
    ReminderKind,
    RequestCode,
    SenseReason,
    SessionEnd,
    Zone,
)
from forge_shared.releases import ReleaseRole


@dataclass(frozen=True, slots=True)
class RequestObserved:
    """Someone asked for something."""

    request: RequestCode
    mode: Mode


@dataclass(frozen=True, slots=True)
class RiskAnswerObserved:
    """A risk item got another answer than its lowest, or none. ``key`` names this asking of the item."""

    key: str
    questionnaire: str
    link_id: str
    answer: str | None
    ordinal: int | None
    mode: Mode


@dataclass(frozen=True, slots=True)
class RiskReviewObserved:
    """The answer of `RiskAnswerObserved` with the same ``key`` was read back."""

    key: str
    outcome: Literal["confirmed", "corrected", "not-reviewed"]


@dataclass(frozen=True, slots=True)
class FormObserved:
    """A form was completed or stopped."""

    response: str
    questionnaire: str
    status: Literal["completed", "stopped"]
    answers: tuple[FormAnswer, ...]
    skipped: tuple[str, ...]
    total: int | None
    re_prompts: int
    started_at: datetime
    absent: tuple[AbsentAnswer, ...] = ()
    modes: tuple[Mode, ...] = ()


@dataclass(frozen=True, slots=True)
class SenseObserved:
    """A sense was lost, closed or came back."""

    sense: Literal["hearing", "sight"]
    state: Literal["ok", "lost", "closed"]
    reason: SenseReason


@dataclass(frozen=True, slots=True)
class DangerObserved:
    """A step of something dangerous that the camera showed. ``incident`` is the same in each of its steps."""

    incident: str
    kind: DangerKind
    stage: DangerStage
    zone: Zone
    lasted_seconds: float
    confidence: float
    confirmed_by: Literal["time", "voice", "silence"] | None
    masks: str
    zones: str | None = None


@dataclass(frozen=True, slots=True)
class SessionOpened:
    """A recorded session with consent is on from now."""

    session: str
    consent: str


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """The recorded session is off from now."""

    session: str
    reason: SessionEnd


@dataclass(frozen=True, slots=True)
class UtteranceHeard:
    """Words that were heard. Never in a log or an error."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class CrisisObserved:
    """What was said, written or touched means that somebody must come. The words are not kept."""

    category: str
    priority: Literal["staff", "urgent"]
    confidence: float
    mode: Mode


@dataclass(frozen=True, slots=True)
class CrisisMentioned:
    """A danger was named that is denied, past, quoted or somebody else's. The words are not kept."""

    category: str
    reasons: tuple[str, ...]
    confidence: float
    mode: Mode


@dataclass(frozen=True, slots=True)
class ReminderUnanswered:
    """A reminder was not confirmed in time."""

    kind: ReminderKind
    due_at: datetime
    times_said: int


@dataclass(frozen=True, slots=True)
class CanaryDue:
    """It is time to prove that an alarm of this room would come through."""


@dataclass(frozen=True, slots=True)
class ReleaseObserved:
    """The room serves another model release than before, or would not. Fields as in `ReleaseChanged`."""

    role: ReleaseRole
    outcome: Literal["on-trial", "committed", "rolled-back", "refused"]
    release: str
    release_version: str | None
    sha256: str | None
    rollout: str
    reason: str | None = None


Observation = (
    CanaryDue
    | CrisisObserved
    | CrisisMentioned
    | ReminderUnanswered
    | RequestObserved
    | RiskAnswerObserved
    | RiskReviewObserved
    | FormObserved
    | SenseObserved
    | DangerObserved
    | SessionOpened
    | SessionClosed
    | UtteranceHeard
    | ReleaseObserved
)
