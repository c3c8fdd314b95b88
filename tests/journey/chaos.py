"""Alerts and records from many rooms while everything between them fails: ``python -m tests.journey.chaos``.

Real hub, real broker, real outboxes and publishers, and someone on duty who answers through the pages. In the first
form hub, broker and rooms are killed, the network is cut so that packets vanish without a word, the hub's disk is
filled once and every room's clock is stepped to before 1971 and two days ahead. In the second, ``--power``, the power
of the hub or of the rooms fails: what was written and not synced is gone. What could not be done on a machine stands in
the report.
"""

import argparse
import contextlib
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from tests.fakes.night_staff import on_duty
from tests.journey.chaos_report import Outcome, Plan, examine
from tests.journey.chaos_world import World
from tests.journey.world import until

EVERYTHING_ARRIVED = """
SELECT (SELECT count(*) FROM event_log WHERE lane = 'alarm'),
       (SELECT count(*) FROM event_log WHERE lane = 'record'),
       (SELECT count(*) FROM alert WHERE kind IN ('request', 'risk-answer'))
       + (SELECT count(*) FROM alert_step WHERE what = 'merged')
"""
UNANSWERED = "SELECT count(*) FROM alert WHERE kind IN ('request', 'risk-answer') AND state IN ('open', 'accepted')"
LAST_ANSWERS_SECONDS = 120.0
"""How long the staff may go on after everything has arrived. What is still open then must be ringing in time."""


def run(plan: Plan, folder: Path) -> Outcome:
    """Let it happen, wait until everything has arrived and was answered, and examine it."""
    with ExitStack() as stack:
        world = World(plan, folder, stack)
        ward = world.open_ward()
        world.staff = stack.enter_context(on_duty(world.site, ward))
        begun = time.monotonic()
        world.start_rooms()
        goal = (plan.alerts // plan.rooms + plan.records // plan.rooms) * plan.rooms
        for number, kind in enumerate(strikes(world), 1):
            point = goal * number // (plan.strikes + 1)
            until(f"event {point}", partial(has_made, world, point), seconds=plan.longest_seconds, every=0.5)
            world.revive_hub()
            world.strike(kind)
        until("the last event", partial(has_made, world, goal), seconds=plan.longest_seconds, every=0.5)
        with contextlib.suppress(TimeoutError):  # then the report says what is missing
            until("the log", partial(has_arrived, world), seconds=plan.longest_seconds, every=1.0)
            until("the last answer", partial(has_been_answered, world), seconds=LAST_ANSWERS_SECONDS, every=1.0)
        world.outcome.seconds, world.outcome.ended_at = time.monotonic() - begun, time.time()
        world.stop_rooms()
        examine(world)
        return world.outcome


def has_made(world: World, events: int) -> bool:
    """Tell whether the rooms have made that many events."""
    world.check_rooms()
    return world.made().total() >= events


def has_arrived(world: World) -> bool:
    """Tell whether everything is in the log, and has become an alert where it asks for one."""
    world.revive_hub()
    made = world.made()
    try:
        ((alarms, records, alerts),) = world.site.records(EVERYTHING_ARRIVED)
    except sqlite3.Error:
        return False  # a hub that comes back is mending what the cut left
    return bool(alarms >= made["alarm"] and records >= made["record"] and alerts >= made["alarm"])


def has_been_answered(world: World) -> bool:
    """Tell whether nobody waits any more."""
    return world.site.records(UNANSWERED) == [(0,)]


def strikes(world: World) -> Sequence[str]:
    """Return what fails, in order: in the first form the disk once, the clock twice, the rest drawn."""
    plan = world.plan
    if plan.power:
        return world.chance.choices(["power of the hub", "power of the rooms"], k=plan.strikes) if world.disks else []
    drawn = world.chance.choices(["hub", "broker", "rooms", "network"], k=max(0, plan.strikes - 3))
    order = [*drawn, "clock", "clock", *(["disk"] if world.disks else [])]
    world.chance.shuffle(order)
    return order


def main() -> int:
    """Run the long form and print its report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--power", action="store_true", help="the second form: failures of power")
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
