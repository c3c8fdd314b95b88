"""A fall in a room whose camera sees and whose ears hear: what the room says of it is so."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.bedroom import Bedroom

from forge_edge.dialogue.sentences import ALREADY_TOLD, ARE_YOU_ALL_RIGHT, GLAD


@pytest.fixture
def bedroom(tmp_path: Path) -> Iterator[Bedroom]:
    made = Bedroom(tmp_path)
    yield made
    made.outboxes.close()


async def test_who_says_in_time_that_they_are_fine_is_believed(bedroom: Bedroom) -> None:
    await bedroom.somebody_falls()
    assert bedroom.says == (ARE_YOU_ALL_RIGHT,)
    await bedroom.hear("i am fine")
    assert bedroom.says == (GLAD,)


async def test_who_says_so_after_it_is_confirmed_hears_that_the_staff_know_and_close_it(bedroom: Bedroom) -> None:
    await bedroom.somebody_falls()
    await bedroom.watch(bedroom.fell_s + 20)
    await bedroom.hear("i am fine")
    assert bedroom.says == (ALREADY_TOLD,)
