"""Events that one hub process commits in a second: into its store, and through a real broker, on SQLite and PostgreSQL.

The baseline is what a first program would do: paho writes every message to SQLite as it comes, one commit for each.
Everything that is counted is on the disk: SQLite syncs in full, PostgreSQL runs with fsync on.
"""

import argparse
import asyncio
import cProfile
import json
import multiprocessing
import pstats
import sqlite3
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from tests.fakes import postgresql
from tests.fakes.ports import free_port
from tests.fakes.traffic import Pump, traffic

from forge_hub.broker.child import BrokerChild
from forge_hub.broker.users import HUB_USER
from forge_hub.fleet.authority import Authority
from forge_hub.fleet.rooms import Rooms
from forge_hub.ingest.consumer import BATCH, BrokerLogin, Consumer
from forge_hub.ingest.reading import Arrived
from forge_hub.ingest.store import Committed, IngestStore
from forge_hub.records.database import Database, open_database
from forge_shared import logs, topics
from forge_shared.clock import SystemClock

SITE = "site"
LONGEST_SECONDS = 300.0


@contextmanager
def store_url(kind: str, folder: Path) -> Iterator[str]:
    """Yield the address of an empty store."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'records.db'}"
        return
    with postgresql.server(durable=True) as server, postgresql.database(server) as url:
        yield url


def authority_in(folder: Path) -> Authority:
    """Return the authority whose keys lie in a folder, made where there is none."""
    authority = Authority(folder / "authority", SystemClock())
    authority.prepare(SITE, ())
    return authority


@asynccontextmanager
async def running_broker(folder: Path) -> AsyncIterator[tuple[int, Authority]]:
    """Yield a broker's port, and the authority of its users."""
    authority = authority_in(folder)
    port = free_port()
    child = BrokerChild("mosquitto", folder=folder, authority=authority, site=SITE, host="127.0.0.1", port=port)
    await child.start()
    try:
        yield port, authority
    finally:
        await child.stop()


def direct(database: Database, messages: Sequence[Arrived], profile: cProfile.Profile | None) -> float:
    """Commit batches into the store; return the seconds that took."""
    store = IngestStore(SITE, database, SystemClock())
    begun = time.perf_counter()
    if profile is not None:
        profile.enable()
    for start in range(0, len(messages), BATCH):
        store.commit(messages[start : start + BATCH])
    if profile is not None:
        profile.disable()
    return time.perf_counter() - begun


async def through_broker(
    database: Database, messages: Sequence[Arrived], port: int, authority: Authority, folder: Path
) -> float:
    """Let a consumer take in what another process publishes; return the seconds that all of it took.

    The clock starts with the first commit, so what that commit held is not counted.
    """
    done, committed, first = asyncio.Event(), 0, 0
    begun = 0.0

    def on_committed(batch: Committed) -> None:
        nonlocal committed, begun, first
        begun, first = (begun, first) if begun else (time.perf_counter(), batch.events)
        committed += batch.events
        if committed >= len(messages):
            done.set()

    consumer = Consumer(
        site=SITE,
        login=BrokerLogin("127.0.0.1", port, tls=authority.hub_context()),
        store=IngestStore(SITE, database, SystemClock()),
        rooms=Rooms(database, SystemClock()),
        version="0",
        version_file=folder / "mqtt-version",
        clock=SystemClock(),
        on_committed=on_committed,
        on_shown=lambda: None,
    )
    task = asyncio.create_task(consumer.run())
    while not consumer.connected:
        await asyncio.sleep(0.02)
    pumps = start_pumps(messages, port, authority)
    async with asyncio.timeout(LONGEST_SECONDS):
        await done.wait()
    seconds = time.perf_counter() - begun
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    for pump in pumps:
        pump.join()
    return seconds * len(messages) / max(1, len(messages) - first)


