"""The site that everything happens to: hub, broker and rooms, and the ways in which each can fail."""

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.fakes.cut_line import CutLine
from tests.fakes.disks import SmallDisk, small_disk
from tests.fakes.namespace import namespace
from tests.fakes.night_staff import NightStaff
from tests.journey.chaos_report import Outcome, Plan
from tests.journey.world import Site, until

ROOMS_IN_A_PROCESS = 10
STEPS_SECONDS = (-56 * 365 * 86400.0, 2 * 86400.0)
"""Back to before 1971, as a Pi without a clock of its own begins; then two days ahead."""
FULL_SECONDS = 5.0
"""How long the hub's disk stays full."""


class World:
    """A site, its light rooms and what can strike them."""

    def __init__(self, plan: Plan, folder: Path, stack: ExitStack) -> None:
        self.plan = plan
        self.folder = folder
        self.outcome = Outcome(plan)
        self.chance = random.Random(plan.seed)
        self.clock = folder / "clock"
        self.rooms = folder / "rooms"
        self.told = folder / "told"
        self.told.mkdir()
        self.names = [f"room-{number}" for number in range(plan.rooms)]
        self.hosts: dict[str, subprocess.Popen[bytes]] = {}
        self.staff: NightStaff | None = None
        self.network = stack.enter_context(namespace())
        own = [
            stack.enter_context(small_disk(place, folder / f"{place.name}.img", plan.disk_megabytes))
            for place in (folder / "hub", self.rooms)
        ]
        self.disks: list[SmallDisk] = [disk for disk in own if disk is not None]
        environment = {"FORGE_HUB_BROKER_HOST": self.network.here} if self.network else {}
        self.site = stack.enter_context(Site(folder, hub_environment=environment))
        self.line = None if self.network else CutLine(self.site.broker_port)
        if self.line is not None:
            stack.callback(self.line.close)
            self.outcome.not_done.append("packets that vanish in silence (no right to make a network namespace)")
        if not self.disks:
            self.outcome.not_done.append("a full disk and failures of power (no right to mount a file system)")
        self.outcome.not_done.append("a disk that says it has synced and has not")
        stack.callback(self.stop_rooms)
        self._ended = threading.Event()
        watch = threading.Thread(target=self._watch_hub, daemon=True)
        watch.start()
        stack.callback(watch.join, 10)
        stack.callback(self._ended.set)

    def open_ward(self) -> str:
        """Make the ward, with a bed for every room, and how its alerts climb; return the ward's id."""
        self.site.make_account("admin")
        with contextlib.closing(self.site.sign_in("admin")) as admin:
            self.site.post(admin, "/beds", "/wards", name="Ward 7")
            for name in self.names:
                self.site.enrol(name)
                self.site.post(admin, "/beds", "/beds", ward="ward-7", name=name, node=name)
            for priority, plan in self.plan.escalation.items():
                seconds = {
                    "second": plan.second_level_seconds,
                    "third": plan.third_level_seconds,
                    "everyone": plan.everyone_seconds,
                    "acceptance": plan.acceptance_seconds,
                }
                fields = {name: str(value) for name, value in seconds.items()}
                self.site.post(admin, "/duty", "/duty/plans", priority=priority, **fields)
        return "ward-7"

    def start_rooms(self) -> None:
        """Start the processes of the rooms."""
        for start in range(0, len(self.names), ROOMS_IN_A_PROCESS):
            self.start_host(f"host-{start // ROOMS_IN_A_PROCESS}", self.names[start : start + ROOMS_IN_A_PROCESS])

    def start_host(self, host: str, names: list[str]) -> None:
        """Write the plan of one process and start it."""
        share = len(self.names)
        plan = {
            "rooms": names,
            "folder": str(self.rooms),
            "credentials": str(self.folder),
            "told": str(self.told),
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
        command = [sys.executable, str(program), str(self.folder / f"{host}.plan.json")]
        with (self.folder / f"{host}.log").open("ab") as output:
            inside = self.network.inside(command) if self.network else command
            self.hosts[host] = subprocess.Popen(inside, stdout=output, stderr=subprocess.STDOUT)

    def stop_rooms(self) -> None:
        """End every process of rooms."""
        for process in self.hosts.values():
            process.kill()
            process.wait()

    def check_rooms(self) -> None:
        """Raise a `RuntimeError` when a process of rooms has ended by itself: nothing would be made any more."""
        for host, process in self.hosts.items():
            if process.poll() is not None:
                said = (self.folder / f"{host}.log").read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"{host} ended: {said[-2000:]}")

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
        path = self.rooms / name / "outbox.db"
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
                self._kill_broker(self.site.broker_pid)
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
            case "power of the hub":
                self.cut_power_of_hub()
            case "power of the rooms":
                self.cut_power_of_rooms()
            case _:
                self.fill_disk()

    def cut(self, seconds: float) -> None:
        """Cut the network for a while."""
        if self.network is not None:
            self.network.cut(seconds)
            return
        assert self.line is not None
        self.line.cut()
        time.sleep(seconds)
        self.line.mend()

    def fill_disk(self) -> None:
        """Fill the hub's disk to the last byte for a while. Nothing can ring meanwhile."""
        begun = time.time()
        with self.disks[0].full():
            time.sleep(FULL_SECONDS)
        until("the hub", self._is_up)
        self.outcome.hub_was_away.append((begun, time.time()))

    def cut_power_of_hub(self) -> None:
        """Let hub and broker lose their power, and what was not synced; start them again."""
        assert self.staff is not None
        broker = self.site.broker_pid
        with self.staff.reading:
            self.disks[0].cut_power()
            self.site.kill_hub()
            self._kill_broker(broker)
            self.disks[0].unmount()
            self.disks[0].mount()
        self.site.launch_hub()

    def cut_power_of_rooms(self) -> None:
        """Let every room lose its power, and what was not synced; start them again."""
        self.disks[1].cut_power()
        self.stop_rooms()
        self.disks[1].unmount()
        self.disks[1].mount()
        for host in self.hosts:
            self.launch(host)

    def revive_hub(self) -> None:
        """Start the hub again if it has ended by itself, as its service manager would."""
        try:
            os.kill(self.site.hub_pid, 0)
            self.site.hub_is_up()
        except (RuntimeError, ProcessLookupError):
            self.outcome.strikes["hub ended by itself"] += 1
            self.site.launch_hub()

    def _kill_broker(self, pid: int | None) -> None:
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _is_up(self) -> bool:
        try:
            return self.site.hub_is_up()
        except RuntimeError:
            return False

    def _watch_hub(self) -> None:
        """Note when the hub was away, so that only the time in which it could ring counts as its own."""
        away_since: float | None = None
        while not self._ended.wait(0.1):
            if self._is_up():
                if away_since is not None:
                    self.outcome.hub_was_away.append((away_since, time.time()))
                away_since = None
            elif away_since is None:
                away_since = time.time()
