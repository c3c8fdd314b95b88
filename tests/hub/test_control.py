"""The control socket: the command line asks the hub that serves."""

import asyncio
import json
import socket
import stat
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from forge_hub import control
from forge_hub.errors import HubError, NotFoundError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "ANSWER_SECONDS", 3.0)


async def rebuild() -> Mapping[str, Any]:
    return {"events": 7}


async def refuse() -> Mapping[str, Any]:
    raise NotFoundError("there is none")


async def fail() -> Mapping[str, Any]:
    raise KeyError("a programming error")


async def fail_to_store() -> Mapping[str, Any]:
    raise OperationalError("planted words", {}, Exception())


@asynccontextmanager
async def serving(path: Path) -> AsyncIterator[None]:
    handlers = {"rebuild": rebuild, "refuse": refuse, "fail": fail, "fail-to-store": fail_to_store}
    task = asyncio.create_task(control.serve(path, handlers))
    try:
        async with asyncio.timeout(5):
            while not path.exists():
                await asyncio.sleep(0.01)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def ask(path: Path, command: str) -> Mapping[str, Any] | None:
    return await asyncio.to_thread(control.ask, path, command)


async def test_a_command_is_carried_out_and_answered(path: Path) -> None:
    async with serving(path):
        assert await ask(path, "rebuild") == {"ok": True, "events": 7}
        assert await ask(path, "rebuild") == {"ok": True, "events": 7}


async def test_an_unknown_command_is_refused(path: Path) -> None:
    async with serving(path):
        assert await ask(path, "format-disk") == {"ok": False, "error": "unknown command"}


async def test_a_command_that_the_hub_refuses_says_why(path: Path) -> None:
    async with serving(path):
        assert await ask(path, "refuse") == {"ok": False, "error": "there is none"}


async def test_where_no_hub_serves_there_is_no_answer(path: Path) -> None:
    assert await ask(path, "rebuild") is None


async def test_a_socket_that_a_killed_hub_left_behind_is_no_hub(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    assert await ask(path, "rebuild") is None
    async with serving(path):
        await asyncio.sleep(0.1)
        assert await ask(path, "rebuild") == {"ok": True, "events": 7}


async def test_only_the_hubs_own_user_may_ask(path: Path) -> None:
    async with serving(path):
        await asyncio.sleep(0.1)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_the_socket_goes_with_the_hub(path: Path) -> None:
    async with serving(path):
        pass
    assert not path.exists()


@pytest.mark.parametrize("line", [b"", b"\n", b"no json\n", b"\xff\n", b"x" * 200_000])
async def test_what_is_no_command_does_not_stop_the_hub(path: Path, line: bytes) -> None:
    async with serving(path):
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(line)
        writer.write_eof()
        await asyncio.wait_for(reader.read(), 3)
        writer.close()
        assert await ask(path, "rebuild") == {"ok": True, "events": 7}


@pytest.mark.parametrize("line", [[], 1, {"command": []}])
async def test_a_command_of_the_wrong_shape_is_refused(path: Path, line: object) -> None:
    async with serving(path):
        reader, writer = await asyncio.open_unix_connection(str(path))
        writer.write(json.dumps(line).encode() + b"\n")
        reply = await asyncio.wait_for(reader.readline(), 3)
        writer.close()
        assert json.loads(reply)["ok"] is False


@pytest.mark.parametrize("answer", [b"", b'{"ok": tr', b"no json\n", b"[]\n", b"\xff\n"])
def test_a_hub_that_dies_while_it_works_or_answers_nonsense_is_an_error(path: Path, answer: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def die() -> None:
            connection, _ = server.accept()
            connection.recv(100)
            connection.sendall(answer)
            connection.close()

        thread = threading.Thread(target=die)
        thread.start()
        try:
            with pytest.raises(HubError):
                control.ask(path, "rebuild")
        finally:
            thread.join(timeout=5)


async def test_a_handler_that_fails_is_an_error_and_no_silence(path: Path) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    async with serving(path):
        reply = await ask(path, "fail")
        assert reply is not None
        assert reply["ok"] is False


async def test_a_store_that_fails_while_a_command_works_is_an_error_and_no_silence(path: Path) -> None:
    async with serving(path):
        reply = await ask(path, "fail-to-store")
    assert reply is not None
    assert reply["ok"] is False
    assert "planted" not in reply["error"]
