"""What is counted as it happens, and the page that a scraper of Prometheus reads.

Names follow Prometheus' conventions (prometheus.io/docs/practices/naming): base units, ``_total`` for what only grows.
A label is a code from a fixed list; nothing here names a person, a room, or what anybody said, asked for or answered.
"""

from collections.abc import Sequence
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from forge_hub.alerts.escalation import Priority
from forge_hub.alerts.standing import priority
from forge_hub.ingest.replay import code_of
from forge_hub.ingest.store import Committed
from forge_hub.records.schema import Alert, AlertStep, Base, Quarantine
from forge_shared.topics import LANES
from forge_shared.wire import PROTOCOL

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

BATCH_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""A commit is one fsync of some milliseconds at best; 0.25 s is the aim for an alarm on its whole way."""
ACCEPT_SECONDS = (5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 240.0, 480.0, 900.0, 1800.0, 3600.0)
"""The default plans' levels: 30, 60 and 120 seconds, twice and four times that (`DEFAULT_PLANS`)."""


class Metrics:
    """The numbers of one hub, in a registry of its own. Threads may share it.

    Args:
        version: The hub's version.
    """

    def __init__(self, version: str) -> None:
        self._registry = registry = CollectorRegistry()
        self._events = Counter(
            "forge_hub_events_committed", "Events from the rooms that entered the log.", ["lane"], registry=registry
        )
        self._duplicates = Counter(
            "forge_hub_events_duplicate", "Events that had been received before.", registry=registry
        )
        self._quarantined = Counter(
            "forge_hub_events_quarantined", "Messages that could not be read.", ["reason"], registry=registry
        )
        self._batches = Histogram(
            "forge_hub_ingest_batch_seconds", "Time to commit one batch.", buckets=BATCH_SECONDS, registry=registry
        )
        self._raised = Counter(
            "forge_hub_alerts_raised", "Alerts stored, canaries left out.", ["priority"], registry=registry
        )
        self._rung = Counter("forge_hub_alerts_rung", "Rings of alerts, repeats included.", registry=registry)
        self._accepted = Histogram(
            "forge_hub_alert_accept_seconds",
            "From an alert's raising to its acceptance by a person, once for each acceptance.",
            buckets=ACCEPT_SECONDS,
            registry=registry,
        )
        self._deliveries = Counter(
            "forge_hub_alert_deliveries",
            "Attempts to hand a ring to a channel, and alerts that reached a page.",
            ["channel", "outcome"],
            registry=registry,
        )
        Info("forge_hub_build", "What runs.", registry=registry).info({"version": version, "protocol": str(PROTOCOL)})
        ProcessCollector(registry=registry)
        for lane in LANES:
            self._events.labels(lane)
        for each in get_args(Priority):
            self._raised.labels(each)

    def add(self, readings: Collector) -> None:
        """Let what is read at the moment of a scrape be on the page too."""
        self._registry.register(readings)

    def committed(self, batch: Committed) -> None:
        """Count what a batch of messages changed."""
        self._events.labels("alarm").inc(batch.alarms)
        self._events.labels("record").inc(batch.events - batch.alarms)
        self._duplicates.inc(batch.duplicates)
        self._batches.observe(batch.seconds)

    def written(self, rows: Sequence[Base]) -> None:
        """Count what happened to alerts and what was put into quarantine; for `Database.on_written`."""
        alerts = {row.id: row for row in rows if isinstance(row, Alert)}
        for row in rows:
            if isinstance(row, AlertStep):
                self._step(row, alerts.get(row.alert))
            elif isinstance(row, Quarantine):
                self._quarantined.labels(code_of(row.reason)).inc()

    def text(self) -> bytes:
        """Return the page in Prometheus' text format, `CONTENT_TYPE`. Blocks on what is read for it."""
        return generate_latest(self._registry)

    def _step(self, step: AlertStep, alert: Alert | None) -> None:
        if alert is not None and alert.kind == "canary":
            return
        match step.what:
            case "raised" if alert is not None and step.detail is None:
                self._raised.labels(priority(alert)).inc()
            case "rung":
                self._rung.inc()
            case "accepted" if alert is not None:
                self._accepted.observe((step.at - alert.raised_at).total_seconds())
            case "delivered" | "undelivered":
                outcome = "delivered" if step.what == "delivered" else "failed"
                self._deliveries.labels(step.detail or "page", outcome).inc()
