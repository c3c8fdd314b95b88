"""From a risk answer in a room's outbox to the alert on an open page, while other rooms send the backlog of a night.

A real hub with its broker, the shipped outboxes and publishers of 50 rooms that come back at once, the windows that the
hub gives them, and one more room that calls at random intervals. The page is a signed-in reader of ``/alerts/stream``;
behind it somebody takes each alert as it comes, and closes it. Rooms, broker, hub and reader share this machine and its
clock. The baseline is the same room calling while nothing else is sent, in the same run.
"""

import argparse
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

from tests.journey.world import Site, until

from forge_hub.fleet.authority import Authority
from forge_shared.clock import SystemClock
from forge_shared.enrolment import Credentials

PROGRAM = Path(__file__).parents[1] / "tests" / "fakes" / "returning_rooms.py"
CALLER = "caller"
ROOMS_IN_A_PROCESS = 10
CREDENTIALS_HOLD = timedelta(hours=6)
SETTLE_SECONDS = 3.0
"""After the rooms are there, and at the end for the last alerts to reach the page."""
CLOSED_AFTER_SECONDS = 5.0
LONGEST_SECONDS = 600.0
CARD = re.compile(rb'id="alert-([0-9a-f-]{36})"([^>]*)>')
TOKEN = re.compile(rb'name="csrf_token" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Load:
    """How much happens."""

    events: int
    rooms: int
    seed: int
    shortest_seconds: float
    longest_seconds: float
    baseline_seconds: float


class OpenPage:
    """A page that is open, and the person before it. Two threads; `seen_at` holds when each alert first was there."""

    def __init__(self, site: Site) -> None:
        self.seen_at: dict[str, float] = {}
        self.fragments = 0
        self._reader, self._answers = site.sign_in("staff"), site.sign_in("staff")
        self._new: deque[str] = deque()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._answer)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(10.0)
        self._reader.close()
        self._answers.close()

    def _read(self) -> None:
        with self._reader.stream("GET", "/alerts/stream", timeout=30) as response:
            waiting = b""
            for piece in response.iter_bytes():
                waiting += piece
                *whole, waiting = waiting.split(b"\n\n")
                moment = time.time()
                for fragment in whole:
                    self._look(fragment, moment)
                if self._over.is_set():
                    return

    def _look(self, fragment: bytes, moment: float) -> None:
        self.fragments += b"open-alerts" in fragment
        for card in CARD.finditer(fragment):
            if self.seen_at.setdefault(card[1].decode(), moment) == moment and b"data-open" in card[2]:
                self._new.append(card[1].decode())

    def _answer(self) -> None:
        taken: deque[tuple[float, str]] = deque()
        page = self._answers.get("/account").content
        token = TOKEN.search(page)
        assert token is not None
        headers = {"X-CSRF-Token": token[1].decode(), "HX-Request": "true"}

        def post(alert: str, answer: str, **fields: str) -> None:
            self._answers.post(f"/alerts/{alert}/{answer}", data=fields, headers=headers).raise_for_status()

        while not self._over.wait(0.01):
            if self._new:
                alert = self._new.popleft()
                post(alert, "accept")
                taken.append((time.monotonic(), alert))
            elif taken and time.monotonic() - taken[0][0] > CLOSED_AFTER_SECONDS:
                _, alert = taken.popleft()
                post(alert, "attend")
                post(alert, "close", cause="real")


