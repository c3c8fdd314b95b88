"""The room says once that the staff cannot be reached, and once that they can be again."""

from hypothesis import given
from hypothesis import strategies as st

from forge_edge.dialogue.reach import (
    BACK_SECONDS,
    GONE_SECONDS,
    HUB_BACK,
    HUB_GONE,
    START_SECONDS,
    Reach,
    changed,
    due,
    started,
)
from forge_edge.outbox import publisher
from forge_hub.ingest import consumer


def said(reach: Reach, until: float, *events: tuple[float, bool]) -> list[tuple[float, str]]:
    """What the room says in the seconds from 0 to ``until``, looking twice a second."""
    heard, waiting = [], list(events)
    for half in range(int(2 * until) + 1):
        now = half / 2
        while waiting and waiting[0][0] <= now:
            at, online = waiting.pop(0)
            reach = changed(reach, at, online=online)
        reach, sentence = due(reach, now)
        if sentence:
            heard.append((now, sentence))
    return heard


def test_a_hub_that_goes_is_said_once_and_once_more_when_it_is_back() -> None:
    heard = said(started(0), 100, (1, True), (20, False), (60, True))
    assert heard == [(20 + GONE_SECONDS, HUB_GONE), (60 + BACK_SECONDS, HUB_BACK)]


def test_a_hub_that_is_away_for_a_moment_is_not_said() -> None:
    assert said(started(0), 100, (1, True), (20, False), (21, True)) == []


def test_a_line_that_comes_and_goes_is_said_once() -> None:
    flapping = [(20 + 2 * step, step % 2 == 1) for step in range(20)]
    assert said(started(0), 100, (1, True), *flapping) == [(22 - 0.5, HUB_GONE), (58 + BACK_SECONDS, HUB_BACK)]


def test_a_node_that_never_finds_its_hub_says_so() -> None:
    assert said(started(0), 60) == [(START_SECONDS, HUB_GONE)]


def test_whatever_way_the_hub_is_lost_the_room_speaks_within_ten_seconds() -> None:
    line_broken = 2 * publisher.KEEPALIVE_SECONDS
    hub_silent = 1.5 * consumer.KEEPALIVE_SECONDS
    assert max(line_broken, hub_silent) + GONE_SECONDS + 0.5 <= 10


@given(st.lists(st.tuples(st.floats(0.1, 20), st.booleans()), max_size=30))
def test_gone_and_back_always_take_turns(changes: list[tuple[float, bool]]) -> None:
    at, events = 0.0, []
    for wait, online in changes:
        at += wait
        events.append((at, online))
    sentences = [sentence for _, sentence in said(started(0), at + 30, *events)]
    assert sentences == [HUB_GONE if place % 2 == 0 else HUB_BACK for place in range(len(sentences))]
