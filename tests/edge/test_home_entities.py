"""What Home Assistant is told of a room, and what of its answers the room takes."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_edge.dialogue.sentences import AMBIENCE
from forge_edge.errors import HomeCommandError
from forge_edge.home import commands, wishes
from forge_edge.home.device import HomeDevice
from forge_edge.home.privacy import LONGEST, Privacy, keep, load
from forge_edge.home.senses import MOVING_SECONDS, PRESENT_SECONDS, HomeSenses
from forge_edge.home.state import HomeState
from forge_edge.monitor.looks import Look
from forge_shared import home, topics

DEVICE = HomeDevice("site", "room-1", "9.9")
NOW = datetime(2026, 3, 1, 14, 3, tzinfo=UTC)
ENTITY_ID = re.compile(r"^(?!.+__)(?!_)[\da-z_]+(?<!_)\.(?!_)[\da-z_]+(?<!_)$")
"""Home Assistant's own rule (core.py, VALID_ENTITY_ID)."""
EXPECTED = {
    "safety": "binary_sensor",
    "occupancy": "binary_sensor",
    "motion": "binary_sensor",
    "connectivity": "binary_sensor",
    "problem": "binary_sensor",
    "privacy": "switch",
    "identify": "button",
    "acknowledge": "button",
    "profile": "select",
    "display": "text",
    "wish": "event",
}


def announced(device: HomeDevice = DEVICE, node: str = "room-1", *, wanted: bool = True) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(device.announced(wishes_wanted=wanted)[home.config(node)])
    return payload


def test_a_room_announces_one_device_with_every_entity_of_its_own() -> None:
    told = announced()
    assert {key: component["p"] for key, component in told["cmps"].items()} == EXPECTED
    assert told["dev"]["name"] == "Room 1"
    assert told["o"]["name"]
    assert len({component["uniq_id"] for component in told["cmps"].values()}) == len(EXPECTED)
    assert not {"obj_id", "object_id", "child_devices"} & {key for each in told["cmps"].values() for key in each}


def test_entities_are_there_while_both_room_and_hub_are() -> None:
    told = announced()
    assert told["avty_mode"] == "all"
    assert [each["t"] for each in told["avty"]] == [topics.status("site", "room-1"), topics.status("site", topics.HUB)]


@given(st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True))
def test_whatever_a_room_is_called_its_entities_have_valid_ids(node: str) -> None:
    for component in announced(HomeDevice("site", node, "1"), node)["cmps"].values():
        assert ENTITY_ID.match(component["def_ent_id"])
        assert component["def_ent_id"].startswith(f"{component['p']}.")


def test_every_state_that_an_entity_reads_is_in_the_message_of_states() -> None:
    fields = set(HomeState.model_fields)
    (topic,) = DEVICE.state(HomeState())
    for component in announced()["cmps"].values():
        if component.get("stat_t") != topic:
            continue
        templates = component["val_tpl"] + component.get("json_attr_tpl", "")
        assert set(re.findall(r"value_json\.(\w+)", templates)) <= fields


def test_nothing_that_home_assistant_is_shown_has_room_for_words() -> None:
    schema = json.dumps(HomeState.model_json_schema())
    kinds = set(re.findall(r'"type": "(\w+)"', schema))
    assert kinds == {"object", "string", "boolean", "array", "null"}
    texts = [each for each in re.findall(r"\{[^{}]*\}", schema) if '"type": "string"' in each]
    assert all('"enum"' in each for each in texts), "a string is one of a closed list"


def test_what_a_room_is_asked_for_is_never_kept_by_the_broker() -> None:
    asked = [component for component in announced()["cmps"].values() if "cmd_t" in component]
    assert {component["p"] for component in asked} == {"switch", "button", "select", "text"}
    assert all(component["ret"] is False for component in asked)


def test_where_wishes_are_not_home_assistants_their_entity_and_triggers_are_taken_away() -> None:
    assert announced(wanted=False)["cmps"]["wish"] == {"p": "event"}
    assert set(wishes.triggers("site", "room-1", "9.9", wanted=False).values()) == {b""}


def test_triggers_made_before_the_entity_are_the_same_as_ever() -> None:
    """An automation names device, type and subtype; its users need not do anything."""
    triggers = wishes.triggers("site", "room-1", "9.9", wanted=True)
    assert set(triggers) == {f"homeassistant/device_automation/room-1/{code}/config" for code in AMBIENCE}
    for payload in triggers.values():
        trigger = json.loads(payload)
        assert (trigger["type"], trigger["topic"]) == ("wish", "homeassistant/device_automation/room-1/wish")
        assert trigger["device"]["ids"] == ["forge-site-room-1"]
        assert wishes.message(trigger["subtype"]).decode() == trigger["payload"]


