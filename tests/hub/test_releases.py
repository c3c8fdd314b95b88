"""Model releases: whole or refused, approved by two people, and told to rooms so that no stolen key is enough."""

import json
import shutil
import tarfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from tests.fakes.clock import FakeClock
from tests.fakes.releases import Site, room, write_release
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, TargetFile, Targets

from forge_hub.errors import ReleaseError
from forge_hub.releases.catalogue import Wish
from forge_hub.releases.keys import LEAST_PASSPHRASE, label_of, make_key, online_key, open_key, read_public
from forge_hub.releases.package import pack, read_release
from forge_hub.releases.repository import KEPT, VALID
from forge_shared.clock import SystemClock
from forge_shared.releases import MANIFEST

PASSPHRASE = "correct horse battery"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.begun(tmp_path / "releases", SystemClock())


def test_a_release_is_packed_into_the_same_bytes_and_holds_all_of_its_files(tmp_path: Path) -> None:
    release = read_release(write_release(tmp_path / "release"))
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    one, other = pack(release, tmp_path / "one"), pack(release, tmp_path / "other")
    assert one.read_bytes() == other.read_bytes()
    with tarfile.open(one) as tar:
        assert tar.getnames() == [MANIFEST, "card.md", "golden/input.json", "golden/output.json", "model.onnx"]


def _grow(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"other weights")


def _add(folder: Path) -> None:
    (folder / "more.bin").write_bytes(b"")


def _take(folder: Path) -> None:
    (folder / "card.md").unlink()


def _link(folder: Path) -> None:
    (folder / "card.md").unlink()
    (folder / "card.md").symlink_to("/etc/hostname")


def _escape(folder: Path) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][0]["path"] = "../model.onnx"
    (folder / MANIFEST).write_text(json.dumps(manifest))


def _unsay(folder: Path) -> None:
    (folder / MANIFEST).unlink()


