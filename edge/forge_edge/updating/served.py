"""Measures what serves and is not on trial, so that the hub can compare the next release with it."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from forge_edge.update.trial import LEAST_MEASUREMENTS
from forge_edge.updating.figures import greater, hottest_celsius, percentile_95
from forge_edge.updating.ports import ROLES, ServedRoom
from forge_edge.updating.record import Record
from forge_shared.clock import Clock
from forge_shared.releases import ReleaseRole

LOOK_SECONDS: Final = 60.0
"""How often it is looked at. Ours: nothing of it changes faster."""
SETTLED_SECONDS: Final = 3600.0
"""For how long it must have worked before its figures are told. Ours: a process that has just begun needs less memory
and has not warmed its machine, and beside it every release would look large and hot."""
REFRESH_SECONDS: Final = 600.0
"""How often they are told anew. Ours: a hundred rooms write ten rows a minute at their hub with it."""
_DAY_SECONDS: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured, as on trial; None: nothing.

    Attributes:
        latency_ms: 95th percentile of the newest inferences.
        memory_mb: The most that its process used.
        temperature_celsius: The highest of the device within the last day, None before one has passed: nights are
            cooler than days, and beside a night every trial would look hot.
    """

    latency_ms: float | None
    memory_mb: float | None
    temperature_celsius: float | None


@dataclass(slots=True)
class _Span:
    """The time in which one release, or what came with the node (``target`` None), has served a role."""

    target: str | None
    looked_seconds: float
    works: bool
    worked_seconds: float = 0.0
    told_seconds: float | None = None
    told: Figures | None = None
    memory_mb: float | None = None
    celsius: deque[float] = field(default_factory=lambda: deque(maxlen=round(_DAY_SECONDS / LOOK_SECONDS)))


class Served:
    """The figures of what serves in this start of the node.

    Args:
        record: What serves.
        room: Where it does.
        clock: Measures how long.
        hottest: Returns the device's temperature in degrees Celsius, None where it is not known; default: its sensors.
    """

    def __init__(
        self, record: Record, room: ServedRoom, clock: Clock, *, hottest: Callable[[], float | None] | None = None
    ) -> None:
        self._record, self._room, self._clock = record, room, clock
        self._hottest = hottest or hottest_celsius
        self._spans: dict[ReleaseRole, _Span] = {}

    def figures(self, role: ReleaseRole) -> Figures | None:
        """Return what is told of what serves a role; None: it is on trial, or has not served for long enough."""
        span = self._spans.get(role)
        if span is None or self._record.state(role).trial is not None or span.target != self._target(role):
            return None
        return span.told

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Look once at what serves each role."""
        celsius = self._hottest()
        for role in ROLES:
            if self._record.state(role).trial is not None or self._room.obstacle(role) is not None:
                self._spans.pop(role, None)
            else:
                self._look_at(role, celsius)

    def _look_at(self, role: ReleaseRole, celsius: float | None) -> None:
        now, measured, target = self._clock.monotonic_seconds(), self._room.measured(role), self._target(role)
        span = self._spans.get(role)
        if span is None or span.target != target:
            span = self._spans[role] = _Span(target, now, measured.works)
        if span.works and measured.works:
            span.worked_seconds += now - span.looked_seconds
        span.looked_seconds, span.works = now, measured.works
        span.memory_mb = greater(span.memory_mb, measured.memory_mb)
        if celsius is not None:
            span.celsius.append(celsius)
        is_due = span.told_seconds is None or now - span.told_seconds >= REFRESH_SECONDS
        if is_due and measured.works and span.worked_seconds >= SETTLED_SECONDS:
            took_ms = measured.took_ms or ()
            span.told_seconds = now
            span.told = Figures(
                _rounded(percentile_95(took_ms) if len(took_ms) >= LEAST_MEASUREMENTS else None, 1),
                _rounded(span.memory_mb, 0),
                _rounded(max(span.celsius) if len(span.celsius) == span.celsius.maxlen else None, 1),
            )

    def _target(self, role: ReleaseRole) -> str | None:
        serving = self._record.serving(role)
        return None if serving is None else serving.manifest.target


def _rounded(value: float | None, digits: int) -> float | None:
    """Return a figure without what is only noise: each other figure is written at the hub."""
    return None if value is None else round(value, digits)
