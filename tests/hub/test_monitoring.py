"""A silent room, a canary that does not come, a ward for which nobody listens: each is an alert, and one."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.fakes.ward import FakeWard, open_ward

from forge_hub.alerts.monitoring import LOOK_SECONDS, NOBODY_AGAIN, NOBODY_SECONDS, Monitor
from forge_hub.records.schema import Alert, Room
from forge_shared.events import CanarySent

CANARY_SECONDS = 120.0


class World:
    """A ward whose rooms say how they are every ten seconds, and a monitor that looks every two."""

    def __init__(self, ward: FakeWard) -> None:
        self.ward = ward
        self.twins = {"room-1": True}
        self.canaries = True
        self.room_clock_wrong_by = timedelta()
        self.restart()
        with ward.database.begin() as transaction:
            transaction.add(
                Room(
                    node="room-1",
                    connection="online",
                    hearing="ok",
                    sight="closed",
                    activity="idle",
                    session_on=False,
                    pending_events=0,
                    version="0.1.0",
                    seen_at=ward.clock.now(),
                )
            )
        self.seconds = 0

    def restart(self) -> None:
        self.monitor = Monitor(
            self.ward.database,
            self.ward.clock,
            self.ward.board,
            canary_seconds=CANARY_SECONDS,
            reachable=lambda: False,
        )

    def passes(self, seconds: int, *, listening: bool = True) -> None:
        for _ in range(seconds // 2):
            self.seconds += 2
            self.ward.clock.advance(LOOK_SECONDS)
            if self.twins["room-1"] and self.seconds % 10 == 0:
                self.set(seen_at=self.ward.clock.now() + self.room_clock_wrong_by)
            if self.canaries and self.seconds % CANARY_SECONDS == 0:
                self.ward.alarm(CanarySent())
            self.monitor.look(listening=listening)

    def set(self, **values: object) -> None:
        with self.ward.database.begin() as transaction:
            room = transaction.get(Room, "room-1")
            for name, value in values.items():
                setattr(room, name, value)

    def alerts(self, kind: str = "monitoring-lost") -> list[Alert]:
        with self.ward.database.read() as transaction:
            return list(transaction.scalars(select(Alert).where(Alert.kind == kind).order_by(Alert.id)))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    ward = open_ward(tmp_path)
    yield World(ward)
    ward.database.close()


def test_a_room_that_falls_silent_is_an_alert_within_30_seconds_and_closes_itself_when_it_is_back(world: World) -> None:
    world.passes(60)
    assert world.alerts() == []
    world.twins["room-1"] = False
    world.passes(30)
    (alert,) = world.alerts()
    assert (alert.state, alert.detail) == ("open", {"reason": "silent"})
    world.twins["room-1"] = True
    world.passes(30)
    (alert,) = world.alerts()
    assert (alert.state, alert.cause) == ("closed", "resolved")


def test_a_last_will_is_an_alert_within_seconds(world: World) -> None:
    world.passes(20)
    world.set(connection="offline")
    world.twins["room-1"] = False
    world.passes(8)
    assert [alert.detail for alert in world.alerts()] == [{"reason": "offline"}]


def test_a_room_that_comes_and_goes_is_one_alert(world: World) -> None:
    world.passes(20)
    for step in range(12):
        world.set(connection="offline" if step % 2 == 0 else "online")
        world.passes(6)
    assert len(world.alerts()) == 1


def test_a_room_whose_clock_is_wrong_by_years_is_no_silent_room(world: World) -> None:
    world.room_clock_wrong_by = timedelta(days=-9000)
    world.passes(120)
    assert world.alerts() == []


def test_two_canaries_that_do_not_come_are_an_alert(world: World) -> None:
    world.passes(260)
    assert world.alerts() == []
    world.canaries = False
    world.passes(262)
    assert [alert.detail for alert in world.alerts()] == [{"reason": "canary"}]


async def test_a_canary_goes_all_the_way_to_a_page_is_not_shown_and_closes_itself(world: World) -> None:
    canary = world.ward.alarm(CanarySent())
    assert world.ward.board.current() == []
    assert world.ward.board.fresh() == [canary.id]
    await world.ward.board.shown([canary.id], "ann")
    assert (world.ward.alert(canary.id).state, world.ward.alert(canary.id).cause) == ("closed", "delivered")
    unseen = world.ward.alarm(CanarySent())
    world.passes(64)
    assert world.ward.alert(unseen.id).cause == "no-page"


def test_old_canaries_are_forgotten_but_for_the_newest(world: World) -> None:
    for _ in range(5):
        world.ward.alarm(CanarySent())
        world.passes(64)
    world.ward.clock.advance(25 * 3600)
    world.passes(2)
    assert len(world.alerts("canary")) == 1


async def test_a_room_that_was_taken_down_is_not_reported_again_after_a_restart(world: World) -> None:
    world.set(connection="offline")
    world.twins["room-1"] = world.canaries = False
    world.passes(10)
    (alert,) = world.alerts()
    await world.ward.board.answer(alert.id, "attend", "ann")
    await world.ward.board.answer(alert.id, "close", "ann", cause="unclear")
    world.restart()
    world.passes(60)
    assert len(world.alerts()) == 1


def test_that_nobody_listens_for_a_ward_is_an_alert_once_and_closes_when_someone_does(world: World) -> None:
    world.passes(int(NOBODY_SECONDS) - 4, listening=False)
    assert world.alerts("nobody-listening") == []
    world.passes(120, listening=False)
    (alert,) = world.alerts("nobody-listening")
    assert (alert.state, alert.detail) == ("open", {"ward": "ward-7"})
    world.passes(2)
    assert world.alerts("nobody-listening")[0].cause == "resolved"
    world.passes(120, listening=False)
    assert len(world.alerts("nobody-listening")) == 1, "not again so soon"
    world.passes(int(NOBODY_AGAIN.total_seconds()), listening=False)
    assert len(world.alerts("nobody-listening")) == 2


def test_an_empty_house_needs_no_listener(world: World) -> None:
    world.set(connection="offline")
    world.passes(120, listening=False)
    assert world.alerts("nobody-listening") == []


def test_whoever_has_a_page_open_is_known_until_it_closes(world: World) -> None:
    board = world.ward.board
    with board.listening("ann"), board.listening("ann"):
        assert board.listeners == {"ann"}
    assert board.listeners == frozenset()
