"""A stay from admission to discharge, and consent that is withdrawn, over a real hub, broker and nodes."""

import json
import re
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.journey.stays import NAME, RECORD_NUMBER, admit, make_beds
from tests.journey.world import Site, until

from forge_edge.dialogue.saved import SavedConversation
from forge_shared.sealing import Keyring

WITHDRAWAL_SECONDS = 2.0


def confirmed(site: Site, room: str) -> bool:
    """Tell whether the room's node has said that it does what it was told last."""
    query = "SELECT 1 FROM room JOIN desired_twin USING (node) WHERE node = ? AND twin_revision = revision"
    return bool(site.records(query, room))


def subjects(site: Site, room: str, after: int = 0) -> list[str]:
    query = "SELECT subject FROM event_log WHERE node = ? AND position > ? AND type LIKE '%request%' ORDER BY position"
    return [subject for (subject,) in site.records(query, room, after)]


def found_in(folder: Path, *plants: str) -> set[tuple[str, str]]:
    hits = set()
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes().lower()
            hits |= {(path.name, plant) for plant in plants if plant.lower().encode() in content}
    return hits


def saved_conversation(folder: Path) -> str:
    """Where a room's dialogue stands, opened with the node's own key."""
    keyring = Keyring.open(folder / "keys" / "device.key")
    return SavedConversation(folder / "conversation.json", keyring).load().model_dump_json()


def room_of(site: Site, room: str) -> dict[str, Any]:
    rows = site.records("SELECT hearing, session_on, capture FROM room WHERE node = ?", room)
    return dict(zip(("hearing", "session_on", "capture"), rows[0], strict=True)) if rows else {}


@pytest.mark.alone
def test_a_stay_keeps_its_pseudonym_from_room_to_room_and_its_end_wipes_the_node(tmp_path: Path) -> None:
    with Site(tmp_path) as site:
        for role in ("admin", "staff"):
            site.make_account(role)
        first, second = make_beds(site, "room-1", "room-2")
        site.start_scripted_room("room-1", {"turns": [["water"]], "repeat": True, "pause_seconds": 0.3})
        until("an event of a room without a stay", lambda: subjects(site, "room-1"))
        with closing(site.sign_in("staff")) as staff:
            stay, pseudonym = admit(staff, first, "voice", "recorded-session")
            until("events under the stay's pseudonym", lambda: pseudonym in subjects(site, "room-1"))

            site.post(staff, f"/stays/{stay}", f"/stays/{stay}/transfer", bed=second)
            until("the old room's word", lambda: confirmed(site, "room-1"))
            until("an empty outbox", lambda: site.pending("room-1") == 0 or None)
            moved = site.records("SELECT max(position) FROM event_log")[0][0]
            until("what the old room says after", lambda: len(subjects(site, "room-1", moved)) > 1)
            assert pseudonym not in subjects(site, "room-1", moved), "the old room knows nobody any more"
            until("nothing in the old room's folder", lambda: not found_in(site.room_folder("room-1"), pseudonym))

            form = ["i want to fill in my form", "several days", "yes"]
            site.start_scripted_room("room-2", {"turns": [["water"], ["nurse"], form], "pause_seconds": 1.5})
            until("events in the new room", lambda: pseudonym in subjects(site, "room-2"))
            plants = (pseudonym, "LA6569-3", NAME, RECORD_NUMBER)
            until("a form in progress", lambda: "LA6569-3" in saved_conversation(site.room_folder("room-2")))
            assert found_in(site.room_folder("room-2"), "LA6569-3") == set(), "it is sealed"
            assert ("desired.json", pseudonym) in found_in(site.room_folder("room-2"), *plants)

            site.post(staff, f"/stays/{stay}", f"/stays/{stay}/discharge")
            until("the new room's word", lambda: confirmed(site, "room-2"))
            until("a node that forgot", lambda: not found_in(site.room_folder("room-2"), *plants), seconds=20)
            assert "LA6569-3" not in saved_conversation(site.room_folder("room-2"))
            page = f"/stays/{stay}"
            assert "Ended" in staff.get(page).text
            token = re.search(r'name="csrf_token" value="([^"]*)"', staff.get(page).text)
            assert token is not None
            assert NAME in staff.post(f"{page}/name", data={"csrf_token": token[1]}).text
        with closing(site.sign_in("admin")) as admin:
            assert admin.get(f"/stays/{stay}").status_code == 403
        actions = [action for (action,) in site.records("SELECT action FROM audit WHERE object = ? ORDER BY id", stay)]
        assert actions == ["stay.admit", "identity.file", "stay.transfer", "stay.discharge", "identity.show"]

        site.stop_room("room-2")
        site.restart_room("room-2")
        until("the room again", lambda: confirmed(site, "room-2"))
        for room in ("room-1", "room-2"):
            site.stop_room(room)
            assert found_in(site.room_folder(room), *plants) == set()
        site.stop_hub()
        assert found_in(site.folder, NAME, "Hollister", RECORD_NUMBER) == set(), (
            "the name stands sealed, and nowhere else"
        )


@pytest.mark.alone
def test_consent_that_is_withdrawn_stops_capture_within_two_seconds_and_shows(
    tmp_path: Path, record_property: Any
) -> None:
    with Site(tmp_path) as site:
        for role in ("admin", "staff", "clinician"):
            site.make_account(role)
        (bed,) = make_beds(site, "room-1")
        with closing(site.sign_in("staff")) as staff, closing(site.sign_in("clinician")) as clinician:
            stay, _ = admit(staff, bed, "voice", "recorded-session")
            said = [{"dictate": "i slept well", "await_session": True}, *[{"dictate": "and then some"}] * 500]
            site.start_scripted_room("room-1", {"turns": said, "pause_seconds": 0.2})
            until("the room", lambda: confirmed(site, "room-1"))
            page = "/rooms/room-1/session"
            site.post(clinician, page, f"{page}/start", consent="given")
            until("what is said", lambda: site.records("SELECT id FROM utterance"))
            ears = site.ears_pid("room-1")

            started = time.monotonic()
            site.post(staff, f"/stays/{stay}", f"/stays/{stay}/consents/voice/withdraw")
            until("closed ears", lambda: site.ears_pid("room-1") != ears, every=0.005)
            closed_seconds = time.monotonic() - started
            until("a room that says so", lambda: room_of(site, "room-1")["hearing"] == "closed")
            shown_seconds = time.monotonic() - started
            figures = {"microphone_closed_s": round(closed_seconds, 3), "shown_s": round(shown_seconds, 3)}
            print(json.dumps(figures))  # noqa: T201 (the figure of this run)
            record_property("withdrawal", figures)
            assert closed_seconds < WITHDRAWAL_SECONDS

            until("the session's end", lambda: site.records("SELECT 1 FROM session WHERE end_reason IS NOT NULL"))
            assert site.records("SELECT end_reason FROM session") == [("consent-withdrawn",)]
            until("an empty outbox", lambda: site.pending("room-1") == 0 or None)
            taken_down = site.records("SELECT count(*) FROM utterance")
            assert "This room does not listen" in staff.get("/rooms").text

            site.post(clinician, page, f"{page}/start", consent="given")
            log = site.folder / "room-1.log"
            until("the room's refusal", lambda: "session.refused" in log.read_text())
            assert room_of(site, "room-1")["session_on"] == 0
            assert site.records("SELECT count(*) FROM utterance") == taken_down

            site.post(staff, f"/stays/{stay}", f"/stays/{stay}/consents/voice/give")
            until("a room that hears again", lambda: room_of(site, "room-1")["hearing"] == "ok")
            assert "voice" in room_of(site, "room-1")["capture"]
