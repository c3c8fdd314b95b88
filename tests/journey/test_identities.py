"""The life of a node's identity, with real processes: a claim, a certificate, a new one in time, and its end."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from tests.fakes.clock import FakeClock
from tests.journey.world import Site, until

from forge_edge.settings import load_credentials
from forge_hub.fleet.authority import Authority
from forge_hub.fleet.enrolment import BrokerPlace, Enrolment
from forge_hub.records.database import open_database

ROOM = "room-1"
SCRIPT = {"repeat": True, "turns": [["water"], ["i want to fill in my form", "stop"]]}


def edge_command(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "forge_edge", *arguments],
        env={**os.environ, "FORGE_EDGE_STATE_DIR": str(site.room_folder(ROOM))},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def committed(site: Site) -> int:
    count: int = site.records("SELECT count(*) FROM event_log")[0][0]
    return count


def serial(path: Path) -> int:
    return x509.load_pem_x509_certificate(load_credentials(path).certificate.encode()).serial_number


@pytest.mark.slow
def test_a_claim_makes_a_node_that_works_and_revoking_it_ends_that_within_five_seconds(tmp_path: Path) -> None:
    with Site(tmp_path, broker="mosquitto", hub_environment={"FORGE_HUB_TLS": "own"}) as site:
        printed = site.hub_command("claim", ROOM)
        line = next(line for line in printed.splitlines() if "forge-edge enrol" in line).split()
        credentials = site.folder / f"{ROOM}.json"
        started = time.monotonic()
        done = edge_command(site, *line[1:], "--out", str(credentials))
        assert done.returncode == 0, done.stderr
        assert time.monotonic() - started < 60
        again = edge_command(site, *line[1:], "--out", str(site.folder / "again.json"))
        assert (again.returncode, "used" in again.stderr) == (1, True)

        site.start_scripted_room(ROOM, SCRIPT)
        until("the first events", lambda: committed(site) >= 5)
        site.hub_command("revoke", ROOM)
        until("the end", lambda: site.records("SELECT node FROM room WHERE connection = 'offline'"), seconds=5)
        (since,) = site.records("SELECT revoked_at FROM node_certificate")[0]
        assert datetime.now(UTC) - datetime.fromisoformat(since).replace(tzinfo=UTC) < timedelta(seconds=5)
        before = committed(site)
        until("more events in the room", lambda: site.pending(ROOM) > 10)
        assert committed(site) == before

        # A new claim brings the node back, and nothing that it kept is lost or doubled.
        site.stop_room(ROOM)
        line = next(line for line in site.hub_command("claim", ROOM).splitlines() if "enrol" in line).split()
        assert edge_command(site, *line[1:], "--out", str(credentials)).returncode == 0
        site.start_scripted_room(ROOM, {"turns": []})
        until("an empty outbox", lambda: site.pending(ROOM) == 0 or None)
        assert committed(site) == sum(site.produced(ROOM).values())
        secrets = [part for part in load_credentials(credentials).key.get_secret_value().splitlines() if len(part) > 40]
        logs = "".join(path.read_text(encoding="utf-8") for path in site.folder.glob("*.log"))
        assert not any(text in logs for text in [*secrets, " ".join(line[-3:])])


@pytest.mark.slow
def test_a_certificate_is_replaced_while_the_node_works_and_no_event_is_lost(tmp_path: Path) -> None:
    with Site(tmp_path, broker="amqtt") as site:
        # Enrolled seventy days ago, for ninety.
        clock = FakeClock()
        clock.at = datetime.now(UTC) - timedelta(days=70)
        database = open_database(f"sqlite:///{site.hub_folder / 'records.db'}")
        place = BrokerPlace("127.0.0.1", site.broker_port)
        keys = Authority(site.hub_folder / "authority", clock)
        enrolment = Enrolment(database, keys, clock, site="ward-7", broker=place, certificate_days=90)
        path = site.folder / f"{ROOM}.json"
        path.touch(mode=0o600)
        path.write_bytes(enrolment.issue(ROOM, site.address, "127.0.0.1").to_json())
        database.close()
        first = serial(path)

        site.start_scripted_room(ROOM, SCRIPT)
        until("the new certificate", lambda: serial(path) != first)
        so_far = committed(site)
        until("more events", lambda: committed(site) > so_far + 20)
        site.stop_room(ROOM)
        site.start_scripted_room(ROOM, {"turns": []})
        until("an empty outbox", lambda: site.pending(ROOM) == 0 or None)
        assert committed(site) == sum(site.produced(ROOM).values())
        assert site.records("SELECT count(*), count(DISTINCT event_id) FROM event_log") == [(committed(site),) * 2]
        assert "certificate.renewed" in (site.folder / f"{ROOM}.log").read_text(encoding="utf-8")
