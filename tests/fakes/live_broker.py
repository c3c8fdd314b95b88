"""A real broker for one test, with the keys of its site."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
from tests.fakes.keys import SITE, authority
from tests.fakes.ports import free_port

from forge_hub.broker.child import BrokerChild, choose
from forge_hub.fleet.authority import Authority


@dataclass
class LiveBroker:
    """A broker that runs: Mosquitto where it is installed."""

    port: int
    keys: Authority
    child: BrokerChild

    def client(self, user: str) -> aiomqtt.Client:
        """Return a client that is not connected yet."""
        return aiomqtt.Client("127.0.0.1", self.port, identifier=user, tls_context=self.keys.context_as(user))


@asynccontextmanager
async def live_broker(folder: Path) -> AsyncIterator[LiveBroker]:
    """Start a broker and end it with the block."""
    port, keys = free_port(), authority(folder)
    child = BrokerChild(choose("auto"), folder=folder, authority=keys, site=SITE, host="127.0.0.1", port=port)
    await child.start()
    try:
        yield LiveBroker(port, keys, child)
    finally:
        await child.stop()
