"""What the monitor concludes."""

from dataclasses import dataclass
from typing import Literal

from forge_shared.events import DangerKind, DangerStage, Zone

FindingKind = DangerKind | Literal["blind"]
Answer = Literal["well", "hurt", "silence"]
"""What the room was told when it asked somebody who may have fallen."""
BlindCause = Literal["covered", "black", "frozen", "moved", "no-picture", "seeing"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One step of an incident.

    Attributes:
        kind: What it is.
        stage: ``suspected`` calls nobody yet unless the kind is only ever suspected; ``confirmed`` does; ``withdrawn``
            takes it back; ``over`` ends it.
        at_s: When it was concluded, in the time of the looks.
        began_s: Since when it is so.
        zone: Where.
        confidence: From 0 to 1.
        incident: Number of the incident, from 1, the same in each of its steps.
        cause: Why the camera sees nothing that can be used; only of ``blind``.
    """

    kind: FindingKind
    stage: DangerStage
    at_s: float
    began_s: float
    zone: Zone
    confidence: float
    incident: int
    cause: BlindCause | None = None
