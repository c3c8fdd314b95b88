"""Alerts and records from many rooms while everything between them fails: ``python -m tests.journey.chaos``.

Real hub, real broker, real outboxes and publishers. The network is cut by taking down one end of a pair of virtual
interfaces, where this may be done, so that packets vanish without a word; else by a line that ends its connections. The
hub's disk is a small file system of its own that is filled once, where one may be mounted. Every room's clock is
stepped to before 1971 and two days ahead. What could not be done on a machine stands in the report.
"""

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.fakes.cut_line import CutLine
from tests.journey.world import Site, until

ROOMS_IN_A_PROCESS = 10
STEPS_SECONDS = (-56 * 365 * 86400.0, 2 * 86400.0)
"""Back to before 1971, as a Pi without a clock of its own begins; then two days ahead."""
TEST_NET = tuple(f"198.18.{os.getpid() % 256}.{os.getpid() // 256 % 64 * 4 + host}" for host in (1, 2))
"""Addresses for tests of networks (RFC 2544), a pair for each process: two runs on one machine must not meet."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How much happens: in all, not for each room."""

    alerts: int = 10_000
    records: int = 50_000
    rooms: int = 50
    strikes: int = 40
    seed: int = 20261121
    per_second: float = 20.0
    disk_megabytes: int = 2000
    longest_seconds: float = 3000.0


