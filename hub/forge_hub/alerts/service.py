"""The alarms of one hub: engine, channels, courier and monitor, built from the settings and run together."""

from collections.abc import Awaitable, Callable, Mapping
from zoneinfo import ZoneInfo

import httpx

from forge_hub.alerts.board import AlertBoard
from forge_hub.alerts.delivery.courier import Courier
from forge_hub.alerts.delivery.mqtt import MqttAlerts
from forge_hub.alerts.delivery.ports import Channel
from forge_hub.alerts.delivery.services import Services
from forge_hub.alerts.delivery.webhook import Webhook
from forge_hub.alerts.engine import AlertEngine
from forge_hub.alerts.monitoring import Monitor
from forge_hub.records.database import Database
from forge_hub.settings import HubSettings
from forge_shared.clock import Clock
from forge_shared.tasks import until_first_failure


class Alarms:
    """Rings, delivers and watches. `run` does so until cancelled.

    Args:
        settings: The hub's settings.
        database: The records.
        clock: Wall clock and monotonic clock.
        board: The alert board.
        publish: Publishes on the site's broker, QoS 1; raises `BrokerError` when it is away.
    """

    def __init__(
        self,
        settings: HubSettings,
        database: Database,
        clock: Clock,
        board: AlertBoard,
        publish: Callable[[str, bytes], Awaitable[None]],
    ) -> None:
        zone = ZoneInfo(settings.time_zone)
        self._http = httpx.AsyncClient()
        channels = _channels(settings, self._http, publish)
        names = [channel.name for channel in channels]
        self._engine = AlertEngine(database, clock, board, zone=zone, channels=names)
        self._courier = Courier(settings.site, database, clock, board, zone=zone, channels=channels)
        self._monitor = Monitor(
            database, clock, board, canary_seconds=60 * settings.canary_minutes, reachable=self._reaches_people
        )

    @property
    def health(self) -> Mapping[str, str]:
        """State of each part by name: ``ok``, or a short reason."""
        delivery = {f"delivery.{name}": state for name, state in self._courier.states.items()}
        return {"alerts": self._engine.state, "monitoring": self._monitor.state, **delivery}

    async def run(self) -> None:
        """Ring, deliver and watch until cancelled."""
        try:
            await until_first_failure(self._engine.run(), self._courier.run(), self._monitor.run())
        finally:
            await self._http.aclose()

    def _reaches_people(self) -> bool:
        # Whoever listens on the broker is a machine; whether a person is behind it, nobody knows.
        return any(state == "ok" for name, state in self._courier.states.items() if name != MqttAlerts.name)


def _channels(
    settings: HubSettings, http: httpx.AsyncClient, publish: Callable[[str, bytes], Awaitable[None]]
) -> list[Channel]:
    channels: list[Channel] = []
    if settings.alerts_on_mqtt:
        channels.append(MqttAlerts(settings.site, publish))
    if settings.webhook_url is not None and settings.webhook_secret is not None:
        channels.append(Webhook(http, settings.webhook_url, settings.webhook_secret))
    if settings.apprise_urls:
        channels.append(Services(settings.apprise_urls))
    return channels
