"""The broker of last resort: amqtt in a process of its own, held to the same users and topics as Mosquitto.

It speaks MQTT 3.1.1 only and keeps nothing across a kill; the outbox and its acknowledgement make that safe. It is a
program of its own (``python -m forge_hub.broker.amqtt_server``), so that a restart waits for no other part of the hub.
"""

import argparse
import asyncio
import logging
import signal
from dataclasses import dataclass
from pathlib import Path

from amqtt.broker import Broker, BrokerContext
from amqtt.contexts import Action, BaseContext
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session

from forge_hub.broker.users import BrokerUsers, may
from forge_shared import logs


class UserFileAuthentication(BaseAuthPlugin):  # type: ignore[misc]  # amqtt publishes no types
    """Lets in whoever is in the user file with the right password, and nobody else."""

    def __init__(self, context: BrokerContext) -> None:
        super().__init__(context)
        self._users = BrokerUsers(Path(self.config.users))

    async def authenticate(self, *, session: Session) -> bool | None:
        """Check user name and password, and the last will, which amqtt publishes later without asking."""
        if not session.username or not session.password:
            return False
        if session.will_flag and not may(self.config.site, session.username, "write", session.will_topic or ""):
            return False
        return await asyncio.to_thread(self._users.verify, session.username, session.password)

    @dataclass
    class Config:
        """Configuration of this plugin."""

        users: str = ""
        site: str = ""


class TopicPermissions(BaseTopicPlugin):  # type: ignore[misc]  # the same
    """Holds every user to its own topics."""

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        self._site: str = self.config.site

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool | None:
        """Check one subscription, publication or delivery."""
        if session is None or not session.username or not topic:
            return False
        return may(self._site, session.username, "write" if action is Action.PUBLISH else "read", topic)

    @dataclass
    class Config:
        """Configuration of this plugin."""

        site: str = ""


async def serve(host: str, port: int, site: str, users: Path) -> None:
    """Serve until the process is told to end."""
    # Its log quotes topics and packets.
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{host}:{port}"}},
            "plugins": {
                f"{__name__}.UserFileAuthentication": {"users": str(users), "site": site},
                f"{__name__}.TopicPermissions": {"site": site},
            },
        }
    )
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await broker.start()
    try:
        await ended.wait()
    finally:
        await broker.shutdown()


def main() -> None:
    """Run the broker as the command line says."""
    parser = argparse.ArgumentParser(description="The fall-back broker; `forge-hub serve` starts it by itself.")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--site", required=True)
    parser.add_argument("--users", type=Path, required=True)
    options = parser.parse_args()
    logs.configure("forge-hub amqtt")
    asyncio.run(serve(options.host, options.port, options.site, options.users))


if __name__ == "__main__":
    main()
