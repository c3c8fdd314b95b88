"""Whether a release that serves on trial stays. Pure: what was measured and its limits in, a verdict out."""

from dataclasses import dataclass
from typing import Final, Literal

from forge_shared.releases import TrialLimits

MOST_STARTS: Final = 3
"""Starts of the node within one trial after which the release is taken back: it may be what kills it. Ours."""
LEAST_MEASUREMENTS: Final = 20
"""Inferences before latency is judged, and before a trial ends well. Ours: the 95th percentile of fewer is their
maximum, and a model that was hardly used has shown nothing."""
LEAST_HOURS: Final = 0.5
"""Hours of a trial before its false alerts are judged: one in a minute is sixty an hour and may be chance. Ours."""

Verdict = Literal["go-on", "commit", "roll-back"]


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen of a release since its trial began.

    Attributes:
        seconds: For how long its process has done its work: not those in which its camera or its microphone was closed.
        starts: How often the node has started meanwhile.
        failures: Inferences that failed.
        latency_ms: 95th percentile; None: not measured.
        measurements: Of how many; None: this role's inferences are not measured.
        memory_mb: The most that its process used; None: not measured.
        temperature_celsius: The highest; None: not measured.
        false_alerts: Alerts of it that staff marked as false.
    """

    seconds: float
    starts: int = 0
    failures: int = 0
    latency_ms: float | None = None
    measurements: int | None = None
    memory_mb: float | None = None
    temperature_celsius: float | None = None
    false_alerts: int = 0

    @property
    def is_used(self) -> bool:
        """Whether there were inferences enough for its latency to say something."""
        return (self.measurements or 0) >= LEAST_MEASUREMENTS


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict and, where a release is taken back, the first limit that it broke."""

    verdict: Verdict
    reason: str | None = None


def judge(limits: TrialLimits, observed: Observed) -> Judged:
    """Return what becomes of a release on trial. One failed inference is enough to take it back."""
    hours, is_used = observed.seconds / 3600, observed.is_used
    broken = {
        "inference-failed": observed.failures > 0,
        "restarts": observed.starts >= MOST_STARTS,
        "latency": is_used and _above(observed.latency_ms, limits.latency_ms),
        "memory": _above(observed.memory_mb, limits.memory_mb),
        "temperature": _above(observed.temperature_celsius, limits.temperature_celsius),
        "false-alerts": hours >= LEAST_HOURS and _above(observed.false_alerts / hours, limits.false_alerts_per_hour),
    }
    reason = next((name for name, is_broken in broken.items() if is_broken), None)
    if reason is not None:
        return Judged("roll-back", reason)
    has_shown_enough = observed.seconds >= limits.seconds and (is_used or observed.measurements is None)
    return Judged("commit" if has_shown_enough else "go-on")


def _above(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value > limit
