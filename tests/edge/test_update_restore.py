"""A hub that was restored from a backup knows fewer releases than its rooms do, and how it is believed again."""

import json
import shutil
from pathlib import Path

import pytest
from tests.fakes.releases import Site
from tests.fakes.updating_room import NODE, RoomNode, Wire, direct, published

from forge_edge.__main__ import main
from forge_edge.hub_line import TRUSTED
from forge_edge.update.trusted import versions
from forge_hub.releases.catalogue import Catalogue
from forge_shared.clock import SystemClock


class Restored:
    """A site with one release, restored after its room has heard of a second one; the room serves the first."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = Site.begun(folder / "releases", SystemClock())
        self.node = RoomNode(folder / "node", Wire(self.site))
        self.first = published(self.site, folder, "1.0.0", 1)
        direct(self.site, self.first)

    async def restore(self) -> None:
        backup = shutil.copytree(self.site.folder, self.folder / "backup")
        await self.node.start()
        published(self.site, self.folder, "2.0.0", 2)
        direct(self.site, self.first)
        await self.node.look()
        assert self.node.updater.distrust is None
        shutil.rmtree(self.site.folder)
        shutil.copytree(backup, self.site.folder)
        self.site.catalogue = Catalogue(self.site.folder, SystemClock())
        # As the hub that is started again does; its versions count minutes, of which some have gone by.
        for _ in range(3):
            self.site.catalogue.renew([NODE])

    @property
    def trusted(self) -> Path:
        return self.node.folder / "trusted"


@pytest.fixture
async def restored(tmp_path: Path) -> Restored:
    made = Restored(tmp_path)
    await made.restore()
    return made


async def test_a_room_that_knows_more_than_the_restored_hub_believes_nothing_and_serves_what_it_has(
    restored: Restored,
) -> None:
    await restored.node.look()
    assert restored.node.updater.distrust == "metadata-badversionnumber"
    assert restored.node.room.serves == restored.first
    # What people sign next has the number that the room knows already, with other content.
    third = published(restored.site, restored.folder, "3.0.0", 3)
    direct(restored.site, third)
    await restored.node.look()
    assert restored.node.updater.distrust == "not-approved"
    assert restored.node.room.serves == restored.first


async def test_what_a_room_believed_last_makes_the_restored_hub_believed_again(restored: Restored) -> None:
    # As docs/updates.md says it: the room names the version, and what it has goes where the hub publishes.
    assert versions(restored.trusted)["images"] == 2
    assert restored.site.catalogue.images.targets_version == 1
    metadata = restored.site.folder / "images/metadata"
    shutil.copyfile(restored.trusted / "images/targets.json", metadata / "2.targets.json")
    restored.site.catalogue.publish()
    await restored.node.look()
    assert restored.node.updater.distrust is None
    third = published(restored.site, restored.folder, "3.0.0", 3)
    direct(restored.site, third)
    await restored.node.look()
    assert restored.node.room.serves == third


def test_a_node_says_which_versions_it_believed_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORGE_EDGE_STATE_DIR", str(tmp_path))
    for name, version in (("images", 7), ("director", 29_000_000)):
        (tmp_path / TRUSTED / name).mkdir(parents=True)
        (tmp_path / TRUSTED / name / "targets.json").write_text(json.dumps({"signed": {"version": version}}))
    assert main(["updates", "show"]) == 0
    assert "images: version 7" in capsys.readouterr().out
    assert main(["updates", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["believed"] == {"images": 7, "director": 29_000_000}
    (tmp_path / TRUSTED / "images" / "targets.json").write_text("{")
    assert main(["updates", "show", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["believed"] == {"director": 29_000_000}
