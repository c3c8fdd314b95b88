"""The desk of one hub: the rooms' releases as the records and the roll-outs have them."""

from collections.abc import Awaitable, Callable

from forge_hub.home.desk import HomeDesk
from forge_hub.home.releases import HomeReleases
from forge_hub.records.database import Database
from forge_hub.releases.service import RolloutService


def home_desk(
    site: str,
    version: str,
    database: Database,
    releases: RolloutService,
    publish: Callable[[str, bytes], Awaitable[None]],
) -> HomeDesk:
    """Return the desk.

    Args:
        site: Name of the site.
        version: The hub's version.
        database: The records.
        releases: The catalogue and the roll-outs.
        publish: Publishes a payload on a topic, QoS 1, retained.
    """
    of_rooms = HomeReleases(database, releases.catalogue, releases.rollouts)
    return HomeDesk(
        site, version, publish=publish, standings=of_rooms.standings, request_install=of_rooms.request_install
    )
