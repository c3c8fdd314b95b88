"""A real Home Assistant, as a building has one: installed by its lock, set up and connected to a broker by its API."""

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
from tests.fakes.ports import free_port
from tests.journey.world import until

from forge_shared.enrolment import Credentials

SCRIPT = Path(__file__).parents[2] / "requirements" / "home-assistant"
INSTALL_SECONDS = 420
START_SECONDS = 180
STOP_SECONDS = 20
CLIENT = "http://127.0.0.1/"
"""By which a client of the API names itself; nobody calls it."""


def program() -> Path:
    """Return the Python that has Home Assistant, installed if need be; without Python 3.13 the test is skipped.

    In CI that is a failure: nobody would notice that it was not tried.
    """
    environment = {"UV": str(Path(sys.executable).with_name("uv")), **os.environ}
    installed = subprocess.run(
        [SCRIPT], capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS, env=environment
    )
    if installed.returncode == 0:
        return Path(installed.stdout.split()[-1])
    reason = f"there is no Home Assistant here: {installed.stderr.strip()[-300:]}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


class HomeAssistant:
    """One that runs, from the moment it is made. Its states are read, its services called, as a phone's app would.

    Args:
        python: The Python that has it.
        folder: Its own folder.
    """

    def __init__(self, python: Path, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        folder.mkdir()
        (folder / "configuration.yaml").write_text(
            f"http:\n  server_host: 127.0.0.1\n  server_port: {self.port}\napi:\nwebsocket_api:\nconfig:\n"
        )
        # Without packages that it would fetch by itself, and without a word to anyone outside.
        command = [str(python), "-m", "homeassistant", "--skip-pip", "-c", str(folder)]
        with (folder.parent / "home-assistant.log").open("wb") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=20)
        self._token = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ready(self) -> None:
        """Wait until it has started, and give it an owner."""
        until("Home Assistant", lambda: self._answers() or None, seconds=START_SECONDS)
        self._onboard()

    def add_broker(self, credentials: Credentials) -> None:
        """Connect it to a broker as whom the credentials name, the way its own pages do."""
        parts = {
            "certificate": credentials.authority,
            "client_cert": credentials.certificate,
            "client_key": credentials.key.get_secret_value(),
        }
        uploaded = {name: self._upload(f"{name}.pem", text) for name, text in parts.items()}
        flow = self._post("/api/config/config_entries/flow", handler="mqtt", show_advanced_options=True)
        address = {"broker": credentials.host, "port": credentials.port}
        step = f"/api/config/config_entries/flow/{flow['flow_id']}"
        chosen = {**address, "set_ca_cert": "custom", "set_client_cert": True}
        flow = self._post(step, **address, advanced_options=True)
        if not {field["name"] for field in flow["data_schema"]} & set(parts):
            flow = self._post(step, **_filled(flow, chosen))
        done = self._post(step, **_filled(flow, {**chosen, **uploaded}))
        assert done["type"] == "create_entry", done

    def state(self, entity: str) -> str | None:
        """Return an entity's state; None: there is no such entity."""
        return None if (found := self._entity(entity)) is None else str(found["state"])

    def attributes(self, entity: str) -> Mapping[str, Any]:
        """Return an entity's attributes."""
        found = self._entity(entity)
        return {} if found is None else dict(found["attributes"])

    def entities(self, contains: str) -> dict[str, str]:
        """Return the states of all entities in whose id this is."""
        states = self._client.get("/api/states").raise_for_status().json()
        return {each["entity_id"]: each["state"] for each in states if contains in each["entity_id"]}

    def call(self, service: str, entity: str, **data: object) -> None:
        """Call a service such as ``switch.turn_on`` for an entity."""
        domain, name = service.split(".")
        body = {"entity_id": entity, **data}
        self._client.post(f"/api/services/{domain}/{name}", json=body).raise_for_status()

    @property
    def log(self) -> str:
        """What it has printed."""
        return (self._folder.parent / "home-assistant.log").read_text()

    def _entity(self, entity: str) -> Mapping[str, Any] | None:
        answer = self._client.get(f"/api/states/{entity}")
        return None if answer.status_code == httpx.codes.NOT_FOUND else dict(answer.raise_for_status().json())

    def _answers(self) -> bool:
        assert self._process.poll() is None, self.log[-2000:]
        try:
            return self._client.get("/api/onboarding").status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _onboard(self) -> None:
        owner = {"name": "Porter", "username": "porter", "password": secrets.token_urlsafe(12), "language": "en"}
        made = self._post("/api/onboarding/users", client_id=CLIENT, **owner)
        grant = {"grant_type": "authorization_code", "code": made["auth_code"], "client_id": CLIENT}
        self._token = self._client.post("/auth/token", data=grant).raise_for_status().json()["access_token"]
        self._client.headers["Authorization"] = f"Bearer {self._token}"

    def _post(self, path: str, **body: object) -> dict[str, Any]:
        answer = self._client.post(path, json=body)
        assert answer.is_success, (path, answer.text)
        return dict(answer.json())

    def _upload(self, name: str, text: str) -> str:
        answer = self._client.post("/api/file_upload", files={"file": (name, text.encode())}).raise_for_status()
        return str(answer.json()["file_id"])


def _filled(form: Mapping[str, Any], values: Mapping[str, object]) -> dict[str, object]:
    """Return what a form is sent: what it asks for, and its own defaults for the rest. Versions ask differently."""
    filled: dict[str, object] = {}
    for field in form["data_schema"]:
        if field["name"] in values:
            filled[field["name"]] = values[field["name"]]
        elif field.get("required") and "default" in field:
            filled[field["name"]] = field["default"]
    return filled
