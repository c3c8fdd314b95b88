"""A site for journeys: one hub and its rooms, as real processes on loopback, in one folder."""

import json
import os
import re
import secrets
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import pyotp
from tests.fakes.ports import free_port

START_SECONDS = 60.0
STOP_SECONDS = 10.0
CODE_SPARE_SECONDS = 8.0
"""How long a one-time code must still be good for when it is taken: a loaded machine is slow to send it."""
T = TypeVar("T")


def until(what: str, look: Callable[[], T | None], *, seconds: float = START_SECONDS, every: float = 0.05) -> T:
    """Return what ``look`` finds once it finds something.

    Raises:
        TimeoutError: It found nothing in time; the message says what was waited for.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(every)
    raise TimeoutError(f"waited {seconds:.0f} s for {what}")


class Site:
    """A hub and its rooms. Leaving the context ends every process.

    Args:
        folder: Everything lives here: state folders, credentials, logs.
        broker: ``mosquitto`` or ``amqtt``.
    """

    def __init__(self, folder: Path, *, broker: str = "auto", hub_environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.hub_folder = folder / "hub"
        self.web_port, self.broker_port = free_port(), free_port()
        self._https = (hub_environment or {}).get("FORGE_HUB_TLS") == "own"
        self.address = f"{'https' if self._https else 'http'}://127.0.0.1:{self.web_port}"
        self.password = secrets.token_urlsafe(16)
        self.setup_link: str | None = None
        self.recovery_codes: dict[str, list[str]] = {}
        self._secrets: dict[str, tuple[pyotp.TOTP, int]] = {}
        self._hub: subprocess.Popen[bytes] | None = None
        self._rooms: dict[str, subprocess.Popen[bytes]] = {}
        self._room_starts: dict[str, tuple[list[str], dict[str, str]]] = {}
        self._hub_environment = {
            "FORGE_HUB_STATE_DIR": str(self.hub_folder),
            "FORGE_HUB_SITE": "ward-7",
            "FORGE_HUB_PORT": str(self.web_port),
            "FORGE_HUB_BROKER": broker,
            "FORGE_HUB_BROKER_PORT": str(self.broker_port),
            **(hub_environment or {}),
        }

    def __enter__(self) -> Self:
        self.start_hub()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for room in list(self._rooms):
            self.stop_room(room)
        self.stop_hub()

    # The hub

    def start_hub(self) -> None:
        """Start `forge-hub serve` and wait until it is reachable."""
        self.launch_hub()
        until("the hub", self.hub_is_up)
        if self.setup_link is None:
            text = self.hub_output.read_text(encoding="utf-8")
            found = re.search(r"https?://\S+/setup/\S+", text)
            self.setup_link = found[0] if found else None

    def launch_hub(self) -> None:
        """Start `forge-hub serve` without waiting for it."""
        self._hub = self._start("hub", [sys.executable, "-m", "forge_hub", "serve"], self._hub_environment)

    def hub_is_up(self) -> bool:
        """Tell whether the hub answers."""
        if self._hub is not None and self._hub.poll() is not None:
            raise RuntimeError(f"the hub ended: {self.hub_output.read_text(encoding='utf-8')[-2000:]}")
        try:
            return httpx.get(f"{self.address}/healthz", timeout=2, verify=self.trust()).status_code < 600
        except (httpx.TransportError, FileNotFoundError):
            return False

    def trust(self) -> ssl.SSLContext | bool:
        """Return whom the site's browsers trust: its own authority where the hub speaks HTTPS by itself."""
        if not self._https:
            return True
        return ssl.create_default_context(cafile=str(self.hub_folder / "authority" / "authority.pem"))

    def stop_hub(self) -> None:
        """End the hub as an administrator would."""
        self._stop(self._hub)
        self._hub = None

    def kill_hub(self) -> None:
        """Kill the hub as a power cut would."""
        if self._hub is not None:
            self._hub.kill()
            self._hub.wait()

    @property
    def hub_output(self) -> Path:
        """What the hub printed and logged."""
        return self.folder / "hub.log"

    @property
    def hub_pid(self) -> int:
        """The hub's process id."""
        assert self._hub is not None
        return self._hub.pid

    @property
    def broker_pid(self) -> int | None:
        """The embedded broker's process id, if it runs."""
        try:
            return int((self.hub_folder / "broker" / "pid").read_text())
        except (OSError, ValueError):
            return None

    def hub_command(self, *arguments: str) -> str:
        """Run another `forge-hub` command and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "forge_hub", *arguments],
            env={**os.environ, **self._hub_environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode:
            raise RuntimeError(done.stderr)
        return done.stdout

    def records(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the hub's SQLite records, from outside and read-only."""
        connection = sqlite3.connect(f"file:{self.hub_folder / 'records.db'}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    # Rooms

    def enrol(self, room: str) -> Path:
        """Make credentials for a room."""
        path = self.folder / f"{room}.json"
        self.hub_command("enrol", room, "--out", str(path))
        return path

    def start_room(self, room: str, *, script: Mapping[str, Any], speed: float = 0, **settings: str) -> None:
        """Start `forge-edge run` with a simulated patient."""
        path = self.folder / f"{room}.patient.json"
        path.write_text(json.dumps(script), encoding="utf-8")
        environment = {"FORGE_EDGE_AUDIO": "simulated", "FORGE_EDGE_ROOM_SCRIPT": str(path)}
        environment |= {"FORGE_EDGE_ROOM_SPEED": str(speed), **settings}
        self._start_room(room, [sys.executable, "-m", "forge_edge", "run"], environment)

    def start_scripted_room(
        self, room: str, script: Mapping[str, Any], *, program: str = "scripted_node.py", **settings: str
    ) -> None:
        """Start a node whose ears follow a script of phrases instead of hearing sound."""
        path = self.folder / f"{room}.script.json"
        path.write_text(json.dumps(script), encoding="utf-8")
        node = Path(__file__).parents[1] / "fakes" / program
        self._start_room(room, [sys.executable, str(node), str(path)], settings)

    def start_room_program(self, room: str, command: Sequence[str], **settings: str) -> None:
        """Start another program as a room's node."""
        self._start_room(room, command, settings)

    def restart_room(self, room: str) -> None:
        """Start a room's node again as it was started before."""
        command, environment = self._room_starts[room]
        self._rooms[room] = self._start(room, command, environment)

    def room_folder(self, room: str) -> Path:
        """The node's state folder."""
        return self.folder / room

    def room_pid(self, room: str) -> int:
        """The node core's process id."""
        return self._rooms[room].pid

    def room_is_alive(self, room: str) -> bool:
        """Tell whether the node's core runs."""
        return self._rooms[room].poll() is None

    def ears_pid(self, room: str) -> int | None:
        """The process id of the node's ears, if they run."""
        return self.child_pid(room, "core.sock")

    def child_pid(self, room: str, socket: str) -> int | None:
        """The process id of the node's child on this socket, if it runs."""
        children = Path(f"/proc/{self.room_pid(room)}/task/{self.room_pid(room)}/children")
        try:
            for pid in children.read_text().split():
                if f"/{socket}\0".encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
        except OSError:
            pass
        return None

    def kill_room(self, room: str) -> None:
        """Kill a node's core as a power cut would."""
        self._rooms[room].kill()
        self._rooms[room].wait()

    def stop_room(self, room: str) -> None:
        """End a node as systemd would."""
        self._stop(self._rooms.pop(room, None))

    def outbox(self, room: str, query: str) -> list[tuple[Any, ...]]:
        """Ask a node's outbox, from outside and read-only."""
        connection = sqlite3.connect(f"file:{self.room_folder(room) / 'outbox.db'}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def produced(self, room: str) -> dict[str, int]:
        """How many events of each lane a node has committed to its outbox in its epoch."""
        try:
            return dict(self.outbox(room, "SELECT lane, last_sequence FROM position"))
        except sqlite3.Error:
            return {}

    def pending(self, room: str) -> int:
        """How many events wait in a node's outbox."""
        count: int = self.outbox(room, "SELECT count(*) FROM event")[0][0]
        return count

    # People

    def make_account(self, role: str) -> None:
        """Make an account by a one-time link, as a person would; it is named after its role."""
        link = self.setup_link if role == "admin" else self.hub_command("setup-link", role).split()[-1]
        assert link is not None, "the first run prints a set-up link"
        with httpx.Client(follow_redirects=True, timeout=20, verify=self.trust()) as client:
            page = f"{self.address}/setup/{link.rsplit('/', 1)[1]}"
            form = {"username": role, "password": self.password, "repeated": self.password}
            client.post(page, data={**form, **_hidden(client.get(page).text)}).raise_for_status()
        if role in {"clinician", "admin"}:
            with closing(self.sign_in(role)) as client:
                self.post(client, "/account", "/logout")

    def sign_in(self, role: str) -> httpx.Client:
        """Return a client that is signed in with the account of this role; the first time it sets up one-time codes."""
        client = httpx.Client(base_url=self.address, follow_redirects=True, timeout=20, verify=self.trust())
        form = {"username": role, "password": self.password}
        page = client.post("/login", data={**form, **_hidden(client.get("/login").text)}).raise_for_status()
        if page.url.path == "/login/code":
            shown = re.search(r'id="secret"[^>]*value="([A-Z2-7]+)"', page.text)
            if shown:
                self._secrets[role] = (pyotp.TOTP(shown[1]), 0)
            page = client.post("/login/code", data={"code": self.code(role), **_hidden(page.text)}).raise_for_status()
            if shown:
                self.recovery_codes[role] = re.findall(r"<li><code>([a-z2-7-]+)</code>", page.text)
        return client

    def code(self, role: str) -> str:
        """Return a one-time code of this role's account that was not used before; waits for the next if it must."""
        totp, last = self._secrets[role]
        # The one before counts too, as long as its time is not about to end.
        step = max(int(time.time() + CODE_SPARE_SECONDS) // totp.interval - 1, last + 1)
        until("the next one-time code", lambda: int(time.time()) // totp.interval + 1 >= step, seconds=60, every=0.5)
        self._secrets[role] = (totp, step)
        return totp.at(step * totp.interval)

    def assign(self, role: str, person: str) -> None:
        """Let the clinician's account look after a person."""
        self.hub_command("assign", role, person)

    def post(self, client: httpx.Client, page: str, action: str, **fields: str) -> None:
        """Send a form of a page, with what the page hides in it, as a browser would."""
        client.post(action, data={**fields, **_hidden(client.get(page).text)}).raise_for_status()

    def _start_room(self, room: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.room_folder(room).mkdir(exist_ok=True)
        credentials = self.folder / f"{room}.json"
        if not credentials.exists():
            self.enrol(room)
        full = {
            "FORGE_EDGE_STATE_DIR": str(self.room_folder(room)),
            "FORGE_EDGE_CREDENTIALS": str(credentials),
            # Many rooms share this machine; a third hearing takes a room's processor.
            "FORGE_EDGE_HEARING": "light",
            **environment,
        }
        self._room_starts[room] = (list(command), full)
        self.restart_room(room)

    def _start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **environment, "PYTHONUNBUFFERED": "1"},
            )

    def _stop(self, process: subprocess.Popen[bytes] | None) -> None:
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
