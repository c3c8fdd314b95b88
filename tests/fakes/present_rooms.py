"""Rooms that are there and say what every node says: many connections from one process, each as light as MQTT allows.

``present_rooms.py PLAN`` connects the plan's rooms, says that it is ready, and stays until it is told to end. Each has
its own certificate, a last will, a node's subscriptions, a birth, a twin every ten seconds, a canary and a few records.
MQTT 3.1.1 (OASIS, section 3) over a plain connection.
"""

import asyncio
import json
import random
import struct
import sys
from pathlib import Path
from typing import Any

from tests.fakes.sent import FakeNode, phq_9
from tests.fakes.traffic import LiveClock

from forge_hub.fleet.authority import Authority
from forge_shared import topics
from forge_shared.clock import SystemClock
from forge_shared.events import CanarySent
from forge_shared.wire import PROTOCOL, Status, TwinReported

KEEPALIVE_SECONDS = 4
PING_SECONDS = 2.0
TWIN_SECONDS = 10.0
"""As the publisher and the core of a node."""
AT_ONCE = 20
"""Rooms that connect at the same time."""
CONNECT, SUBSCRIBE, PUBLISH, PUBLISH_RETAINED, PUBACK, PING = 0x10, 0x82, 0x32, 0x33, 0x40, 0xC0
CLEAN_WITH_RETAINED_WILL = 0x2E


class PresentRoom:
    """One connection."""

    def __init__(self, plan: dict[str, Any], name: str) -> None:
        self.name = name
        self._site: str = plan["site"]
        self._port: int = plan["port"]
        self._records: int = plan["records"]
        self._authority = Authority(Path(plan["authority"]), SystemClock())
        self._number = 0
        self._chance = random.Random(name)

    async def connect(self) -> None:
        """Connect, subscribe, and say everything that is said once."""
        tls = self._authority.context_as(self.name)
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self._port, ssl=tls, server_hostname="127.0.0.1"
        )
        will = self._status("offline")
        body = _text(b"MQTT") + bytes([4, CLEAN_WITH_RETAINED_WILL]) + struct.pack(">H", KEEPALIVE_SECONDS)
        own = topics.status(self._site, self.name)
        self._send(CONNECT, body + _text(self.name.encode()) + _text(own.encode()) + _text(will))
        kind, answer = await self._packet()
        assert (kind, answer[1]) == (0x20, 0), "the broker refused the room"
        wanted = (
            topics.ack(self._site, self.name),
            topics.twin_desired(self._site, self.name),
            topics.commands_of(self._site, self.name),
            topics.status(self._site, topics.HUB),
        )
        self._send(SUBSCRIBE, self._next() + b"".join(_text(topic.encode()) + b"\1" for topic in wanted))
        self._publish(own, self._status("online"), retained=True)
        clock = LiveClock()
        node = FakeNode(clock, self.name, self._site, f"p-{self.name}")
        for event in (CanarySent(), *(phq_9(clock, [1] * 9) for _ in range(self._records))):
            message = node.send(event)
            self._publish(message.topic, message.payload)

    async def stay(self) -> None:
        """Go on saying how the room is, until cancelled."""
        await asyncio.gather(self._read(), self._ping(), self._report())

    async def _read(self) -> None:
        while True:
            kind, body = await self._packet()
            if kind & 0xF6 == PUBLISH:
                length = struct.unpack(">H", body[:2])[0]
                self._send(PUBACK, body[2 + length : 4 + length])

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            self._send(PING, b"")

    async def _report(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, TWIN_SECONDS))
        while True:
            twin = TwinReported(
                hearing="ok",
                sight="ok",
                activity="idle",
                session_on=False,
                pending_events=0,
                version="0",
                at=SystemClock().now(),
            )
            payload = twin.model_dump_json().encode()
            self._publish(topics.twin_reported(self._site, self.name), payload, retained=True)
            await asyncio.sleep(TWIN_SECONDS)

    async def _packet(self) -> tuple[int, bytes]:
        kind = (await self._reader.readexactly(1))[0]
        length, shift = 0, 0
        while True:
            byte = (await self._reader.readexactly(1))[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return kind, await self._reader.readexactly(length)

    def _status(self, state: str) -> bytes:
        status = Status.model_validate({"state": state, "version": "0", "protocol": PROTOCOL})
        return status.model_dump_json().encode()

    def _publish(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        self._send(PUBLISH_RETAINED if retained else PUBLISH, _text(topic.encode()) + self._next() + payload)

    def _next(self) -> bytes:
        self._number = self._number % 65535 + 1
        return struct.pack(">H", self._number)

    def _send(self, kind: int, body: bytes) -> None:
        self._writer.write(packet(kind, body))


def packet(kind: int, body: bytes) -> bytes:
    """Return a packet with its length before it (section 2.2.3)."""
    length, rest = bytearray(), len(body)
    while True:
        length.append(rest % 128 | (128 if rest >= 128 else 0))
        rest //= 128
        if not rest:
            return bytes([kind]) + bytes(length) + body


def _text(text: bytes) -> bytes:
    return struct.pack(">H", len(text)) + text


async def main(plan: dict[str, Any]) -> None:
    rooms = [PresentRoom(plan, name) for name in plan["rooms"]]
    async with asyncio.TaskGroup() as tasks:
        for at in range(0, len(rooms), AT_ONCE):
            some = rooms[at : at + AT_ONCE]
            await asyncio.gather(*(room.connect() for room in some))
            for room in some:
                tasks.create_task(room.stay(), name=room.name)
        sys.stdout.write("ready\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
