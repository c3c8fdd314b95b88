"""A ceremony and a release by the command line, as an admin and two colleagues would do it."""

import json
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner, Key
from tests.fakes.releases import write_release
from tuf.api.metadata import Delegations, Metadata, Role, Root, Targets

from forge_hub.__main__ import main
from forge_hub.releases.approval import Approval


@pytest.fixture(autouse=True)
def _hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORGE_HUB_STATE_DIR", str(tmp_path / "hub"))
    monkeypatch.setenv("FORGE_KEY_PASSPHRASE", "correct horse battery")
    monkeypatch.chdir(tmp_path)


def hub(*words: str) -> int:
    return main(list(words))


def held_ceremony() -> None:
    for name in ("ada", "ben", "cleo", "dora", "emil"):
        assert hub("keys", "make", f"{name}.pem") == 0
    root = [f"{name}.pem.pub" for name in ("ada", "ben", "cleo")]
    assert hub("keys", "begin", "--root", *root, "--approvers", "dora.pem.pub", "emil.pem.pub") == 0
    for name in ("ada", "cleo"):
        assert hub("keys", "sign", f"{name}.pem") == 0


def listed(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    capsys.readouterr()
    assert hub("model", "list") == 0
    return {each["target"]: each["state"] for each in map(json.loads, capsys.readouterr().out.splitlines())}


def test_a_release_is_added_approved_by_two_published_and_withdrawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held_ceremony()
    write_release(tmp_path / "release")
    assert hub("model", "inspect", "release") == 0
    assert hub("model", "add", "release") == 0
    assert listed(capsys) == {"fall-pose-1.0.0.tar": "waits for approval"}
    assert hub("model", "approve", "dora.pem") == 0
    assert hub("model", "publish") == 1, "one person is not enough"
    assert "1 signature(s) are missing" in capsys.readouterr().err
    assert hub("model", "approve", "emil.pem") == 0
    assert hub("model", "publish") == 0
    assert listed(capsys) == {"fall-pose-1.0.0.tar": "published"}
    assert hub("model", "withdraw", "fall-pose-1.0.0.tar") == 0
    assert listed(capsys) == {"fall-pose-1.0.0.tar": "published; its withdrawal waits for approval"}


def test_what_is_missing_is_said_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_release(tmp_path / "release")
    assert hub("model", "add", "release") == 0
    assert hub("model", "approve", "nobody.pem") == 1
    assert "nobody.pem cannot be read" in capsys.readouterr().err
    assert hub("model", "publish") == 1
    assert "forge-hub keys" in capsys.readouterr().err
    assert hub("model", "inspect", "nothing") == 1
    assert "manifest.json" in capsys.readouterr().err


def test_a_site_whose_first_root_is_signed_is_not_begun_again(capsys: pytest.CaptureFixture[str]) -> None:
    held_ceremony()
    assert (
        hub("keys", "begin", "--root", "ada.pem.pub", "ben.pem.pub", "--approvers", "dora.pem.pub", "emil.pem.pub") == 1
    )
    assert "already" in capsys.readouterr().err


def to_sign(tmp_path: Path) -> Path:
    """What a person takes home from the hub's page."""
    held_ceremony()
    write_release(tmp_path / "release")
    assert hub("model", "add", "release") == 0
    document = tmp_path / "home" / "releases-1.json"
    document.parent.mkdir()
    document.write_bytes((tmp_path / "hub" / "releases" / "images" / "staged" / "targets.json").read_bytes())
    return document


def test_a_person_signs_at_home_what_the_hub_gave_out_and_sees_what_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    document = to_sign(tmp_path)
    monkeypatch.setenv("FORGE_HUB_STATE_DIR", str(tmp_path / "nowhere"))
    capsys.readouterr()
    assert hub("model", "sign", "dora.pem", str(document)) == 0
    seen = capsys.readouterr().err
    assert "new: fall-pose-1.0.0.tar" in seen
    assert "SHA-256" in seen
    assert not (tmp_path / "nowhere").exists(), "it needs nothing of a hub"
    approval = Approval.model_validate_json((tmp_path / "home" / "releases-1.json.sig").read_bytes())
    assert approval.version == 1
    assert hub("model", "sign", "dora.pem", str(document), "--before", str(document), "--out", "again.sig") == 0
    assert "nothing that differs" in capsys.readouterr().err
    assert (tmp_path / "again.sig").is_file()


def test_a_file_that_gives_others_a_say_is_not_signed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = to_sign(tmp_path)
    stolen = CryptoSigner.generate_ed25519().public_key
    honest = Metadata[Targets].from_bytes(document.read_bytes())
    delegating = Metadata[Targets].from_bytes(document.read_bytes())
    delegating.signed.delegations = Delegations({stolen.keyid: stolen}, succinct_roles=None, roles={})
    odd = Metadata(Targets(version=1, expires=honest.signed.expires, unrecognized_fields={"also": "this"}))
    keys: dict[str, Key] = {stolen.keyid: stolen}
    root = Root(version=2, keys=keys, roles={name: Role([stolen.keyid], 1) for name in Root(1).roles})
    for content in (delegating.to_bytes(), odd.to_bytes(), Metadata(root).to_bytes(), b"[]", b"{", b"x" * 4_000_001):
        document.write_bytes(content)
        assert hub("model", "sign", "dora.pem", str(document)) == 1
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "home" / "releases-1.json.sig").exists()


def test_a_key_is_labelled_for_colleagues_and_never_with_anything(capsys: pytest.CaptureFixture[str]) -> None:
    assert hub("keys", "make", "f.pem", "--label", "Dr. Falk") == 0
    assert json.loads(Path("f.pem.pub").read_text())["x-persona-forge-label"] == "Dr. Falk"
    assert hub("keys", "make", "g.pem", "--label", "<b>") == 1
    assert "label" in capsys.readouterr().err