@pytest.mark.parametrize("spoil", [_grow, _add, _take, _link, _escape, _unsay])
def test_a_release_that_is_not_what_it_says_is_refused(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    folder = write_release(tmp_path / "release")
    read_release(folder)
    spoil(folder)
    with pytest.raises(ReleaseError):
        read_release(folder)


def test_a_person_s_key_opens_with_its_passphrase_alone(tmp_path: Path) -> None:
    path = tmp_path / "ada.pem"
    public = make_key(path, PASSPHRASE, "Ada")
    assert public == read_public(tmp_path / "ada.pem.pub")
    assert open_key(path, PASSPHRASE).public_key.keyid == public.keyid
    assert (label_of(public), label_of(open_key(path, PASSPHRASE).public_key)) == ("Ada", "")
    assert path.stat().st_mode & 0o077 == 0
    for mistake in (lambda: open_key(path, "another"), lambda: make_key(path, PASSPHRASE)):
        with pytest.raises(ReleaseError):
            mistake()
    with pytest.raises(ReleaseError):
        make_key(tmp_path / "b.pem", "x" * (LEAST_PASSPHRASE - 1))


def test_nothing_is_published_before_two_people_have_approved(site: Site, tmp_path: Path) -> None:
    site.catalogue.add(write_release(tmp_path / "release"))
    first, second = site.approvers
    assert site.catalogue.approve(first) == 1
    assert site.catalogue.approve(first) == 1, "the same person twice is one person"
    with pytest.raises(ReleaseError):
        site.catalogue.publish()
    with pytest.raises(ReleaseError):
        site.catalogue.approve(site.root[0])
    assert site.catalogue.approve(second) == 0
    site.catalogue.publish()
    assert list(site.catalogue.images.targets()) == ["fall-pose-1.0.0.tar"]


def test_a_room_takes_what_both_repositories_name(site: Site, tmp_path: Path) -> None:
    target = site.publish(write_release(tmp_path / "release"))
    site.catalogue.direct("room-1", [Wish(target, "manual")])
    image = room(site, tmp_path / "room")
    wanted = room(site, tmp_path / "room", "director/nodes/room-1").get_targetinfo(target)
    found = image.get_targetinfo(target)
    assert found is not None
    assert wanted is not None
    assert (found.length, found.hashes) == (wanted.length, wanted.hashes)
    fetched = Path(image.download_target(found))
    with tarfile.open(fetched) as tar:
        assert MANIFEST in tar.getnames()


def test_a_release_is_never_older_than_the_one_before_it(site: Site, tmp_path: Path) -> None:
    site.publish(write_release(tmp_path / "two", version="2.0.0", counter=2))
    with pytest.raises(ReleaseError):
        site.catalogue.add(write_release(tmp_path / "one", version="1.0.0", counter=1))


def test_a_room_is_directed_to_published_releases_alone_and_to_one_a_role(site: Site, tmp_path: Path) -> None:
    first = site.publish(write_release(tmp_path / "one"))
    second = site.publish(write_release(tmp_path / "two", version="2.0.0", counter=2))
    for wrong in ([Wish("other-1.0.0.tar", "manual")], [Wish(first, "manual"), Wish(second, "manual")]):
        with pytest.raises(ReleaseError):
            site.catalogue.direct("room-1", wrong)
    with pytest.raises(ReleaseError):
        site.catalogue.direct("../room", [])


def test_what_is_withdrawn_is_gone_once_two_people_agree(site: Site, tmp_path: Path) -> None:
    target = site.publish(write_release(tmp_path / "release"))
    site.catalogue.withdraw(target)
    assert list(site.catalogue.images.targets()) == [target]
    for signer in site.approvers:
        site.catalogue.approve(signer)
    site.catalogue.publish()
    assert room(site, tmp_path / "room").get_targetinfo(target) is None


def test_who_steals_the_hub_s_key_puts_no_release_of_their_own_into_a_room(site: Site, tmp_path: Path) -> None:
    target = site.publish(write_release(tmp_path / "release"))
    stolen = online_key(site.folder / "online.pem")
    _forge(site, target, [stolen])
    with pytest.raises(RepositoryError):
        room(site, tmp_path / "room").get_targetinfo(target)


def test_one_approver_s_stolen_key_is_not_enough(site: Site, tmp_path: Path) -> None:
    target = site.publish(write_release(tmp_path / "release"))
    _forge(site, target, [site.approvers[0], online_key(site.folder / "online.pem")])
    with pytest.raises(RepositoryError):
        room(site, tmp_path / "room").get_targetinfo(target)


def test_with_both_approvers_keys_the_same_forgery_would_pass(site: Site, tmp_path: Path) -> None:
    target = site.publish(write_release(tmp_path / "release"))
    _forge(site, target, site.approvers)
    found = room(site, tmp_path / "room").get_targetinfo(target)
    assert found is not None
    assert found.length == len(b"evil")


def test_a_room_is_not_led_back_to_what_was_published_before(site: Site, tmp_path: Path) -> None:
    site.publish(write_release(tmp_path / "one"))
    before = {path.name: path.read_bytes() for path in (site.folder / "images" / "metadata").iterdir()}
    second = site.publish(write_release(tmp_path / "two", version="2.0.0", counter=2))
    assert room(site, tmp_path / "room").get_targetinfo(second) is not None
    (site.folder / "images" / "metadata" / "timestamp.json").write_bytes(before["timestamp.json"])
    with pytest.raises(RepositoryError):
        room(site, tmp_path / "room").refresh()


def test_a_hub_that_is_restored_from_a_backup_is_believed_by_rooms_that_heard_it_since(tmp_path: Path) -> None:
    clock = FakeClock()
    clock.at = SystemClock().now()
    site = Site.begun(tmp_path / "releases", clock)
    target = site.publish(write_release(tmp_path / "release"))
    site.catalogue.direct("room-1", [Wish(target, "manual")])
    shutil.copytree(site.folder, tmp_path / "backup")
    for number in range(5):
        clock.advance(60)
        site.catalogue.direct("room-1", [Wish(target, f"rollout-{number}")])
    site.catalogue.renew(["room-1"])
    for repository in ("images", "director/nodes/room-1"):
        room(site, tmp_path / "room", repository).refresh()
    shutil.rmtree(site.folder)
    shutil.copytree(tmp_path / "backup", site.folder)
    clock.advance(120)
    site.catalogue.renew(["room-1"])
    room(site, tmp_path / "room", "director/nodes/room-1").refresh()
    clock.advance(60)
    version = site.catalogue.direct("room-1", [])
    assert version == int(clock.now().timestamp()) // 60
    room(site, tmp_path / "room").refresh()
    assert room(site, tmp_path / "room", "director/nodes/room-1").get_targetinfo(target) is None


def test_versions_rise_also_within_a_minute_and_with_a_clock_that_was_set_back(tmp_path: Path) -> None:
    clock = FakeClock()
    site = Site.begun(tmp_path / "releases", clock)
    site.publish(write_release(tmp_path / "release"))
    versions = [site.catalogue.direct("room-1", []) for _ in range(3)]
    clock.at -= timedelta(days=3)
    versions.append(site.catalogue.direct("room-1", []))
    assert versions == list(range(versions[0], versions[0] + 4))


def test_metadata_that_no_room_asks_for_any_more_are_not_kept(site: Site, tmp_path: Path) -> None:
    target = site.publish(write_release(tmp_path / "release"))
    for _ in range(3 * KEPT):
        site.catalogue.direct("room-1", [Wish(target, "manual")])
    site.catalogue.renew(["room-1"])
    folder = site.folder / "director" / "nodes" / "room-1" / "metadata"
    assert {role: len(list(folder.glob(f"*.{role}.json"))) for role in ("root", "targets", "snapshot")} == {
        "root": 1,
        "targets": KEPT,
        "snapshot": KEPT,
    }
    assert room(site, tmp_path / "room", "director/nodes/room-1").get_targetinfo(target) is not None


def test_a_packed_release_is_deleted_once_it_is_neither_published_nor_waiting(site: Site, tmp_path: Path) -> None:
    first = site.publish(write_release(tmp_path / "one"))
    packed = site.catalogue.packed(first)
    site.catalogue.withdraw(first)
    second = site.catalogue.add(write_release(tmp_path / "two", version="2.0.0", counter=2)).target
    assert packed.exists(), "it is published until two people agree"
    for signer in site.approvers:
        site.catalogue.approve(signer)
    site.catalogue.publish()
    assert not packed.exists()
    assert site.catalogue.packed(second).exists()


def test_a_hub_that_tells_nothing_new_is_believed_for_a_day(tmp_path: Path) -> None:
    clock = FakeClock()
    clock.at = SystemClock().now() - VALID["timestamp"]
    site = Site.begun(tmp_path / "releases", clock)
    site.publish(write_release(tmp_path / "release"))
    with pytest.raises(RepositoryError):
        room(site, tmp_path / "room").refresh()
    clock.at = SystemClock().now()
    site.catalogue.publish()
    room(site, tmp_path / "room").refresh()


def test_keys_are_changed_by_two_of_the_root_s_people_and_rooms_follow(site: Site, tmp_path: Path) -> None:
    target = site.publish(write_release(tmp_path / "release"))
    one = room(site, tmp_path / "room")
    one.refresh()
    lost, fresh = site.approvers[0], CryptoSigner.generate_ed25519()
    images, online = site.catalogue.images, online_key(site.folder / "online.pem").public_key
    keys = site.keys(approvers=[site.approvers[1].public_key, fresh.public_key], online=online)
    images.stage_root(keys)
    assert images.sign("root", site.root[0]) == 1
    assert images.sign("root", site.root[2]) == 0
    images.stage_targets(dict(images.targets()))
    with pytest.raises(ReleaseError):
        images.sign("targets", lost)
    for signer in (site.approvers[1], fresh):
        images.sign("targets", signer)
    site.catalogue.publish()
    assert room(site, tmp_path / "room").get_targetinfo(target) is not None


def _forge(site: Site, target: str, signers: list[CryptoSigner]) -> None:
    """Put a release of one's own in place of a published one, with the hub's disk and some keys in hand."""
    folder = site.folder / "images" / "metadata"
    newest = max(folder.glob("*.targets.json"))
    forged = Metadata[Targets].from_bytes(newest.read_bytes())
    forged.signatures.clear()
    forged.signed.targets[target] = TargetFile.from_data(target, b"evil", ["sha256"])
    for signer in signers:
        forged.sign(signer, append=True)
    newest.write_bytes(forged.to_bytes())
