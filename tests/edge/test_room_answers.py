"""What the room answers by itself, and whom it asks where it cannot."""

from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from pydantic import ValidationError
from tests.edge.test_conversation import Room

from forge_edge.dialogue import room_answers
from forge_edge.dialogue.conversation import NO_HUB, Dialogue
from forge_edge.dialogue.sentences import AMBIENCE, NO_AMBIENCE, SENDING
from forge_edge.observations import RequestObserved
from forge_edge.speech.grammar import CALLS, REQUESTS, requests
from forge_edge.speech.wishes import MORE_REQUESTS, WISHES
from forge_shared.events import RequestCode
from forge_shared.forms.questionnaire import installed
from forge_shared.plan import RoomPlan, Secret

BERLIN = RoomPlan(time_zone="Europe/Berlin", menu={"sunday": "Soup, and bread with cheese."})


def room_with(plan: RoomPlan, *, hub: bool = True) -> Room:
    room = Room(hub=hub)
    room.dialogue = Dialogue(installed(), "phq-9", plan)
    return room.wake()


def asked(room: Room) -> list[str]:
    return [seen.request for seen in room.observed if isinstance(seen, RequestObserved)]


@pytest.mark.parametrize("code", sorted(MORE_REQUESTS))
def test_every_further_request_reaches_the_staff_and_is_said_as_far_as_it_is_true(code: str) -> None:
    room = Room().wake().hear(MORE_REQUESTS[code][0])
    assert (asked(room), room.said) == ([code], SENDING[code])
    room = Room(hub=False).wake().hear(MORE_REQUESTS[code][-1])
    assert (asked(room), room.said) == ([code], NO_HUB)


def test_every_request_that_can_be_sent_can_be_said_and_has_its_sentence() -> None:
    assert set(get_args(RequestCode)) == set(SENDING) == set(REQUESTS) - {"form"}
    assert set(CALLS) <= set(SENDING)


def test_every_phrase_of_the_room_means_one_thing() -> None:
    phrases = [way for table in (REQUESTS, WISHES) for ways in table.values() for way in ways]
    assert sorted(set(phrases)) == sorted(phrases)
    assert set(phrases) <= set(requests().meanings)


@pytest.mark.parametrize(
    ("utc", "said"),
    [
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), "It is 1:59 in the morning."),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "It is 3:00 in the morning."),
        (datetime(2026, 7, 1, 10, 5, tzinfo=UTC), "It is 12:05 in the afternoon."),
        (datetime(2026, 12, 1, 22, 30, tzinfo=UTC), "It is 11:30 in the evening."),
    ],
)
def test_the_time_is_that_of_the_room_in_summer_and_winter(utc: datetime, said: str) -> None:
    assert room_answers.answer("time", BERLIN, now=utc, hub=False).say == said


def test_the_day_is_that_of_the_room_and_not_of_greenwich() -> None:
    late = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)
    assert room_answers.answer("day", BERLIN, now=late, hub=False).say == "Today is Sunday, 1 March 2026."


def test_time_and_menu_are_answered_without_a_hub_and_call_nobody() -> None:
    room = room_with(BERLIN, hub=False).hear("what time is it")
    assert room.said == "It is 10:00 in the morning."
    room.wake().hear("what is for lunch")
    assert room.said == "Today there is: Soup, and bread with cheese."
    assert asked(room) == []


def test_where_nobody_has_written_the_menu_down_the_staff_are_asked() -> None:
    room = room_with(RoomPlan()).hear("what is for lunch")
    assert (asked(room), room.said) == (["menu"], SENDING["menu"])


@pytest.mark.parametrize("code", sorted(AMBIENCE))
def test_light_and_warmth_are_asked_of_home_assistant_where_it_is_there_and_of_the_staff_where_not(code: str) -> None:
    words = WISHES[f"ambience/{code}"][0]
    obeying = room_with(RoomPlan(ambience=True)).hear(words)
    assert (obeying.last.ambience, obeying.said, asked(obeying)) == (code, AMBIENCE[code], [])
    cut_off = room_with(RoomPlan(ambience=True), hub=False).hear(words)
    assert (cut_off.last.ambience, cut_off.said, asked(cut_off)) == (None, NO_AMBIENCE, [])
    plain = room_with(RoomPlan()).hear(words)
    assert plain.last.ambience is None
    assert len(asked(plain)) == 1


def test_a_plan_with_an_unknown_time_zone_or_two_reminders_of_one_name_is_refused(tmp_path: Path) -> None:
    for wrong in ("Mars/Olympus", "../../etc/passwd", str(tmp_path)):
        with pytest.raises(ValidationError):
            RoomPlan(time_zone=wrong)
    reminder = {"id": "pills", "kind": "medication", "times": ["08:00"]}
    with pytest.raises(ValidationError):
        RoomPlan.model_validate({"reminders": [reminder, reminder]})
    assert RoomPlan.model_validate({"reminders": [reminder], "of a later version": 1}).reminders[0].days


def test_a_word_is_known_by_its_hash_and_no_two_hashes_are_the_same() -> None:
    first, second = Secret.of("Harbour"), Secret.of("harbour")
    assert first != second
    assert first.matches(" harbour ")
    assert not first.matches("harbor")
    assert "harbour" not in first.model_dump_json().lower()