class Rooms:
    """The processes of the rooms of one site, and their outboxes."""

    def __init__(self, site: Site, load: Load) -> None:
        self._site = site
        self._load = load
        self._names = [f"room-{number}" for number in range(load.rooms)]
        self._running: list[subprocess.Popen[bytes]] = []
        self.calls_file = site.folder / "calls.jsonl"
        (site.folder / "rooms").mkdir()

    def prepare(self) -> None:
        """Make credentials for every room, and fill the outboxes of those that come back."""
        authority = Authority(self._site.hub_folder / "authority", SystemClock())
        for name in (*self._names, CALLER):
            path = self._site.folder / f"{name}.json"
            path.touch(0o600)
            path.write_bytes(self._credentials(authority, name).to_json())
        # Where a sync costs nothing: the outboxes sync every event, and what they send is measured, not the filling.
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            fillers = [self._launch("fill", names, folder=folder) for names in self._shares()]
            assert not any(filler.wait(LONGEST_SECONDS) for filler in fillers), "an outbox was not filled"
            for name in self._names:
                shutil.move(Path(folder) / name, self._site.folder / "rooms" / name)

    def start_caller(self) -> None:
        """Let the one room call."""
        load = self._load
        calls = {
            "seed": load.seed,
            "shortest_seconds": load.shortest_seconds,
            "longest_seconds": load.longest_seconds,
            "file": str(self.calls_file),
        }
        self._running.append(self._launch("run", [CALLER], calls=calls))

    def start_returning(self) -> None:
        """Let the other rooms come back."""
        self._running += [self._launch("run", names) for names in self._shares()]

    def calls(self) -> list[tuple[str, float]]:
        """Return the events of the calls, each with the moment before it was put into the outbox."""
        return [(event, moment) for event, moment in map(json.loads, self.calls_file.read_text().splitlines())]

    def stop(self) -> None:
        """End every process."""
        for process in self._running:
            process.kill()
            process.wait()

    def _shares(self) -> list[list[str]]:
        return [self._names[at : at + ROOMS_IN_A_PROCESS] for at in range(0, len(self._names), ROOMS_IN_A_PROCESS)]

    def _launch(self, what: str, names: Sequence[str], **more: object) -> subprocess.Popen[bytes]:
        plan = {
            "rooms": list(names),
            "folder": str(self._site.folder / "rooms"),
            "credentials": str(self._site.folder),
            "told": str(self._site.folder),
            "clock": str(self._site.folder / "clock"),
            "port": 0,
            "alarms": 0,
            "records": math.ceil(self._load.events / self._load.rooms),
            "per_second": 0,
            **more,
        }
        path = self._site.folder / f"{what}-{names[0]}.plan.json"
        path.write_text(json.dumps(plan), encoding="utf-8")
        with (self._site.folder / f"{names[0]}.log").open("ab") as output:
            # Other machines in life; here they must not take the processor from the hub that is measured.
            behind = [] if CALLER in names else ["nice", "-n", "10"]
            command = [*behind, sys.executable, str(PROGRAM), what, str(path)]
            place = {"PYTHONPATH": os.pathsep.join([str(PROGRAM.parents[2]), os.environ.get("PYTHONPATH", "")])}
            return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **place})

    def _credentials(self, authority: Authority, name: str) -> Credentials:
        issued = authority.issue(name, CREDENTIALS_HOLD)
        return Credentials.model_validate(
            {
                "site": "ward-7",
                "node": name,
                "host": "127.0.0.1",
                "port": self._site.broker_port,
                "hub": self._site.address,
                "authority": authority.authority_pem().decode(),
                "certificate": issued.certificate.decode(),
                "key": issued.key.decode(),
            }
        )


