"""A hub is lost and made again from its backup; the rooms go on by themselves, nothing is lost after it or doubled."""

import json
import shutil
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from tests.journey.world import Site, until

from forge_hub.graph import open_graph

ROOM = "room-1"
SCRIPT = {
    "repeat": True,
    "turns": [["water"], ["i want to fill in my form", "stop"], ["nurse"]],
}
LOG = (
    "SELECT position, event_id, node, epoch, lane, sequence, type, subject, time, received_at, envelope FROM event_log"
)


def reached(site: Site, events: int, epoch: str | None = None) -> bool:
    """Tell whether the room has made so many events, in another epoch than the one given."""
    made = sum(site.produced(ROOM).values())
    return made >= events and site.outbox(ROOM, "SELECT id FROM epoch") != [(epoch,)]


def has_rested(site: Site) -> bool:
    """Tell whether everything has arrived and nothing new comes."""
    time.sleep(1)
    return site.pending(ROOM) == 0


@pytest.mark.slow
def test_a_hub_restored_from_a_backup_goes_on_with_its_rooms_and_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    key, archive = tmp_path / "backup.key", tmp_path / "hub.backup"
    with Site(tmp_path) as site:
        site.make_account("admin")
        site.hub_command("backup-key", str(key))
        site.start_scripted_room(ROOM, SCRIPT)
        until("first events", partial(reached, site, 30))
        site.hub_command("backup", str(archive), "--key-file", str(key))
        until("events that the backup does not have", partial(reached, site, 60))
        until("them to arrive", lambda: site.records("SELECT count(*) FROM event_log")[0][0] >= 50 or None)
        with pytest.raises(RuntimeError, match="already running"):
            site.hub_command("restore", str(archive), "--key-file", str(key), "--force")
        ((old_epoch,),) = site.outbox(ROOM, "SELECT id FROM epoch")
        site.stop_hub()
        before = site.records(f"{LOG} ORDER BY position")

        (site.hub_folder / "records.db").unlink()  # the disk is gone
        shutil.rmtree(site.hub_folder / "authority")
        restored = json.loads(site.hub_command("restore", str(archive), "--key-file", str(key)))
        backed_up = restored["events"]
        assert 0 < backed_up < len(before)
        assert site.records(f"{LOG} ORDER BY position") == before[:backed_up], "the log is the same to the byte"

        site.start_hub()
        until("a new epoch and events in it", partial(reached, site, 30, old_epoch), seconds=90)
        site.stop_room(ROOM)
        site.start_scripted_room(ROOM, {"turns": []})
        until("an empty outbox", lambda: site.pending(ROOM) == 0 or None)
        until("the node's rest", partial(has_rested, site))
        ((epoch,),) = site.outbox(ROOM, "SELECT id FROM epoch")
        made = site.produced(ROOM)
        for lane, last in made.items():
            query = "SELECT sequence FROM event_log WHERE epoch = ? AND lane = ? ORDER BY position"
            assert site.records(query, epoch, lane) == [(number,) for number in range(1, last + 1)], lane
        total = site.records("SELECT count(*), count(DISTINCT event_id) FROM event_log")
        assert total == [(backed_up + sum(made.values()),) * 2]
        with closing(site.sign_in("admin")) as admin:
            assert admin.get("/").status_code == 200, "accounts came back"

        until("the graph", lambda: len(json.loads(site.hub_command("graph", "rebuild"))) or None)
        site.stop_hub()
        uri = f"ladybug://{site.hub_folder / 'graph.lbdb'}"
        with closing(open_graph(uri, None)) as graph:
            caught_up = graph.snapshot()
        site.hub_command("graph", "rebuild")
        with closing(open_graph(uri, None)) as graph:
            assert graph.snapshot() == caught_up
            assert len(caught_up.nodes) > 0
