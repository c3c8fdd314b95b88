"""The protocol before this one is still read, and what it cannot read is not sent to it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_shared import wire

GOLDEN = Path(__file__).parents[1] / "golden" / "wire"
OLD = json.loads((GOLDEN / "protocol-1.json").read_text(encoding="utf-8"))
BEFORE = json.loads((GOLDEN / f"protocol-{wire.OLDEST_PROTOCOL}.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(BEFORE))
def test_what_the_protocol_before_sent_is_read_to_the_last_field(name: str) -> None:
    assert getattr(wire, name).model_validate(BEFORE[name]).model_fields_set == set(BEFORE[name])


@pytest.mark.parametrize("name", sorted(OLD))
def test_what_the_first_protocol_sent_is_still_read(name: str) -> None:
    getattr(wire, name).model_validate(OLD[name])


def test_a_node_that_names_no_protocol_speaks_the_first() -> None:
    assert wire.Status.model_validate(OLD["Status"]).protocol == 1


def test_an_acknowledgement_without_a_window_is_what_the_first_protocol_reads() -> None:
    said = wire.Acknowledgement.model_validate(OLD["Acknowledgement"])
    assert json.loads(said.model_dump_json(exclude_none=True)) == OLD["Acknowledgement"]


def test_a_status_of_a_later_protocol_is_read_as_far_as_it_goes() -> None:
    status = wire.Status.model_validate({**OLD["Status"], "protocol": 99, "something": "new"})
    assert status.protocol == 99


ID = "0193f000-0000-7000-8000-000000000001"
LATER = {"expires_at": "2026-11-21T08:00:00Z"}
MESSAGES: dict[str, dict[str, Any]] = {
    **OLD,
    "TwinDesired": {"revision": 3, "subject": "p-1", "consents": ["voice"]},
    "StartSession": {"session": ID, "consent": ID, **LATER},
    "EndSession": {"session": ID, **LATER},
    "AlertAccepted": {"event": ID, **LATER},
    "AlertReopened": {"event": ID, **LATER},
}
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=4)


@pytest.mark.parametrize("name", sorted(MESSAGES))
@given(added=st.dictionaries(st.text(min_size=1).map("x-{}".format), JSON, max_size=4))
def test_whatever_a_later_version_adds_to_a_message_changes_nothing_for_its_reader(
    name: str, added: dict[str, Any]
) -> None:
    model = getattr(wire, name)
    said = MESSAGES[name]
    assert model.model_validate_json(json.dumps({**said, **added})) == model.model_validate(said)


def test_what_is_no_addition_is_still_refused() -> None:
    with pytest.raises(ValueError, match="state"):
        wire.Status.model_validate({**OLD["Status"], "state": "planted"})
    with pytest.raises(ValueError, match="revision"):
        wire.TwinDesired.model_validate({"subject": None})
