"""What each user of the broker may read and write. Both brokers are held to this one table.

A user's name is the common name of its certificate: a node's, or the hub's.
"""

from typing import Literal

from forge_shared import topics

HUB_USER = topics.HUB
DISCOVERY_PREFIX = "homeassistant"
"""Where Home Assistant looks for devices by default (its MQTT integration's documentation, "MQTT Discovery")."""

HOME_USER = "home-assistant"
"""A site's Home Assistant: it reads what the rooms publish for it, and nothing else. It is enrolled as a node of
this name is, so that it holds a certificate."""

Action = Literal["read", "write"]

_NODE_RULES: tuple[tuple[Action, str], ...] = (
    ("write", "{site}/{node}/event/#"),
    ("write", "{site}/{node}/status"),
    ("write", "{site}/{node}/twin/reported"),
    ("read", "{site}/{node}/ack"),
    ("read", "{site}/{node}/command/+"),
    ("read", "{site}/{node}/twin/desired"),
    ("read", f"{{site}}/{topics.HUB}/status"),
    ("read", f"{DISCOVERY_PREFIX}/+/{{node}}/#"),
    ("write", f"{DISCOVERY_PREFIX}/+/{{node}}/#"),
)


def may(site: str, user: str, action: Action, topic: str) -> bool:
    """Tell whether a user may read (subscribe to) or write (publish on) a topic or filter."""
    base = f"{topics.PREFIX}/{site}"
    if user == HUB_USER:
        return _covers(f"{base}/#", topic)
    if user == HOME_USER and action == "read" and _covers(f"{DISCOVERY_PREFIX}/#", topic):
        return True
    return any(action == allowed and _covers(rule.format(site=base, node=user), topic) for allowed, rule in _NODE_RULES)


def mosquitto_acl(site: str) -> str:
    """Return the same table as Mosquitto's ACL file; ``%u`` stands for the user's name."""
    base = f"{topics.PREFIX}/{site}"
    lines = [f"pattern {action} {rule.format(site=base, node='%u')}" for action, rule in _NODE_RULES]
    home = (f"user {HOME_USER}", f"topic read {DISCOVERY_PREFIX}/#")
    return "\n".join([*lines, "", *home, "", f"user {HUB_USER}", f"topic readwrite {base}/#", ""])


def _covers(allowed: str, requested: str) -> bool:
    """Tell whether every topic that ``requested`` matches is matched by ``allowed``."""
    wanted = requested.split("/")
    for place, part in enumerate(allowed.split("/")):
        if part == "#":
            return True
        if place >= len(wanted) or wanted[place] == "#" or (part not in ("+", wanted[place])):
            return False
    return len(wanted) == len(allowed.split("/"))
