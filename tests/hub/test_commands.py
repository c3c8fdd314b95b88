"""Commands to rooms: a session only with a consent on file, and nothing that starts late."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.fakes.clock import FakeClock
from tests.fakes.records import sqlite_records

from forge_hub.errors import BrokerError, ConsentMissingError
from forge_hub.fleet.commands import VALID_FOR, RoomCommands
from forge_hub.records.database import Database
from forge_hub.records.schema import Account, Audit
from forge_hub.records.schema import Session as RecordedSession
from forge_hub.stays.consents import Consents
from forge_shared import topics
from forge_shared.ids import new_id
from forge_shared.wire import COMMANDS, AlertAccepted, Command, EndSession, StartSession


class Broker:
    """Takes what is published, or is away."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Command]] = []
        self.away = False

    async def publish(self, topic: str, payload: bytes) -> None:
        if self.away:
            raise BrokerError("away")
        _, _, path = topics.parse_node(topic)
        kind = next(kind for name, kind in COMMANDS.items() if path == f"command/{name}")
        self.sent.append((topic, kind.model_validate_json(payload)))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = sqlite_records(tmp_path)
    with database.begin() as transaction:
        transaction.add(
            Account(id="ann", username="ann", role="clinician", password_hash="-", created_at=FakeClock().now())
        )
    yield database
    database.close()


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def commands(database: Database, clock: FakeClock, broker: Broker) -> RoomCommands:
    return RoomCommands("site", database, clock, broker.publish, lambda _: "a signature")


async def test_a_session_starts_under_the_consent_on_file_and_is_audited(
    commands: RoomCommands, broker: Broker, database: Database, clock: FakeClock
) -> None:
    consent = Consents(database, clock).grant("p-1", "recorded-session", "ann")
    session = await commands.start_session("room-1", "p-1", "ann")
    ((topic, command),) = broker.sent
    assert topic == "forge/v1/site/room-1/command/start-session"
    assert isinstance(command, StartSession)
    assert (command.session, command.expires_at) == (session, clock.now() + VALID_FOR)
    assert command.consent == consent.id
    with database.read() as transaction:
        trace = transaction.scalars(select(Audit).where(Audit.object == session)).one()
    assert (trace.account, trace.action) == ("ann", "session.start")


async def test_without_consent_or_after_its_withdrawal_no_session_is_asked_for(
    commands: RoomCommands, broker: Broker, database: Database, clock: FakeClock
) -> None:
    consents = Consents(database, clock)
    consents.grant("p-1", "voice", "ann")
    with pytest.raises(ConsentMissingError):
        await commands.start_session("room-1", "p-1", "ann")
    consents.grant("p-1", "recorded-session", "ann")
    consents.withdraw("p-1", "recorded-session", "ann")
    with pytest.raises(ConsentMissingError):
        await commands.start_session("room-1", "p-1", "ann")
    assert broker.sent == []


async def test_without_a_broker_nothing_starts_and_that_is_said(
    commands: RoomCommands, broker: Broker, database: Database, clock: FakeClock
) -> None:
    Consents(database, clock).grant("p-1", "recorded-session", "ann")
    broker.away = True
    with pytest.raises(BrokerError):
        await commands.start_session("room-1", "p-1", "ann")
    with database.read() as transaction:
        assert transaction.scalars(select(RecordedSession)).all() == []


async def test_the_session_that_is_on_is_ended(
    commands: RoomCommands, broker: Broker, database: Database, clock: FakeClock
) -> None:
    on, over, elsewhere = new_id(), new_id(), new_id()
    with database.begin() as transaction:
        for session, node, ended in ((over, "room-1", clock.now()), (on, "room-1", None), (elsewhere, "room-2", None)):
            transaction.add(
                RecordedSession(
                    id=session,
                    subject="p-1",
                    node=node,
                    consent=new_id(),
                    started_at=clock.now(),
                    ended_at=ended,
                    end_reason=None,
                )
            )
    await commands.end_session("room-1")
    ((topic, command),) = broker.sent
    assert topic == "forge/v1/site/room-1/command/end-session"
    assert isinstance(command, EndSession)
    assert command.session == on


async def test_where_no_session_is_on_none_is_ended(commands: RoomCommands, broker: Broker) -> None:
    await commands.end_session("room-1")
    assert broker.sent == []


async def test_a_room_hears_that_its_alert_was_taken(commands: RoomCommands, broker: Broker, clock: FakeClock) -> None:
    event = new_id()
    await commands.alert_accepted("room-1", event)
    ((topic, command),) = broker.sent
    assert topic == "forge/v1/site/room-1/command/alert-accepted"
    assert command == AlertAccepted(event=event, expires_at=clock.now() + VALID_FOR)
