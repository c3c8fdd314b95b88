"""The protocol before this one is still read, and what it cannot read is not sent to it."""

import json
from pathlib import Path

import pytest

from forge_shared import wire

OLD = json.loads((Path(__file__).parents[1] / "golden" / "wire" / "protocol-1.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(OLD))
def test_what_the_protocol_before_sent_is_read(name: str) -> None:
    getattr(wire, name).model_validate(OLD[name])


def test_a_node_that_names_no_protocol_speaks_the_first() -> None:
    assert wire.Status.model_validate(OLD["Status"]).protocol == 1


def test_an_acknowledgement_without_a_window_is_what_the_protocol_before_reads() -> None:
    said = wire.Acknowledgement.model_validate(OLD["Acknowledgement"])
    assert json.loads(said.model_dump_json(exclude_none=True)) == OLD["Acknowledgement"]


def test_a_status_of_a_later_protocol_is_read_as_far_as_it_goes() -> None:
    status = wire.Status.model_validate({**OLD["Status"], "protocol": 99, "something": "new"})
    assert status.protocol == 99
