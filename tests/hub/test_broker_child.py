"""The broker as the hub's child: started again when it dies, and never mistaken for somebody else's process."""

import asyncio
import os
import signal
import socket
from functools import partial
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.fakes.running_broker import KINDS, SITE, Running, prepared, until

from forge_hub.broker import child as child_module
from forge_hub.broker.child import BrokerChild, Kind, choose
from forge_hub.errors import BrokerError


async def refuses_a_taken_port(running: Running) -> None:
    with socket.create_server(("127.0.0.1", running.port)):
        try:
            with pytest.raises(BrokerError, match="taken"):
                await running.child.start()
        finally:
            await running.child.stop()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_broker_that_is_killed_is_started_again(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "RESTART_SECONDS", (0.01, 0.1))
    running = prepared(kind, tmp_path)
    await running.child.start()
    watching = asyncio.create_task(running.child.watch())
    try:
        first = int(running.child.pid_file.read_text())
        os.kill(first, signal.SIGKILL)
        await until(lambda: int(running.child.pid_file.read_text()) != first and running.child.state == "ok")
        async with running.client("room-1"):
            pass
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await running.child.stop()
    assert not running.child.pid_file.exists()


async def test_a_broker_that_a_killed_hub_left_behind_is_replaced(tmp_path: Path) -> None:
    left_behind = prepared("mosquitto", tmp_path)
    await left_behind.child.start()
    orphan = int(left_behind.child.pid_file.read_text())
    again = BrokerChild(
        "mosquitto",
        folder=tmp_path,
        authority=left_behind.authority,
        site=SITE,
        host="127.0.0.1",
        port=left_behind.port,
    )
    try:
        await again.start()
        assert int(again.pid_file.read_text()) != orphan
        async with left_behind.client("room-1"):
            pass
    finally:
        await again.stop()
        await left_behind.child.stop()


async def test_a_broker_whose_memory_became_unreadable_starts_without_it(tmp_path: Path) -> None:
    running = prepared("mosquitto", tmp_path)
    (tmp_path / "mosquitto.db").write_bytes(b"\0" * 40)
    with capture_logs() as logs:
        await running.child.start()
    try:
        async with running.client("room-1"):
            pass
    finally:
        await running.child.stop()
    assert "broker.memory-set-aside" in [entry["event"] for entry in logs]
    assert (tmp_path / "mosquitto.unreadable").read_bytes() == b"\0" * 40


async def test_a_process_id_that_is_somebody_elses_now_is_left_alone(tmp_path: Path) -> None:
    running = prepared("mosquitto", tmp_path)
    bystander = await asyncio.create_subprocess_exec("sleep", "30")
    running.child.pid_file.write_text(str(bystander.pid))
    try:
        await running.child.start()
        assert bystander.returncode is None
    finally:
        await running.child.stop()
        bystander.kill()
        await bystander.wait()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_port_that_is_taken_is_found(kind: Kind, tmp_path: Path) -> None:
    running = prepared(kind, tmp_path)
    await refuses_a_taken_port(running)


async def test_a_stranger_who_takes_the_port_in_the_last_moment_is_not_our_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unseen(_: BrokerChild) -> None:
        return

    monkeypatch.setattr(BrokerChild, "_check_port", unseen)
    running = prepared("mosquitto", tmp_path)
    await refuses_a_taken_port(running)


async def test_a_death_is_logged_once_and_so_is_the_recovery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "RESTART_SECONDS", (0.01, 0.05))
    monkeypatch.setattr(child_module, "STEADY_SECONDS", 0.5)
    running = prepared("mosquitto", tmp_path)

    def started_again(before: str) -> bool:
        return running.child.pid_file.read_text() != before and running.child.state == "ok"

    with capture_logs() as logs:
        await running.child.start()
        watching = asyncio.create_task(running.child.watch())
        try:
            for _ in range(3):
                first = running.child.pid_file.read_text()
                os.kill(int(first), signal.SIGKILL)
                await until(partial(started_again, first))
            await until(lambda: any(line["event"] == "broker.restarted" for line in logs))
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await running.child.stop()
    assert [line["event"] for line in logs] == ["broker.started", "broker.died", "broker.restarted"]


async def test_asking_for_mosquitto_where_there_is_none_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "mosquitto_program", lambda: None)
    assert choose("auto") == choose("amqtt") == "amqtt"
    with pytest.raises(BrokerError, match="apt install mosquitto"):
        choose("mosquitto")
