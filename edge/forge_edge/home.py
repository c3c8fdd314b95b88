"""The room in Home Assistant: what is wished of light, warmth, music and blinds, as triggers of a device. Pure.

Home Assistant is told that there is a device with one trigger for each wish; what then happens is its own automation.
It learns a code and nothing of the person, and the room is told nothing back.

Source: Home Assistant, integration "MQTT", pages "MQTT Discovery" and "MQTT Device trigger".
"""

import json
from collections.abc import Mapping

from forge_edge.dialogue.sentences import AMBIENCE

DISCOVERY_PREFIX = "homeassistant"
"""Where Home Assistant looks for devices by default; the broker lets a node write below its own name there."""


class Home:
    """One room as Home Assistant sees it.

    Args:
        site: Name of the site.
        node: Name of the node.
    """

    def __init__(self, site: str, node: str) -> None:
        self._device = f"forge-{site}-{node}"
        self._name = node.replace("-", " ").capitalize()
        self._base = f"{DISCOVERY_PREFIX}/device_automation/{node}"

    @property
    def topic(self) -> str:
        """The topic that wishes are published on, not retained: a wish of yesterday is none."""
        return f"{self._base}/wish"

    def command(self, code: str) -> bytes:
        """Return the payload of a wish: its code of `AMBIENCE`."""
        return code.encode("ascii")

    def triggers(self, version: str, *, wanted: bool) -> Mapping[str, bytes]:
        """Return the retained messages that make the device known, by topic; empty ones where it is not wanted."""
        return {f"{self._base}/{code}/config": self._trigger(code, version) if wanted else b"" for code in AMBIENCE}

    def _trigger(self, code: str, version: str) -> bytes:
        device = {
            "identifiers": [self._device],
            "name": self._name,
            "manufacturer": "Persona-Forge",
            "model": "Room node",
            "sw_version": version,
        }
        trigger = {"automation_type": "trigger", "type": "wish", "subtype": code, "topic": self.topic, "payload": code}
        return json.dumps({**trigger, "qos": 1, "device": device}).encode()
