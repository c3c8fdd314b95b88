"""Whether the hub does its work: a code for each part, as it is at the moment of the question."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from sqlalchemy import func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from forge_hub.projection import Runner
from forge_hub.records.database import Database
from forge_hub.records.log import newest_received
from forge_hub.records.schema import Alert
from forge_shared.clock import Clock
from forge_shared.errors import ForgeError

Status = Literal["ok", "degraded", "failed"]

OVERDUE = timedelta(seconds=10)
"""An alert that should have rung so long ago does not ring. Ours: the engine looks every second, and tries again after
at most five when the store fails.
"""
LAGGING: Mapping[str, timedelta] = {"alerts": timedelta(seconds=10)}
LAGGING_ELSEWHERE = timedelta(minutes=15)
"""How long an event may wait for a projection. Ours: an alarm has seconds; the backlog of a night may take minutes."""
CLOCK_TOLERANCE = timedelta(seconds=5)
"""By how much the clock may stand before the newest event of the log. Ours: NTP steps by less where it has run once."""
RELEASED = datetime(2026, 1, 1, tzinfo=UTC)
"""No clock of a machine that runs this release stands before its year: a machine without one of its own starts in the
past.
"""
CERTIFICATE_ENDS = timedelta(days=30)
"""A certificate that ends sooner was not renewed when two thirds of its life were over: the hub has to be started."""
DISK_LOW_BYTES = 1_000_000_000
"""Ours: some 200,000 events with their records, a night of a hundred rooms."""

_GRAVE_PARTS = frozenset({"stores", "records", "ingest", "broker", "alerts", "monitoring", "projection.alerts"})
_GRAVE_CODES = frozenset({"certificate.ended"})


def status_of(states: Mapping[str, str]) -> Status:
    """Return one word for all parts.

    Returns:
        ``failed`` where an alarm may not come in or may not ring; ``degraded`` where it does and somebody has to do
        something soon; else ``ok``.
    """
    ill = {part: code for part, code in states.items() if code != "ok"}
    if any(part in _GRAVE_PARTS or code in _GRAVE_CODES for part, code in ill.items()):
        return "failed"
    return "degraded" if ill else "ok"


class Health:
    """Asks every part how it is. Threads may share it; blocks on the stores.

    Args:
        database: The records.
        clock: The wall clock that is judged.
        folder: The state folder, whose disk is judged.
        runners: The projections.
        certificates: When the certificates end that this process shows, by name.
        parts: What the parts on the event loop say of themselves, by name: ``ok`` or a code.
        disk_low_bytes: Below so much free space the disk is low.
    """

    def __init__(  # noqa: PLR0913 (the composition root's wiring, by keyword)
        self,
        database: Database,
        clock: Clock,
        *,
        folder: Path,
        runners: Sequence[Runner],
        certificates: Mapping[str, datetime],
        parts: Callable[[], Mapping[str, str]],
        disk_low_bytes: int = DISK_LOW_BYTES,
    ) -> None:
        self._database = database
        self._clock = clock
        self._folder = folder
        self._runners = tuple(runners)
        self._certificates = dict(certificates)
        self._parts = parts
        self._disk_low_bytes = disk_low_bytes
        self._newest = RELEASED

    def states(self) -> Mapping[str, str]:
        """Return a code for each part by name: ``ok``, or why it does not do its work. Codes hold no secret."""
        now = self._clock.now()
        states = dict(self._parts())
        states |= {f"projection.{runner.name}": self._projection(runner, now) for runner in self._runners}
        try:
            states["clock"] = self._clock_state(now)
            if states.get("alerts") == "ok" and self._is_overdue(now):
                states["alerts"] = "alerts.overdue"
            states["records"] = "ok"
        except SQLAlchemyError:
            states["records"] = "records.failed"
        states["certificate"] = self._certificate(now)
        states["disk"] = self._disk()
        return states

    def _projection(self, runner: Runner, now: datetime) -> str:
        if runner.state != "ok":
            return runner.state
        try:
            since = runner.waits_since()
        except SQLAlchemyError:
            return "records.failed"
        except ForgeError as error:
            return error.code
        lagging = since is not None and now - since > LAGGING.get(runner.name, LAGGING_ELSEWHERE)
        return "projection.lagging" if lagging else "ok"

    def _clock_state(self, now: datetime) -> str:
        if now < RELEASED:
            return "clock.before-release"
        # Remembered, because what comes in by the wrong clock would hide that it is wrong.
        self._newest = max(self._newest, newest_received(self._database) or RELEASED)
        return "clock.before-log" if now < self._newest - CLOCK_TOLERANCE else "ok"

    def _is_overdue(self, now: datetime) -> bool:
        waiting = or_(Alert.due_at.is_not(None), (Alert.state == "open") & (Alert.level == 0))
        due = select(func.min(func.coalesce(Alert.due_at, Alert.raised_at)))
        query = due.where(Alert.state.in_(("open", "accepted")), Alert.kind != "canary", waiting)
        with self._database.read() as transaction:
            oldest = transaction.scalar(query)
        return oldest is not None and now - oldest > OVERDUE

    def _certificate(self, now: datetime) -> str:
        left = min((end - now for end in self._certificates.values()), default=CERTIFICATE_ENDS)
        if left <= timedelta():
            return "certificate.ended"
        return "certificate.ending" if left < CERTIFICATE_ENDS else "ok"

    def _disk(self) -> str:
        try:
            free = shutil.disk_usage(self._folder).free
        except OSError:
            return "disk.failed"
        return "disk.low" if free < self._disk_low_bytes else "ok"
