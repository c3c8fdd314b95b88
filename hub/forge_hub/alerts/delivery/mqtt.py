"""Publishing alerts to the site's own broker, for pagers and displays that listen there."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from forge_hub.alerts.delivery.ports import ATTEMPT_SECONDS, DeliveryFailedError, Notice
from forge_hub.errors import BrokerError
from forge_shared import topics


class MqttAlerts:
    """The channel ``mqtt``. The broker's word that it has the message is all that MQTT can say.

    Args:
        site: Name of the site.
        publish: Publishes with QoS 1 and raises `BrokerError` when the broker is away.
    """

    name = "mqtt"

    def __init__(self, site: str, publish: Callable[[str, bytes], Awaitable[None]]) -> None:
        self._site = site
        self._publish = publish

    async def deliver(self, notice: Notice, at: datetime) -> None:  # noqa: ARG002 (the port's signature)
        """Publish the notice as JSON."""
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                await self._publish(topics.alert(self._site, notice.alert), notice.model_dump_json().encode())
        except TimeoutError:
            raise DeliveryFailedError("no answer in time") from None
        except BrokerError:
            raise DeliveryFailedError("the broker is away") from None
