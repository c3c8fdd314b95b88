"""A support bundle helps, and holds nothing of people, keys or the house, whatever stores and logs are full of."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from tests.fakes import keys
from tests.fakes.clock import FakeClock
from tests.fakes.sent import FakeNode, phq_9

import forge_edge
import forge_shared
from forge_edge.__main__ import main as edge
from forge_edge.doctor import Finding
from forge_edge.outbox.outboxes import open_outboxes
from forge_edge.settings import NodeSettings
from forge_hub.__main__ import main as hub
from forge_hub.ingest.store import IngestStore
from forge_hub.records.database import open_database
from forge_hub.records.schema import Person
from forge_hub.settings import HubSettings
from forge_shared import support
from forge_shared.sealing import Keyring

PLANTS = {
    "name": "Rosalind Hollister",
    "name of a file": "rosalind-hollister",
    "code-like name": "rosalind.hollister",
    "number": "07700900123",
    "text": "i always mess everything up",
    "key": "c2VjcmV0LWtleS1vZi10aGUtcm9vbQ",
    "token": "tok_8f14e45fceea167a",
    "host": "ward-seven.hospital.example",
    "pseudonym": "p-2e9c3f825e26",
    "microphone": "Hollister Headset",
    "camera": "rtsp://admin:hunter22@",
}


def content_of(bundle: Path) -> dict[str, Any]:
    with tarfile.open(bundle) as tar:
        files = {entry.name: tar.extractfile(entry) for entry in tar}
        return {Path(name).stem: json.loads(file.read()) for name, file in files.items() if file is not None}


def found_in(bundle: Path) -> list[str]:
    with tarfile.open(bundle) as tar:
        names = "\n".join(tar.getnames())
    text = f"{names}\n{json.dumps(content_of(bundle), ensure_ascii=False)}".lower()
    return [kind for kind, plant in PLANTS.items() if plant.lower() in text]


def planted_log(path: Path) -> Path:
    """Write a log that a fault has filled with everything that must not be in one."""
    lines = [
        {"event": "hearing.lost", "level": "warning", "timestamp": "2026-11-20T10:11:12.1Z", **PLANTS},
        {"event": "hearing.lost", "level": "warning", "timestamp": "2026-11-22T10:11:12.1Z"},
        *(
            {"event": plant, "level": plant, "timestamp": plant, "error": plant, "code": plant}
            for plant in PLANTS.values()
        ),
        {
            "event": "page.failed",
            "level": "error",
            "code": "seal.failed",
            "error_at": [f"/home/{PLANTS['name of a file']}/x.py:3", "/opt/forge/lib/forge_shared/sealing.py:61"],
        },
    ]
    path.write_text("\n".join([*map(json.dumps, lines), *PLANTS.values(), "[" * 10_000]))
    return path


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / PLANTS["name of a file"]
    folder.mkdir()
    clock = FakeClock()
    keyring = Keyring.open(folder / "keys" / "device.key")
    open_outboxes(folder / "outbox.db", "site", "node", clock, limit_bytes=10**7, keyring=keyring).close()
    for name, text in PLANTS.items():
        (folder / f"{PLANTS['name of a file']}-{len(name)}.txt").write_text(text)
    names = folder / "known.txt"
    names.write_text(PLANTS["name"])
    credentials = keys.authority(tmp_path / "keys")
    assert credentials is not None
    for setting, value in {
        "STATE_DIR": folder,
        "KNOWN_NAMES": names,
        "AUDIO_INPUT": PLANTS["microphone"],
        "CAMERA": f"{PLANTS['camera']}{PLANTS['host']}/1",
        "CREDENTIALS": folder / "credentials.json",
        "HEARING": "light",
        "WORDS_PER_MINUTE": 140,
    }.items():
        monkeypatch.setenv(f"FORGE_EDGE_{setting}", str(value))
    return folder


def test_a_nodes_bundle_holds_nothing_of_what_is_planted(
    node: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The camera's address is not tried: nobody would answer.
    monkeypatch.setattr("forge_edge.doctor_sight.camera", lambda _: _finding(f"{PLANTS['host']} does not answer"))
    bundle = tmp_path / "node.tar.gz"
    assert edge(["support-bundle", str(bundle), "--log", str(planted_log(tmp_path / "log"))]) == 0
    assert found_in(bundle) == []
    assert bundle.stat().st_mode & 0o777 == 0o600
    content = content_of(bundle)
    assert content["settings"]["hearing"] == "light"
    assert content["settings"]["words_per_minute"] == 140
    assert content["settings"]["camera"] == "set"
    assert content["rows"]["event"] == 0
    assert content["disk"]["kinds"][".db"]["bytes"] > 0
    assert {one["check"] for one in content["doctor"]} >= {"microphone", "camera", "disk", "hardware"}
    assert node.is_dir()


def test_a_bundle_of_no_node_is_not_made_and_it_is_said_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORGE_EDGE_STATE_DIR", str(tmp_path / "nowhere"))
    bundle = tmp_path / "node.tar.gz"
    assert edge(["support-bundle", str(bundle), "--log", str(planted_log(tmp_path / "log"))]) != 0
    assert not bundle.exists()
    assert "FORGE_EDGE_STATE_DIR" in capsys.readouterr().err


def test_a_hubs_bundle_holds_nothing_of_what_is_planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    clock = FakeClock()
    database = open_database(f"sqlite:///{folder / 'records.db'}")
    sent = FakeNode(clock, subject=PLANTS["pseudonym"]).send(phq_9(clock, [1] * 9))
    IngestStore("site", database, clock).commit([sent])
    with database.begin() as transaction:
        transaction.add(Person(pseudonym=PLANTS["name"], node=PLANTS["name of a file"], first_seen=clock.now()))
    database.close()
    (folder / f"{PLANTS['name of a file']}.txt").write_text("\n".join(PLANTS.values()))
    for setting, value in {
        "STATE_DIR": folder,
        "PUBLIC_URL": f"https://{PLANTS['host']}",
        "METRICS_TOKEN": PLANTS["token"],
        "WEBHOOK_URL": f"https://{PLANTS['host']}/{PLANTS['number']}",
        "WEBHOOK_SECRET": PLANTS["key"],
        "PORT": 1,
        "TLS": "proxy",
    }.items():
        monkeypatch.setenv(f"FORGE_HUB_{setting}", str(value))
    bundle = tmp_path / "hub.tar.gz"
    assert hub(["support-bundle", str(bundle), "--log", str(planted_log(tmp_path / "log"))]) == 0
    assert found_in(bundle) == []
    content = content_of(bundle)
    assert content["rows"]["event_log"] == 1
    assert content["health"] == {"status": "no answer"}
    assert content["settings"]["webhook_secret"] == "set"
    assert content["settings"]["tls"] == "proxy"


def test_a_log_is_told_by_codes_of_ours_with_counts_hours_and_places(tmp_path: Path) -> None:
    codes = support.codes_of([forge_edge, forge_shared])
    assert {"hearing.lost", "certificate.not-renewed", "seal.failed"} <= codes
    told = support.events_of(planted_log(tmp_path / "log").read_text().splitlines(), codes)
    by_event = {one["event"]: one for one in told if one["event"] != "other"}
    assert by_event["hearing.lost"] == {
        "event": "hearing.lost",
        "level": "warning",
        # What was planted among the fields is no code of ours.
        "count": 2,
        "first": "2026-11-20T10",
        "last": "2026-11-22T10",
    }
    failed = next(one for one in told if one.get("error") == "seal.failed")
    assert failed["place"] == "forge_shared/sealing.py:61"
    assert sum(one["count"] for one in told) == 3 + 2 * len(PLANTS) + 1


@pytest.mark.parametrize("settings", [NodeSettings, HubSettings])
def test_of_settings_only_numbers_switches_and_choices_are_shown(settings: type[NodeSettings | HubSettings]) -> None:
    shown = {name for name, field in settings.model_fields.items() if support.is_closed(field)}
    secret = {
        "camera",
        "credentials",
        "state_dir",
        "known_names",
        "records_url",
        "webhook_secret",
        "site",
        "form",
        "voice",
    }
    assert not shown & secret
    assert shown & {"hearing", "tls", "camera_rate", "port"}


def _finding(text: str) -> Any:
    return Finding("camera", ok=False, found=text, do=text)
