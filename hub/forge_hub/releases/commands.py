"""What the command line asks of the roll-outs, as texts, and the answers as lines of JSON. Blocks on the store."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, time, timedelta, tzinfo
from typing import Any, Final

from forge_hub import access
from forge_hub.errors import ReleaseError
from forge_hub.releases.rollout import RolloutState, RoomProgress
from forge_hub.releases.rollouts import Rollouts
from forge_hub.releases.stored import role_of
from forge_hub.releases.windows import window_of, words_of
from forge_shared.clock import Clock

ALL_AT_ONCE: Final = "100"

Lines = list[dict[str, Any]]
Given = Mapping[str, str | None]


class RolloutCommands:
    """Carries out ``forge-hub rollout …``, in the hub that serves or, where none does, beside the store.

    Args:
        rollouts: The roll-outs.
        clock: Says what "now" is.
        zone: The site's time zone, in which a time without one is meant.
    """

    def __init__(self, rollouts: Rollouts, clock: Clock, zone: tzinfo) -> None:
        self._rollouts = rollouts
        self._clock = clock
        self._zone = zone
        self._commands: Mapping[str, Callable[[Given], Lines]] = {
            "start": self._start,
            "list": self._list,
            "show": self._show,
            "pause": self._pause,
            "resume": self._resume,
            "stop": self._stop,
            "withdraw": self._withdraw,
            "ran": self._ran,
            "groups": self._groups,
            "lock": self._lock,
        }

    def run(self, command: str, given: Given) -> Lines:
        """Carry out one command.

        Raises:
            ReleaseError: There is no such command, or it cannot be done.
            NotFoundError: What it names is not there.
        """
        if command not in self._commands:
            raise ReleaseError("there is no such command")
        return self._commands[command](given)

    def _start(self, given: Given) -> Lines:
        window, soak = given.get("window"), given.get("soak")
        started = self._rollouts.start(
            _text(given, "target"),
            account=access.COMMAND_LINE,
            why=_text(given, "why"),
            groups=_words(given.get("groups")),
            rings=_shares(given.get("rings")),
            window=None if window is None else window_of(window),
            soak_hours=None if soak is None else _hours(soak),
        )
        return [_summary(self._rollouts.state(started))]

    def _list(self, _: Given) -> Lines:
        return [_summary(state) for state in self._rollouts.all()]

    def _show(self, given: Given) -> Lines:
        state = self._rollouts.state(_text(given, "id"))
        rings: Lines = [
            {
                "ring": ring.number,
                "share": ring.share,
                "state": ring.state,
                "opened_at": _said(ring.opened_at),
                "passed_at": _said(ring.passed_at),
                "waits_for": ring.waits_for,
            }
            for ring in state.rings
        ]
        found: Lines = [asdict(each) for each in state.found]
        rooms = [_room(room) for ring in state.rings for room in ring.rooms]
        return [_summary(state), *rings, *found, *rooms, *(_room(room) for room in state.left_out)]

    def _pause(self, given: Given) -> Lines:
        self._rollouts.pause(_text(given, "id"), account=access.COMMAND_LINE, why=given.get("why"))
        return self._list_one(given)

    def _resume(self, given: Given) -> Lines:
        self._rollouts.resume(_text(given, "id"), account=access.COMMAND_LINE, why=given.get("why"))
        return self._list_one(given)

    def _stop(self, given: Given) -> Lines:
        self._rollouts.stop(_text(given, "id"), account=access.COMMAND_LINE, why=given.get("why"))
        return self._list_one(given)

    def _withdraw(self, given: Given) -> Lines:
        self._rollouts.withdraw(_text(given, "id"), account=access.COMMAND_LINE, why=_text(given, "why"))
        return self._list_one(given)

    def _list_one(self, given: Given) -> Lines:
        return [_summary(self._rollouts.state(_text(given, "id")))]

    def _ran(self, given: Given) -> Lines:
        role = role_of(_text(given, "role"))
        if role is None:
            raise ReleaseError("a role is wake-word, transcriber, voice, pose or language-model")
        at = given.get("at")
        ran = self._rollouts.ran(_text(given, "node"), role, self._clock.now() if at is None else self._time(at))
        return [{**asdict(ran), "at": _said(ran.at), "since": _said(ran.since)}]

    def _groups(self, given: Given) -> Lines:
        name = given.get("name")
        if name is not None and given.get("rooms") is not None:
            self._rollouts.set_group(name, _words(given.get("rooms")), account=access.COMMAND_LINE)
        groups = self._rollouts.groups()
        return [{"group": each, "rooms": groups[each]} for each in groups if name in {None, each}]

    def _lock(self, given: Given) -> Lines:
        node, until = given.get("node"), given.get("until")
        if node is not None:
            ends = None if until is None else self._time(until)
            self._rollouts.lock(node, ends, account=access.COMMAND_LINE)
        locks = self._rollouts.locks()
        return [{"room": each, "until": _said(locks[each])} for each in sorted(locks)]

    def _time(self, text: str) -> datetime:
        """Return a time that was written with its date, or as a time of today; without a zone it is the site's."""
        try:
            if text.startswith("+") and text.endswith("h"):
                return self._clock.now() + timedelta(hours=_hours(text[1:-1]))
            if "-" not in text:
                today = self._clock.now().astimezone(self._zone).date()
                return datetime.combine(today, time.fromisoformat(text), tzinfo=self._zone)
            at = datetime.fromisoformat(text)
        except ValueError:
            raise ReleaseError("a time is written like '14:03', '2026-03-01 14:03' or '+6h'") from None
        return at if at.tzinfo is not None else at.replace(tzinfo=self._zone)


def _summary(state: RolloutState) -> dict[str, Any]:
    return {
        "id": state.id,
        "target": state.target,
        "role": state.role,
        "state": state.state,
        "reason": state.reason,
        "ring": max((ring.number for ring in state.rings if ring.state != "waiting"), default=0),
        "rings": [ring.share for ring in state.rings],
        "rooms": dict(state.counts),
        "groups": list(state.groups),
        "window": None if state.window is None else words_of(state.window),
        "started_at": _said(state.started_at),
        "started_by": state.started_by,
        "why": state.why,
        "changed_at": _said(state.changed_at),
        "changed_by": state.changed_by,
    }


def _room(room: RoomProgress) -> dict[str, Any]:
    said = {**asdict(room), "since": _said(room.since), "locked_until": _said(room.locked_until)}
    return {"room": said.pop("node"), **{key: value for key, value in said.items() if value is not None}}


def _said(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")


def _text(given: Given, name: str) -> str:
    value = given.get(name)
    if value is None:
        raise ReleaseError(f"{name} is missing")
    return value


def _words(text: str | None) -> list[str]:
    return (text or "").split()


def _shares(text: str | None) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in (text or ALL_AT_ONCE).split(","))
    except ValueError:
        raise ReleaseError("rings are written like '5,25,50,100'") from None


def _hours(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ReleaseError("hours are a number") from None
