"""Room and hub as real processes: danger that is said in the room rings at once, and wishes do not."""

import json
from contextlib import closing
from pathlib import Path

import pytest
from tests.journey.world import Site, until

ROOM = "room-1"
TURNS = [["what time is it"], ["turn on the light"], ["i cannot breathe"], ["i cannot breathe"], ["i need the toilet"]]


@pytest.mark.alone
def test_danger_said_in_a_room_is_one_alert_that_rings_and_no_word_of_it_leaves(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"time_zone": "Europe/Berlin", "ambience": True, "reminders": []}))
    with Site(tmp_path) as site:
        site.make_account("admin")
        site.make_account("staff")
        site.start_scripted_room(ROOM, {"turns": TURNS}, FORGE_EDGE_ROOM_PLAN=str(plan))
        alerts = "SELECT kind, severity, count, detail FROM alert WHERE kind IN ('crisis', 'request') ORDER BY kind"
        until("both alerts", lambda: len(site.records(alerts)) == 2, seconds=60)
        crisis, request = site.records(alerts)
        assert crisis[:3] == ("crisis", "critical", 1), "who repeats themselves is one call"
        assert json.loads(crisis[3])["category"] == "breathing"
        assert request[0] == "request"
        assert json.loads(request[3])["request"] == "toilet"
        with closing(site.sign_in("staff")) as board:
            until("the board", lambda: "Says that they cannot breathe" in board.get("/").text)
        log = (site.folder / f"{ROOM}.log").read_text()
        assert "breathe" not in log
        assert "toilet" not in log
