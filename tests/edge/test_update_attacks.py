"""Who attacks the way of a release into a room changes nothing of what serves there, and is noticed.

The attacks are those of the Uptane Standard 2.1.0, section 4.3 (read updates, deny updates, deny functionality, modify
functionality), each under its name there; and two more: a tampered golden output, and the hub's key in wrong hands.
"""

import asyncio
import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from securesystemslib.signer import CryptoSigner
from tests.fakes.clock import FakeClock
from tests.fakes.releases import Site, write_release
from tests.fakes.updating_room import NODE, ROLE, RoomNode, Wire
from tuf.api.metadata import Metadata, Root, TargetFile, Targets

from forge_edge.errors import UpdateUnreachableError
from forge_edge.update.fetching import LEAST_BYTES_PER_SECOND, RATE_SECONDS
from forge_hub.errors import ReleaseError
from forge_hub.releases.catalogue import Catalogue, Wish
from forge_hub.releases.keys import online_key
from forge_hub.releases.package import pack, read_release
from forge_hub.releases.repository import VALID, Repository
from forge_shared.clock import SystemClock

FIRST, SECOND, THIRD = (f"fall-pose-{number}.0.0.tar" for number in (1, 2, 3))


class Attacked:
    """A room that serves a release which did well, and a site that directs it to the next one."""

    def __init__(self, folder: Path, site: Site | None = None) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.site = site or Site.begun(folder / "releases", SystemClock())
        self.wire = Wire(self.site)
        self.node = RoomNode(folder / "node", self.wire, self.clock)

    def copied(self, folder: Path) -> "Attacked":
        """Return the same site and room once more, on a disk of their own."""
        shutil.copytree(self.folder, folder, symlinks=True)
        releases = folder / "releases"
        catalogue = Catalogue(releases, SystemClock())
        return Attacked(folder, Site(releases, catalogue, self.site.root, self.site.approvers))

    def publish(self, version: str, counter: int) -> None:
        self.site.publish(write_release(self.folder / f"release-{version}", version=version, counter=counter))

    def direct(self, target: str) -> None:
        self.site.catalogue.direct(NODE, [Wish(target, "manual")])

    async def serve_the_first(self) -> None:
        self.publish("1.0.0", 1)
        self.direct(FIRST)
        await self.node.start()
        await self.node.look()
        await self.node.updater.trials.watch(ROLE)
        self.clock.advance(3601)
        await self.node.updater.trials.watch(ROLE)
        assert self.node.outcomes == [("on-trial", None), ("committed", None)]

    async def looks(self) -> str | None:
        """Look, and return why what comes is not taken, as the hub is told; "unreachable": nothing usable comes."""
        try:
            await self.node.look()
        except UpdateUnreachableError:
            reason: str | None = "unreachable"
        else:
            refused = None if self.node.line is None else self.node.line.reason
            reason = self.node.updater.distrust or refused
        if reason is not None:
            assert self.node.room.serves == FIRST
            assert self.node.room.switches == [FIRST]
            state = self.node.slots.state(ROLE)
            assert (state.trial, state.quarantined) == (None, ())
            # It also starts with it again.
            again = self.node.restarted()
            await again.start()
            assert again.room.serves == FIRST
        return reason

    async def recovers(self) -> None:
        """Once the attack is over, what the site wants is taken: nothing of it was burnt."""
        self.wire.alter = lambda _, content: content
        assert await self.looks() is None
        assert self.node.room.serves == SECOND

    def kept(self, repository: str) -> Mapping[str, bytes]:
        """Return what a repository gives out now, as who replays it later would have it."""
        place = repository if repository == "images" else f"director/nodes/{NODE}"
        files = (self.site.folder / place / "metadata").iterdir()
        return {f"{repository}/metadata/{path.name}": path.read_bytes() for path in files if "root" not in path.name}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    world = Attacked(tmp_path_factory.mktemp("world"))
    asyncio.run(world.serve_the_first())
    world.publish("2.0.0", 2)
    world.direct(SECOND)
    return world


@pytest.fixture
async def attacked(world: Attacked, tmp_path: Path) -> Attacked:
    attacked = world.copied(tmp_path / "world")
    await attacked.node.start()
    return attacked


async def test_without_an_attack_the_next_release_is_taken(attacked: Attacked) -> None:
    await attacked.recovers()


