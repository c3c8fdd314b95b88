"""What is read at the moment of a scrape: what waits, what is open, who is online, how much room is left."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from forge_hub.alerts.escalation import Priority, priority_of
from forge_hub.ingest.replay import counts
from forge_hub.projection import Runner
from forge_hub.records.database import Database
from forge_hub.records.log import newest_received
from forge_hub.records.schema import Alert, Room
from forge_shared.clock import Clock
from forge_shared.errors import ForgeError


@dataclass(frozen=True, slots=True)
class Intake:
    """What the consumer shows of itself: see `forge_hub.ingest.consumer.Consumer`."""

    waiting: Mapping[str, int]
    refused: int
    connected: bool


class Readings(Collector):
    """Reads when it is asked. Blocks on the stores; what cannot be read is left out, and the others are shown.

    Args:
        database: The records.
        clock: The wall clock.
        folder: The state folder.
        runners: The projections.
        intake: What the consumer shows now.
        health: State of each part by name: ``ok`` or a code.
    """

    def __init__(  # noqa: PLR0913 (the composition root's wiring, by keyword)
        self,
        database: Database,
        clock: Clock,
        *,
        folder: Path,
        runners: Sequence[Runner],
        intake: Callable[[], Intake],
        health: Callable[[], Mapping[str, str]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._folder = folder
        self._runners = tuple(runners)
        self._intake = intake
        self._health = health

    def collect(self) -> Iterator[Metric]:
        """Yield everything that can be read now."""
        yield from self._intake_families()
        yield _family("forge_hub_part_ok", "1 where a part does its work.", "part", _ok(self._health()))
        yield from self._projections()
        try:
            yield from self._records()
        except SQLAlchemyError:
            return  # forge_hub_part_ok says so

    def _intake_families(self) -> Iterator[Metric]:
        intake = self._intake()
        yield _family("forge_hub_ingest_waiting_messages", "Messages that wait in memory.", "kind", intake.waiting)
        yield CounterMetricFamily(
            "forge_hub_ingest_refused_records", "Records that found the memory full.", value=intake.refused
        )
        yield _gauge("forge_hub_broker_connected", "1 while the broker is connected.", intake.connected)
        yield _gauge(
            "forge_hub_disk_free_bytes", "Free space of the state folder's disk.", shutil.disk_usage(self._folder).free
        )

    def _projections(self) -> Iterator[Metric]:
        positions: dict[str, float] = {}
        seconds: dict[str, float] = {}
        now = self._clock.now()
        for runner in self._runners:
            try:
                lag, since = runner.lag(), runner.waits_since()
            except (ForgeError, SQLAlchemyError):
                continue  # forge_hub_part_ok says so
            positions[runner.name] = lag
            seconds[runner.name] = _seconds(since, now)
        name = "forge_hub_projection_lag"
        yield _family(f"{name}_events", "Positions of the log yet to be passed.", "projection", positions)
        yield _family(f"{name}_seconds", "Age of the oldest event yet to be applied.", "projection", seconds)

    def _records(self) -> Iterator[Metric]:
        now = self._clock.now()
        by_priority: dict[str, float] = dict.fromkeys(get_args(Priority), 0)
        oldest: datetime | None = None
        with self._database.read() as transaction:
            alerts = select(Alert.severity, Alert.late, func.count(), func.min(Alert.raised_at))
            waiting = alerts.where(Alert.state == "open", Alert.kind != "canary").group_by(Alert.severity, Alert.late)
            for severity, late, count, since in transaction.execute(waiting):
                by_priority[priority_of(severity, late=late)] += count
                oldest = since if oldest is None else min(oldest, since)
            connected = transaction.execute(select(Room.connection, func.count()).group_by(Room.connection)).all()
            rooms = {"online": 0.0, "offline": 0.0, **{row[0]: row[1] for row in connected}}
            size = self._records_bytes(transaction.scalar(text(_SIZE[self._database.engine.dialect.name])))
        yield _family("forge_hub_alerts_open", "Alerts that nobody has accepted.", "priority", by_priority)
        yield _gauge(
            "forge_hub_alerts_oldest_open_seconds",
            "Age of the oldest alert that nobody has accepted; 0 without one.",
            _seconds(oldest, now),
        )
        yield _family("forge_hub_rooms", "Rooms by their connection.", "connection", rooms)
        yield _gauge("forge_hub_records_bytes", "Size of the records.", size)
        yield _family("forge_hub_quarantine_messages", "Messages in quarantine.", "reason", counts(self._database))
        if (newest := newest_received(self._database)) is not None:
            yield _gauge(
                "forge_hub_last_commit_seconds", "Seconds since the last event was committed.", _seconds(newest, now)
            )

    def _records_bytes(self, stored: int | None) -> float:
        # SQLite's log of what is not yet in the file proper lies beside it.
        path = Path(f"{self._database.engine.url.database}-wal")
        is_file = self._database.engine.dialect.name == "sqlite" and path.exists()
        return (stored or 0) + (path.stat().st_size if is_file else 0)


_SIZE = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
    "postgresql": "SELECT pg_database_size(current_database())",
}


def _ok(states: Mapping[str, str]) -> Mapping[str, float]:
    return {part: float(code == "ok") for part, code in states.items()}


def _seconds(since: datetime | None, now: datetime) -> float:
    """Return the age of something, 0 where there is nothing or the clock was set back."""
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())


def _gauge(name: str, says: str, value: float) -> Metric:
    return GaugeMetricFamily(name, says, value=float(value))


def _family(name: str, says: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, says, labels=[label])
    for key, value in values.items():
        family.add_metric([key], float(value))
    return family
