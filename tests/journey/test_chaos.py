"""Whatever is killed, no event is lost or counted twice, and each lane keeps its order."""

import dataclasses
import os
import random
import signal
import time
from functools import partial
from pathlib import Path

import pytest
from tests.journey import chaos
from tests.journey.chaos_report import FAST, Plan, Step, waits
from tests.journey.world import Site, until

from forge_hub.alerts.escalation import Plan as Escalation

KILLS = {"mosquitto": 100, "amqtt": 40}
"""The broker of production gets all of them, the other one enough to meet each victim often."""
EVENTS_A_KILL = 5
ROOM = "room-1"
SCRIPT = {
    "repeat": True,
    "turns": [
        ["water"],
        ["i want to fill in my form", "stop"],
        ["nurse"],
        ["i want to fill in my form", "several days", "yes", "stop"],
    ],
}


@pytest.mark.alone
@pytest.mark.timeout(600)
@pytest.mark.parametrize("broker", KILLS)
def test_kills_at_random_points_lose_nothing_double_nothing_and_keep_the_order(tmp_path: Path, broker: str) -> None:
    """``CHAOS_KILLS`` sets another number of kills for both brokers."""
    kills = int(os.environ.get("CHAOS_KILLS", KILLS[broker]))
    events = EVENTS_A_KILL * kills
    seed = int(os.environ.get("CHAOS_SEED", "20261121"))
    chance = random.Random(f"{seed}/{broker}")
    points = sorted(chance.sample(range(events), kills))
    with Site(tmp_path, broker=broker) as site:
        site.start_scripted_room(ROOM, SCRIPT)
        for point in points:
            until(f"event {point} (seed {seed})", partial(has_reached, site, point), seconds=120)
            kill(site, chance.choice(["core", "ears", "broker", "hub"]))
        until("the last event", partial(has_reached, site, events), seconds=120)
        site.stop_room(ROOM)
        site.start_scripted_room(ROOM, {"turns": []})
        until("the hub", site.hub_is_up)
        until("an empty outbox", lambda: site.pending(ROOM) == 0 or None, seconds=120)
        until("the node's rest", partial(has_rested, site))

        made = site.produced(ROOM)
        assert sum(made.values()) >= events
        (epoch,) = site.outbox(ROOM, "SELECT id FROM epoch")[0]
        for lane, last in made.items():
            logged = site.records(
                "SELECT sequence FROM event_log WHERE node = ? AND epoch = ? AND lane = ? ORDER BY position",
                ROOM,
                epoch,
                lane,
            )
            assert [sequence for (sequence,) in logged] == list(range(1, last + 1)), lane
        assert site.records("SELECT count(*) FROM event_log") == [(sum(made.values()),)]
        assert site.records("SELECT count(*) FROM event_log") == site.records(
            "SELECT count(DISTINCT event_id) FROM event_log"
        )
        assert site.records("SELECT count(*) FROM quarantine") == [(0,)]


@pytest.mark.alone
@pytest.mark.timeout(240)
@pytest.mark.parametrize("power", [False, True], ids=["failures", "power"])
def test_alerts_and_records_of_many_rooms_arrive_once_and_in_order_whatever_fails(
    tmp_path: Path, *, power: bool
) -> None:
    """The short forms of `make chaos`."""
    seed = int(os.environ.get("CHAOS_SEED", "20261121"))
    size = Plan(alerts=100, records=500, rooms=4, strikes=4 if power else 8, seed=seed, power=power)
    fast = dataclasses.replace(size, longest_seconds=100, per_second=20.0, escalation=FAST, disk_megabytes=300)
    outcome = chaos.run(fast, tmp_path)
    assert outcome.well, outcome.report()


def test_a_ring_that_comes_after_its_timer_is_counted_and_the_time_of_an_absent_hub_is_not() -> None:
    plan = Escalation(30, 60, 120, 180)
    story = [Step("raised", 0, 0.0), Step("rung", 1, 1.0), Step("rung", 2, 41.0), Step("accepted", 0, 50.0)]
    assert waits(story, plan, []) == [1.0, 10.0, 0.0]
    assert waits(story, plan, [(30.0, 39.0)]) == [1.0, 2.0, 0.0]
    assert waits(story, plan, [], ended=240.0) == [1.0, 10.0, 0.0, 10.0]


def has_reached(site: Site, events: int) -> bool:
    return produced(site) >= events


def has_rested(site: Site) -> bool:
    time.sleep(1)
    return site.pending(ROOM) == 0


def produced(site: Site) -> int:
    """Count what is committed to the outbox, and see to it that what was killed is started again."""
    if not site.room_is_alive(ROOM):
        site.restart_room(ROOM)
    return sum(site.produced(ROOM).values())


def kill(site: Site, victim: str) -> None:
    if victim == "core":
        site.kill_room(ROOM)
        site.restart_room(ROOM)
    elif victim == "hub":
        site.kill_hub()
        site.launch_hub()
    else:
        pid = site.ears_pid(ROOM) if victim == "ears" else site.broker_pid
        if pid is not None:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                return
