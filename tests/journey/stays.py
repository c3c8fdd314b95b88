"""Beds and stays of a journey, made through the hub's pages as an admin and staff make them."""

import re
from contextlib import closing

import httpx
from tests.journey.world import Site

NAME, RECORD_NUMBER = "Rosalind Hollister", "4711-0815"


def make_beds(site: Site, *nodes: str) -> list[str]:
    """Make a ward with a bed for each node; return the beds."""
    with closing(site.sign_in("admin")) as admin:
        site.post(admin, "/beds", "/wards", name="Ward 7")
        for number, node in enumerate(nodes, start=1):
            site.post(admin, "/beds", "/beds", ward="ward-7", name=f"Bed {number}", node=node)
    return [bed for (bed,) in site.records("SELECT id FROM bed ORDER BY name")]


def admit(staff: httpx.Client, bed: str, *purposes: str, name: str = NAME) -> tuple[str, str]:
    """Admit somebody who consents to these purposes; return the stay and its pseudonym."""
    page = f"/beds/{bed}/admission"
    token = re.search(r'name="csrf_token" value="([^"]*)"', staff.get(page).text)
    assert token is not None
    person = {"name": name, "record_number": RECORD_NUMBER, "date_of_birth": "1951-02-03", "purpose": list(purposes)}
    answer = staff.post(page, data={**person, "csrf_token": token[1]})
    answer.raise_for_status()
    pseudonym = re.search(r"<h1>Stay (p-[0-9a-f]+)</h1>", answer.text)
    assert pseudonym is not None
    return str(answer.url).rsplit("/", 1)[1], pseudonym[1]
