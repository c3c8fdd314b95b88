"""MQTT topics, built and parsed here only.

``forge/v1/<site>/<node>/event/<epoch>/<lane>/<sequence>`` carries an event's whole identity, so that a message whose
payload cannot be read is still accounted for.
"""

import re
from typing import Literal

from forge_shared.errors import TopicInvalidError
from forge_shared.model import Frozen

PREFIX = "forge/v1"
HUB = "hub"
"""The name under which the hub itself has a status and logs what its people decide; no node may bear it."""
TRANSCRIPTS = "transcripts"
"""The name under which the hub logs what imported transcripts say; no node may bear it."""
RESERVED = frozenset({HUB, TRANSCRIPTS})
"""Names that stand for the hub itself: never a room, and never what a message from the broker may claim to be."""

Lane = Literal["alarm", "record"]
LANES: tuple[Lane, ...] = ("alarm", "record")

CommandName = Literal["start-session", "end-session", "alert-accepted", "alert-reopened"]

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_EVENT = re.compile(
    rf"{PREFIX}/(?P<site>{_NAME.pattern})/(?P<node>{_NAME.pattern})"
    r"/event/(?P<epoch>[0-9a-f-]{36})/(?P<lane>alarm|record)/(?P<sequence>[1-9][0-9]{0,17})"
)
_NODE = re.compile(rf"{PREFIX}/(?P<site>{_NAME.pattern})/(?P<node>{_NAME.pattern})/(?P<rest>.+)")


class EventAddress(Frozen):
    """The identity of one event on the wire. ``sequence`` counts from 1 without gaps in its (epoch, lane)."""

    site: str
    node: str
    epoch: str
    lane: Lane
    sequence: int

    def topic(self) -> str:
        """Return the topic that this event is published on."""
        return f"{_base(self.site, self.node)}/event/{self.epoch}/{self.lane}/{self.sequence}"


def is_name(text: str) -> bool:
    """Tell whether ``text`` can name a site or a node: lower-case letters, digits and hyphens, at most 63."""
    return _NAME.fullmatch(text) is not None


def parse_event(topic: str) -> EventAddress:
    """Return the identity that an event topic carries.

    Raises:
        TopicInvalidError: ``topic`` is no event topic.
    """
    match = _EVENT.fullmatch(topic)
    if match is None:
        raise TopicInvalidError("not an event topic")
    return EventAddress.model_validate(match.groupdict())


def event_lane(topic: str) -> Lane | None:
    """Return the lane that an event topic seems to name, ``record`` when in doubt, or None when it is no event topic.

    A glance for sorting messages, cheaper than `parse_event` and not as strict.
    """
    if "/event/" not in topic:
        return None
    return "alarm" if "/alarm/" in topic else "record"


def parse_node(topic: str) -> tuple[str, str, str]:
    """Return site, node and the remaining path of any topic below a node.

    Raises:
        TopicInvalidError: ``topic`` is not below a node.
    """
    match = _NODE.fullmatch(topic)
    if match is None:
        raise TopicInvalidError("not a topic of a node")
    return match["site"], match["node"], match["rest"]


def status(site: str, node: str) -> str:
    """Return the retained topic of a node's birth and last will; the hub's own is that of node `HUB`."""
    return f"{_base(site, node)}/status"


def twin_desired(site: str, node: str) -> str:
    """Return the retained topic on which the hub says how the node should be."""
    return f"{_base(site, node)}/twin/desired"


def twin_reported(site: str, node: str) -> str:
    """Return the retained topic on which the node says how it is."""
    return f"{_base(site, node)}/twin/reported"


def ack(site: str, node: str) -> str:
    """Return the topic on which the hub says which events it has committed."""
    return f"{_base(site, node)}/ack"


def command(site: str, node: str, name: CommandName) -> str:
    """Return the topic of one command to a node."""
    return f"{_base(site, node)}/command/{name}"


def commands_of(site: str, node: str) -> str:
    """Return the filter for every command to a node."""
    return f"{_base(site, node)}/command/+"


def alert(site: str, alert_id: str) -> str:
    """Return the topic on which the hub publishes one alert, each time that it rings."""
    return f"{_base(site, HUB)}/alert/{alert_id}"


def all_events(site: str) -> str:
    """Return the filter for every node's events."""
    return f"{_site(site)}/+/event/#"


def all_statuses(site: str) -> str:
    """Return the filter for every birth and last will."""
    return f"{_site(site)}/+/status"


def all_twins(site: str) -> str:
    """Return the filter for every node's reported state."""
    return f"{_site(site)}/+/twin/reported"


def _site(site: str) -> str:
    if not is_name(site):
        raise TopicInvalidError("a site's name is lower-case letters, digits and hyphens, at most 63")
    return f"{PREFIX}/{site}"


def _base(site: str, node: str) -> str:
    if not is_name(node):
        raise TopicInvalidError("a node's name is lower-case letters, digits and hyphens, at most 63")
    return f"{_site(site)}/{node}"
