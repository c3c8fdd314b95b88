"""What a roll-out is and how it stands: rings of rooms, the time in which rooms are told, and what was found. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final, Literal

from forge_shared.releases import Hardware, ReleaseRole

State = Literal["running", "paused", "stopped", "withdrawn", "done"]
"""``running``: rooms are told, ring after ring. ``paused``: no further room until it is resumed; what rooms do is still
judged. ``stopped``: no further room, ever; rooms that have it keep it. ``withdrawn``: every room goes back to what it
had. ``done``: every ring has passed. The last three are final, but for `withdraw`, which is always possible.
"""

RoomState = Literal["planned", "directed", "on-trial", "kept", "failed", "returning", "returned", "left-out"]
"""``planned``: its ring is not open yet, or it is locked, or it is not the time. ``directed``: it is told; what it does
about it is in `RoomProgress.doing`. ``on-trial``: it serves the release, watched. ``kept``: the trial went well.
``failed``: it refused the release or took it back by itself. ``returning``: told to go back to what it had.
``returned``: it has. ``left-out``: the release is not made for its machine.
"""

RingState = Literal["waiting", "open", "passed"]

Measure = Literal["golden", "failures", "latency", "memory", "temperature", "false-alerts"]
Finding = Literal["good", "open", "bad"]

RINGS: Final[tuple[int, ...]] = (5, 25, 50, 100)
"""Shares of the rooms in per cent, each with those before it.

Source: Memfault's documented staged roll-outs, 5, 25, 50 and 100 %.
"""


SOAK_HOURS: Final = 24.0
"""Ours: a ward's day has every kind of hour in it, meals, visits and the night."""
EVIDENCE_HOURS: Final = 336.0
"""Ours: where two weeks in a ring's rooms cannot tell thrice as many false alerts, thrice as many are still few."""
PATIENCE_HOURS: Final = 24.0
"""Ours: a room that is off for a day may be off for weeks; it takes the release when it is back."""
TRIAL_PATIENCE_HOURS: Final = 48.0
"""By how much longer than a trial lasts a ring waits for its end. Ours: only time in which camera or microphone is open
counts, so a room that closes them for half of the day ends a trial of a day in two, and one with a quiet weekend in
three; who has not used them by then may not do so for weeks.
"""
TRIAL_HOURS: Final = 24.0 + TRIAL_PATIENCE_HOURS
"""For a trial of a day (`forge_hub.releases.making.TRIAL_SECONDS`)."""


@dataclass(frozen=True, slots=True)
class Window:
    """When rooms may be told of a release, by the site's own time. A room waits for a quiet moment besides.

    Attributes:
        days: Weekdays, 0 is Monday, on which it opens.
        begins: From when.
        ends: Until when; not after ``begins``: on the day after. The same as ``begins``: all day.
    """

    days: frozenset[int]
    begins: time
    ends: time


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person decided when a roll-out began.

    Attributes:
        groups: Names of groups; empty: every room.
        shares: Of each ring in per cent, rising, the last is 100.
        window: When rooms may be told; None: at any time.
        soak_hours: How long half of a ring's rooms must have served the release before the next ring opens.
        evidence_hours: How long the next ring waits at most until it is known that the release raises no more false
            alerts.
        patience_hours: How long a ring waits for a room that was told and does not take the release.
        trial_hours: How long a ring waits for a room that has it on trial; a resumed roll-out waits anew.
        alerts_per_hour: False alerts an hour that the release's own manifest allows; None: it says nothing of them.
    """

    groups: tuple[str, ...] = ()
    shares: tuple[int, ...] = RINGS
    window: Window | None = None
    soak_hours: float = SOAK_HOURS
    evidence_hours: float = EVIDENCE_HOURS
    patience_hours: float = PATIENCE_HOURS
    trial_hours: float = TRIAL_HOURS
    alerts_per_hour: float | None = None


@dataclass(frozen=True, slots=True)
class RoomProgress:
    """A room of a roll-out.

    Attributes:
        ring: From 1.
        hardware: Its profile; None: not known.
        since: Since when it is in its state.
        reason: Why it failed, is left out, or is on trial and not waited for any more; a code.
        doing: What it does about it by its own word: ``fetching``, ``waiting``, ``proving``; None: nothing known.
        percentage: Of what it fetches.
        locked_until: A clinician's lock; None: none.
        before: What it had; None: the model that came with the node.
        latency_ms: 95th percentile of the release there; None: not known, as with the next two.
    """

    node: str
    ring: int
    hardware: Hardware | None
    state: RoomState
    since: datetime
    reason: str | None = None
    doing: str | None = None
    percentage: int | None = None
    locked_until: datetime | None = None
    before: str | None = None
    latency_ms: float | None = None
    memory_mb: float | None = None
    temperature_celsius: float | None = None


@dataclass(frozen=True, slots=True)
class RingProgress:
    """A ring. ``share`` is of all rooms in per cent, with the rings before it.

    ``waits_for``: why it has not passed: ``window``, ``rooms``, ``soak`` (time in use) or ``evidence``; None: it has,
    or is not open.
    """

    number: int
    share: int
    state: RingState
    opened_at: datetime | None
    passed_at: datetime | None
    waits_for: str | None
    rooms: tuple[RoomProgress, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of a release in its rooms.

    Attributes:
        measure: Of what.
        group: "all", or one hardware profile.
        finding: ``bad`` withdraws it; ``open``: too little is known yet.
        value: What was measured there.
        against: What it is compared with; None: nothing to compare with.
        rooms: In how many rooms it was measured.
        words: The same in a sentence, without anything of a person.
    """

    measure: Measure
    group: str
    finding: Finding
    value: float
    against: float | None
    rooms: int
    words: str


@dataclass(frozen=True, slots=True)
class RolloutState:
    """A roll-out as it stands.

    Attributes:
        groups: Names of the groups it was started for; empty: every room.
        counts: Rooms by their state.
        changed_by: Account that brought it into its state; "hub" when the hub did.
        reason: Why it is in its state: what a person wrote, or the finding that withdrew it.
        found: What is known of the release so far, the worst first.
        left_out: Rooms that are not to have it, with why: ``hardware`` or ``has-it``.
    """

    id: str
    target: str
    role: ReleaseRole
    version: str
    state: State
    groups: tuple[str, ...]
    window: Window | None
    started_at: datetime
    started_by: str
    why: str
    changed_at: datetime
    changed_by: str
    reason: str | None
    rings: tuple[RingProgress, ...]
    counts: Mapping[RoomState, int]
    found: Sequence[Found]
    left_out: tuple[RoomProgress, ...] = ()

    @property
    def is_final(self) -> bool:
        """Whether it tells no room anything more."""
        return self.state in {"stopped", "withdrawn", "done"}