def measure(load: Load) -> None:
    """Measure and print the figures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        site = stack.enter_context(Site(folder, broker="mosquitto"))
        site.make_account("admin")
        site.make_account("staff")
        rooms = Rooms(site, load)
        stack.callback(rooms.stop)
        rooms.prepare()
        page = stack.enter_context(OpenPage(site))
        rooms.start_caller()
        until("the first call on the page", lambda: page.seen_at, seconds=60)
        time.sleep(SETTLE_SECONDS)
        alone = time.time()
        time.sleep(load.baseline_seconds)
        begun = time.time()
        rooms.start_returning()
        until("the first record", lambda: logged(site, 1), seconds=60)
        first = time.time()
        until("the last record", lambda: logged(site, load.events), seconds=LONGEST_SECONDS, every=0.2)
        drained = time.time()
        until("the records", lambda: filed(site), seconds=LONGEST_SECONDS, every=0.2)
        caught_up = time.time()
        time.sleep(SETTLE_SECONDS)
        calls = rooms.calls()
        rooms.stop()
        time.sleep(SETTLE_SECONDS)
        alert_of = dict(site.records("SELECT event_id, id FROM alert WHERE kind = 'risk-answer'"))
        stages = {
            event: (stamp(received), stamp(raised))
            for event, received, raised in site.records(
                "SELECT alert.event_id, event_log.received_at, alert.raised_at FROM alert"
                " JOIN event_log ON event_log.event_id = alert.event_id WHERE alert.kind = 'risk-answer'"
            )
        }
        others = dict(site.records("SELECT kind, count(*) FROM alert WHERE kind != 'risk-answer' GROUP BY kind"))
        seconds = drained - first
    moments = [
        (moment, *stages.get(event, (math.inf, math.inf)), page.seen_at.get(alert_of.get(event, ""), math.inf))
        for event, moment in calls
    ]
    phases = {
        "baseline: no backlog": (alone, begun),
        "while the backlog drains": (first, drained),
        "while the projections catch up": (drained, caught_up),
    }
    for phase, (start, end) in phases.items():
        report(phase, [each for each in moments if start <= each[0] < end], end - start)
    drain = {"figure": "backlog_drained", "events": load.events, "rooms": load.rooms, "seconds": round(seconds, 1)}
    drain |= {"events_per_second": round(load.events / seconds), "fragments": page.fragments, "other_alerts": others}
    print(json.dumps(drain), flush=True)


def report(phase: str, moments: Sequence[tuple[float, ...]], seconds: float) -> None:
    """Print the figures of one phase.

    Args:
        phase: Its name.
        moments: Of each alarm when it was put into the outbox, received, raised and shown, in seconds; infinite: never.
        seconds: How long it was.
    """
    figure: dict[str, Any] = {"figure": "alarm_ms", "phase": phase, "n": len(moments), "seconds": round(seconds, 1)}
    if moments:
        waits = milliseconds(moments, 0, 3)
        figure |= {"p50": quantile(waits, 0.5), "p99": quantile(waits, 0.99), "max": waits[-1]}
        figure["never_shown"] = waits.count(None)
        for name, start, end in (("to_hub", 0, 1), ("to_alert", 1, 2), ("to_page", 2, 3)):
            stage = milliseconds(moments, start, end)
            figure[name] = {"p50": quantile(stage, 0.5), "p99": quantile(stage, 0.99)}
    print(json.dumps(figure), flush=True)


def milliseconds(moments: Sequence[tuple[float, ...]], start: int, end: int) -> list[float | None]:
    """Return in order how long each alarm took from one of its moments to another; None, at the end, for those lost."""
    found = sorted(1000 * (each[end] - each[start]) for each in moments if math.isfinite(each[end]))
    return [*(round(wait, 1) for wait in found), *[None] * (len(moments) - len(found))]


def stamp(text: str) -> float:
    """Return a moment of SQLite's text, which is UTC, in seconds since 1970."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def quantile(ordered: Sequence[float | None], share: float) -> float | None:
    """Return the smallest value that at least this share of the values do not exceed (nearest rank)."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def logged(site: Site, events: int) -> bool:
    """Tell whether the log holds as many records."""
    ((count,),) = site.records("SELECT count(*) FROM event_log WHERE lane = 'record'")
    return bool(count >= events)


def filed(site: Site) -> bool:
    """Tell whether the projection of the records has come to the end of the log."""
    ((behind,),) = site.records(
        "SELECT (SELECT max(position) FROM event_log WHERE lane = 'record') - position FROM projection_cursor"
        " WHERE name = 'records'"
    )
    return bool(behind <= 0)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000, help="records that wait in the outboxes, in all")
    parser.add_argument("--rooms", type=int, default=50, help="rooms that come back")
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--shortest", type=float, default=0.1, help="seconds between two calls at least")
    parser.add_argument("--longest", type=float, default=0.5, help="seconds between two calls at most")
    parser.add_argument("--baseline", type=float, default=40.0, help="seconds of calls before the others come back")
    options = parser.parse_args()
    measure(Load(options.events, options.rooms, options.seed, options.shortest, options.longest, options.baseline))


if __name__ == "__main__":
    main()
