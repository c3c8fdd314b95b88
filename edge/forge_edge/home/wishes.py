"""What is wished of light, warmth, music and blinds: triggers of the device, and one event entity for all. Pure.

What then happens is an automation of Home Assistant's. It learns a code and nothing of the person, and the room is told
nothing back. Triggers and entity read the same message, so that automations made with either go on working.

Source: Home Assistant, integration "MQTT", pages "MQTT Device trigger" and "MQTT Event".
"""

import json
from collections.abc import Mapping

from forge_edge.dialogue.sentences import AMBIENCE
from forge_shared import home

_NO_ENTITY = {"p": "event"}
"""How a device says that a component is not there any more."""


def _base(node: str) -> str:
    return f"{home.PREFIX}/device_automation/{node}"


def topic(node: str) -> str:
    """Return the topic that wishes are published on, not retained: a wish of yesterday is none."""
    return f"{_base(node)}/wish"


def message(code: str) -> bytes:
    """Return the payload of a wish: its code of `AMBIENCE`."""
    return code.encode("ascii")


def triggers(site: str, node: str, version: str, *, wanted: bool) -> Mapping[str, bytes]:
    """Return the retained messages that make the triggers known, by topic; empty ones where they are not wanted."""
    base = _base(node)
    if not wanted:
        return dict.fromkeys((f"{base}/{code}/config" for code in AMBIENCE), b"")
    known = home.device(site, node, version)
    return {
        f"{base}/{code}/config": json.dumps(
            {
                "automation_type": "trigger",
                "type": "wish",
                "subtype": code,
                "topic": topic(node),
                "payload": code,
                "qos": 1,
                "device": known,
            }
        ).encode()
        for code in AMBIENCE
    }


def entity(site: str, node: str, *, wanted: bool) -> home.Payload:
    """Return the event entity; where it is not wanted, what takes it away."""
    if not wanted:
        return _NO_ENTITY
    return home.entity(
        site,
        node,
        "event",
        "wish",
        "Wish",
        evt_typ=list(AMBIENCE),
        stat_t=topic(node),
        val_tpl='{"event_type": "{{ value }}"}',
        qos=1,
        ic="mdi:chat-processing-outline",
    )
