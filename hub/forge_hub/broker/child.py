"""Starts the embedded broker, watches it, and starts it again when it dies."""

import asyncio
import contextlib
import errno
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from forge_hub.broker.takeover import take_over
from forge_hub.broker.users import mosquitto_acl
from forge_hub.errors import BrokerError
from forge_hub.fleet.authority import Authority
from forge_shared.backoff import Backoff
from forge_shared.files import replace
from forge_shared.logs import get_logger

Kind = Literal["mosquitto", "amqtt"]

START_SECONDS = 15.0
STOP_SECONDS = 5.0
RESTART_SECONDS = (0.2, 10.0)
_LISTEN = "0A"
"""The state of a listening socket in /proc/net/tcp (Linux, ``net/tcp_states.h``)."""
STEADY_SECONDS = 5.0
"""A broker that was started again has recovered once it has lived this long. Ours: longer than a start that fails."""

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
        authority: Whose certificates it shows and asks for; prepared.
        site: Name of the site.
        host: Address to listen on.
        port: Port to listen on.
    """

    def __init__(self, kind: Kind, *, folder: Path, authority: Authority, site: str, host: str, port: int) -> None:  # noqa: PLR0913 (wiring, by keyword)
        self._kind = kind
        self._folder = folder
        self._authority = authority
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

        What it kept may be unreadable after a full disk or a failure of power; then it ends at once, and is started
        without. Nothing is lost by it: whoever sent something repeats it until the hub has stored it (ADR 0003).

        Raises:
            BrokerError: The port is taken, or it did not come up within 15 seconds.
        """
        await self._end_orphans()
        await self._check_port()
        try:
            await self._begin()
        except BrokerError:
            if self._process is None or not self._kept.exists():
                raise
            self._kept.replace(self._kept.with_suffix(".unreadable"))
            log.warning("broker.memory-set-aside", kind=self._kind)
            await self._begin()
        if self.state == "starting":
            log.info("broker.started", kind=self._kind, port=self._port)
        self.state = "ok"

    @property
    def _kept(self) -> Path:
        return self._folder / "mosquitto.db"

    async def _begin(self) -> None:
        command = self._mosquitto() if self._kind == "mosquitto" else self._amqtt()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, start_new_session=True
            )
        except OSError as error:
            raise BrokerError(f"{self._kind} cannot be started ({type(error).__name__})") from None
        replace(self.pid_file, str(self._process.pid).encode(), mode=0o600)
        try:
            async with asyncio.timeout(START_SECONDS):
                # That something listens is not enough: it would be taken for our broker, whoever it is.
                while not _listens(self._process.pid, self._port):
                    if self._process.returncode is not None:
                        raise BrokerError(f"{self._kind} ended at once: is port {self._port} taken?")
                    await asyncio.sleep(0.05)
        except TimeoutError:
            await self.stop()
            raise BrokerError(f"{self._kind} did not listen within {START_SECONDS:.0f} s") from None

    async def watch(self) -> None:
        """Start the broker again whenever it ends, until cancelled. Its death is logged once, and its recovery once."""
        backoff = Backoff(*RESTART_SECONDS)
        while True:
            if backoff.failures and await self._stays():
                log.info("broker.restarted", kind=self._kind, after_failures=backoff.succeeded())
            if self._process is not None:
                await self._process.wait()
            self.state = "broker.failed"
            if backoff.failures == 0:
                log.warning("broker.died", kind=self._kind)
            await asyncio.sleep(backoff.failed())
            with contextlib.suppress(BrokerError):
                await self.start()

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

    async def apply_revocations(self, nodes: Sequence[str]) -> None:
        """Let the broker read the revocation list again and end what these nodes have open. Others are not touched.

        Args:
            nodes: Names whose certificates were put on the list.
        """
        process = self._process
        if process is None or process.returncode is not None:
            return  # it reads the list when it is started again
        process.send_signal(signal.SIGHUP)
        if self._kind == "mosquitto":
            # It refuses the revoked from now on and keeps the connected; amqtt as we run it ends those by itself.
            await asyncio.gather(*(take_over(reached(self._host), self._port, self._authority, node) for node in nodes))

    async def _stays(self) -> bool:
        """Tell whether the broker that was started again lives on."""
        if self._process is None:
            return False
        try:
            async with asyncio.timeout(STEADY_SECONDS):
                await self._process.wait()
        except TimeoutError:
            return True
        return False

    async def _check_port(self) -> None:
        try:
            server = await asyncio.start_server(lambda _, __: None, self._host, self._port, start_serving=False)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise BrokerError(f"port {self._port} of {self._host} is taken by another program") from None
            raise BrokerError(f"cannot listen on port {self._port} of {self._host} ({type(error).__name__})") from None
        server.close()
        await server.wait_closed()

    async def _end_orphans(self) -> None:
        """End brokers that a killed hub left behind: broker processes whose command line names this hub's files.

        The process id on file is not enough: the hub may have been killed between starting one and writing it down.
        """
        # Mosquitto's names its configuration, amqtt's the authority.
        marks = (f"{self._folder}/".encode(), f"\0{self._authority.folder}\0".encode())
        for process in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                command = (process / "cmdline").read_bytes()
                is_ours = any(mark in command for mark in marks)
                if is_ours and (b"mosquitto" in command or b"amqtt_server" in command):
                    os.kill(int(process.name), signal.SIGKILL)
                    async with asyncio.timeout(STOP_SECONDS):
                        while process.exists():
                            await asyncio.sleep(0.02)

    def _mosquitto(self) -> list[str]:
        program = mosquitto_program()
        if program is None:
            raise BrokerError("Mosquitto is not installed: `apt install mosquitto`")
        authority = self._authority
        acl = self._folder / "mosquitto.acl"
        replace(acl, mosquitto_acl(self._site).encode(), mode=0o600)
        lines = [
            f"listener {self._port} {self._host}",
            f"cafile {authority.certificate_file}",
            f"certfile {authority.server_certificate_file}",
            f"keyfile {authority.server_key_file}",
            f"crlfile {authority.revocations_file}",
            "require_certificate true",
            "use_identity_as_username true",
            # Whoever connects under another's client id pushes it off; so that id is the certificate's name.
            "use_username_as_clientid true",
            "allow_anonymous false",
            f"acl_file {acl}",
            # Without it Nagle and delayed acknowledgements add 40 ms to every small message.
            "set_tcp_nodelay true",
            "persistence true",
            f"persistence_location {self._folder}/",
            # By the clock, not by the number of changes, which writes the whole file for each message: a hub takes in
            # about a fifth less then (ADR 0014). What a killed broker forgets, nodes and hub say again on connecting.
            "autosave_interval 1",
            "autosave_on_changes false",
            "max_queued_messages 0",
            "max_inflight_messages 1000",
            "log_type error",
        ]
        if os.geteuid() == 0:
            lines.append("user root")  # else it drops to a user that may not read its own files here
        configuration = self._folder / "mosquitto.conf"
        replace(configuration, "\n".join([*lines, ""]).encode(), mode=0o600)
        return [program, "-c", str(configuration)]

    def _amqtt(self) -> list[str]:
        return [
            *(sys.executable, "-m", "forge_hub.broker.amqtt_server", "--host", self._host, "--port", str(self._port)),
            *("--site", self._site, "--authority", str(self._authority.folder)),
        ]


def reached(host: str) -> str:
    """Return where the hub itself reaches what listens on ``host``: everywhere is also here."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared, not listened on)


def _listens(pid: int, port: int) -> bool:
    """Tell whether this very process listens on the port (proc(5): /proc/PID/fd and /proc/net/tcp)."""
    sockets = set()
    with contextlib.suppress(OSError):  # it has just ended
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):  # it was closed meanwhile
                sockets.add(str(descriptor.readlink()))
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):  # a machine without IPv6
            for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
                fields = line.split()
                listening = fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port
                if listening and f"socket:[{fields[9]}]" in sockets:
                    return True
    return False
