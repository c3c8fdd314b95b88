"""The room's judgement of what its camera shows, as the core uses it: looks in, observations out."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from forge_edge.errors import NodeConfigError
from forge_edge.monitor.findings import Answer, BlindCause, Finding
from forge_edge.monitor.looks import Look
from forge_edge.monitor.monitor import Monitor
from forge_edge.monitor.zones import Zones
from forge_edge.observations import DangerObserved
from forge_shared.events import SenseReason
from forge_shared.ids import new_id
from forge_shared.plan import Watch

ZONES_FILE: Final = "zones.json"
"""In the state folder: the zones that staff drew over this camera's picture."""

_REASONS: Final[dict[BlindCause, SenseReason]] = {
    "covered": "picture-covered",
    "black": "picture-black",
    "frozen": "picture-frozen",
    "moved": "picture-moved",
    "no-picture": "source-silent",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """What follows from a look.

    Attributes:
        dangers: What is to be told.
        asks: Whether somebody who may have fallen is to be asked how they are.
        sight: Why what the camera shows is of no use, or "seeing" when it is again; None: nothing changed.
    """

    dangers: tuple[DangerObserved, ...] = ()
    asks: bool = False
    sight: SenseReason | Literal["seeing"] | None = None

    @property
    def takes_back_fall(self) -> bool:
        """Whether what looked like a fall is none any more, and nobody needs to be asked."""
        return any(danger.kind == "fall" and danger.stage == "withdrawn" for danger in self.dangers)


class Judgement:
    """Follows one room.

    Args:
        folder: The state folder, with the zones.
        watch: What is watched for.

    Raises:
        NodeConfigError: The zones cannot be read.
    """

    def __init__(self, folder: Path, watch: Watch) -> None:
        self._watch, self._zones = watch, read_zones(folder / ZONES_FILE)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what was seen and what goes on; zones and what is watched for hold."""
        self._monitor = Monitor(self._watch, self._zones)
        self._events: dict[int, str] = {}

    def adopt(self, watch: Watch) -> None:
        """Watch for what staff have set from now on."""
        self._watch = watch
        self._monitor.adopt(watch)

    @property
    def is_empty(self) -> bool:
        """Whether whoever was in the room was seen to leave by a door."""
        return self._monitor.is_empty

    def see(self, look: Look, masks: str) -> Judged:
        """Judge a look, with the version of the masks in its picture."""
        return self._judged(self._monitor.see(look), masks)

    def tick(self, at_s: float, masks: str) -> Judged:
        """Judge that a time has come, on the clock of the looks."""
        return self._judged(self._monitor.tick(at_s), masks)

    def answered(self, at_s: float, masks: str, answer: Answer) -> Judged:
        """Judge what somebody who may have fallen answered."""
        found = self._monitor.answered(at_s, answer)
        return self._judged(found, masks, "silence" if answer == "silence" else "voice")

    def _judged(self, found: list[Finding], masks: str, by: Literal["time", "voice", "silence"] = "time") -> Judged:
        dangers, asks = [], False
        sight: SenseReason | Literal["seeing"] | None = None
        for finding in found:
            if finding.kind == "blind":
                sight = _REASONS.get(finding.cause or "seeing", "seeing")
                continue
            asks = asks or (finding.kind == "fall" and finding.stage == "suspected")
            dangers.append(
                DangerObserved(
                    incident=self._event_of(finding),
                    kind=finding.kind,
                    stage=finding.stage,
                    zone=finding.zone,
                    lasted_seconds=round(max(0.0, finding.at_s - finding.began_s), 1),
                    confidence=finding.confidence,
                    confirmed_by=by if finding.stage == "confirmed" else None,
                    masks=masks,
                )
            )
        return Judged(tuple(dangers), asks, sight)

    def _event_of(self, finding: Finding) -> str:
        incident = self._events.setdefault(finding.incident, new_id())
        if finding.stage in {"over", "withdrawn"}:
            del self._events[finding.incident]
        return incident


def read_zones(path: Path) -> Zones:
    """Return the zones of a file; none where there is no file.

    Raises:
        NodeConfigError: It cannot be read.
    """
    try:
        drawn = json.loads(path.read_text(encoding="utf-8"))
        return Zones.read(dict(drawn.items()))
    except FileNotFoundError:
        return Zones({})
    except (OSError, ValueError, TypeError, AttributeError):
        raise NodeConfigError(f"{path.name} holds no zones: draw them anew, or take the file away") from None