async def test_eavesdropping_on_keys_hears_none_and_what_it_hears_opens_nothing(attacked: Attacked) -> None:
    heard: list[bytes] = []

    def listen(_: str, content: bytes) -> bytes:
        heard.append(content)
        return content

    attacked.wire.alter = listen
    assert await attacked.looks() is None
    everything = b"".join(heard)
    assert len(everything) > 1000
    people = [*attacked.site.root, *attacked.site.approvers, online_key(attacked.site.folder / "online.pem")]
    for signer in people:
        secret = signer.private_bytes
        assert secret not in everything
        assert secret.splitlines()[1] not in everything
    # The line is HTTPS besides, and only nodes read from it: tests/contracts/test_release_transport.py.


@pytest.mark.parametrize("dropped", ["timestamp.json", ".snapshot.json", ".targets.json", ".tar"])
async def test_dropped_requests_leave_the_room_with_what_it_has(attacked: Attacked, dropped: str) -> None:
    attacked.wire.alter = lambda path, content: None if path.endswith(dropped) else content
    assert await attacked.looks() == "unreachable"
    await attacked.recovers()


async def test_slow_retrieval_holds_nothing_up(attacked: Attacked) -> None:
    attacked.wire.piece = 50
    attacked.wire.on_piece = lambda: attacked.clock.advance(2 * 50 / LEAST_BYTES_PER_SECOND)
    given = attacked.wire.given
    release = attacked.site.catalogue.images.targets()[SECOND].length
    attacked.wire.alter = lambda path, content: content * 10 if path.endswith(".tar") else content
    assert release < LEAST_BYTES_PER_SECOND * RATE_SECONDS / 2, "the wire drips longer than it may"
    assert await attacked.looks() in {"unreachable", "endless-data"}
    assert attacked.wire.given - given <= LEAST_BYTES_PER_SECOND * RATE_SECONDS
    attacked.wire.on_piece = lambda: None
    await attacked.recovers()


async def test_a_freeze_is_believed_for_a_day_and_no_longer(attacked: Attacked) -> None:
    # What somebody recorded a day ago and gives out for ever; signed by the hub itself, and true then.
    past = FakeClock()
    past.at = SystemClock().now() - VALID["timestamp"] - timedelta(seconds=1)
    frozen = Catalogue(attacked.site.folder, past)
    frozen.publish()
    assert await attacked.looks() == "metadata-expiredmetadata"
    attacked.site.catalogue.publish()
    await attacked.recovers()


