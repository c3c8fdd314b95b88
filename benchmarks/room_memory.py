"""Memory that each further room costs the hub and its broker, and the processor time that rooms cost by being there.

Up to 500 simulated rooms connect with certificates of their own and say what every node says: birth, twin every ten
seconds, a canary, a few forms. Measured is the proportional set size (proc(5), ``smaps_rollup``) of each process. The
baseline, in the same run, is a bare paho subscriber of the same topics on a broker of its own, with as many rooms.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from tests.fakes.ports import free_port
from tests.journey.world import Site

from forge_hub.broker.child import BrokerChild
from forge_hub.broker.users import HUB_USER
from forge_hub.fleet.authority import Authority
from forge_shared import logs, topics
from forge_shared.clock import SystemClock

PROGRAM = Path(__file__).parents[1] / "tests" / "fakes" / "present_rooms.py"
SITE = "ward-7"
LONGEST_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Steps:
    """How many rooms are there at each measurement, how long each is waited for, and what each room sends at first."""

    rooms: Sequence[int]
    settle_seconds: float
    records: int


@dataclass(frozen=True, slots=True)
class Use:
    """What a process uses: memory in bytes, and its share of one processor while nothing but the rooms' beat came."""

    bytes: int
    processor: float


class Rooms:
    """The processes that hold the connections."""

    def __init__(self, folder: Path, port: int, authority: Path, records: int) -> None:
        self._folder = folder
        self._plan = {"site": SITE, "port": port, "authority": str(authority), "records": records}
        self._processes: list[subprocess.Popen[str]] = []
        self._count = 0

    def grow_to(self, count: int) -> None:
        """Connect rooms until there are so many; return once they have said everything that is said once."""
        names = [f"room-{number}" for number in range(self._count, count)]
        self._count = count
        if not names:
            return
        path = self._folder / f"{names[0]}.plan.json"
        path.write_text(json.dumps({**self._plan, "rooms": names}), encoding="utf-8")
        place = os.pathsep.join([str(PROGRAM.parents[2]), os.environ.get("PYTHONPATH", "")])
        process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": place},
        )
        self._processes.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready", "the rooms did not connect"

    def stop(self) -> None:
        """End every connection."""
        for process in self._processes:
            process.kill()
            process.wait()


def observe(rooms: Rooms, steps: Steps, processes: Mapping[str, int]) -> dict[str, list[Use]]:
    """Return what each process uses at each number of rooms."""
    found: dict[str, list[Use]] = {name: [] for name in processes}
    for count in steps.rooms:
        rooms.grow_to(count)
        time.sleep(steps.settle_seconds)
        spent, since = {name: processor_seconds(pid) for name, pid in processes.items()}, time.monotonic()
        time.sleep(steps.settle_seconds)
        for name, pid in processes.items():
            share = (processor_seconds(pid) - spent[name]) / (time.monotonic() - since)
            found[name].append(Use(proportional_bytes(pid), share))
    return found


def proportional_bytes(pid: int) -> int:
    """Return the proportional set size of a process."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return 1024 * int(line.split()[1])
    raise ValueError("no proportional set size")


def processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used (proc(5), ``stat``: utime and stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def slope(counts: Sequence[int], values: Sequence[float]) -> float:
    """Return by how much the values rise for each room, by least squares, without the step from no room to the first.

    That step holds what a process loads once, however many rooms come.
    """
    points = [(count, value) for count, value in zip(counts, values, strict=True) if count]
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def report(what: str, steps: Steps, uses: Sequence[Use]) -> None:
    """Print the figures of one process."""
    figure = {
        "figure": "memory_per_room_bytes",
        "process": what,
        "value": round(slope(steps.rooms, [use.bytes for use in uses])),
        "rooms": list(steps.rooms),
        "megabytes": [round(use.bytes / 1e6, 1) for use in uses],
        "processor_share": [round(use.processor, 3) for use in uses],
    }
    print(json.dumps(figure), flush=True)


def measure_hub(steps: Steps) -> None:
    """Measure the hub and its broker, with one board open, and print the figures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        site = stack.enter_context(Site(folder, broker="mosquitto", hub_environment={"FORGE_HUB_SITE": SITE}))
        site.make_account("admin")
        site.make_account("staff")
        stack.enter_context(open_board(site))
        broker = site.broker_pid
        assert broker is not None
        rooms = Rooms(folder, site.broker_port, site.hub_folder / "authority", steps.records)
        stack.callback(rooms.stop)
        uses = observe(rooms, steps, {"hub": site.hub_pid, "its broker": broker})
        alerts = dict(site.records("SELECT kind || ' ' || state, count(*) FROM alert GROUP BY kind, state"))
        online = site.records("SELECT count(*) FROM room WHERE connection = 'online'")[0][0]
    for name, of_process in uses.items():
        report(name, steps, of_process)
    print(json.dumps({"figure": "rooms_online", "value": online, "alerts": alerts}), flush=True)


@contextmanager
def open_board(site: Site) -> Iterator[None]:
    """Keep the alert board open, as on every ward."""
    client, over = site.sign_in("staff"), threading.Event()

    def read() -> None:
        with client.stream("GET", "/alerts/stream", timeout=30) as response:
            for _ in response.iter_bytes():
                if over.is_set():
                    return

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield
    finally:
        over.set()
        reader.join(10.0)
        client.close()


async def measure_bare(steps: Steps) -> None:
    """Measure a bare subscriber and its broker and print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        authority = Authority(folder / "authority", SystemClock())
        authority.prepare(SITE, ())
        port = free_port()
        broker = BrokerChild("mosquitto", folder=folder, authority=authority, site=SITE, host="127.0.0.1", port=port)
        await broker.start()
        ready = multiprocessing.get_context("spawn").Event()
        subscriber = multiprocessing.get_context("spawn").Process(target=subscribe, args=(port, folder, ready))
        rooms = Rooms(folder, port, authority.folder, steps.records)
        try:
            subscriber.start()
            assert await asyncio.to_thread(ready.wait, LONGEST_SECONDS), "the subscriber did not start"
            assert subscriber.pid is not None
            processes = {
                "baseline: paho subscriber": subscriber.pid,
                "baseline: broker": int((folder / "pid").read_text()),
            }
            uses = await asyncio.to_thread(observe, rooms, steps, processes)
        finally:
            subscriber.kill()
            subscriber.join()
            await broker.stop()  # before the rooms, whose connections it would call broken one by one
            rooms.stop()
    for what, of_process in uses.items():
        report(what, steps, of_process)


def subscribe(port: int, folder: Path, ready: Event) -> None:
    """Take in what the hub would, and do nothing with it."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=HUB_USER)
    client.tls_set_context(Authority(folder / "authority", SystemClock()).hub_context())
    client.on_message = lambda *_: None
    client.connect("127.0.0.1", port)
    for topic in (topics.all_events(SITE), topics.all_statuses(SITE), topics.all_twins(SITE)):
        client.subscribe(topic, qos=1)
    ready.set()
    client.loop_forever()


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", type=int, nargs="+", default=[0, 100, 300, 500], help="rooms at each measurement")
    parser.add_argument("--settle", type=float, default=12.0, help="seconds before each measurement, and for it")
    parser.add_argument("--records", type=int, default=3, help="forms that each room sends when it comes")
    options = parser.parse_args()
    steps = Steps(options.rooms, options.settle, options.records)
    measure_hub(steps)
    logs.configure("benchmark", level="ERROR")
    asyncio.run(measure_bare(steps))


if __name__ == "__main__":
    main()
