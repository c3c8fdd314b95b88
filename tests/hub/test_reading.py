from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fakes.pages import PERSON, ROOM, HubPages, open_pages

from forge_hub.errors import NotFoundError
from forge_hub.records import reading


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[HubPages]:
    with open_pages(tmp_path) as opened:
        yield opened


def test_a_person_is_read_with_forms_and_answers_in_order(pages: HubPages) -> None:
    pages.person_is_admitted()
    record = reading.person_with_forms(pages.database, PERSON)
    assert [len(form.answers) for form in record.forms] == [9]
    assert [answer.ordinal for answer in record.forms[0].answers] == list(range(9))


def test_a_room_is_read_with_the_person_who_is_in_it(pages: HubPages) -> None:
    assert not reading.any_room(pages.database)
    pages.room_connects()
    assert reading.room(pages.database, ROOM).pseudonym is None
    pages.person_is_admitted()
    assert reading.room(pages.database, ROOM).pseudonym == PERSON
    assert [state.pseudonym for state in reading.rooms(pages.database)] == [PERSON]


def test_what_is_not_on_file_is_said_so(pages: HubPages) -> None:
    for read in (reading.person_with_forms, reading.room, reading.utterance):
        with pytest.raises(NotFoundError):
            read(pages.database, "nothing")
