"""Where Home Assistant looks for a room, what it is told there of the device, and when the device is there.

The room announces itself; the hub announces what concerns the room's model releases, since it is the hub that decides
about them. Both name the same device, so that Home Assistant shows one.

Source: Home Assistant, integration "MQTT", sections "Device discovery payload", "Birth and last will messages" and
"Using availability topics". Payloads keep to what 2024.12 to 2025.4 read: nothing of it was taken away since, and
whatever an earlier one does not know (`def_ent_id`) it leaves out.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from forge_shared import topics
from forge_shared.errors import TopicInvalidError

PREFIX = "homeassistant"
"""Where Home Assistant looks for devices by default."""
BIRTH = f"{PREFIX}/status"
"""Where Home Assistant says ``online`` when it has started, and ``offline`` as its last will, by default."""
BIRTH_JITTER_SECONDS = 5.0
"""A hundred rooms that answer the birth message spread their answers over this time. Ours: retained messages have shown
the rooms by then."""
DEVICES = f"{PREFIX}/device"
MODELS = "forge_models"
"""The hub's own branch below the devices. No node can bear this name: names have no underscore."""

Payload = Mapping[str, Any]

_UNNAMEABLE = re.compile(r"[^a-z0-9]+")
_INSTALL = re.compile(rf"{DEVICES}/{MODELS}/(?P<node>[^/]+)/install/(?P<role>[^/]+)")
_COMMAND = re.compile(rf"{DEVICES}/(?P<node>[^/]+)/command/(?P<name>[^/]+)")


def config(node: str) -> str:
    """Return the retained topic on which a room announces its device."""
    return f"{DEVICES}/{_name(node)}/config"


def state(node: str) -> str:
    """Return the retained topic on which a room says how it is, for all of its entities in one message."""
    return f"{DEVICES}/{_name(node)}/state"


def command(node: str, name: str) -> str:
    """Return the topic on which Home Assistant asks a room for something."""
    return f"{DEVICES}/{_name(node)}/command/{name}"


def commands_of(node: str) -> str:
    """Return the filter for everything that a room is asked for."""
    return f"{DEVICES}/{_name(node)}/command/+"


def models_config(node: str) -> str:
    """Return the retained topic on which the hub announces a room's model releases."""
    return f"{DEVICES}/{MODELS}/{_name(node)}/config"


def model_state(node: str, role: str) -> str:
    """Return the retained topic on which the hub says how far a role's release is in a room."""
    return f"{DEVICES}/{MODELS}/{_name(node)}/state/{role}"


def install(node: str, role: str) -> str:
    """Return the topic on which Home Assistant asks the hub for a role's newest release in a room."""
    return f"{DEVICES}/{MODELS}/{_name(node)}/install/{role}"


def all_installs() -> str:
    """Return the filter for every such wish."""
    return f"{DEVICES}/{MODELS}/+/install/+"


def parse_command(topic: str) -> str:
    """Return the name of what a room is asked for.

    Raises:
        TopicInvalidError: ``topic`` is none of `command`.
    """
    return _match(_COMMAND, topic)["name"]


def parse_install(topic: str) -> tuple[str, str]:
    """Return the room and the role for which a release is asked.

    Raises:
        TopicInvalidError: ``topic`` is none of `install`.
    """
    match = _match(_INSTALL, topic)
    return _name(match["node"]), match["role"]


def device(site: str, node: str, version: str) -> Payload:
    """Return the device that a room is. Its name is the node's, which the site's admin chose: no person's."""
    return {
        "ids": [f"forge-{site}-{node}"],
        "name": node.replace("-", " ").capitalize(),
        "mf": "Persona-Forge",
        "mdl": "Room node",
        "sw": version,
    }


def announcement(site: str, node: str, version: str, components: Mapping[str, Payload]) -> bytes:
    """Return a device discovery payload whose entities are there while node and hub both are.

    Args:
        site: Name of the site.
        node: Name of the node.
        version: What announces it, as the device's software version.
        components: The entities by a key of their own; one with nothing but its platform is taken away.
    """
    return _bytes(
        {
            "dev": device(site, node, version),
            "o": {"name": "Persona-Forge", "sw": version},
            "avty": [
                {"t": topics.status(site, each), "val_tpl": "{{ value_json.state }}"} for each in (node, topics.HUB)
            ],
            "avty_mode": "all",
            "cmps": components,
        }
    )


def entity(site: str, node: str, platform: str, key: str, name: str, **more: object) -> Payload:
    """Return one entity of a device, with an id that no renaming changes.

    Args:
        site: Name of the site.
        node: Name of the node.
        platform: Home Assistant's kind of entity, such as ``binary_sensor``.
        key: What it is among the device's entities.
        name: As people read it, beside the device's.
        more: What else Home Assistant is told, by its abbreviations.
    """
    object_id = _UNNAMEABLE.sub("_", f"{node} {name}".lower()).strip("_")
    return {
        "p": platform,
        "name": name,
        "uniq_id": f"forge-{site}-{node}-{key}",
        # What versions before 2025.10 make of the two names by themselves.
        "def_ent_id": f"{platform}.{object_id}",
        **more,
    }


def message(value: Payload) -> bytes:
    """Return a state as Home Assistant reads it."""
    return _bytes(value)


def _bytes(value: Payload) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _name(node: str) -> str:
    if not topics.is_name(node):
        raise TopicInvalidError("a node's name is lower-case letters, digits and hyphens, at most 63")
    return node


def _match(pattern: re.Pattern[str], topic: str) -> re.Match[str]:
    match = pattern.fullmatch(topic)
    if match is None:
        raise TopicInvalidError("not a topic for Home Assistant")
    return match
