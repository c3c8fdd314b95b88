"""The telemetry of one hub, built from its parts: its health, its numbers, and what is read for them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from forge_hub.alerts.service import Alarms
from forge_hub.broker.child import BrokerChild
from forge_hub.ingest.consumer import Consumer
from forge_hub.projection import Runner
from forge_hub.records.database import Database
from forge_hub.telemetry.health import Health
from forge_hub.telemetry.metrics import Metrics
from forge_hub.telemetry.readings import Intake, Readings
from forge_shared.clock import Clock


class Telemetry:
    """Watches the parts of a hub.

    Args:
        database: The records.
        clock: The wall clock.
        folder: The state folder.
        version: The hub's version.
        runners: The projections.
        consumer: The connection to the broker.
        alarms: The alarms.
        rollouts: Says how the roll-outs are: ``ok``, or a code.
        broker: The broker, where the hub has started one.
        certificates: When the certificates end that this process shows, by name.

    Attributes:
        health: Whether each part does its work.
        metrics: The numbers; `Metrics.committed` is called with every commit.
    """

    def __init__(  # noqa: PLR0913 (the composition root's wiring, by keyword)
        self,
        database: Database,
        clock: Clock,
        *,
        folder: Path,
        version: str,
        runners: Sequence[Runner],
        consumer: Consumer,
        alarms: Alarms,
        rollouts: Callable[[], str],
        broker: BrokerChild | None,
        certificates: Mapping[str, datetime],
    ) -> None:
        self._consumer = consumer
        self._alarms = alarms
        self._rollouts = rollouts
        self._broker = broker
        self.health = Health(
            database, clock, folder=folder, runners=runners, certificates=certificates, parts=self._parts
        )
        self.metrics = Metrics(version)
        self.metrics.add(
            Readings(database, clock, folder=folder, runners=runners, intake=self._intake, health=self.health.states)
        )
        database.on_written(self.metrics.written)

    def _parts(self) -> Mapping[str, str]:
        consumer = self._consumer
        states = dict(self._alarms.health)
        states["ingest"] = consumer.trouble or ("ok" if consumer.connected else "broker.disconnected")
        states["rollouts"] = self._rollouts()
        if self._broker is not None:
            states["broker"] = self._broker.state
        return states

    def _intake(self) -> Intake:
        return Intake(self._consumer.waiting, self._consumer.refused, self._consumer.connected)
