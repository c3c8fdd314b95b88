"""The commands on data at rest, of a hub that does not serve."""

import json
from pathlib import Path

import pytest
from tests.fakes.clock import FakeClock
from tests.fakes.sent import FakeNode, phq_9

from forge_hub.__main__ import main
from forge_hub.ingest.store import IngestStore
from forge_hub.records.database import open_database
from forge_hub.records.schema import EventLog

PERSON = "p-2e9c3f825e26"
"""Long enough not to stand in a file by chance."""
PASSPHRASE = "four random words please"


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    monkeypatch.setenv("FORGE_HUB_STATE_DIR", str(folder))
    monkeypatch.setenv("FORGE_HUB_KEEP_FORMS_DAYS", "30")
    clock = FakeClock()
    database = open_database(f"sqlite:///{folder / 'records.db'}")
    IngestStore("site", database, clock).commit([FakeNode(clock, subject=PERSON).send(phq_9(clock, [1] * 9))])
    database.close()
    return folder


def test_a_person_is_erased_and_the_proof_is_printed(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["erase", PERSON, "--reason", "asked"]) == 0
    proof = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (proof["found"], proof["erased"]["event_log"], proof["reason"]) == ({}, 1, "asked")
    assert [path.name for path in state.rglob("*") if path.is_file() and PERSON.encode() in path.read_bytes()] == []


def test_what_is_found_after_an_erasure_makes_the_command_fail(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (state / "notes.txt").write_text(f"{PERSON} called")
    assert main(["erase", PERSON, "--reason", "asked"]) == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["found"] == {"file notes.txt": 1}


def test_nobody_is_not_erased(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["erase", "p-typo", "--reason", "asked"]) == 1
    assert "no such person" in capsys.readouterr().err
    assert state.is_dir()


def test_old_forms_are_forgotten_when_the_settings_say_so(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["retention"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"forms": 1, "camera": 0}
    assert state.is_dir()


def test_a_backup_is_made_and_restored_by_a_passphrase(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret, archive = tmp_path / "passphrase", tmp_path / "hub.backup"
    secret.write_text(f"{PASSPHRASE}\n")
    assert main(["backup", str(archive), "--passphrase-file", str(secret)]) == 0
    assert main(["restore", str(archive), "--passphrase-file", str(secret)]) == 1
    assert "--force" in capsys.readouterr().err
    monkeypatch.setenv("FORGE_HUB_STATE_DIR", str(tmp_path / "new"))
    assert main(["restore", str(archive), "--passphrase-file", str(secret)]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["events"] == 1
    database = open_database(f"sqlite:///{tmp_path / 'new' / 'records.db'}")
    with database.read() as transaction:
        assert transaction.get(EventLog, 1) is not None
    database.close()
    assert state.is_dir()


def test_a_key_file_is_made_once(state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "backup.key"
    assert main(["backup-key", str(path)]) == 0
    before = path.read_bytes()
    assert main(["backup-key", str(path)]) == 1
    assert path.read_bytes() == before
    assert "would not open the old backups" in capsys.readouterr().err
    assert state.is_dir()


def test_of_backups_in_a_folder_the_newest_stay_and_nothing_else_is_touched(
    state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, folder = tmp_path / "backup.key", tmp_path / "backups"
    folder.mkdir()
    assert main(["backup-key", str(key)]) == 0
    for name in ("forge-hub-20260101T030000Z.backup", "forge-hub-20260102T030000Z.backup", "by-hand.backup"):
        (folder / name).write_text("older")
    assert main(["backup", str(folder), "--keep", "2", "--key-file", str(key)]) == 0
    made = Path(json.loads(capsys.readouterr().out.splitlines()[-1])["file"])
    assert {path.name for path in folder.iterdir()} == {
        "by-hand.backup",
        "forge-hub-20260102T030000Z.backup",
        made.name,
    }
    with pytest.raises(SystemExit):
        main(["backup", str(folder), "--keep", "0", "--key-file", str(key)])
    assert state.is_dir()
