"""A broker that a test starts, with the certificates of its users."""

import asyncio
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from tests.fakes.ports import free_port

from forge_hub.broker.child import BrokerChild, Kind, mosquitto_program
from forge_hub.broker.users import HOME_USER, HUB_USER
from forge_hub.fleet.authority import Authority
from forge_shared.clock import SystemClock
from forge_shared.ids import new_id

SITE = "site"
KINDS: tuple[Kind, ...] = ("mosquitto", "amqtt")
INSTALL = "Mosquitto is not installed: `apt install mosquitto`"


@dataclass
class Running:
    """A broker that runs, with the certificates of its users."""

    kind: Kind
    port: int
    folder: Path
    authority: Authority
    child: BrokerChild
    contexts: dict[str, ssl.SSLContext]

    def client(
        self, user: str, identifier: str | None = None, context: ssl.SSLContext | None = None, **more: Any
    ) -> aiomqtt.Client:
        return aiomqtt.Client(
            "127.0.0.1",
            self.port,
            tls_context=context or self.contexts[user],
            identifier=identifier or f"test-{new_id()}",
            protocol=aiomqtt.ProtocolVersion.V311,
            # Who is refused waits for it in vain: the broker hangs up on a handshake without a word of MQTT.
            timeout=5 if context is None else 1.5,
            **more,
        )


def prepared(kind: Kind, folder: Path) -> Running:
    if kind == "mosquitto" and mosquitto_program() is None:
        if os.environ.get("CI") == "true":
            pytest.fail(INSTALL)
        pytest.skip(INSTALL)
    authority = Authority(folder / "authority", SystemClock())
    authority.prepare(SITE, ())
    contexts = {name: authority.context_as(name) for name in (HUB_USER, HOME_USER, "room-1", "room-2")}
    port = free_port()
    child = BrokerChild(kind, folder=folder, authority=authority, site=SITE, host="127.0.0.1", port=port)
    return Running(kind, port, folder, authority, child, contexts)


async def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)
