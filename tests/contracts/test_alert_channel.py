"""Every way to reach people keeps the same promises, against real servers on this machine."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs
from tests.fakes.sent import WATER
from tests.fakes.ward import open_ward

from forge_hub.alerts.delivery import ports
from forge_hub.alerts.delivery.courier import ATTEMPTS, Courier, next_try
from forge_hub.alerts.delivery.mqtt import MqttAlerts
from forge_hub.alerts.delivery.ports import Channel, DeliveryFailedError, Notice
from forge_hub.alerts.delivery.services import Services
from forge_hub.alerts.delivery.webhook import Webhook, signature
from forge_hub.alerts.engine import AlertEngine
from forge_hub.errors import BrokerError, HubConfigError
from forge_hub.records.schema import Delivery

# Apprise's PGP part imports what Python 3.13 has removed, and brings its own stand-in for it.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

SECRET = SecretStr("a long enough shared secret")
NOW = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
NOTICE = Notice(
    id="n-1",
    alert="a-1",
    site="ward-7",
    ward="Ward 7",
    room="room-12",
    kind="request",
    priority="high",
    level=1,
    count=1,
    late=False,
    raised_at=NOW,
)


@dataclass
class Receiver:
    """A server that takes messages, refuses them, or never answers."""

    state: str = "well"
    address: str = ""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in head.split("\r\n")[1:] if line)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        if self.state == "silent":
            await asyncio.sleep(30)
        self.requests.append((headers, body))
        status = "200 OK" if self.state == "well" else "503 Service Unavailable"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode())
        await writer.drain()

    async def publish(self, topic: str, payload: bytes) -> None:
        """Stand for a connection to a broker."""
        if self.state == "silent":
            await asyncio.sleep(30)
        if self.state != "well":
            raise BrokerError("away")
        self.requests.append(({"topic": topic}, payload))


@asynccontextmanager
async def listening() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(receiver.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    receiver.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield receiver
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as opened:
        yield opened


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client
    await asyncio.sleep(0.05)  # the loop closes the sockets of what was given up


@pytest.fixture(params=["webhook", "mqtt", "services"])
def channel(request: pytest.FixtureRequest, receiver: Receiver, http: httpx.AsyncClient) -> Channel:
    make: dict[str, Callable[[], Channel]] = {
        "webhook": lambda: Webhook(http, f"http://{receiver.address}/alerts", SECRET),
        "mqtt": lambda: MqttAlerts("ward-7", receiver.publish),
        "services": lambda: Services([SecretStr(f"ntfy://{receiver.address}/ward-seven")]),
    }
    return make[request.param]()


async def test_a_notice_is_handed_over(channel: Channel, receiver: Receiver) -> None:
    await channel.deliver(NOTICE, NOW)
    ((_, body),) = receiver.requests
    assert b"room" in body
    assert b"Ward 7" in body


async def test_a_refusal_fails_the_attempt_without_saying_where(channel: Channel, receiver: Receiver) -> None:
    receiver.state = "refusing"
    with pytest.raises(DeliveryFailedError) as failed:
        await channel.deliver(NOTICE, NOW)
    assert receiver.address not in str(failed.value)


async def test_a_receiver_that_never_answers_fails_the_attempt_in_time(
    channel: Channel, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("webhook", "mqtt", "services"):
        monkeypatch.setattr(f"{ports.__package__}.{module}.ATTEMPT_SECONDS", 0.3)
    receiver.state = "silent"
    with pytest.raises(DeliveryFailedError):
        async with asyncio.timeout(3):
            await channel.deliver(NOTICE, NOW)


async def test_a_channel_that_failed_works_again_when_its_receiver_does(channel: Channel, receiver: Receiver) -> None:
    receiver.state = "refusing"
    with pytest.raises(DeliveryFailedError):
        await channel.deliver(NOTICE, NOW)
    receiver.state, receiver.requests = "well", []
    await channel.deliver(NOTICE, NOW)
    assert len(receiver.requests) == 1


async def test_the_receiver_of_a_webhook_can_tell_who_speaks_and_when(
    receiver: Receiver, http: httpx.AsyncClient
) -> None:
    await Webhook(http, f"http://{receiver.address}/alerts", SECRET).deliver(NOTICE, NOW)
    ((headers, body),) = receiver.requests
    assert headers["forge-signature"] == signature(SECRET, headers["forge-timestamp"], body)
    assert headers["forge-signature"] != signature(
        SecretStr("another secret, as long"), headers["forge-timestamp"], body
    )
    assert (headers["forge-delivery"], headers["forge-timestamp"]) == ("n-1", str(int(NOW.timestamp())))
    assert SECRET.get_secret_value().encode() not in body


async def test_a_service_of_others_learns_ward_room_and_kind_and_nothing_else(receiver: Receiver) -> None:
    await Services([SecretStr(f"ntfy://{receiver.address}/ward-seven")]).deliver(NOTICE, NOW)
    said = json.loads(receiver.requests[0][1])
    assert (said["message"], said["title"]) == ("Request: Ward 7, room 12", "ward-7: high priority")


def test_an_address_that_no_service_has_is_refused_without_repeating_it() -> None:
    with pytest.raises(HubConfigError) as refused:
        Services([SecretStr("nothing-like-it://planted")])
    assert "planted" not in str(refused.value)


async def test_what_rang_is_on_file_before_it_is_sent_and_a_failure_is_tried_again_and_shown(
    tmp_path: Path, receiver: Receiver, http: httpx.AsyncClient
) -> None:
    ward = open_ward(tmp_path)
    webhook = Webhook(http, f"http://{receiver.address}/alerts", SECRET)
    ward.engine = AlertEngine(ward.database, ward.clock, ward.board, zone=UTC, channels=["webhook"])
    courier = Courier("site", ward.database, ward.clock, ward.board, zone=UTC, channels=[webhook])
    receiver.state = "refusing"
    with capture_logs() as logged:
        alert = ward.alarm(WATER)
        with ward.database.read() as transaction:
            (waiting,) = transaction.query(Delivery).all()
        assert (waiting.state, waiting.attempts) == ("waiting", 0)
        assert await courier.deliver_due(webhook) == 1
        assert courier.states == {"webhook": "delivery.failing"}
        assert await courier.deliver_due(webhook) == 0, "not before its time"
        receiver.state, receiver.requests = "well", []
        ward.clock.advance(2)
        assert await courier.deliver_due(webhook) == 1
    assert courier.states == {"webhook": "ok"}
    assert [step for step in ward.story(alert.id) if "delivered" in step] == ["undelivered", "delivered"]
    assert len(receiver.requests) == 1
    assert receiver.address not in str(logged)
    ward.database.close()


async def test_nobody_is_called_for_what_someone_answers_for_by_now(
    tmp_path: Path, receiver: Receiver, http: httpx.AsyncClient
) -> None:
    ward = open_ward(tmp_path)
    webhook = Webhook(http, f"http://{receiver.address}/alerts", SECRET)
    ward.engine = AlertEngine(ward.database, ward.clock, ward.board, zone=UTC, channels=["webhook"])
    courier = Courier("site", ward.database, ward.clock, ward.board, zone=UTC, channels=[webhook])
    alert = ward.alarm(WATER)
    await ward.board.accept(alert.id, "ann")
    await courier.deliver_due(webhook)
    assert receiver.requests == []
    ward.database.close()


def test_tries_are_spread_over_three_minutes_and_end() -> None:
    waits = [(next_try(attempt, NOW) - NOW).total_seconds() for attempt in range(1, ATTEMPTS)]
    assert waits == [2, 4, 8, 16, 32, 60, 60]
    assert timedelta(seconds=sum(waits)) < timedelta(minutes=4)
