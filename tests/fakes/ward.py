"""A ward with people on duty, rooms that raise alarms, and the engine that rings them."""

from datetime import UTC, timedelta
from pathlib import Path

from sqlalchemy import select
from tests.fakes.clock import FakeClock
from tests.fakes.records import sqlite_records
from tests.fakes.sent import FakeNode

from forge_hub.alerts.board import Accepted, AlertBoard
from forge_hub.alerts.engine import AlertEngine, Rung
from forge_hub.alerts.projector import AlertProjection
from forge_hub.ingest.store import IngestStore
from forge_hub.projection import catch_up
from forge_hub.records.database import Database
from forge_hub.records.schema import Account, Alert, AlertStep, Bed, Duty, Ward
from forge_shared.events import EventData
from forge_shared.ids import new_id

PEOPLE = ("ann", "ben", "cho", "dot")


class FakeWard:
    """Ward 7 with room-1, and ward 8 with room-8. Time stands still until a test moves it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FakeClock()
        self.told: list[tuple[str, Accepted]] = []
        self.nodes = {name: FakeNode(self.clock, name) for name in ("room-1", "room-8")}
        self._ingest = IngestStore("site", database, self.clock)
        with database.begin() as transaction:
            for name in PEOPLE:
                transaction.add(
                    Account(id=name, username=name, role="staff", password_hash="-", created_at=self.clock.now())
                )
            for ward, node in (("ward-7", "room-1"), ("ward-8", "room-8")):
                transaction.add(Ward(id=ward, name=ward.replace("-", " ").capitalize()))
                transaction.flush()
                transaction.add(Bed(id=f"{ward}-1", ward=ward, name="1", node=node))
        self.restart()

    def restart(self) -> None:
        """Begin anew with what is stored, as after a power cut."""
        self.board = AlertBoard(
            self.database, self.clock, on_accepted=self._tell("made"), on_reopened=self._tell("taken-back")
        )
        self.engine = AlertEngine(self.database, self.clock, self.board, zone=UTC)

    def on_duty(self, account: str, level: int = 1, ward: str = "ward-7", hours: float = 1000) -> None:
        now = self.clock.now()
        with self.database.begin() as transaction:
            transaction.add(
                Duty(
                    id=new_id(),
                    account=account,
                    ward=ward,
                    level=level,
                    begins_at=now,
                    ends_at=now + timedelta(hours=hours),
                )
            )

    def alarm(self, data: EventData, node: str = "room-1", **changes: object) -> Alert:
        """Let a room raise an alarm and ring what is due; return the newest alert."""
        self._ingest.commit([self.nodes[node].send(data, **changes)])
        catch_up(self.database, AlertProjection(self.database, self.clock))
        self.engine.ring_due()
        with self.database.read() as transaction:
            return transaction.scalars(select(Alert).order_by(Alert.id.desc())).first() or Alert()

    def passes(self, seconds: float) -> Rung:
        """Let time pass and ring what is due."""
        self.clock.advance(seconds)
        return self.engine.ring_due()

    def alert(self, alert_id: str) -> Alert:
        with self.database.read() as transaction:
            return transaction.scalars(select(Alert).where(Alert.id == alert_id)).one()

    def steps(self, alert_id: str) -> list[AlertStep]:
        with self.database.read() as transaction:
            return list(
                transaction.scalars(select(AlertStep).where(AlertStep.alert == alert_id).order_by(AlertStep.id))
            )

    def story(self, alert_id: str) -> list[str]:
        """What happened to an alert, in short: ``rung 1``, ``accepted by ann``."""
        said = []
        for step in self.steps(alert_id):
            level = f" {step.level}" if step.what in {"rung", "passed"} else ""
            said.append(f"{step.what}{level}{f' by {step.account}' if step.account else ''}")
        return said

    def _tell(self, what: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 (a closure of the board's own type)
        async def tell(accepted: Accepted) -> None:
            self.told.append((what, accepted))

        return tell


def open_ward(folder: Path) -> FakeWard:
    return FakeWard(sqlite_records(folder))
