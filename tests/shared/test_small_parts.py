"""Ids, back-off, files, tasks and logs."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_shared import tasks
from forge_shared.backoff import Backoff
from forge_shared.files import replace
from forge_shared.ids import new_id
from forge_shared.tasks import until_first_failure


def test_ids_are_uuid_version_7_and_grow() -> None:
    ids = [new_id() for _ in range(200)]
    assert all(uuid.UUID(text).version == 7 for text in ids)
    assert ids == sorted(ids)


@given(st.integers(1, 60))
def test_waits_never_pass_the_longest(failures: int) -> None:
    backoff = Backoff(0.5, 8.0)
    waits = [backoff.failed() for _ in range(failures)]
    assert all(0 <= wait <= 8.0 for wait in waits)
    assert waits[0] <= 0.5
    assert backoff.succeeded() == failures
    assert backoff.failures == 0


def test_a_file_is_replaced_whole_with_its_mode_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "file"
    replace(path, b"old")
    replace(path, b"new", mode=0o600)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208 (hidden files too)


async def test_the_first_failure_ends_the_others_and_is_raised_by_name() -> None:
    cancelled = asyncio.Event()

    async def waits() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.set()

    async def fails() -> None:
        await asyncio.sleep(0)
        raise KeyError("gone")

    with pytest.raises(KeyError):
        await until_first_failure(waits(), fails())
    assert cancelled.is_set()


async def test_what_was_cancelled_just_as_its_answer_came_and_went_on_ends_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "CANCEL_AGAIN_SECONDS", 0.05)
    answers: list[asyncio.Future[None]] = []

    async def goes_on() -> None:
        while True:
            answers.append(asyncio.get_running_loop().create_future())
            # As `asyncio.wait_for` did before Python 3.12.
            with contextlib.suppress(asyncio.CancelledError):
                await answers[-1]
            if len(answers) > 2:
                return

    async def ends() -> None:
        await asyncio.sleep(0.01)

    async with asyncio.timeout(5):
        await until_first_failure(goes_on(), ends())
    assert len(answers) == 3


def test_logs_withhold_words_and_messages_that_may_quote_a_person() -> None:
    program = """
from forge_shared import logs
logs.configure("test")
log = logs.get_logger()
log.warning("thing.happened", pending=3, text="Joan said it", payload=b"Joan")
try:
    int("Joan 07700")
except ValueError:
    log.exception("thing.failed")
import logging
logging.getLogger("library").info("Joan")
"""
    lines = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, text=True).stderr
    assert "Joan" not in lines
    first, second = (json.loads(line) for line in lines.splitlines())
    assert (first["event"], first["pending"], first["text"]) == ("thing.happened", 3, "withheld")
    assert second["error"] == "builtins.ValueError"
    assert second["program"] == "test"