@dataclass(slots=True)
class Outcome:
    """What was found afterwards."""

    plan: Plan
    seconds: float = 0.0
    produced: Counter[str] = field(default_factory=Counter)
    committed: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    twice: int = 0
    lanes_out_of_order: int = 0
    alerts: int = 0
    alerts_twice: int = 0
    quarantined: int = 0
    new_epochs: int = 0
    strikes: Counter[str] = field(default_factory=Counter)
    not_done: list[str] = field(default_factory=list)

    @property
    def well(self) -> bool:
        """Whether everything that was made arrived once and in order."""
        faults = (self.lost, self.twice, self.lanes_out_of_order, self.alerts_twice, self.quarantined, self.new_epochs)
        return not any(faults) and self.produced == self.committed and self.alerts == self.produced["alarm"]

    def report(self) -> dict[str, Any]:
        """Return the report as JSON holds it."""
        return {
            "figure": "chaos",
            "well": self.well,
            "rooms": self.plan.rooms,
            "seed": self.plan.seed,
            "seconds": round(self.seconds, 1),
            "produced": dict(self.produced),
            "committed": dict(self.committed),
            "lost": self.lost,
            "twice": self.twice,
            "lanes_out_of_order": self.lanes_out_of_order,
            "alerts": self.alerts,
            "alerts_twice": self.alerts_twice,
            "quarantined": self.quarantined,
            "new_epochs": self.new_epochs,
            "strikes": dict(self.strikes),
            "not_done": self.not_done,
        }

    def table(self) -> str:
        """Return the report as a table for docs/benchmarks.md."""
        struck = ", ".join(f"{name} {count}" for name, count in sorted(self.strikes.items()))
        rows = [
            ("rooms", self.plan.rooms),
            ("alarms made / committed", f"{self.produced['alarm']} / {self.committed['alarm']}"),
            ("records made / committed", f"{self.produced['record']} / {self.committed['record']}"),
            ("lost / twice / lanes out of order", f"{self.lost} / {self.twice} / {self.lanes_out_of_order}"),
            ("alerts / alerts twice", f"{self.alerts} / {self.alerts_twice}"),
            ("strikes", struck),
            ("seconds", round(self.seconds)),
            ("not done here", ", ".join(self.not_done) or "nothing"),
        ]
        return "\n".join(["| what | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


class World:
    """A site, its light rooms and what can strike them."""

    def __init__(self, plan: Plan, folder: Path, stack: ExitStack) -> None:
        self.plan = plan
        self.folder = folder
        self.outcome = Outcome(plan)
        self.chance = random.Random(plan.seed)
        self.clock = folder / "clock"
        self.names = [f"room-{number}" for number in range(plan.rooms)]
        self.hosts: dict[str, subprocess.Popen[bytes]] = {}
        self.space = stack.enter_context(namespace())
        self.disk = stack.enter_context(small_disk(folder / "hub", plan.disk_megabytes))
        environment = {"FORGE_HUB_BROKER_HOST": TEST_NET[0]} if self.space else {}
        self.site = stack.enter_context(Site(folder, hub_environment=environment))
        self.line = None if self.space else CutLine(self.site.broker_port)
        if self.line is not None:
            stack.callback(self.line.close)
            self.outcome.not_done.append("packets that vanish in silence (no right to make a network namespace)")
        if not self.disk:
            self.outcome.not_done.append("a full disk (no right to mount a file system)")
        self.outcome.not_done.append("loss of what was written and not yet synced")
        stack.callback(self.stop_rooms)

    def start_rooms(self) -> None:
        """Enrol the rooms and start their processes."""
        for name in self.names:
            self.site.enrol(name)
        (self.folder / "rooms").mkdir()
        for start in range(0, len(self.names), ROOMS_IN_A_PROCESS):
            self.start_host(f"host-{start // ROOMS_IN_A_PROCESS}", self.names[start : start + ROOMS_IN_A_PROCESS])

    def start_host(self, host: str, names: list[str]) -> None:
        """Write the plan of one process and start it."""
        share = len(self.names)
        plan = {
            "rooms": names,
            "folder": str(self.folder / "rooms"),
            "credentials": str(self.folder),
            "clock": str(self.clock),
            "port": self.line.port if self.line else 0,
            "alarms": self.plan.alerts // share,
            "records": self.plan.records // share,
            "per_second": self.plan.per_second,
        }
        (self.folder / f"{host}.plan.json").write_text(json.dumps(plan), encoding="utf-8")
        self.launch(host)

    def launch(self, host: str) -> None:
        """Start one process of rooms, inside the namespace where there is one."""
        program = Path(__file__).parents[1] / "fakes" / "light_rooms.py"
        inside = ["ip", "netns", "exec", self.space] if self.space else []
        with (self.folder / f"{host}.log").open("ab") as output:
            command = [*inside, sys.executable, str(program), str(self.folder / f"{host}.plan.json")]
            self.hosts[host] = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

    def stop_rooms(self) -> None:
        """End every process of rooms."""
        for process in self.hosts.values():
            process.kill()
            process.wait()

    def made(self) -> Counter[str]:
        """Count what the outboxes have numbered, by lane."""
        made: Counter[str] = Counter()
        for name in self.names:
            made.update(self.positions(name))
        return made

    def positions(self, name: str) -> dict[str, int]:
        """Return the last sequence of each lane of a room."""
        try:
            return dict(self.ask(name, "SELECT lane, last_sequence FROM position"))
        except sqlite3.Error:
            return {}

    def ask(self, name: str, query: str) -> list[tuple[Any, ...]]:
        """Ask a room's outbox, read-only."""
        path = self.folder / "rooms" / name / "outbox.db"
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(query).fetchall()

    def strike(self, kind: str) -> None:
        """Let something fail, and mend it if nothing else does."""
        self.outcome.strikes[kind] += 1
        match kind:
            case "hub":
                self.site.kill_hub()
                self.site.launch_hub()
            case "broker":
                if (pid := self.site.broker_pid) is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            case "rooms":
                host = self.chance.choice(sorted(self.hosts))
                self.hosts[host].kill()
                self.hosts[host].wait()
                self.launch(host)
            case "network":
                self.cut(self.chance.uniform(0.5, 4.0))
            case "clock":
                step = STEPS_SECONDS[(self.outcome.strikes["clock"] - 1) % len(STEPS_SECONDS)]
                self.clock.write_text(str(step), encoding="utf-8")
            case _:
                self.fill_disk()

    def cut(self, seconds: float) -> None:
        """Cut the network for a while."""
        if self.line is not None:
            self.line.cut()
            time.sleep(seconds)
            self.line.mend()
            return
        _ip("link", "set", f"{self.space}-h", "down")
        time.sleep(seconds)
        _ip("link", "set", f"{self.space}-h", "up")

    def fill_disk(self) -> None:
        """Fill the hub's disk to the last byte, wait until the hub says so, and make room again."""
        filler = self.folder / "hub" / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as output:
            while True:
                output.write(b"\0" * 65536)
        time.sleep(5.0)
        filler.unlink()

    def revive_hub(self) -> None:
        """Start the hub again if it has ended by itself, as its service manager would."""
        try:
            os.kill(self.site.hub_pid, 0)
            self.site.hub_is_up()
        except (RuntimeError, ProcessLookupError):
            self.outcome.strikes["hub ended by itself"] += 1
            self.site.launch_hub()

    def examine(self) -> None:
        """Compare what was made with what is in the log."""
        outcome = self.outcome
        for name in self.names:
            (epoch,) = self.ask(name, "SELECT id FROM epoch")[0]
            # No hub was restored, so no node may have come to believe it.
            ((epochs,),) = self.site.records("SELECT count(DISTINCT epoch) FROM event_log WHERE node = ?", name)
            outcome.new_epochs += epochs - 1
            for lane, last in self.positions(name).items():
                query = "SELECT sequence FROM event_log WHERE node = ? AND epoch = ? AND lane = ? ORDER BY position"
                logged = [sequence for (sequence,) in self.site.records(query, name, epoch, lane)]
                outcome.produced[lane] += last
                outcome.committed[lane] += len(logged)
                outcome.lost += len(set(range(1, last + 1)) - set(logged))
                outcome.lanes_out_of_order += logged != sorted(logged)
        ((rows, ids),) = self.site.records("SELECT count(*), count(DISTINCT event_id) FROM event_log")
        ((alerts, events),) = self.site.records(
            "SELECT count(*), count(DISTINCT event_id) FROM alert WHERE kind = 'request'"
        )
        outcome.twice = rows - ids
        outcome.alerts, outcome.alerts_twice = alerts, alerts - events
        ((outcome.quarantined,),) = self.site.records("SELECT count(*) FROM quarantine")


def run(plan: Plan, folder: Path) -> Outcome:
    """Let it happen, wait until everything has arrived, and examine it."""
    with ExitStack() as stack:
        world = World(plan, folder, stack)
        begun = time.monotonic()
        world.start_rooms()
        goal = (plan.alerts // plan.rooms + plan.records // plan.rooms) * plan.rooms
        for number, kind in enumerate(strikes(world), 1):
            point = goal * number // (plan.strikes + 1)
            until(f"event {point}", partial(has_made, world, point), seconds=plan.longest_seconds, every=0.2)
            world.revive_hub()
            world.strike(kind)
        until("the last event", lambda: world.made().total() >= goal, seconds=plan.longest_seconds, every=0.2)

        def everything() -> bool:
            world.revive_hub()
            logged = world.site.records("SELECT count(*) FROM event_log")
            alerts = world.site.records("SELECT count(*) FROM alert WHERE kind = 'request'")
            return bool(logged[0][0] >= goal and alerts[0][0] >= world.made()["alarm"])

        with contextlib.suppress(TimeoutError):  # then the report says what is missing
            until("the log", everything, seconds=plan.longest_seconds, every=0.5)
        world.outcome.seconds = time.monotonic() - begun
        world.stop_rooms()
        world.examine()
        return world.outcome


def has_made(world: World, events: int) -> bool:
    """Tell whether the rooms have made that many events."""
    return world.made().total() >= events


def strikes(world: World) -> list[str]:
    """Return what fails, in order: the disk once, the clock twice, the rest drawn."""
    drawn = world.chance.choices(["hub", "broker", "rooms", "network"], k=max(0, world.plan.strikes - 3))
    special = ["clock", "clock", *(["disk"] if world.disk else [])]
    order = [*drawn, *special]
    world.chance.shuffle(order)
    return order


@contextmanager
def namespace() -> Iterator[str]:
    """Yield the name of a network namespace that is joined to this one by a pair of interfaces, or ''."""
    name = f"fc{os.getpid() % 100_000}"
    if os.geteuid() != 0 or shutil.which("ip") is None:
        yield ""
        return
    try:
        _ip("netns", "add", name)
        _ip("link", "add", f"{name}-h", "type", "veth", "peer", "name", f"{name}-r", "netns", name)
        _ip("addr", "add", f"{TEST_NET[0]}/30", "dev", f"{name}-h")
        _ip("link", "set", f"{name}-h", "up")
        _ip("-n", name, "addr", "add", f"{TEST_NET[1]}/30", "dev", f"{name}-r")
        _ip("-n", name, "link", "set", f"{name}-r", "up")
        _ip("-n", name, "link", "set", "lo", "up")
    except subprocess.CalledProcessError:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
        yield ""
        return
    try:
        yield name
    finally:
        subprocess.run(["ip", "link", "del", f"{name}-h"], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[bool]:
    """Mount a small file system at a place; tell whether that was possible."""
    place.mkdir(mode=0o700)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(place)]
    mounted = os.geteuid() == 0 and subprocess.run(command, check=False, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def main() -> int:
    """Run the long form and print its report."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("alerts", "records", "rooms", "strikes", "seed"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Plan(), name))
    given = vars(parser.parse_args())
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(Plan(**given), Path(folder))
    print(json.dumps(outcome.report()))
    print(outcome.table())
    return 0 if outcome.well else 1


if __name__ == "__main__":
    sys.exit(main())
