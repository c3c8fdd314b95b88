"""Commands to rooms. A command expires: one that arrives late must not start anything."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import select

from forge_hub.access import audit
from forge_hub.errors import ConsentMissingError
from forge_hub.records.database import Database
from forge_hub.records.schema import Session as RecordedSession
from forge_hub.stays.consents import SESSION, Consents
from forge_shared import hub_word, topics
from forge_shared.clock import Clock
from forge_shared.ids import new_id
from forge_shared.wire import AlertAccepted, AlertReopened, Command, EndSession, StartSession

VALID_FOR = timedelta(seconds=30)
"""A room that was offline longer than this does not act on the command. Ours: the patience of someone at a screen."""

Publish = Callable[[str, bytes], Awaitable[None]]
"""Publishes a payload on a topic, QoS 1; raises `BrokerError` when the broker is away."""
Sign = Callable[[bytes], str]
"""Makes a detached JWS with the key of the hub's own certificate; raises `AuthorityError` where that cannot be read."""


class RoomCommands:
    """Sends commands to the nodes of one site. Its methods are called from the event loop."""

    def __init__(self, site: str, database: Database, clock: Clock, publish: Publish, sign: Sign) -> None:
        self._sign = sign
        self._site = site
        self._database = database
        self._clock = clock
        self._publish = publish
        self._consents = Consents(database, clock)

    async def start_session(self, node: str, subject: str, account_id: str) -> str:
        """Ask the room to start a recorded session, under the consent that is on file.

        Returns:
            The session's id. The session is on only once the room has said so.

        Raises:
            ConsentMissingError: The person does not consent to it, or does not any more.
            BrokerError: The broker is away; nothing has started.
        """
        consent = await asyncio.to_thread(self._consents.active, subject, SESSION)
        if consent is None:
            raise ConsentMissingError("there is no consent to a recorded session on file")
        now, session = self._clock.now(), new_id()
        await asyncio.to_thread(audit.note, self._database, now, account_id, "session.start", session, subject=subject)
        await self._send(node, StartSession(session=session, consent=consent.id, expires_at=now + VALID_FOR))
        return session

    async def end_session(self, node: str) -> None:
        """Ask the room to end the recorded session that is on. Does nothing when none is."""
        session = await asyncio.to_thread(self._session_on, node)
        if session is not None:
            await self._send(node, EndSession(session=session, expires_at=self._clock.now() + VALID_FOR))

    async def alert_accepted(self, node: str, event_id: str) -> None:
        """Let the room say that a person has taken the alert."""
        await self._send(node, AlertAccepted(event=event_id, expires_at=self._clock.now() + VALID_FOR))

    async def alert_reopened(self, node: str, event_id: str) -> None:
        """Let the room take back that someone is coming."""
        await self._send(node, AlertReopened(event=event_id, expires_at=self._clock.now() + VALID_FOR))

    def _session_on(self, node: str) -> str | None:
        query = select(RecordedSession.id).where(RecordedSession.node == node, RecordedSession.ended_at.is_(None))
        with self._database.read() as transaction:
            return transaction.scalars(query.order_by(RecordedSession.started_at.desc()).limit(1)).first()

    async def _send(self, node: str, command: Command) -> None:
        topic = topics.command(self._site, node, command.name)
        message = hub_word.payload(topic, command.model_dump(mode="json"), self._clock.now(), self._sign)
        await self._publish(topic, message)