def bare_writer(messages: Sequence[Arrived], port: int, authority: Authority, folder: Path) -> float:
    """Write each message as paho brings it, one commit each; return the seconds from the first to the last."""
    path, done = folder / "bare.db", threading.Event()
    count, begun, ended = 0, 0.0, 0.0
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE event (topic TEXT PRIMARY KEY, payload BLOB)")

    def on_message(_: mqtt.Client, __: object, message: mqtt.MQTTMessage) -> None:
        nonlocal count, begun, ended
        begun = begun or time.perf_counter()
        with connection:
            connection.execute("INSERT OR IGNORE INTO event VALUES (?, ?)", (message.topic, message.payload))
        count += 1
        if count >= len(messages):
            ended = time.perf_counter()
            done.set()

    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=HUB_USER)
    client.tls_set_context(authority.hub_context())
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.subscribe(topics.all_events(SITE), qos=1)
    client.loop_start()
    time.sleep(0.3)
    pumps = start_pumps(messages, port, authority)
    assert done.wait(LONGEST_SECONDS), "the bare writer did not end"
    client.loop_stop()
    client.disconnect()
    for pump in pumps:
        pump.join()
    connection.close()
    return ended - begun


def start_pumps(
    messages: Sequence[Arrived], port: int, authority: Authority
) -> list[multiprocessing.context.SpawnProcess]:
    """Publish every message under its own room's name, all rooms from one other process."""
    process = multiprocessing.get_context("spawn").Process(
        target=pump, args=(list(messages), port, authority.folder.parent)
    )
    process.start()
    return [process]


def pump(messages: Sequence[Arrived], port: int, folder: Path) -> None:
    """Run one thread for each room, each with a certificate of the authority in a folder."""
    authority = authority_in(folder)
    by_room: dict[str, list[Arrived]] = {}
    for message in messages:
        by_room.setdefault(message.topic.split("/")[3], []).append(message)
    threads = [
        threading.Thread(target=Pump("127.0.0.1", port, room, authority.context_as(room)).run, args=(own,))
        for room, own in by_room.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def report(way: str, kind: str, messages: Sequence[Arrived], seconds: float) -> None:
    """Print one figure."""
    figure = {"figure": "ingest_events_per_second", "way": way, "store": kind, "n": len(messages)}
    print(json.dumps({**figure, "value": round(len(messages) / seconds)}), flush=True)


async def measure(events: int, rooms: int, *, profiled: bool) -> None:
    """Measure every way and print the figures."""
    for kind in ("sqlite", "postgresql"):
        for way in ("direct", "broker"):
            with tempfile.TemporaryDirectory() as name, store_url(kind, Path(name)) as url:
                folder, messages, database = Path(name), traffic(events, rooms), open_database(url)
                profile = cProfile.Profile() if profiled and way == "direct" else None
                if way == "direct":
                    seconds = direct(database, messages, profile)
                else:
                    async with running_broker(folder) as (port, authority):
                        seconds = await through_broker(database, messages, port, authority, folder)
                database.close()
                report(way if profile is None else f"{way}, profiled", kind, messages, seconds)
                if profile is not None:
                    pstats.Stats(profile).sort_stats("tottime").print_stats(20)
    with tempfile.TemporaryDirectory() as name:
        folder, few = Path(name), traffic(max(1, events // 5), rooms)
        async with running_broker(folder) as (port, authority):
            run: Callable[[], float] = lambda: bare_writer(few, port, authority, folder)  # noqa: E731 (a thread's one call)
            report("baseline: paho, one commit per event", "sqlite", few, await asyncio.to_thread(run))


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=30_000)
    parser.add_argument("--rooms", type=int, default=50)
    parser.add_argument("--profile", action="store_true", help="also print where the time goes in the store")
    options = parser.parse_args()
    logs.configure("benchmark", level="ERROR")
    asyncio.run(measure(options.events, options.rooms, profiled=options.profile))


if __name__ == "__main__":
    main()
