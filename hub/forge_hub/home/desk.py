"""Shows the rooms' releases to Home Assistant and hears what it asks for."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, cast

from sqlalchemy.exc import SQLAlchemyError

from forge_hub.home import entities
from forge_hub.home.entities import NAMES, Standing
from forge_shared import home
from forge_shared.errors import ForgeError, TopicInvalidError
from forge_shared.logs import get_logger
from forge_shared.releases import ReleaseRole
from forge_shared.tasks import until_first_failure

LOOK_SECONDS: Final = 5.0
"""How often it is looked what has changed, whether or not anyone woke it. Ours: as the roll-outs are."""
MOST_ASKED: Final = 100
"""Requests that may wait: a press of every button of a large site. Overflow: the newest is dropped and logged."""

Standings = Mapping[str, Mapping[ReleaseRole, Standing]]
"""How every role stands that has or may have a release, by room."""

log = get_logger()


class HomeDesk:
    """Runs on the event loop.

    Args:
        site: Name of the site.
        version: The hub's version.
        publish: Publishes a payload on a topic, QoS 1, retained; raises `BrokerError`.
        standings: Returns how all rooms stand; blocks, and is called in a thread.
        request_install: Asks the roll-outs for a role's newest release in a room; blocks, and is called in a thread.
            Raises `ForgeError` where that is refused.
    """

    def __init__(
        self,
        site: str,
        version: str,
        *,
        publish: Callable[[str, bytes], Awaitable[None]],
        standings: Callable[[], Standings],
        request_install: Callable[[str, ReleaseRole], None],
    ) -> None:
        self._site, self._version = site, version
        self._publish, self._standings, self._request_install = publish, standings, request_install
        self._shown: dict[str, bytes] = {}
        self._asked: asyncio.Queue[tuple[str, ReleaseRole]] = asyncio.Queue(MOST_ASKED)
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Say that something may have changed."""
        self._wake.set()

    def connected(self) -> None:
        """Show everything again: the hub has just reached the broker."""
        self._shown.clear()
        self.wake()

    def heard(self, topic: str, payload: bytes, retained: bool) -> None:  # noqa: FBT001 (a callback's)
        """Take note of what Home Assistant says; what a broker had kept is of the past."""
        if retained:
            return
        if topic == home.BIRTH:
            if payload == b"online":
                jitter = random.uniform(0.0, home.BIRTH_JITTER_SECONDS)  # noqa: S311 (spreads load)
                asyncio.get_running_loop().call_later(jitter, self._show_again)
            return
        try:
            node, role = home.parse_install(topic)
        except TopicInvalidError:
            return
        if role not in NAMES or payload != entities.INSTALL:
            log.warning("home.refused", reason="unknown")
            return
        try:
            self._asked.put_nowait((node, cast("ReleaseRole", role)))
        except asyncio.QueueFull:
            log.warning("home.dropped")

    async def run(self) -> None:
        """Show and hear until cancelled."""
        await until_first_failure(self._show_always(), self._hear_always())

    def _show_again(self) -> None:
        self._shown.clear()
        self.wake()

    async def _show_always(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._show(await asyncio.to_thread(self._standings))
            except (ForgeError, SQLAlchemyError, OSError) as error:
                log.warning("home.not-shown", error=type(error).__name__)
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def _hear_always(self) -> None:
        while True:
            node, role = await self._asked.get()
            try:
                await asyncio.to_thread(self._request_install, node, role)
                log.info("home.install-requested", node=node, role=role)
            except (ForgeError, SQLAlchemyError, OSError) as error:
                reason = error.code if isinstance(error, ForgeError) else "records"
                log.warning("home.install-refused", node=node, role=role, reason=reason)
            self.wake()

    async def _show(self, standings: Standings) -> None:
        messages: dict[str, bytes] = {}
        for node, roles in standings.items():
            messages[home.models_config(node)] = entities.announcement(self._site, node, self._version, tuple(roles))
            messages |= {home.model_state(node, role): entities.state(each) for role, each in roles.items()}
        for topic, payload in messages.items():
            if self._shown.get(topic) != payload:
                await self._publish(topic, payload)
                self._shown[topic] = payload
        for topic in [topic for topic in self._shown if topic not in messages]:
            await self._publish(topic, b"")
            del self._shown[topic]
