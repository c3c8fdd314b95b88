"""Messages on the wire that are no events: acknowledgements, statuses, twins and commands."""

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import ConfigDict, Field

from forge_shared.events import Identifier, Pseudonym, UtcDatetime
from forge_shared.model import Frozen
from forge_shared.plan import RoomPlan
from forge_shared.releases import Hardware, ReleaseRole
from forge_shared.topics import CommandName, Lane


class _Additive(Frozen):
    """A message that a later version may add to: whatever its reader does not know is ignored.

    What a reader must not ignore is no addition: it needs another protocol.
    """

    model_config = ConfigDict(extra="ignore")


class LanePosition(_Additive):
    """The highest sequence of one (epoch, lane) up to which everything is committed, without a gap."""

    epoch: Identifier
    lane: Lane
    sequence: Annotated[int, Field(ge=0)]


class Acknowledgement(_Additive):
    """What the hub has committed of one node's events. Only this lets a node forget them.

    Attributes:
        positions: What is committed.
        window: Records that the node may have on their way without acknowledgement; None: as many as it likes. Only a
            node of protocol 2 or later is sent one. Alarms are never held back.
        protocol: What the hub speaks; sent likewise. The first protocol's readers refuse what they do not know, so the
            hub's status, which all read, cannot say it.
        at: The hub's time, by which a room without a right clock knows the time; sent with a window.
    """

    positions: tuple[LanePosition, ...]
    window: Annotated[int, Field(ge=1, le=10_000)] | None = None
    protocol: Annotated[int, Field(ge=1, le=10_000)] | None = None
    at: UtcDatetime | None = None


PROTOCOL = 3
"""What this program speaks. 1: the first. 2: a status names its protocol, an acknowledgement may carry a window and the
hub's time, an event its age, a twin the troubles of its machine. 3: the hub signs what it says to a room
(`forge_shared.hub_word`), and each of its twins has an id.
"""
OLDEST_PROTOCOL = 2
"""The oldest that is still understood: always the one before `PROTOCOL`."""

WINDOW_SINCE = 2
"""The first protocol whose nodes read a window in an acknowledgement."""
SIGNED_SINCE = 3
"""The first protocol whose hubs sign twins and commands."""


class Status(_Additive):
    """Birth (``online``) or last will (``offline``) of a node or of the hub, retained.

    Attributes:
        protocol: What a node speaks. The hub's own status leaves it out: see `Acknowledgement`.
    """

    state: Literal["online", "offline"]
    version: Annotated[str, Field(max_length=40)]
    protocol: Annotated[int, Field(ge=1, le=10_000)] = 1


Purpose = Literal["voice", "recorded-session", "emotion-inference", "camera", "companion", "research"]
"""What a person can consent to, one by one."""
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
MOST_REVISIONS = 10**12
"""What a node may claim to have applied for the hub to go on from there; every store can count so far, and twice."""
Revision = Annotated[int, Field(ge=0, le=2 * MOST_REVISIONS)]
"""Counts what a node was told. The second half is the hub's own: it never gets there by what a node claims."""


RoomTrouble = Literal[
    "disk.full",
    "disk.failed",
    "clock.wrong",
    "word.refused",
    "machine.hot",
    "machine.throttled",
    "power.low",
    "memory.low",
    "storage.worn",
]
"""What is wrong with a room's machine while the room still works. ``word.refused``: something came in the hub's name
that the hub has not signed, and was not done.
"""

TROUBLE_SINCE: Mapping[RoomTrouble, int] = {
    "word.refused": 3,
    "machine.hot": 3,
    "machine.throttled": 3,
    "power.low": 3,
    "memory.low": 3,
    "storage.worn": 3,
}
"""The first protocol whose hubs know a trouble; those that are not named are as old as the field. A hub refuses a twin
with a trouble that it does not know, so it is not told of it."""

CLOCK_TOLERANCE_SECONDS = 5.0
"""A room's clock that differs by more from the hub's is called wrong. Ours: far above what NTP and a network leave."""


