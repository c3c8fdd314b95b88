"""Misspelt settings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_shared.environment import unknown_variables

KNOWN = ("state_dir", "port", "broker_port", "records_url")


@pytest.mark.parametrize(
    ("variable", "nearest"),
    [
        ("FORGE_HUB_STATEDIR", "FORGE_HUB_STATE_DIR"),
        ("FORGE_HUB_PROT", "FORGE_HUB_PORT"),
        ("forge_hub_brokerport", "FORGE_HUB_BROKER_PORT"),
        ("FORGE_HUB_XYZZY", None),
        ("FORGE_HUB_", None),
    ],
)
def test_a_misspelt_setting_is_named_with_the_nearest_one(variable: str, nearest: str | None) -> None:
    assert unknown_variables("FORGE_HUB_", KNOWN, [variable, "PATH"]) == [(variable, nearest)]


def test_settings_in_either_case_and_other_programs_variables_are_left_alone() -> None:
    environ = ["FORGE_HUB_PORT", "forge_hub_port", "FORGE_EDGE_PROT", "FORGE_HUBPORT", "HOME"]
    assert unknown_variables("FORGE_HUB_", KNOWN, environ) == []


def test_several_are_named_in_order() -> None:
    environ = {"FORGE_HUB_PROT": "x", "FORGE_HUB_BROKR_PORT": "x", "FORGE_HUB_PORT": "x"}
    assert [name for name, _ in unknown_variables("FORGE_HUB_", KNOWN, environ)] == [
        "FORGE_HUB_BROKR_PORT",
        "FORGE_HUB_PROT",
    ]


@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ_", max_size=30))
def test_every_name_is_either_a_setting_or_reported(name: str) -> None:
    reported = unknown_variables("FORGE_HUB_", KNOWN, [f"FORGE_HUB_{name}"])
    assert bool(reported) == (name.lower() not in KNOWN)
