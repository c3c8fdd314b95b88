"""What is planted in a room is found nowhere outside it; with the anonymiser bypassed the same search finds it all."""

import base64
import json
import random
import ssl
from contextlib import closing
from pathlib import Path

import pytest
from tests.fakes.tap import Tap
from tests.journey.world import Site, until

from forge_hub.fleet.authority import Authority
from forge_shared.clock import SystemClock

ROOM = "room-1"
AUDIO = base64.b64encode(random.Random(7).randbytes(300)).decode()
"""A piece of sound, as it would look if something encoded it into text."""
PLANTS = {
    "name": "Hollister",
    "first name": "Rosalind",
    "spoken number": "seven seven oh nine double oh one two three",
    "number": "07700 900123",
    "number without spaces": "07700900123",
    "mail": "rosalind.hollister@example.org",
    "postcode": "SW1A 2AA",
    "audio": AUDIO[:40],
}
IN_SESSION = [
    "my name is Rosalind Hollister and I always mess things up",
    "please ring my daughter on 07700 900123 or 07700900123",
    "her number is oh seven seven oh nine double oh one two three",
    "write to rosalind.hollister@example.org at SW1A 2AA",
    f"and then {AUDIO}",
]


def places_outside(site: Site, tap: Tap) -> dict[str, bytes]:
    """Return everything that exists outside the room, and every log."""
    found = {"wire": tap.passed}
    for path in [*site.hub_folder.rglob("*"), *site.folder.glob("*.log")]:
        if path.is_file():
            found[str(path.relative_to(site.folder))] = path.read_bytes()
    return found


def hits(site: Site, tap: Tap) -> dict[str, set[str]]:
    """Search every place for every plant, as it is and in lower case."""
    places = places_outside(site, tap)
    return {
        plant: {place for place, content in places.items() if text.lower().encode() in content.lower()}
        for plant, text in PLANTS.items()
    }


def live_through_a_session(tmp_path: Path, program: str) -> tuple[dict[str, set[str]], list[str]]:
    """Plant words before and in a recorded session; return hits and the texts on record."""
    with Site(tmp_path) as site:
        site.make_account("admin")
        site.make_account("clinician")
        credentials = site.enrol(ROOM)
        keys = Authority(site.hub_folder / "authority", SystemClock())
        broker = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        broker.load_cert_chain(keys.server_certificate_file, keys.server_key_file)
        tap = Tap(site.broker_port, broker, keys.context_as(ROOM))
        credentials.write_text(json.dumps(json.loads(credentials.read_text()) | {"port": tap.port}))
        turns = [
            {"dictate": "nobody agreed to this, said Rosalind Hollister"},
            ["water"],
            {"dictate": IN_SESSION[0], "await_session": True},
            *({"dictate": text} for text in IN_SESSION[1:]),
            ["nurse"],
        ]
        site.start_scripted_room(ROOM, {"turns": turns}, program=program)
        with closing(site.sign_in("clinician")) as clinician:
            until("the room's person", lambda: site.records("SELECT pseudonym FROM person"))
            page = f"/rooms/{ROOM}/session"
            site.post(clinician, page, f"{page}/start", consent="given")
            until("the last event", lambda: site.records("SELECT id FROM alert WHERE detail LIKE '%nurse%'"))
            until("an empty outbox", lambda: site.pending(ROOM) == 0 or None)
            until("every utterance", lambda: len(site.records("SELECT id FROM utterance")) == len(IN_SESSION) or None)
        texts = [text for (text,) in site.records("SELECT text FROM utterance ORDER BY at")]
        last = texts[-1][:8].encode()
        graph = site.hub_folder.glob
        until("the last in the graph", lambda: any(last in file.read_bytes() for file in graph("graph*")) or None)
        site.stop_room(ROOM)
        site.stop_hub()
        found = hits(site, tap)
        tap.close()
    return found, texts


@pytest.mark.alone
def test_nothing_planted_in_a_room_is_found_outside_it(tmp_path: Path) -> None:
    found, texts = live_through_a_session(tmp_path, "scripted_node.py")
    assert len(texts) == len(IN_SESSION), "what was said in the session is on record, but for what was withheld"
    assert "always mess things up" in texts[0], "what identifies nobody stays readable"
    assert {plant: places for plant, places in found.items() if places} == {}


@pytest.mark.alone
def test_with_the_anonymiser_bypassed_the_same_search_finds_every_plant(tmp_path: Path) -> None:
    found, _ = live_through_a_session(tmp_path, "leaky_node.py")
    for plant, places in found.items():
        assert "wire" in places, plant
        assert "room-1.log" in places, plant
        assert any(place.startswith("hub/records") for place in places), plant
        assert any(place.startswith("hub/graph") for place in places), plant