async def test_of_a_partial_bundle_nothing_is_installed(attacked: Attacked) -> None:
    older = attacked.kept("images")
    attacked.publish("3.0.0", 3)
    attacked.direct(THIRD)
    # The director's part comes through, the images' newest does not.
    attacked.wire.alter = older.get
    assert await attacked.looks() == "not-approved"
    attacked.direct(SECOND)
    # And half a release is none.
    attacked.wire.alter = lambda path, content: content[: len(content) // 2] if path.endswith(".tar") else content
    assert await attacked.looks() == "unreachable"
    await attacked.recovers()


@pytest.mark.parametrize("repository", ["images", "director"])
async def test_a_rollback_to_older_metadata_is_refused(attacked: Attacked, repository: str) -> None:
    older = attacked.kept(repository)
    attacked.publish("3.0.0", 3)
    attacked.direct(SECOND)
    attacked.node.room.obstacles[ROLE] = "no-camera"  # what is published is believed, and waits
    assert await attacked.looks() == "no-camera"
    del attacked.node.room.obstacles[ROLE]
    attacked.wire.alter = older.get
    assert await attacked.looks() == "metadata-badversionnumber"
    await attacked.recovers()


async def test_endless_data_fill_no_disk(attacked: Attacked) -> None:
    attacked.wire.alter = lambda path, content: content * 50 if path.endswith(".tar") else content
    assert await attacked.looks() == "endless-data"
    assert list((attacked.node.folder / "fetched").iterdir()) == []
    attacked.wire.alter = lambda path, content: content * 50_000 if path.endswith("timestamp.json") else content
    assert await attacked.looks() == "unreachable"
    await attacked.recovers()


async def test_mix_and_match_of_two_times_is_refused(attacked: Attacked) -> None:
    older = next(content for path, content in attacked.kept("images").items() if path.endswith(".targets.json"))
    attacked.publish("3.0.0", 3)

    def mixed(path: str, content: bytes) -> bytes:
        return older if path.startswith("images/") and path.endswith(".targets.json") else content

    attacked.wire.alter = mixed
    assert await attacked.looks() == "metadata-badversionnumber"
    await attacked.recovers()


async def test_arbitrary_software_in_place_of_a_release_never_serves(attacked: Attacked) -> None:
    attacked.wire.alter = lambda path, content: content.replace(b"weights", b"evil!!!") if ".tar" in path else content
    assert await attacked.looks() == "wrong-bytes"
    await attacked.recovers()


async def test_arbitrary_software_that_a_stranger_has_signed_for_is_refused(attacked: Attacked) -> None:
    def forge(path: str, content: bytes) -> bytes:
        if not (path.startswith("images/") and path.endswith(".targets.json")):
            return content
        forged = Metadata[Targets].from_bytes(content)
        forged.signed.targets[SECOND] = TargetFile.from_data(SECOND, b"evil", ["sha256"])
        forged.sign(CryptoSigner.generate_ed25519())
        return forged.to_bytes()

    attacked.wire.alter = forge
    assert await attacked.looks() == "metadata-unsignedmetadata"
    await attacked.recovers()


async def test_a_tampered_golden_output_is_found_wherever_it_is_tampered_with(
    attacked: Attacked, tmp_path: Path
) -> None:
    release = write_release(tmp_path / "tampered", version="2.0.0", counter=2)
    golden = release / "golden" / "output.json"
    golden.write_text('{"out": {"values": [3.0]}}')
    # Where people sign: the manifest says another digest.
    with pytest.raises(ReleaseError, match=r"golden/output.json"):
        read_release(release)
    # On the way, with the manifest told so too: it is not the release that people signed.
    manifest = json.loads((release / "manifest.json").read_text())
    for file in manifest["files"]:
        content = (release / file["path"]).read_bytes()
        file.update(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    (release / "manifest.json").write_text(json.dumps(manifest))
    packed = pack(read_release(release), tmp_path).read_bytes()
    attacked.wire.alter = lambda path, content: packed if path.endswith(".tar") else content
    assert await attacked.looks() in {"wrong-bytes", "endless-data", "unreachable"}
    await attacked.recovers()
    # That a release misses the golden output that it was signed with: tests/edge/test_golden_run.py.


def _own_release(_: Attacked, director: Repository, stolen: CryptoSigner) -> None:
    _direct(director, {"fall-pose-9.0.0.tar": _evil("fall-pose-9.0.0.tar")}, stolen)


def _own_bytes(_: Attacked, director: Repository, stolen: CryptoSigner) -> None:
    _direct(director, {SECOND: _evil(SECOND)}, stolen)


def _own_list(world: Attacked, director: Repository, stolen: CryptoSigner) -> None:
    folder = world.site.folder / "images" / "metadata"
    newest = max(folder.glob("*.targets.json"), key=lambda path: int(path.name.split(".")[0]))
    forged = Metadata[Targets].from_bytes(newest.read_bytes())
    forged.signed.targets["fall-pose-9.0.0.tar"] = _evil("fall-pose-9.0.0.tar")
    forged.signed.version += 1
    forged.sign(stolen)
    (folder / f"{forged.signed.version}.targets.json").write_bytes(forged.to_bytes())
    world.site.catalogue.images.publish(stolen)
    _own_release(world, director, stolen)


def _own_root(world: Attacked, _: Repository, stolen: CryptoSigner) -> None:
    folder = world.site.folder / "images" / "metadata"
    root = Metadata[Root].from_bytes((folder / "1.root.json").read_bytes())
    root.signed.version = 2
    root.signed.roles["targets"].threshold = 1
    root.signed.add_key(stolen.public_key, "targets")
    root.sign(stolen)
    (folder / "2.root.json").write_bytes(root.to_bytes())


@pytest.mark.parametrize(
    ("attempt", "reason"),
    [
        (_own_release, "not-approved"),
        (_own_bytes, "repositories-disagree"),
        (_own_list, "metadata-unsignedmetadata"),
        (_own_root, "metadata-unsignedmetadata"),
    ],
)
async def test_who_steals_the_hub_s_key_and_disk_chooses_among_approved_releases_and_nothing_else(
    attacked: Attacked, attempt: Callable[[Attacked, Repository, CryptoSigner], None], reason: str
) -> None:
    stolen = online_key(attacked.site.folder / "online.pem")
    director = Repository(attacked.site.folder / f"director/nodes/{NODE}", SystemClock())
    attempt(attacked, director, stolen)
    assert await attacked.looks() == reason


def _direct(director: Repository, targets: Mapping[str, TargetFile], key: CryptoSigner) -> None:
    director.stage_targets(targets)
    director.sign("targets", key)
    director.publish(key)


def _evil(name: str) -> TargetFile:
    target = TargetFile.from_data(name, b"evil", ["sha256"])
    target.unrecognized_fields["custom"] = {"role": ROLE, "version": "9.0.0", "release_counter": 9}
    return target
