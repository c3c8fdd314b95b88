"""``forge-hub rollout``: the same words whether a hub serves or not."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select
from tests.fakes.fleet import Fleet

from forge_hub import control
from forge_hub.__main__ import main
from forge_hub.records.schema import Audit
from forge_hub.releases.service import RolloutService
from forge_shared.clock import SystemClock

TARGET = "fall-pose-1.0.0.tar"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """A hub's folder with four rooms and a published release, and the settings that name it."""
    fleet = Fleet(tmp_path, 3, rooms=4)
    fleet.publish("1.0.0")
    monkeypatch.setenv("FORGE_HUB_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("FORGE_HUB_TIME_ZONE", "Europe/Vienna")
    yield fleet
    fleet.database.close()


def said(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, object]]:
    assert main(["rollout", *words]) == 0, capsys.readouterr().err
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]


def test_a_roll_out_is_started_followed_and_ended_by_words(home: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    said(capsys, "groups", "canaries", "room-1", "room-2")
    (started,) = said(
        capsys, "start", TARGET, "--why", "better", "--group", "canaries", "--window", "mon-fri 09:00-16:00"
    )
    assert (started["state"], started["groups"], started["window"]) == (
        "running",
        ["canaries"],
        "mon,tue,wed,thu,fri 09:00-16:00",
    )
    rollout = str(started["id"])
    assert [line["id"] for line in said(capsys, "list")] == [rollout]
    shown = said(capsys, "show", rollout)
    assert [line["room"] for line in shown if "room" in line] == ["room-1", "room-2"]
    assert [line["share"] for line in shown if "ring" in line and "share" in line] == [5, 25, 50, 100]
    for words, state in ((["pause"], "paused"), (["resume"], "running"), (["stop", "--why", "enough"], "stopped")):
        (line,) = said(capsys, words[0], rollout, *words[1:])
        assert line["state"] == state
    assert said(capsys, "withdraw", rollout, "--why", "not well")[0]["reason"] == "not well"
    (ran,) = said(capsys, "ran", "room-1", "pose", "--at", "2026-03-01 14:03")
    assert (ran["release"], ran["at"]) == (None, "2026-03-01T14:03:00+01:00")
    (lock,) = said(capsys, "lock", "room-1", "--until", "+6h")
    assert lock["room"] == "room-1"
    assert said(capsys, "lock", "room-1", "--off") == said(capsys, "lock") == []
    assert said(capsys, "groups", "canaries", "--remove") == []
    with home.database.read() as transaction:
        accounts = set(transaction.scalars(select(Audit.account)))
    assert accounts == {"command-line"}


WRONG = [
    ("start", "none-1.0.0.tar", "--why", "better"),
    ("start", TARGET, "--why", "better", "--rings", "5,x"),
    ("start", TARGET, "--why", "better", "--window", "sometimes"),
    ("start", TARGET, "--why", "better", "--soak", "long"),
    ("pause", "none"),
    ("ran", "room-1", "poses"),
    ("ran", "room-1", "pose", "--at", "yesterday"),
    ("lock", "room-1"),
    ("groups", "--remove"),
]


def test_what_cannot_be_is_said_and_ends_with_1(home: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    for words in WRONG:
        assert main(["rollout", *words]) == 1, words
        assert capsys.readouterr().err.startswith("forge-hub: ")
    assert not home.rollouts.all()


@pytest.mark.parametrize("command", ["start", "back", "show", "withdraw", "ran", "groups", "lock"])
def test_every_command_says_what_it_does(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["rollout", command, "--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out.split()) > 15


def test_the_hub_that_serves_carries_it_out_at_once(home: Fleet, tmp_path: Path) -> None:
    told: list[int] = []

    async def tell() -> None:
        told.append(1)

    async def story() -> None:
        zone = ZoneInfo("Europe/Vienna")
        service = RolloutService(home.database, tmp_path, SystemClock(), zone=zone, tell=tell)
        serving = [
            asyncio.create_task(service.run()),
            asyncio.create_task(control.serve(tmp_path / "control.sock", service.commands)),
        ]
        while not (tmp_path / "control.sock").exists():
            await asyncio.sleep(0.01)
        assert await asyncio.to_thread(main, ["rollout", "start", TARGET, "--why", "better"]) == 0
        async with asyncio.timeout(20):
            while not told:
                await asyncio.sleep(0.05)
        assert service.state == "ok"
        assert await asyncio.to_thread(main, ["rollout", "pause", "none"]) == 1
        shutil.move(tmp_path / "releases" / "online.pem", tmp_path / "kept.pem")
        (rollout,) = service.rollouts.all()
        await asyncio.to_thread(service.rollouts.withdraw, rollout.id, account="ann", why="not well")
        async with asyncio.timeout(20):
            while service.state == "ok":
                await asyncio.sleep(0.05)
        shutil.move(tmp_path / "kept.pem", tmp_path / "releases" / "online.pem")
        service.wake()
        async with asyncio.timeout(30):
            while service.state != "ok":
                await asyncio.sleep(0.05)
                service.wake()
        for task in serving:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*serving)

    asyncio.run(story())
