"""The alert board: stored before it is told, taken by one person, told to every page and to the room."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from tests.fakes.clock import FakeClock
from tests.fakes.records import sqlite_records
from tests.fakes.sent import WATER, FakeNode, risk

from forge_hub.alerts.board import TAKEN_SHOWN, Accepted, AlertBoard
from forge_hub.alerts.projector import AlertProjection
from forge_hub.errors import NotFoundError
from forge_hub.ingest.reading import Arrived
from forge_hub.ingest.store import IngestStore
from forge_hub.projection import catch_up
from forge_hub.records.database import Database
from forge_hub.records.schema import Account, Alert, Audit
from forge_shared.events import RequestMade, RiskReviewed
from forge_shared.ids import new_id


class Hub:
    """Event log, alert projection and board on one store."""

    def __init__(self, database: Database) -> None:
        self.clock = FakeClock()
        self.database = database
        self.ingest = IngestStore("site", database, self.clock)
        self.node = FakeNode(self.clock)
        self.told: list[Accepted] = []
        self.board = AlertBoard(database, self.clock, on_accepted=self._tell)
        with database.begin() as transaction:
            for name in ("ann", "ben"):
                transaction.add(
                    Account(id=name, username=name, role="staff", password_hash="-", created_at=self.clock.now())
                )

    def arrives(self, *messages: Arrived) -> list[Alert]:
        self.ingest.commit(messages)
        catch_up(self.database, AlertProjection(self.database, self.clock))
        return self.board.current()

    def stored(self, table: type[Any]) -> list[Any]:
        with self.database.read() as transaction:
            return list(transaction.scalars(select(table)))

    async def _tell(self, accepted: Accepted) -> None:
        self.told.append(accepted)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    database = sqlite_records(tmp_path)
    yield Hub(database)
    database.close()


def test_an_alarm_is_stored_as_an_open_alert_with_codes_only(hub: Hub) -> None:
    envelope = hub.node.event(risk())
    (alert,) = hub.arrives(Arrived(envelope.address.topic(), envelope.to_json()))
    assert (alert.event_id, alert.node, alert.subject) == (envelope.id, "room-1", "p-1")
    assert (alert.state, alert.severity, alert.late, alert.review) == ("open", "critical", False, None)
    assert (alert.happened_at, alert.raised_at) == (envelope.time, hub.clock.now())


def test_an_alert_is_raised_once_however_often_the_event_comes(hub: Hub) -> None:
    message = hub.node.send(WATER)
    hub.arrives(message)
    assert len(hub.arrives(message)) == 1


def test_yesterdays_alarm_stands_and_is_marked_late(hub: Hub) -> None:
    (alert,) = hub.arrives(hub.node.send(risk(), time=hub.clock.now() - timedelta(days=1), backfill=True))
    assert (alert.state, alert.late) == ("open", True)


@pytest.mark.parametrize("outcome", ["confirmed", "corrected", "not-reviewed"])
def test_a_review_is_shown_and_the_alarm_stands(hub: Hub, outcome: str) -> None:
    alarm = hub.node.event(risk())
    review = RiskReviewed.model_validate({"risk_event": alarm.id, "outcome": outcome})
    (alert,) = hub.arrives(Arrived(alarm.address.topic(), alarm.to_json()), hub.node.send(review))
    assert (alert.review, alert.state, alert.severity) == (outcome, "open", "critical")


def test_a_review_of_nothing_does_no_harm(hub: Hub) -> None:
    assert hub.arrives(hub.node.send(RiskReviewed(risk_event=new_id(), outcome="confirmed"))) == []


def test_a_review_by_another_node_changes_nothing(hub: Hub) -> None:
    alarm = hub.node.event(risk())
    stranger = FakeNode(hub.clock, "room-2")
    review = RiskReviewed(risk_event=alarm.id, outcome="corrected")
    (alert,) = hub.arrives(Arrived(alarm.address.topic(), alarm.to_json()), stranger.send(review))
    assert alert.review is None


def test_an_alert_that_rang_ahead_of_the_log_is_not_raised_again_and_takes_its_review(hub: Hub) -> None:
    missing = hub.node.send(WATER)
    alarm = hub.node.event(risk())
    hub.ingest.commit([Arrived(alarm.address.topic(), alarm.to_json())])
    review = hub.node.send(RiskReviewed(risk_event=alarm.id, outcome="confirmed"))
    hub.arrives(review)
    hub.arrives(missing)
    (alert,) = [alert for alert in hub.board.current() if alert.event_id == alarm.id]
    assert alert.review == "confirmed"


def test_a_review_by_another_node_that_overtakes_the_alarm_changes_nothing(hub: Hub) -> None:
    alarm = hub.node.event(risk())
    hub.arrives(FakeNode(hub.clock, "room-2").send(RiskReviewed(risk_event=alarm.id, outcome="corrected")))
    (alert,) = hub.arrives(Arrived(alarm.address.topic(), alarm.to_json()))
    assert alert.review is None


def test_open_alerts_come_first_the_urgent_before_the_others_and_the_newest_on_top(hub: Hub) -> None:
    other = FakeNode(hub.clock, "room-2")
    for node, code in ((hub.node, "water"), (hub.node, "help"), (hub.node, "nurse"), (other, "help")):
        hub.clock.advance(1)
        hub.arrives(node.send(RequestMade.model_validate({"request": code, "mode": "voice"})))
    board = [(alert.detail["request"], alert.raised_at) for alert in hub.board.current()]
    assert [code for code, _ in board] == ["help", "help", "nurse", "water"]
    assert board[0][1] > board[1][1]


async def test_an_accepted_alert_goes_below_every_open_one(hub: Hub) -> None:
    (urgent,) = hub.arrives(hub.node.send(risk()))
    hub.arrives(hub.node.send(WATER))
    await hub.board.accept(urgent.id, "ann")
    assert [alert.state for alert in hub.board.current()] == ["open", "accepted"]


async def test_accepting_is_recorded_with_person_and_time_and_audited(hub: Hub) -> None:
    (alert,) = hub.arrives(hub.node.send(risk()))
    hub.clock.advance(7)
    await hub.board.accept(alert.id, "ann")
    (kept,) = hub.board.current()
    assert (kept.state, kept.accepted_by, kept.accepted_at) == ("accepted", "ann", hub.clock.now())
    (trace,) = hub.stored(Audit)
    assert (trace.account, trace.action, trace.object) == ("ann", "alert.accept", alert.id)


async def test_the_room_is_told_once_that_a_person_has_taken_it(hub: Hub) -> None:
    (alert,) = hub.arrives(hub.node.send(WATER))
    assert hub.told == [], "not before a person has"
    await hub.board.accept(alert.id, "ann")
    await hub.board.accept(alert.id, "ben")
    assert hub.told == [Accepted("room-1", alert.event_id)]


async def test_accepting_twice_keeps_the_first_person(hub: Hub) -> None:
    (alert,) = hub.arrives(hub.node.send(WATER))
    await hub.board.accept(alert.id, "ann")
    hub.clock.advance(60)
    await hub.board.accept(alert.id, "ben")
    (kept,) = hub.board.current()
    assert (kept.accepted_by, kept.accepted_at) == ("ann", hub.clock.now() - timedelta(seconds=60))
    assert len(hub.stored(Audit)) == 1


async def test_of_two_who_accept_at_once_one_has_it(hub: Hub) -> None:
    (alert,) = hub.arrives(hub.node.send(WATER))
    await asyncio.gather(*(hub.board.accept(alert.id, name) for name in ("ann", "ben") * 4))
    assert len(hub.told) == len(hub.stored(Audit)) == 1


async def test_there_is_nothing_to_accept_in_an_alert_that_does_not_exist(hub: Hub) -> None:
    with pytest.raises(NotFoundError):
        await hub.board.accept(new_id(), "ann")
    assert hub.told == hub.stored(Audit) == []


async def test_every_open_page_is_woken_and_a_closed_one_forgotten(hub: Hub) -> None:
    async with hub.board.watching() as first:
        async with hub.board.watching() as second:
            hub.board.changed()
            assert first.is_set()
            assert second.is_set()
            first.clear()
            second.clear()
        hub.board.changed()
        assert first.is_set()
        assert not second.is_set()


async def test_a_page_is_woken_only_after_the_acceptance_is_stored(hub: Hub) -> None:
    (alert,) = hub.arrives(hub.node.send(WATER))
    async with hub.board.watching() as watcher:
        accepting = asyncio.create_task(hub.board.accept(alert.id, "ann"))
        await asyncio.wait_for(watcher.wait(), 5)
        assert hub.board.current()[0].state == "accepted"
        await accepting


def test_no_open_critical_alert_falls_off_the_board(hub: Hub) -> None:
    oldest = hub.node.event(risk())
    hub.arrives(Arrived(oldest.address.topic(), oldest.to_json()))
    hub.clock.advance(1)
    hub.arrives(*(hub.node.send(risk()) for _ in range(TAKEN_SHOWN)))
    assert oldest.id in {alert.event_id for alert in hub.board.current()}
