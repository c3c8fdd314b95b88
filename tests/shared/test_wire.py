"""Envelope, topics and messages: what both sides must agree on."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_shared import topics
from forge_shared.errors import EventInvalidError, EventUnknownError, TopicInvalidError
from forge_shared.events import TYPES, Envelope, RequestMade, UtteranceSaid, read_data, read_envelope, source_of
from forge_shared.ids import new_id
from forge_shared.topics import EventAddress

NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True)


def envelope(**changes: Any) -> Envelope:
    values: dict[str, Any] = {
        "id": new_id(),
        "source": source_of("site", "room-1"),
        "type": RequestMade.type_name(),
        "time": datetime(2026, 1, 2, tzinfo=UTC),
        "subject": "p-1",
        "epoch": new_id(),
        "lane": "alarm",
        "sequence": 7,
        "data": {"request": "water", "mode": "voice"},
    }
    return Envelope.model_validate(values | changes)


def test_an_envelope_is_cloudevents_structured_json() -> None:
    raw = json.loads(envelope().to_json())
    assert raw["specversion"] == "1.0"
    assert {"id", "source", "type", "time", "subject", "datacontenttype", "data"} <= set(raw)
    extensions = set(raw) - {"specversion", "id", "source", "type", "time", "subject", "datacontenttype", "data"}
    assert all(name.isalnum() and name.islower() for name in extensions)


def test_what_is_written_is_read_back() -> None:
    sent = envelope()
    got, data = read_envelope(sent.to_json(), sent.address)
    assert got == sent
    assert data == RequestMade(request="water", mode="voice")


def test_the_previous_version_of_an_event_is_still_read() -> None:
    assert read_data("org.personaforge.request.made.v1", {"request": "nurse"}) == RequestMade(
        request="nurse", mode="unknown"
    )


@pytest.mark.parametrize("name", ["org.personaforge.request.made.v3", "org.personaforge.request.made.v0", "x"])
def test_a_version_that_is_not_known_is_named_as_such(name: str) -> None:
    with pytest.raises(EventUnknownError):
        read_data(name, {"request": "nurse"})


def test_an_event_under_another_events_topic_is_refused() -> None:
    sent = envelope()
    with pytest.raises(EventInvalidError):
        read_envelope(sent.to_json(), envelope(sequence=8).address)


@given(st.binary(max_size=200))
def test_no_payload_raises_anything_but_an_event_error(payload: bytes) -> None:
    with pytest.raises((EventInvalidError, EventUnknownError)):
        read_envelope(payload, envelope().address)


def test_an_error_never_repeats_what_it_refused() -> None:
    planted = "Joan Hollister 07700 900123"
    sent = envelope(data={"request": planted, "mode": "voice"})
    with pytest.raises(EventInvalidError) as caught:
        read_envelope(sent.to_json(), sent.address)
    assert planted not in str(caught.value)
    assert caught.value.__cause__ is None


@given(NAMES, NAMES, st.sampled_from(topics.LANES), st.integers(1, 10**17))
def test_an_event_topic_is_parsed_to_what_built_it(site: str, node: str, lane: topics.Lane, sequence: int) -> None:
    address = EventAddress(site=site, node=node, epoch=new_id(), lane=lane, sequence=sequence)
    assert topics.parse_event(address.topic()) == address


@given(st.text(max_size=80))
def test_no_other_topic_passes_for_an_event(topic: str) -> None:
    with pytest.raises(TopicInvalidError):
        topics.parse_event(topic)


@pytest.mark.parametrize("name", ["", "Room", "a/b", "a+", "#", "-a", "a" * 64])
def test_a_name_that_would_break_a_topic_is_refused(name: str) -> None:
    with pytest.raises(TopicInvalidError):
        topics.ack("site", name)


def test_every_event_type_says_its_lane_and_refuses_unknown_fields() -> None:
    for kind in TYPES.values():
        assert kind.lane in topics.LANES
        assert kind.model_config["extra"] == "forbid"


SAID = {"session": new_id(), "speaker": "unknown", "redactions": {"NAME": 2}, "confidence": 0.5}


@pytest.mark.parametrize("text", ["a\x00b", "\x07", "a\x1bb", "a\x7f", "a\x85b", ""])
def test_spoken_text_holds_no_control_characters(text: str) -> None:
    with pytest.raises(EventInvalidError):
        read_data(UtteranceSaid.type_name(), {**SAID, "text": text})


@pytest.mark.parametrize("text", ["a\tb\nc", "Straße 中文 🧓", " \u200d\ufeff"])
def test_spoken_text_holds_every_script(text: str) -> None:
    assert read_data(UtteranceSaid.type_name(), {**SAID, "text": text}).model_dump()["text"] == text


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "1969-12-31T23:59:59Z"])
def test_a_time_that_no_store_can_hold_is_refused(time: str) -> None:
    sent = envelope()
    payload = json.dumps({**json.loads(sent.to_json()), "time": time}).encode()
    with pytest.raises(EventInvalidError, match="time"):
        read_envelope(payload, sent.address)


@pytest.mark.parametrize(
    ("type_name", "data", "named"),
    [
        (RequestMade.type_name(), {"request": "planted words", "mode": "voice"}, r"\(request\)"),
        (RequestMade.type_name(), {"request": "water", "mode": "voice", "planted words": 1}, r"\(an unknown field\)"),
        (UtteranceSaid.type_name(), {**SAID, "text": "x", "redactions": {"planted words": 1}}, "redactions.an unknown"),
    ],
)
def test_a_refusal_names_our_own_fields_only(type_name: str, data: dict[str, Any], named: str) -> None:
    with pytest.raises(EventInvalidError, match=named) as refused:
        read_data(type_name, data)
    assert "planted" not in str(refused.value)
