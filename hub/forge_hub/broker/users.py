"""What each user of the broker may read and write. Both brokers are held to this one table.

A user's name is the common name of its certificate: a node's, or the hub's.
"""

from collections.abc import Mapping
from typing import Literal

from forge_shared import home, topics

HUB_USER = topics.HUB

HOME_USER = "home-assistant"
"""A site's Home Assistant: it reads what rooms and hub publish for it and whether they are there, and writes what it
asks them for. It is enrolled as a node of this name is, so that it holds a certificate."""

Action = Literal["read", "write"]

_NODE_RULES: tuple[tuple[Action, str], ...] = (
    ("write", "{site}/{node}/event/#"),
    ("write", "{site}/{node}/status"),
    ("write", "{site}/{node}/twin/reported"),
    ("read", "{site}/{node}/ack"),
    ("read", "{site}/{node}/command/+"),
    ("read", "{site}/{node}/twin/desired"),
    ("read", f"{{site}}/{topics.HUB}/status"),
    ("write", f"{home.DEVICES}/{{node}}/config"),
    ("write", f"{home.DEVICES}/{{node}}/state"),
    ("read", f"{home.DEVICES}/{{node}}/command/+"),
    ("write", f"{home.PREFIX}/device_automation/{{node}}/#"),
    ("read", home.BIRTH),
)
_HUB_RULES: tuple[tuple[Action, str], ...] = (
    ("read", "{site}/#"),
    ("write", "{site}/#"),
    ("write", f"{home.DEVICES}/{home.MODELS}/+/config"),
    ("write", f"{home.DEVICES}/{home.MODELS}/+/state/+"),
    ("read", f"{home.DEVICES}/{home.MODELS}/+/install/+"),
    ("read", home.BIRTH),
)
_HOME_RULES: tuple[tuple[Action, str], ...] = (
    ("read", f"{home.PREFIX}/#"),
    ("read", "{site}/+/status"),
    ("write", f"{home.DEVICES}/+/command/+"),
    ("write", f"{home.DEVICES}/{home.MODELS}/+/install/+"),
    ("write", home.BIRTH),
)
"""What Home Assistant may read of the site itself is who is there: a birth, a last will, a version."""
_RULES_OF: Mapping[str, tuple[tuple[Action, str], ...]] = {HOME_USER: _HOME_RULES, HUB_USER: _HUB_RULES}
"""What these users may beside what every user may below its own name."""


def may(site: str, user: str, action: Action, topic: str) -> bool:
    """Tell whether a user may read (subscribe to) or write (publish on) a topic or filter."""
    base = f"{topics.PREFIX}/{site}"
    rules = (*_NODE_RULES, *_RULES_OF.get(user, ()))
    return any(action == allowed and _covers(rule.format(site=base, node=user), topic) for allowed, rule in rules)


def mosquitto_acl(site: str) -> str:
    """Return the same table as Mosquitto's ACL file; ``%u`` stands for the user's name."""
    base = f"{topics.PREFIX}/{site}"
    nodes = [f"pattern {action} {rule.format(site=base, node='%u')}" for action, rule in _NODE_RULES]
    named = [
        line
        for user, rules in _RULES_OF.items()
        for line in ("", f"user {user}", *(f"topic {action} {rule.format(site=base)}" for action, rule in rules))
    ]
    return "\n".join([*nodes, *named, ""])


def _covers(allowed: str, requested: str) -> bool:
    """Tell whether every topic that ``requested`` matches is matched by ``allowed``."""
    wanted = requested.split("/")
    for place, part in enumerate(allowed.split("/")):
        if part == "#":
            return True
        if place >= len(wanted) or wanted[place] == "#" or (part not in ("+", wanted[place])):
            return False
    return len(wanted) == len(allowed.split("/"))