# What is asked.


def dated(value: str, at: datetime = NOW) -> bytes:
    return json.dumps({"value": value, "at": at.isoformat()}).encode()


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("privacy", "ON", commands.Privacy(closed=True)),
        ("privacy", "OFF", commands.Privacy(closed=False)),
        ("identify", "PRESS", commands.Identify()),
        ("acknowledge", "PRESS", commands.Acknowledge()),
        ("profile", "quiet", commands.Profile("quiet")),
        ("display", "Lunch is at noon ", commands.Display("Lunch is at noon")),
        ("display", "", commands.Display("")),
    ],
)
def test_what_is_asked_is_understood_dated_or_plain(name: str, value: str, meant: commands.HomeCommand) -> None:
    assert commands.read(name, dated(value), retained=False, now=NOW) == meant
    assert commands.read(name, value.encode(), retained=False, now=NOW) == meant


@pytest.mark.parametrize("late", [31, 3600, -31])
def test_what_was_asked_too_long_ago_or_is_dated_ahead_does_nothing(late: float) -> None:
    with pytest.raises(HomeCommandError) as refused:
        commands.read("privacy", dated("ON", NOW - timedelta(seconds=late)), retained=False, now=NOW)
    assert refused.value.reason == "expired"


def test_what_a_broker_had_kept_does_nothing_whatever_its_date() -> None:
    with pytest.raises(HomeCommandError) as refused:
        commands.read("privacy", dated("ON"), retained=True, now=NOW)
    assert refused.value.reason == "retained"


@given(
    st.sampled_from(["privacy", "profile", "display", "unlock", ""]),
    st.binary(max_size=40)
    | st.dictionaries(st.sampled_from(["value", "at"]), st.none() | st.integers() | st.text(max_size=20)).map(
        lambda parts: json.dumps(parts).encode()
    ),
)
def test_whatever_arrives_is_a_command_or_is_refused(name: str, payload: bytes) -> None:
    try:
        command = commands.read(name, payload, retained=False, now=NOW)
    except HomeCommandError:
        return
    assert isinstance(command, (commands.Privacy, commands.Profile, commands.Display))


def test_what_is_to_be_shown_is_never_printed_by_accident() -> None:
    assert "Ashdown" not in repr(commands.Display("Mrs Ashdown"))


# Who is there.


def look(at_s: float, *places: tuple[float, float]) -> Look:
    people = tuple(np.tile(np.array([x, y, 0.0, 0.9], np.float32), (33, 1)) for x, y in places)
    return Look(at_s, people)


def test_who_was_seen_is_there_and_then_it_is_not_known_until_they_are_seen_to_leave() -> None:
    senses = HomeSenses()
    assert senses.occupied(0.0) is None
    senses.looked(look(1.0, (0.5, 0.5)), 1.0, empty=False)
    assert senses.occupied(1.0 + PRESENT_SECONDS) is True
    assert senses.occupied(1.1 + PRESENT_SECONDS) is None, "they may lie under a blanket"
    senses.looked(look(90.0), 90.0, empty=True)
    assert senses.occupied(90.0) is False
    senses.looked(look(91.0, (0.1, 0.5)), 91.0, empty=True)
    assert senses.occupied(91.0) is True


def test_who_walks_moves_and_who_trembles_does_not() -> None:
    senses = HomeSenses()
    for tenth in range(50):
        senses.looked(look(tenth / 10, (0.5 + 0.003 * (tenth % 2), 0.5)), tenth / 10, empty=False)
    assert not senses.moving(5.0)
    for tenth in range(50, 80):
        senses.looked(look(tenth / 10, (0.5 + 0.01 * (tenth - 50), 0.5)), tenth / 10, empty=False)
    assert senses.moving(8.0)
    assert not senses.moving(8.1 + MOVING_SECONDS)


# Privacy.


@given(st.timedeltas(min_value=timedelta(days=-400), max_value=timedelta(days=400)))
def test_privacy_never_lasts_longer_than_its_limit_however_the_clock_is_set(jump: timedelta) -> None:
    assert 0 <= Privacy(ends=NOW + LONGEST, muted=True).left_seconds(NOW + jump) <= LONGEST.total_seconds()


def test_privacy_survives_a_restart_and_what_cannot_be_read_is_none(tmp_path: Any) -> None:
    assert load(tmp_path) is None
    held = Privacy(ends=NOW, muted=False)
    keep(tmp_path, held)
    assert load(tmp_path) == held
    keep(tmp_path, None)
    assert load(tmp_path) is None
    (tmp_path / "privacy.json").write_text("{")
    assert load(tmp_path) is None
