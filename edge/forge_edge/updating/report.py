"""What the room says of its releases in its twin."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal

from forge_edge.updating.ports import ROLES
from forge_edge.updating.record import Record
from forge_edge.updating.served import Served
from forge_edge.updating.trials import Trials
from forge_shared.releases import ReleaseRole
from forge_shared.wire import RoomRelease


@dataclass(frozen=True, slots=True)
class Doing:
    """What is being done about a release that does not serve yet; fields as in `RoomRelease`."""

    state: Literal["fetching", "waiting", "proving", "refused"]
    next: str
    rollout: str
    percentage: int | None = None
    reason: str | None = None

    def at(self, percentage: int) -> "Doing":
        """Return the same, so far."""
        return replace(self, percentage=percentage) if self.state == "fetching" else self


def lines(
    record: Record, trials: Trials, served: Served, doing: Mapping[ReleaseRole, Doing], distrust: str | None
) -> tuple[RoomRelease, ...]:
    """Return a line for every role that has a release, is to have one, or whose own model was measured.

    Args:
        record: What serves.
        trials: What is seen of what serves on trial.
        served: What is seen of what serves otherwise.
        doing: What is done about others.
        distrust: Why what the hub says of releases is not believed; None: it is.
    """
    return tuple(
        _with(_line(role, record, trials, served, distrust), doing.get(role))
        for role in ROLES
        if role in doing or record.state(role).active is not None or served.figures(role) is not None
    )


def _line(role: ReleaseRole, record: Record, trials: Trials, served: Served, distrust: str | None) -> RoomRelease:
    serving, observed = record.serving(role), trials.observed(role)
    target = None if serving is None else serving.manifest.target
    line = RoomRelease(role=role, serving=target, reason=distrust)
    if observed is not None:
        seen = {
            "state": "on-trial",
            "next": target,
            "rollout": record.state(role).rollout,
            # The first inferences of a process are its slowest: of a few the hub would learn nothing else.
            "latency_ms": observed.latency_ms if observed.is_used else None,
            "memory_mb": observed.memory_mb,
            "temperature_celsius": observed.temperature_celsius,
            "failures": observed.failures,
            "trial_seconds": round(observed.seconds),
        }
        return line.model_copy(update=seen)
    figures = served.figures(role)
    return line if figures is None else line.model_copy(update=asdict(figures))


def _with(line: RoomRelease, doing: Doing | None) -> RoomRelease:
    if doing is None:
        return line
    said = {"state": doing.state, "next": doing.next, "rollout": doing.rollout}
    return line.model_copy(update={**said, "percentage": doing.percentage, "reason": doing.reason or line.reason})
