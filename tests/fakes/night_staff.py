"""Someone on duty who answers alerts: most at once, some only when they ring again, some by saying that they cannot."""

import contextlib
import hashlib
import re
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

import httpx
from tests.journey.world import Site

EVERY_SECONDS = 0.3
HANDS = 8
"""Alerts answered at once."""
OPEN = """
SELECT id, (SELECT count(*) FROM alert_step WHERE alert = a.id AND what = 'rung')
FROM alert AS a WHERE state = 'open' AND level > 0 ORDER BY raised_at LIMIT 200
"""
TENTHS = {"at once": 7, "declines first": 1, "lets it expire": 1, "lets it climb": 1}
"""How many of ten alerts are met in which way; drawn from the alert's own id."""


class NightStaff:
    """One member of staff, in a thread, through the pages as a browser without scripts uses them."""

    def __init__(self, site: Site, client: httpx.Client) -> None:
        self._site = site
        self._client = client
        token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/account").text)
        assert token is not None
        self._headers = {"X-CSRF-Token": token[1], "HX-Request": "true"}
        self._ended = threading.Event()
        self._declined: set[str] = set()
        self.reading = threading.Lock()
        """Held while the hub's records are read: whoever takes their disk away waits for it."""

    def answer(self) -> None:
        """Answer until the end."""
        with ThreadPoolExecutor(HANDS) as hands:
            while not self._ended.wait(EVERY_SECONDS):
                list(hands.map(self._meet, self._open()))

    def end(self) -> None:
        """Go home."""
        self._ended.set()

    def _open(self) -> list[tuple[str, int]]:
        with self.reading, contextlib.suppress(sqlite3.Error):
            return [(str(alert), int(rings)) for alert, rings in self._site.records(OPEN)]
        return []

    def _meet(self, ringing: tuple[str, int]) -> None:
        # The hub may be away, or come back with another state than was read: then it is asked again.
        with contextlib.suppress(httpx.HTTPError):
            self._answer(*ringing)

    def _answer(self, alert: str, rings: int) -> None:
        match manner(alert), rings:
            case "declines first", 1:
                if alert not in self._declined:
                    self._post(alert, "decline")
                    self._declined.add(alert)
            case "lets it climb", 1:
                return
            case "lets it expire", 1:
                self._post(alert, "accept")
            case _:
                self._post(alert, "accept")
                self._post(alert, "close", cause="real")

    def _post(self, alert: str, answer: str, **fields: str) -> None:
        self._client.post(f"/alerts/{alert}/{answer}", data=fields, headers=self._headers).raise_for_status()


def manner(alert: str) -> str:
    """Return how an alert is met."""
    drawn = hashlib.sha256(alert.encode()).digest()[0] % 10
    ways = [way for way, tenths in TENTHS.items() for _ in range(tenths)]
    return ways[drawn]


@contextmanager
def on_duty(site: Site, ward: str) -> Iterator[NightStaff]:
    """Yield someone on duty at the first level who answers; a clinician stands by at the second."""
    for role in ("staff", "clinician"):
        site.make_account(role)
    with closing(site.sign_in("clinician")) as stands_by, closing(site.sign_in("staff")) as client:
        site.post(stands_by, "/duty", "/duty/on", ward=ward, level="2")
        site.post(client, "/duty", "/duty/on", ward=ward, level="1")
        staff = NightStaff(site, client)
        thread = threading.Thread(target=staff.answer, daemon=True)
        thread.start()
        try:
            yield staff
        finally:
            staff.end()
            thread.join(30)
