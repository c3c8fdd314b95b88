"""The command line's view of roll-outs: ``forge-hub rollout …``. It prints lines of JSON."""

import argparse
import json
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Protocol
from zoneinfo import ZoneInfo

from forge_hub import control
from forge_hub.errors import HubError
from forge_hub.holdings import records_url
from forge_hub.records.database import open_database
from forge_hub.releases.catalogue import Catalogue
from forge_hub.releases.commands import ALL_AT_ONCE, Lines, RolloutCommands
from forge_hub.releases.rollout import RINGS
from forge_hub.releases.rollouts import Rollouts
from forge_hub.releases.service import COMMAND, FOLDER
from forge_hub.settings import HubSettings
from forge_shared.clock import SystemClock

_EXAMPLES = """examples:
  forge-hub rollout start fall-pose-2.0.0.tar --why "fewer false alarms at night" --window "mon-fri 09:00-16:00"
  forge-hub rollout show ID
  forge-hub rollout withdraw ID --why "the ward hears false alarms"
  forge-hub rollout back fall-pose-1.0.0.tar --why "known to be well"
  forge-hub rollout ran room-12 pose --at "2026-03-01 14:03"
  forge-hub rollout lock room-12 --until +6h"""


class _Commands(Protocol):
    def add_parser(
        self,
        name: str,
        *,
        help: str,  # noqa: A002 (argparse's word)
        epilog: str = ...,
        formatter_class: type[argparse.HelpFormatter] = ...,
    ) -> argparse.ArgumentParser:
        """Add a command."""


def add_rollouts(commands: _Commands) -> None:
    """Add the commands to the command line."""
    rollout = commands.add_parser(
        "rollout",
        help="Give releases to rooms, ring after ring: start, follow, stop, take back; what ran where.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parts = rollout.add_subparsers(required=True, metavar="COMMAND")

    start = _part(parts, "start", "Begin to give a published release to rooms, the fewest first.")
    start.add_argument("target", help="as `forge-hub model list` names it")
    start.add_argument(
        "--rings",
        default=",".join(str(share) for share in RINGS),
        help="shares of the rooms in per cent (default: %(default)s); the first is of at most ten rooms",
    )
    start.add_argument("--soak", metavar="HOURS", help="how long rooms serve it before the next ring (default: 24)")
    back = _part(parts, "back", "Give an earlier release to all rooms at once; it must have done well here before.")
    back.add_argument("target", help="as `forge-hub model list` names it")
    back.set_defaults(run=_back)
    for command in (start, back):
        command.add_argument("--why", required=True, help="for the audit; nothing of a patient")
        command.add_argument(
            "--group", action="append", default=[], help="a group, or a ward as ward:ID; again for more (default: all)"
        )
        command.add_argument("--window", help="when rooms may be told, such as 'mon-fri 09:00-16:00' (default: always)")

    _part(parts, "list", "List roll-outs, the newest first.")
    show = _part(parts, "show", "Show one: its rings, what was found of the release, and every room.")
    pause = _part(parts, "pause", "Tell no further room until it is resumed; what rooms do is still judged.")
    resume = _part(parts, "resume", "Go on.")
    stop = _part(parts, "stop", "Tell no further room, for good; rooms that have the release keep it.")
    withdraw = _part(parts, "withdraw", "Send every room back to what it had, now.")
    for command in (show, pause, resume, stop, withdraw):
        command.add_argument("id", help="as `forge-hub rollout list` names it")
    for command in (pause, resume, stop):
        command.add_argument("--why", help="for the audit")
    withdraw.add_argument("--why", required=True, help="for the audit")

    ran = _part(parts, "ran", "Say what served a role in a room at a moment.")
    ran.add_argument("node", help="name of the room's node")
    ran.add_argument("role", help="wake-word, transcriber, voice, pose or language-model")
    ran.add_argument(
        "--at", metavar="TIME", help="such as 14:03 or '2026-03-01 14:03', by the site's time (default: now)"
    )

    groups = _part(parts, "groups", "List groups of rooms, or make one.")
    groups.add_argument("name", nargs="?", help="the group")
    groups.add_argument("rooms", nargs="*", help="its rooms; they replace those that it has")
    groups.add_argument("--remove", action="store_true", help="take the group away")

    lock = _part(parts, "lock", "Let a room be told of no new release for a while, or list the locks.")
    lock.add_argument("node", nargs="?", help="name of the room's node")
    ends = lock.add_mutually_exclusive_group()
    ends.add_argument("--until", metavar="TIME", help="such as +6h, 18:00 or '2026-03-02 08:00'; at most a week")
    ends.add_argument("--off", action="store_true", help="take the lock away")


def _part(
    parts: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, description: str
) -> argparse.ArgumentParser:
    sub = parts.add_parser(name, help=description, description=description)
    sub.set_defaults(run=_RUN[name] if name in _RUN else _plain(name))
    return sub


def _plain(name: str) -> Callable[[HubSettings, argparse.Namespace], None]:
    def run(settings: HubSettings, options: argparse.Namespace) -> None:
        given = {key: getattr(options, key, None) for key in ("id", "why", "node", "role", "at")}
        _do(settings, name, given)

    return run


def _start(settings: HubSettings, options: argparse.Namespace) -> None:
    _do(settings, "start", {**_given(options), "rings": options.rings, "soak": options.soak})


def _back(settings: HubSettings, options: argparse.Namespace) -> None:
    _do(settings, "start", {**_given(options), "rings": ALL_AT_ONCE, "soak": "0"})


def _given(options: argparse.Namespace) -> dict[str, str | None]:
    return {
        "target": options.target,
        "why": options.why,
        "groups": " ".join(options.group),
        "window": options.window,
    }


def _groups(settings: HubSettings, options: argparse.Namespace) -> None:
    if options.remove and (options.name is None or options.rooms):
        raise HubError("to take a group away, name it alone")
    rooms = " ".join(options.rooms) if options.rooms or options.remove else None
    _do(settings, "groups", {"name": options.name, "rooms": rooms})


def _lock(settings: HubSettings, options: argparse.Namespace) -> None:
    if (options.node is None) != (options.until is None and not options.off):
        raise HubError("name a room with --until TIME or --off, or neither to list the locks")
    _do(settings, "lock", {"node": options.node, "until": options.until})


_RUN: Mapping[str, Callable[[HubSettings, argparse.Namespace], None]] = {
    "start": _start,
    "groups": _groups,
    "lock": _lock,
}


def _do(settings: HubSettings, command: str, given: Mapping[str, str | None]) -> None:
    """Let the serving hub carry it out; where none serves, it is written down and the next one carries it out."""
    reply = control.ask(settings.folder / "control.sock", COMMAND, asked=command, **given)
    if reply is None:
        lines = _beside(settings, command, given)
    elif reply.get("ok"):
        lines = reply["lines"]
    else:
        raise HubError(str(reply.get("error", "the hub refused")))
    for line in lines:
        print(json.dumps(line))


def _beside(settings: HubSettings, command: str, given: Mapping[str, str | None]) -> Lines:
    clock = SystemClock()
    with closing(open_database(records_url(settings))) as database:
        rollouts = Rollouts(database, Catalogue(settings.folder / FOLDER, clock), clock, on_changed=lambda: None)
        return RolloutCommands(rollouts, clock, ZoneInfo(settings.time_zone)).run(command, given)