class RoomRelease(_Additive):
    """What a room has in one role, and what it is doing about another.

    Attributes:
        serving: The release that serves, as its TUF target path; None: the model that came with the node.
        state: ``serving``; ``fetching``: another is on its way; ``waiting``: it is here and waits for a moment in which
            nobody needs the room; ``proving``: its golden inputs are tried; ``on-trial``: it serves, watched;
            ``refused``: it will not be served.
        next: The release that it is doing something about; None: none.
        percentage: Of what is fetched.
        rollout: On whose behalf; None: nothing is going on.
        reason: Why it was refused, taken back or waits; a code.
        latency_ms: 95th percentile of the newest inferences of what serves, on trial or not; None: its role's are not
            measured, or were too few. As the next two, what is not on trial tells it after an hour of work.
        memory_mb: The most that its process used.
        temperature_celsius: The highest of the device: of the trial, else of the last day.
        failures: Inferences that failed on trial.
        trial_seconds: For how long it has worked on trial.
    """

    role: ReleaseRole
    serving: Annotated[str, Field(max_length=120)] | None = None
    state: Literal["serving", "fetching", "waiting", "proving", "on-trial", "refused"] = "serving"
    next: Annotated[str, Field(max_length=120)] | None = None
    percentage: Annotated[int, Field(ge=0, le=100)] | None = None
    rollout: Annotated[str, Field(max_length=64)] | None = None
    reason: Annotated[str, Field(max_length=64)] | None = None
    latency_ms: Annotated[float, Field(ge=0)] | None = None
    memory_mb: Annotated[float, Field(ge=0)] | None = None
    temperature_celsius: Annotated[float, Field(ge=-100, le=200)] | None = None
    failures: Annotated[int, Field(ge=0)] = 0
    trial_seconds: Annotated[float, Field(ge=0)] | None = None


class TwinReported(_Additive):
    """How a node says it is, retained. ``activity`` is what the room is doing, never what was said in it.

    Attributes:
        revision: The newest revision of `TwinDesired` that the node has applied; None: it has none.
        word: The id of that `TwinDesired`; None: it had none.
        capture: The purposes that are on in the room now; None: nobody keeps consents for it.
        at: By the room's best knowledge of the time.
        troubles: What is wrong with its machine.
        clock_error_seconds: By how much its machine's clock is ahead of the hub's; None: not known.
        hardware: Profile of `jetson/` that the machine was probed as; None: an older node, or none fits.
        releases: What it has in each role for which it has a release or is to have one.
    """

    hearing: Literal["ok", "lost", "closed", "starting"]
    sight: Literal["ok", "lost", "closed", "starting"]
    activity: Literal["idle", "listening", "form", "speaking"]
    session_on: bool
    pending_events: Annotated[int, Field(ge=0)]
    version: Annotated[str, Field(max_length=40)]
    at: UtcDatetime
    revision: Revision | None = None
    word: Identifier | None = None
    capture: tuple[Purpose, ...] | None = None
    troubles: tuple[RoomTrouble, ...] = ()
    clock_error_seconds: Annotated[float, Field(ge=-1e10, le=1e10)] | None = None
    hardware: Hardware | None = None
    releases: tuple[RoomRelease, ...] = ()


class TwinDesired(_Additive):
    """How the hub wants a node to be, retained, so that a node that was away learns it when it comes back.

    Attributes:
        revision: Rises with every change; a node ignores what is older than what it has.
        word: Its id: after a restore from a backup a hub may come to a revision that it has told before, with other
            content, and finds that out by what the node says it has. None: an older hub.
        subject: Pseudonym of the stay that the room belongs to; None: no stay, or several: the node keeps no copy of
            one.
        shared: Several people live in the room, so who speaks is not assumed.
        visitors: Visitors are there now.
        consents: The purposes that are consented to; None: nobody keeps consents for this room.
        plan: What the staff have set for the room; None: nothing, and the room goes by its own file.
        stays: Whether the hub keeps stays for this room. Where it does not, nobody knows who is in it or what they
            consent to, as if nothing of that had been told.
        releases: Version of the room's director metadata, from which on it must look what releases it shall have;
            None: no releases are published on this site.
    """

    revision: Revision
    word: Identifier | None = None
    subject: Pseudonym | None
    shared: bool = False
    visitors: bool = False
    consents: tuple[Purpose, ...] | None = None
    plan: RoomPlan | None = None
    stays: bool = True
    releases: Annotated[int, Field(ge=1)] | None = None


class StartSession(_Additive):
    """Start a recorded session. The hub sends it only with a consent on file."""

    name: Literal["start-session"] = "start-session"
    session: Identifier
    consent: Identifier
    limit_minutes: Annotated[int, Field(ge=1, le=120)] = 60
    expires_at: UtcDatetime


class EndSession(_Additive):
    """End the recorded session that is on."""

    name: Literal["end-session"] = "end-session"
    session: Identifier
    expires_at: UtcDatetime


class AlertAccepted(_Additive):
    """A person has taken the alert that an event of this node raised; only now may the room say so."""

    name: Literal["alert-accepted"] = "alert-accepted"
    event: Identifier
    expires_at: UtcDatetime


class AlertReopened(_Additive):
    """The person who had taken the alert gave it back or did not come in time: the room takes its promise back."""

    name: Literal["alert-reopened"] = "alert-reopened"
    event: Identifier
    expires_at: UtcDatetime


Command = StartSession | EndSession | AlertAccepted | AlertReopened

COMMANDS: dict[CommandName, type[Command]] = {
    "start-session": StartSession,
    "end-session": EndSession,
    "alert-accepted": AlertAccepted,
    "alert-reopened": AlertReopened,
}
