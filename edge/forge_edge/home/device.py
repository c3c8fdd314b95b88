"""The room's device: its entities and the topics they read and write. Pure.

Source: Home Assistant, integration "MQTT", sections "Device discovery payload", "Binary sensor", "Switch", "Button",
"Select" and "Text"; device classes from "Binary sensor" and "Button".
"""

from collections.abc import Mapping
from typing import Final

from forge_edge.home import wishes
from forge_edge.home.state import PROFILES, HomeState
from forge_shared import home

PRIVACY, IDENTIFY, ACKNOWLEDGE, PROFILE, DISPLAY = "privacy", "identify", "acknowledge", "profile", "display"
"""What Home Assistant may ask a room for, by the last part of the topic."""
MOST_LETTERS: Final = 120
"""Of a text for the screen. Ours: what can be read in passing; Home Assistant itself ends at 255."""

_DATED: Final = '{"value": {{ value | to_json }}, "at": "{{ utcnow().isoformat() }}"}'
"""What is asked carries the time at which it was asked, so that what comes late does nothing."""


class HomeDevice:
    """One room as Home Assistant sees it.

    Args:
        site: Name of the site.
        node: Name of the node.
        version: The node's version.
    """

    def __init__(self, site: str, node: str, version: str) -> None:
        self._site, self._node, self._version = site, node, version

    @property
    def wish_topic(self) -> str:
        """Where wishes are published."""
        return wishes.topic(self._node)

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """What the room must hear: what it is asked for, and that Home Assistant has started."""
        return (home.commands_of(self._node), home.BIRTH)

    def announced(self, *, wishes_wanted: bool) -> Mapping[str, bytes]:
        """Return the retained messages that make the room known, by topic; empty ones take something away.

        Args:
            wishes_wanted: Whether light, warmth, music and blinds are Home Assistant's.
        """
        triggers = wishes.triggers(self._site, self._node, self._version, wanted=wishes_wanted)
        components = {
            **self._sensors(),
            **self._controls(),
            "wish": wishes.entity(self._site, self._node, wanted=wishes_wanted),
        }
        announcement = home.announcement(self._site, self._node, self._version, components)
        return {home.config(self._node): announcement, **triggers}

    def state(self, shown: HomeState) -> Mapping[str, bytes]:
        """Return the retained message that says how the room is, by its topic."""
        return {home.state(self._node): shown.model_dump_json().encode()}

    def _sensors(self) -> Mapping[str, home.Payload]:
        return {
            "safety": self._sensor("Safety", "safety", json_attr_t=self._state, json_attr_tpl=_attributes("safety")),
            "occupancy": self._sensor("Occupancy", "occupancy"),
            "motion": self._sensor("Motion", "motion"),
            "connectivity": self._sensor("Connectivity", "connectivity", ent_cat="diagnostic"),
            "problem": self._sensor(
                "Problem",
                "problem",
                ent_cat="diagnostic",
                json_attr_t=self._state,
                json_attr_tpl=_attributes("problem"),
            ),
        }

    def _controls(self) -> Mapping[str, home.Payload]:
        return {
            PRIVACY: self._control(
                "switch", PRIVACY, "Privacy", stat_t=self._state, val_tpl=_value(PRIVACY), ic="mdi:eye-off-outline"
            ),
            IDENTIFY: self._control("button", IDENTIFY, "Identify", dev_cla="identify", ent_cat="config"),
            ACKNOWLEDGE: self._control("button", ACKNOWLEDGE, "Acknowledge", ic="mdi:eye-check-outline"),
            PROFILE: self._control(
                "select",
                PROFILE,
                "Profile",
                stat_t=self._state,
                val_tpl=_value(PROFILE),
                ops=list(PROFILES),
                ic="mdi:theme-light-dark",
            ),
            # Without a state: what somebody wrote here is not kept by the broker, nor said back by the room.
            DISPLAY: self._control("text", DISPLAY, "Display", min=0, max=MOST_LETTERS, ic="mdi:message-text-outline"),
        }

    @property
    def _state(self) -> str:
        return home.state(self._node)

    def _sensor(self, name: str, device_class: str, **more: object) -> home.Payload:
        key = device_class
        return home.entity(
            self._site,
            self._node,
            "binary_sensor",
            key,
            name,
            dev_cla=device_class,
            stat_t=self._state,
            val_tpl=_value(key),
            qos=1,
            **more,
        )

    def _control(self, platform: str, key: str, name: str, **more: object) -> home.Payload:
        topic = home.command(self._node, key)
        # Not retained: the broker would ask the room for it again at each of its starts.
        return home.entity(
            self._site, self._node, platform, key, name, cmd_t=topic, cmd_tpl=_DATED, qos=1, ret=False, **more
        )


def _value(key: str) -> str:
    return f"{{{{ value_json.{key} }}}}"


def _attributes(key: str) -> str:
    return f"{{{{ value_json.{key}_attributes | to_json }}}}"
