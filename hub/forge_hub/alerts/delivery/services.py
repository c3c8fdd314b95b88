"""Reaching a locked phone through the services that Apprise speaks to, a site's own ntfy among them."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime

import apprise
from pydantic import SecretStr

from forge_hub.alerts.delivery.ports import ATTEMPT_SECONDS, DeliveryFailedError, Notice
from forge_hub.errors import HubConfigError

_KIND = {"high": apprise.NotifyType.FAILURE, "medium": apprise.NotifyType.WARNING, "low": apprise.NotifyType.INFO}


class Services:
    """The channel ``services``. What it says passes through servers of others: ward, room and kind only.

    Args:
        addresses: Apprise URLs; they hold tokens and are never logged.

    Raises:
        HubConfigError: One of them is no URL that Apprise knows; the message says which place in the list.
    """

    name = "services"

    def __init__(self, addresses: Sequence[SecretStr]) -> None:
        # Apprise writes addresses to its log, and with them their tokens.
        logging.getLogger("apprise").setLevel(logging.CRITICAL)
        self._services = apprise.Apprise()
        for place, address in enumerate(addresses, start=1):
            if not self._services.add(address.get_secret_value()):
                raise HubConfigError(f"address {place} of FORGE_HUB_APPRISE_URLS is none that Apprise knows")

    async def deliver(self, notice: Notice, at: datetime) -> None:  # noqa: ARG002 (the port's signature)
        """Send the notice to every address. One that fails fails the attempt: the others get it again."""
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                taken = await self._services.async_notify(
                    body=notice.sentence(),
                    title=f"{notice.site}: {notice.priority} priority",
                    notify_type=_KIND[notice.priority],
                )
        except TimeoutError:
            raise DeliveryFailedError("no answer in time") from None
        if not taken:
            raise DeliveryFailedError("a service refused it or was not reached")
