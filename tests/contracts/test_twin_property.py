"""Whatever order messages come in, whoever starts anew and whichever backup is restored: in the end all agree."""

from collections.abc import Callable, Iterator
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select
from tests.contracts.test_twin_convergence import report_of
from tests.fakes.clock import FakeClock

from forge_edge import desired
from forge_hub.fleet.twins import Twins
from forge_hub.records.database import Database, open_database
from forge_hub.records.schema import Base, DesiredTwin, RoomPresence, TwinRevision
from forge_shared.plan import QuietHours, RoomPlan
from forge_shared.wire import TwinDesired

NODE = "room-1"
TABLES = [Base.metadata.tables[each.__tablename__] for each in (DesiredTwin, TwinRevision, RoomPresence)]

STEPS = st.lists(
    st.sampled_from(
        ["presence", "plan", "deliver", "deliver old", "report", "report old", "room", "hub", "backup", "restore"]
    )
    | st.just("presence"),
    min_size=1,
    max_size=25,
)


class World:
    """A hub with its records and a room, between them messages that come late, again, or not at all."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database, self.folder = database, folder
        self.clock = FakeClock()
        self.sent: list[bytes] = []
        self.reports: list[bytes] = []
        self.held: TwinDesired | None = None
        self.backup: list[list[dict[str, Any]]] | None = None
        self.number = 0
        with database.begin() as transaction:
            for table in TABLES:
                transaction.execute(delete(table))
            transaction.execute(insert(RoomPresence).values(node=NODE, shared=False, visitors=False))
        (folder / f"{NODE}.json").unlink(missing_ok=True)
        (folder / "desired.json").unlink(missing_ok=True)
        self.twins = self.started()

    def started(self) -> Twins:
        async def publish(_: str, payload: bytes) -> None:
            self.sent.append(payload)

        sign: Callable[[bytes], str] = lambda _: "a signature"  # noqa: E731 (a port of one line)
        return Twins("site", self.database, publish, sign=sign, clock=self.clock, plans=self.folder)

    async def take(self, step: str) -> None:
        self.number += 1
        match step:
            case "presence":
                with self.database.begin() as transaction:
                    room = transaction.get_one(RoomPresence, NODE)
                    room.visitors, room.shared = not room.visitors, self.number % 3 == 0
                await self.twins.refresh()
            case "plan":
                plan = RoomPlan(quiet=QuietHours(begins=time(self.number % 24), ends=time(7)))
                (self.folder / f"{NODE}.json").write_text(plan.model_dump_json())
                await self.twins.refresh()
            case "deliver" if self.sent:
                self.receive(self.sent[-1])
            case "deliver old" if self.sent:
                self.receive(self.sent[self.number % len(self.sent)])
            case "report":
                await self.say()
            case "report old" if self.reports:
                await self.twins.heard(NODE, "twin/reported", self.reports[self.number % len(self.reports)])
            case "room":
                self.held = desired.load(self.folder / "desired.json")
            case "hub":
                self.twins = self.started()
                await self.twins.tell_all()
            case "backup":
                with self.database.read() as transaction:
                    self.backup = [
                        [dict(row) for row in transaction.execute(select(table)).mappings()] for table in TABLES
                    ]
            case "restore" if self.backup is not None:
                with self.database.begin() as transaction:
                    for table, rows in zip(TABLES, self.backup, strict=True):
                        transaction.execute(delete(table))
                        if rows:
                            transaction.execute(insert(table), rows)
                await self.take("hub")

    def receive(self, message: bytes) -> None:
        told = TwinDesired.model_validate_json(message)
        if desired.is_news(self.held, told):
            assert self.held is None or told.revision > self.held.revision
            self.held = told
            desired.save(self.folder / "desired.json", told)

    async def say(self) -> None:
        said = report_of(self.held, self.clock.now()).model_dump_json().encode()
        self.reports.append(said)
        await self.twins.heard(NODE, "twin/reported", said)

    def wanted(self) -> TwinDesired:
        with self.database.read() as transaction:
            row = transaction.get_one(DesiredTwin, NODE)
            return TwinDesired.model_validate({**row.wanted, "revision": row.revision, "word": row.word})


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path_factory.mktemp('hub') / 'records.db'}")
    yield opened
    opened.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_room_and_hub_agree_as_soon_as_they_have_heard_each_other(
    steps: list[str], database: Database, tmp_path: Path
) -> None:
    world = World(database, tmp_path)
    for step in steps:
        await world.take(step)
    # The room connects: it is told, says what it has, and is told again where the hub knows less.
    await world.take("hub")
    for _ in range(2):
        await world.take("deliver")
        await world.take("report")
    assert world.held == world.wanted()
    with database.read() as transaction:
        kept = set(transaction.scalars(select(TwinRevision.revision)))
    assert world.wanted().revision in kept


@pytest.mark.parametrize("lost", [True, False])
async def test_a_hub_that_was_restored_and_came_to_a_number_again_finds_out_that_the_room_has_something_else(
    database: Database, tmp_path: Path, *, lost: bool
) -> None:
    world = World(database, tmp_path)
    for step in ("presence", "deliver", "backup", "presence", "deliver", "restore", "plan"):
        await world.take(step)
    assert world.held is not None
    assert world.held.revision == world.wanted().revision
    assert world.held.plan != world.wanted().plan
    await world.take("deliver")
    if lost:
        await world.take("report old")
    await world.take("report")
    await world.take("deliver")
    assert world.held == world.wanted()
