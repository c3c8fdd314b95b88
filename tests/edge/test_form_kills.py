"""A form outlives its process, at whatever point that is killed."""

from pathlib import Path

import pytest
from tests.fakes.killed_forms import KilledForms

from forge_edge.dialogue.conversation import Conversation


def forgetful(conversation: Conversation) -> Conversation:
    state = conversation.interview
    if state is None:
        return conversation
    return conversation.model_copy(update={"interview": state.model_copy(update={"entries": state.entries[:-1]})})


@pytest.mark.slow
def test_no_stored_answer_is_lost_or_changed_by_sixty_kills(tmp_path: Path) -> None:
    tally = KilledForms(tmp_path, seed=5).run(60)
    assert (tally.lost, tally.changed) == ([], [])
    assert tally.killed_in_form >= 40
    assert tally.stored >= 60
    assert tally.forms >= 2


def test_the_witness_sees_a_room_that_forgets_an_answer(tmp_path: Path) -> None:
    assert KilledForms(tmp_path, seed=5, fault=forgetful).run(6).lost
