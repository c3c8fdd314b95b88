"""Ears and eyes that are killed, stopped or hang come back by themselves, and each does without the other."""

from pathlib import Path

import pytest
from tests.fakes.hurt_children import SIGNALS, hurt


@pytest.mark.alone
async def test_a_child_that_is_killed_stopped_or_hangs_is_back_within_ten_seconds_and_the_other_goes_on(
    tmp_path: Path,
) -> None:
    tally = await hurt(tmp_path, len(SIGNALS))
    assert {(child, way) for child in ("ears", "eyes") for way in SIGNALS} == set(tally.back_seconds)
    assert tally.late == []
    assert tally.slow == []
    assert tally.answers >= 12
