"""Rooms without a body: the events of many rooms from one process, as cheaply as the wire allows; the hub is measured.

A pump speaks MQTT 3.1.1 over a plain socket (OASIS MQTT 3.1.1, sections 3.1 to 3.4, 3.14): packets are made beforehand.
"""

import itertools
import select
import socket
import ssl
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.fakes.clock import FakeClock
from tests.fakes.sent import WATER, FakeNode, phq_9, utterance

from forge_hub.ingest.reading import Arrived
from forge_shared.clock import SystemClock
from forge_shared.ids import new_id

IN_FLIGHT = 400
"""Messages that a pump sends before it waits for receipts."""


class LiveClock(FakeClock):
    """The fakes' clock, showing the machine's own time."""

    def __init__(self) -> None:
        super().__init__()
        self.at = SystemClock().now()


def traffic(events: int, rooms: int, *, site: str = "site", alarms: bool = True) -> list[Arrived]:
    """Return events of rooms in turn: one in twelve an alarm, the same share a completed form, the rest utterances."""
    clock = LiveClock()
    nodes = [FakeNode(clock, f"room-{number}", site, f"p-{number}") for number in range(rooms)]
    session = new_id()

    def one(number: int) -> Arrived:
        node = nodes[number % rooms]
        match (number // rooms) % 12:
            case 0 if alarms:
                return node.send(WATER)
            case 1:
                return node.send(phq_9(clock, [1] * 9))
            case _:
                return node.send(utterance(session))

    return [one(number) for number in range(events)]


@dataclass(slots=True)
class Pump:
    """One connection that publishes prepared messages with QoS 1 as fast as the broker takes them."""

    host: str
    port: int
    user: str
    tls: ssl.SSLContext

    def run(self, messages: Sequence[Arrived]) -> None:
        """Publish everything and return once the broker has taken it."""
        with self.tls.wrap_socket(socket.create_connection((self.host, self.port)), server_hostname=self.host) as line:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.sendall(self._connect())
            assert line.recv(4)[3] == 0, "the broker refused the pump"
            taken = 0
            for sent, packet in enumerate(_packets(messages), 1):
                line.sendall(packet)
                while sent - taken // 4 >= IN_FLIGHT or line.pending() or select.select([line], [], [], 0)[0]:
                    taken += len(line.recv(65536))
            while taken < 4 * len(messages):
                taken += len(line.recv(65536))
            line.sendall(_packet(0xE0, b""))

    def _connect(self) -> bytes:
        body = _text("MQTT") + bytes([4, 0x02]) + struct.pack(">H", 0)
        return _packet(0x10, body + _text(self.user))


def _packets(messages: Sequence[Arrived]) -> Iterator[bytes]:
    numbers = itertools.cycle(range(1, 65536))
    for number, message in zip(numbers, messages, strict=False):
        yield _packet(0x32, _text(message.topic) + struct.pack(">H", number) + message.payload)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack(">H", len(encoded)) + encoded


def _packet(kind: int, body: bytes) -> bytes:
    length, rest = bytearray(), len(body)
    while True:
        length.append(rest % 128 | (128 if rest >= 128 else 0))
        rest //= 128
        if not rest:
            return bytes([kind]) + bytes(length) + body
