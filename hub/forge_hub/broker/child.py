"""Starts the embedded broker, watches it, and starts it again when it dies."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Literal

from forge_hub.broker.users import mosquitto_acl
from forge_hub.errors import BrokerError
from forge_shared.backoff import Backoff
from forge_shared.files import replace
from forge_shared.logs import get_logger

Kind = Literal["mosquitto", "amqtt"]

START_SECONDS = 15.0
STOP_SECONDS = 5.0
RESTART_SECONDS = (0.2, 10.0)

log = get_logger()


def mosquitto_program() -> str | None:
    """Return the Mosquitto program's path, or None where it is not installed."""
    # Debian puts it into /usr/sbin, which is not on every user's PATH.
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def choose(wanted: Literal["auto", "mosquitto", "amqtt"]) -> Kind:
    """Return the broker to start.

    Raises:
        BrokerError: Mosquitto is asked for and not installed.
    """
    installed = mosquitto_program() is not None
    if wanted == "mosquitto" and not installed:
        raise BrokerError("Mosquitto is not installed: `apt install mosquitto`, or choose the broker amqtt")
    return "mosquitto" if wanted == "mosquitto" or (wanted == "auto" and installed) else "amqtt"


class BrokerChild:
    """The embedded broker as a child process. Runs on the event loop.

    Args:
        kind: Which broker.
        folder: Its configuration, data, and process id; exists.
        users: The user file; exists.
        site: Name of the site.
        host: Address to listen on.
        port: Port to listen on.
    """

    def __init__(self, kind: Kind, *, folder: Path, users: Path, site: str, host: str, port: int) -> None:  # noqa: PLR0913 (wiring, by keyword)
        self._kind = kind
        self._folder = folder
        self._users = users
        self._site = site
        self._host = host
        self._port = port
        self._process: asyncio.subprocess.Process | None = None
        self.state = "starting"

    @property
    def pid_file(self) -> Path:
        """Where the child's process id stands while it runs."""
        return self._folder / "pid"

    async def start(self) -> None:
        """Start the broker and wait until it listens.

        Raises:
            BrokerError: It did not come up within 15 seconds.
        """
        await self._end_orphan()
        command = self._mosquitto() if self._kind == "mosquitto" else self._amqtt()
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, start_new_session=True
        )
        replace(self.pid_file, str(self._process.pid).encode(), mode=0o600)
        try:
            async with asyncio.timeout(START_SECONDS):
                while not await _listens(self._host, self._port):
                    if self._process.returncode is not None:
                        raise BrokerError(f"{self._kind} ended at once: is port {self._port} taken?")
                    await asyncio.sleep(0.05)
        except TimeoutError:
            await self.stop()
            raise BrokerError(f"{self._kind} did not listen within {START_SECONDS:.0f} s") from None
        self.state = "ok"
        log.info("broker.started", kind=self._kind, port=self._port)

    async def watch(self) -> None:
        """Start the broker again whenever it ends, until cancelled."""
        backoff = Backoff(*RESTART_SECONDS)
        while True:
            if self._process is not None:
                await self._process.wait()
            self.state = "broker.failed"
            log.warning("broker.died", kind=self._kind)
            await asyncio.sleep(backoff.failed())
            with contextlib.suppress(BrokerError):
                await self.start()
                backoff.succeeded()

    async def stop(self) -> None:
        """End the broker, politely first. Does nothing when it does not run."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        self.pid_file.unlink(missing_ok=True)

    async def _end_orphan(self) -> None:
        """End a broker that a killed hub left behind, if that process is really ours."""
        with contextlib.suppress(OSError, ValueError):
            pid = int(self.pid_file.read_text())
            if str(self._folder).encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)
                async with asyncio.timeout(STOP_SECONDS):
                    while Path(f"/proc/{pid}").exists():
                        await asyncio.sleep(0.02)

    def _mosquitto(self) -> list[str]:
        program = mosquitto_program()
        if program is None:
            raise BrokerError("Mosquitto is not installed: `apt install mosquitto`")
        acl = self._folder / "mosquitto.acl"
        replace(acl, mosquitto_acl(self._site).encode(), mode=0o600)
        lines = [
            f"listener {self._port} {self._host}",
            "allow_anonymous false",
            f"password_file {self._users}",
            f"acl_file {acl}",
            # Without it Nagle and delayed acknowledgements add 40 ms to every small message.
            "set_tcp_nodelay true",
            "persistence true",
            f"persistence_location {self._folder}/",
            "autosave_interval 1",
            "autosave_on_changes true",
            "max_queued_messages 0",
            "log_type error",
        ]
        if os.geteuid() == 0:
            lines.append("user root")  # else it drops to a user that may not read its own files here
        configuration = self._folder / "mosquitto.conf"
        replace(configuration, "\n".join([*lines, ""]).encode(), mode=0o600)
        return [program, "-c", str(configuration)]

    def _amqtt(self) -> list[str]:
        return [
            *(sys.executable, "-m", "forge_hub", "amqtt-broker", "--host", self._host, "--port", str(self._port)),
            *("--site", self._site, "--users", str(self._users)),
        ]


def reload_users(pid_file: Path) -> None:
    """Let a running Mosquitto read its user file again; amqtt reads it at every connection anyway."""
    with contextlib.suppress(OSError, ValueError):
        pid = int(pid_file.read_text())
        if b"mosquitto" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGHUP)


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
