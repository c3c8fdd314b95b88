"""The broker of last resort: amqtt in a process of its own, held to the same certificates and topics as Mosquitto.

It speaks MQTT 3.1.1 only and keeps nothing across a kill; the outbox and its acknowledgement make that safe. It is a
program of its own (``python -m forge_hub.broker.amqtt_server``), so that a restart waits for no other part of the hub.
"""

import argparse
import asyncio
import logging
import signal
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amqtt.adapters import ReaderAdapter, WriterAdapter
from amqtt.broker import Broker, BrokerContext
from amqtt.contexts import Action, BaseContext
from amqtt.errors import AMQTTError, MQTTError, NoDataError
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session
from cryptography import x509
from cryptography.x509.oid import NameOID

from forge_hub.broker.users import may
from forge_hub.fleet.authority import Authority
from forge_shared import logs
from forge_shared.clock import SystemClock


class CertificateBroker(Broker):  # type: ignore[misc]  # amqtt publishes no types
    """amqtt, where a client is who its certificate says: that name is its user name and its client id.

    By itself amqtt takes the client id from the packet, and would continue another's session, certificate and all, for
    whoever names its id.
    """

    def __init__(self, config: dict[str, Any], authority: Authority) -> None:
        self._authority = authority
        self._revoked = authority.revoked()
        super().__init__(config)

    def _create_ssl_context(self, _: Any) -> ssl.SSLContext:  # noqa: ANN401 (amqtt's configuration)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(self._authority.certificate_file))
        context.load_cert_chain(self._authority.server_certificate_file, self._authority.server_key_file)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    async def _initialize_client_session(
        self, reader: ReaderAdapter, writer: WriterAdapter, _: str, __: int
    ) -> tuple[BrokerProtocolHandler, Session]:
        try:
            handler, session = await BrokerProtocolHandler.init_from_connect(reader, writer, self.plugins_manager)
            certificate = _certificate(writer.get_ssl_info())
        except (AMQTTError, MQTTError, NoDataError):
            await writer.close()
            raise
        if certificate.serial_number in self._revoked:
            await writer.close()
            raise AMQTTError("the certificate is revoked")
        name = str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
        session.client_id = session.username = name
        # The outbox is the session; nothing of an older one is continued.
        session.clean_session, session.parent = True, 0
        await self._end(name)
        return handler, session

    async def read_revocations(self) -> None:
        """Read the revocation list again and end the connections of those who are on it."""
        self._revoked = self._authority.revoked()
        for name, (session, _) in list(self.sessions.items()):
            if session.ssl_object is not None and _certificate(session.ssl_object).serial_number in self._revoked:
                await self._end(name)

    async def _end(self, name: str) -> None:
        """End the connection in a name, if there is one; its last will is published."""
        session, handler = self.sessions.get(name, (None, None))
        if session is not None and session.transitions.is_connected():
            await handler.handle_connection_closed()
            await handler.stop()
        await self._delete_session(name)


class CertificateAuthentication(BaseAuthPlugin):  # type: ignore[misc]  # the same
    """Lets in who has a certificate, and checks the last will, which amqtt publishes later without asking."""

    def __init__(self, context: BrokerContext) -> None:
        super().__init__(context)
        self._site: str = self.config.site

    async def authenticate(self, *, session: Session) -> bool | None:
        """Check the name that the certificate gave, and the last will's topic."""
        if not session.username:
            return False
        return not session.will_flag or may(self._site, session.username, "write", session.will_topic or "")

    @dataclass
    class Config:
        """Configuration of this plugin."""

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


async def serve(host: str, port: int, site: str, authority: Authority) -> None:
    """Serve until the process is told to end; a SIGHUP lets it read the revocation list again."""
    # Its log quotes topics and packets.
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    broker = CertificateBroker(
        {
            "listeners": {
                "default": {
                    "type": "tcp",
                    "bind": f"{host}:{port}",
                    "ssl": True,
                    "certfile": str(authority.server_certificate_file),
                    "keyfile": str(authority.server_key_file),
                }
            },
            "plugins": {
                f"{__name__}.CertificateAuthentication": {"site": site},
                f"{__name__}.TopicPermissions": {"site": site},
            },
        },
        authority,
    )
    ended, changed = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    loop.add_signal_handler(signal.SIGHUP, changed.set)
    await broker.start()
    following = asyncio.create_task(_follow(broker, changed))
    try:
        await ended.wait()
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await broker.shutdown()


def main() -> None:
    """Run the broker as the command line says."""
    parser = argparse.ArgumentParser(description="The fall-back broker; `forge-hub serve` starts it by itself.")
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--site", required=True)
    parser.add_argument("--authority", type=Path, required=True, help="folder of the site's keys")
    options = parser.parse_args()
    logs.configure("forge-hub amqtt")
    asyncio.run(serve(options.host, options.port, options.site, Authority(options.authority, SystemClock())))


async def _follow(broker: CertificateBroker, changed: asyncio.Event) -> None:
    while True:
        await changed.wait()
        changed.clear()
        await broker.read_revocations()


def _certificate(connection: ssl.SSLObject) -> x509.Certificate:
    # The handshake has checked it: the listener requires one.
    return x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")


if __name__ == "__main__":
    main()
