"""A person is erased from a hub that serves, by one command; the next room goes on as if nothing had been."""

import json
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from tests.journey.world import Site, until

PLANTED = {"room-1": "planted words about the red umbrella", "room-2": "planted words about the blue kettle"}


def files_with(site: Site, text: str) -> list[str]:
    return sorted(
        str(path.relative_to(site.hub_folder))
        for path in site.hub_folder.rglob("*")
        if path.is_file() and text.encode() in path.read_bytes()
    )


@pytest.mark.slow
def test_one_command_erases_a_person_from_a_serving_hub_and_from_its_files(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        site.make_account("admin")
        site.make_account("clinician")
        for room, text in PLANTED.items():
            turns = [{"dictate": "before"}, ["water"], {"dictate": text, "await_session": True}, ["nurse"]]
            site.start_scripted_room(room, {"turns": turns})
        with closing(site.sign_in("clinician")) as clinician:
            for room in PLANTED:
                until("the person", partial(site.records, "SELECT 1 FROM person WHERE node = ?", room))
                page = f"/rooms/{room}/session"
                site.post(clinician, page, f"{page}/start", consent="given")
            until("both utterances", lambda: len(site.records("SELECT id FROM utterance")) == 2 or None)
            until("the rest", lambda: all(site.pending(room) == 0 for room in PLANTED) or None)
        until("the graph", lambda: json.loads(site.hub_command("graph", "rebuild"))["Utterance"] == 2 or None)
        assert files_with(site, PLANTED["room-1"]) != []

        ((gone,),) = site.records("SELECT pseudonym FROM person WHERE node = 'room-1'")
        before = site.records("SELECT count(*), count(DISTINCT event_id) FROM event_log")
        proof = json.loads(site.hub_command("erase", gone, "--reason", "asked"))
        assert proof["found"] == {}
        assert proof["erased"]["utterance"] == 1

        assert site.records("SELECT count(*), count(DISTINCT event_id) FROM event_log") == before
        assert files_with(site, PLANTED["room-1"]) == []
        assert files_with(site, PLANTED["room-2"]) != []
        assert [node for (node,) in site.records("SELECT node FROM person")] == ["room-2"]
        assert "planted" not in site.hub_output.read_text(encoding="utf-8")

        # The room is still there and knows nothing of it: it may call, and nothing else of it is kept.
        site.stop_room("room-1")
        rung = len(site.records("SELECT id FROM alert WHERE node = 'room-1'"))
        site.start_scripted_room("room-1", {"turns": [["water"], ["nurse"]]})
        until("its alarms", lambda: len(site.records("SELECT id FROM alert WHERE node = 'room-1'")) >= rung + 2 or None)
        assert site.records("SELECT count(*) FROM event_log WHERE subject = ?", gone) == [(0,)]
        with pytest.raises(RuntimeError, match="no such person"):
            site.hub_command("erase", "p-nobody", "--reason", "asked")
