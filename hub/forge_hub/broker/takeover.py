"""Ends a node's connection to Mosquitto: the hub connects in the node's name, which pushes the old connection off.

MQTT allows one connection per client id (MQTT 5.0, section 3.1.4), and our brokers take the certificate's name as that
id. The last will of whoever is pushed off is published.
"""

import asyncio

import aiomqtt

from forge_hub.fleet.authority import Authority
from forge_shared.logs import get_logger

HOLD_SECONDS = 0.3
"""How long the name is kept: a device that came back before the list was read again would push us off and be seen."""
ATTEMPTS = 4
TIMEOUT_SECONDS = 1.0
"""With `HOLD_SECONDS` and four attempts it is done within the 5 s in which a revocation takes effect."""

log = get_logger()


async def take_over(host: str, port: int, authority: Authority, node: str) -> None:
    """End the node's connection and whatever it opens while the broker reads the list again.

    Never raises for a broker that is away: one that is started again has the list from its first connection on.
    """
    context = await asyncio.to_thread(authority.context_as, node)
    for _ in range(ATTEMPTS):
        try:
            async with aiomqtt.Client(
                host,
                port,
                identifier=node,
                tls_context=context,
                protocol=aiomqtt.ProtocolVersion.V311,
                timeout=TIMEOUT_SECONDS,
            ) as client:
                await asyncio.sleep(HOLD_SECONDS)
                # Refused or not, it is answered only while the name is still ours.
                await client.unsubscribe("none", timeout=TIMEOUT_SECONDS)
                log.info("node.cut", node=node)
                return
        except aiomqtt.MqttError:
            await asyncio.sleep(HOLD_SECONDS)
    log.error("node.not-cut", node=node)
