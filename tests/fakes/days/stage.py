"""The stage of a day: who is in the room, what the patient does next, and what is noted as true."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from tests.fakes.days.actor import Actor, Span
from tests.fakes.days.room import SEAT_M, Place, Room

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
NIGHT_ENDS_S, NIGHT_BEGINS_S = 6 * HOUR_S, 22 * HOUR_S
IN_BED_M, ON_EDGE_M, ON_CHAIR_M = 0.62, 0.6, SEAT_M + 0.08

Kind = Literal["fall", "bed_exit", "left_room", "absent_long", "extra_person", "immobile", "blind", "benign"]
Level = Literal["suspected", "confirmed"]
Blindness = Literal["covered", "frozen", "moved", "black", "dropped"]


@dataclass(frozen=True)
class Limits:
    """What the ward has agreed for this patient; ``due_s`` in the truth is reckoned with it. Seconds."""

    bed_exit: bool
    night_begins_s: float = NIGHT_BEGINS_S
    night_ends_s: float = NIGHT_ENDS_S
    absent_s: float = 1800.0
    immobile_s: float = 1200.0
    extra_person_s: float = 180.0
    """A round at night is shorter than this, a stranger stays longer."""
    blind_s: float = 10.0
    confirm_s: float = 15.0


@dataclass(frozen=True)
class Truth:
    """What happened; a ``benign`` stretch ``allows`` the kinds that are right to report in it."""

    kind: Kind
    at_s: float
    until_s: float
    stage: Level
    where: str
    note: str
    due_s: float
    """When somebody who watches must have reported it; ``at_s`` in a benign stretch."""
    allows: tuple[str, ...] = ()


@dataclass
class Picture:
    """What befalls the picture itself, each list in order of time."""

    lights: list[Span] = field(default_factory=list)
    television: list[Span] = field(default_factory=list)
    blind: list[tuple[Blindness, float, float]] = field(default_factory=list)
    passing: list[Span] = field(default_factory=list)
    """Something hangs before the lens for a few seconds."""
    refocus: list[Span] = field(default_factory=list)
    false_person: list[Span] = field(default_factory=list)
    """The detector takes the chair for somebody."""


@dataclass
class Stage:
    """A day while it is written. The patient starts asleep in bed at midnight."""

    room: Room
    rng: np.random.Generator
    limits: Limits
    patient: Actor
    seat: Literal["bed", "chair", "up"] = "bed"
    covered_since_s: float | None = 0.0
    others: list[Actor] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)
    picture: Picture = field(default_factory=Picture)

    @property
    def now(self) -> float:
        """The second up to which the patient's day is written."""
        return self.patient.now

    def is_night(self) -> bool:
        """Say whether it is night for the ward."""
        return not NIGHT_ENDS_S <= self.now < NIGHT_BEGINS_S

    def at(self, name: str) -> Place:
        """Return a place of the room."""
        return self.room.places[name]

    def right_at_night(self, *kinds: str) -> tuple[str, ...]:
        """Return the kinds that are right to report at night, with getting up where it is watched; none by day."""
        if not self.is_night():
            return ()
        return (*kinds, "bed_exit") if self.limits.bed_exit else kinds

    def among(self, *names: str) -> str:
        """Choose one."""
        return names[int(self.rng.integers(len(names)))]

    # what is true

    def incident(  # noqa: PLR0913 (a line of the truth has these parts)
        self,
        kind: Kind,
        at_s: float,
        where: str,
        note: str,
        *,
        until_s: float | None = None,
        after_s: float = 2.0,
        stage: Level = "confirmed",
        allows: tuple[str, ...] = (),
    ) -> None:
        """Note an incident from ``at_s`` until now, due ``after_s`` seconds after its beginning."""
        end = self.now if until_s is None else until_s
        self.truth.append(Truth(kind, at_s, end, stage, where, note, at_s + after_s, allows))

    def benign(self, at_s: float, where: str, note: str, *allows: str, until_s: float | None = None) -> None:
        """Note something harmless from ``at_s`` until now that may look like an incident."""
        end = self.now if until_s is None else until_s
        self.truth.append(Truth("benign", at_s, end, "suspected", where, note, at_s, allows))

    # the patient

    def get_up(self, *, edge_s: float = 4.0) -> None:
        """Get the patient onto their feet beside the bed or the chair."""
        if self.seat == "bed":
            began = self.now
            self.sit_on_edge(edge_s)
            self.patient.take("stand", 2.2, at=self.at("bedside"))
            self.benign(began, "bed", "gets up", "bed_edge", *self.right_at_night(), until_s=self.now + 20)
        elif self.seat == "chair":
            self.patient.take("stand", 2.0, at=self.at("chair_front"))
        self.seat = "up"

    def sit_on_edge(self, seconds: float) -> None:
        """Sit up on the bed's edge and stay there."""
        self.uncover()
        self.patient.take("propped", 1.8, at=self.at("bed"), z=IN_BED_M)
        self.patient.take("edge", 2.4, at=self.at("edge"), z=ON_EDGE_M)
        self.patient.wait(seconds, "awake")

    def uncover(self) -> None:
        """Take the cover away, where there is one."""
        if self.covered_since_s is not None:
            self.patient.cover(self.covered_since_s)
            self.covered_since_s = None

    def go(self, name: str, speed: float = 0.8) -> None:
        """Walk the patient, who is on their feet, to a place; round the foot of the bed where it must be."""
        if name == "behind":
            self.patient.walk(self.at("foot"), speed)
            self.patient.walk(self.at("behind_foot"), speed)
        elif self.is_behind_bed():
            self.patient.walk(self.at("behind_foot"), speed)
            self.patient.walk(self.at("foot"), speed)
        self.patient.walk(self.at(name), speed)

    def is_behind_bed(self) -> bool:
        """Say whether the patient is in the gap between the bed and the wall."""
        x, y, _ = self.patient.place
        behind = self.at("behind")
        return bool(np.hypot(x - behind[0], y - behind[1]) < 1.0)

    def to_bed(self, *, covered: bool | None = None, speed: float = 0.7, quick: bool = False) -> None:
        """Lie down in bed, wherever the patient is; under the cover at night unless told otherwise."""
        if self.seat == "bed":
            return
        if self.seat == "chair":
            self.get_up()
        self.go("bedside", speed)
        self.patient.take("edge", 0.7 if quick else 2.5, at=self.at("edge"), z=ON_EDGE_M)
        if not quick:
            self.patient.wait(self.rng.uniform(3, 15), "awake")
        self.patient.take(
            self.among("supine", "on_side"),
            0.9 if quick else 3.5,
            at=self.at("bed"),
            z=IN_BED_M,
            power=2 if quick else 0,
        )
        self.seat = "bed"
        if self.is_night() if covered is None else covered:
            self.patient.wait(3, "busy")
            self.covered_since_s = self.now

    def to_chair(self, *, heavily: bool = False) -> None:
        """Sit down on the chair, wherever the patient is."""
        if self.seat == "chair":
            return
        if self.seat == "bed":
            self.get_up()
        self.go("chair_front")
        self.patient.take("sit", 0.6 if heavily else 1.8, at=self.at("chair"), z=ON_CHAIR_M, power=2 if heavily else 0)
        self.seat = "chair"

    def idle_until(self, at_s: float) -> None:
        """Let the patient do what they do when nothing is on: sleep, rest, read, watch television, doze."""
        while at_s - self.now > 30:
            rest = at_s - self.now
            if self.is_night():
                self.to_bed()
            if self.seat == "bed":
                asleep = self.is_night() or self.rng.random() < 0.3
                self._lie(min(rest, self.rng.exponential(1500 if asleep else 600) + 60), asleep=asleep)
            elif self.seat == "chair":
                self._sit(min(rest, self.rng.uniform(400, 1500)))
            else:
                self.to_chair()
        self.patient.wait_until(at_s, "awake")

    def _lie(self, seconds: float, *, asleep: bool) -> None:
        if asleep and self.covered_since_s is None:
            self.covered_since_s = self.now
        if self.rng.random() < 0.12:
            self.patient.wait(min(seconds, self.rng.uniform(20, 90)), "restless")
            return
        postures = ("supine", "on_side", "on_other_side") if asleep else ("propped", "supine")
        self.patient.take(self.among(*postures), self.rng.uniform(2, 4), at=self.at("bed"), z=IN_BED_M)
        self.patient.wait(seconds - 5, "sleep" if asleep else "awake")

    def _sit(self, seconds: float) -> None:
        began, doing = self.now, self.among("read", "television", "doze", "look about")
        if doing == "doze":
            self.patient.take("slump", 6, at=self.at("chair"), z=ON_CHAIR_M)
            self.patient.wait(seconds - 10, "doze")
            self.patient.take("sit", 2, at=self.at("chair"), z=ON_CHAIR_M)
            self.benign(began, "chair", "dozes in the chair, the head sunk")
            return
        self.patient.take("sit", 1.5, at=self.at("chair"), z=ON_CHAIR_M)
        self.patient.wait(seconds - 3, "awake")
        if doing == "television":
            self.picture.television.append((began, self.now))

    # others

    def enter(self, name: str, at_s: float, to: Place, *, speed: float = 1.1) -> Actor:
        """Let somebody come in by the door at a second and walk to a place."""
        height = self.rng.uniform(1.05, 1.3) if name == "child" else self.rng.uniform(1.58, 1.86)
        somebody = Actor(name, height, self.rng, at_s, self.at("door_out"))
        somebody.walk(self.at("door"), speed)
        somebody.walk(to, speed)
        self.others.append(somebody)
        return somebody

    def beside(self, place: Place, metres: float = 0.55) -> Place:
        """Return a place next to another, towards the middle of the room, facing it."""
        middle = self.at("centre")
        dx, dy = middle[0] - place[0], middle[1] - place[1]
        way = float(np.hypot(dx, dy))
        if way < 0.3:
            dx, dy, way = 1.0, -0.3, 1.05
        heading = float(np.arctan2(-dy, -dx))
        return place[0] + dx / way * metres, place[1] + dy / way * metres, heading

    def leave(self, somebody: Actor, *, speed: float = 1.1) -> None:
        """Let somebody go out by the door."""
        somebody.walk(self.at("door"), speed)
        somebody.walk(self.at("door_out"), speed)
        somebody.leave()

    def help_up(self, delay_s: float, *, lit: bool) -> None:
        """Let a nurse come to the patient on the floor, get them up and take them to bed; the patient is up first."""
        came = self.now + delay_s
        x, y, _ = self.patient.place
        fallen = (min(max(x, 0.3), self.room.width_m - 0.3), min(max(y, 0.3), self.room.depth_m - 0.3), 0.0)
        nurse = self.enter("nurse", came, self.at("centre"))
        if self.is_behind_bed():
            nurse.walk(self.at("foot"), 1.3)
            nurse.walk(self.at("behind_foot"), 1.3)
            nurse.walk(self.at("behind_help"), 1.3)
        else:
            nurse.walk(self.beside(fallen), 1.3)
        nurse.take("kneel", 1.5)
        self.patient.wait_until(nurse.now, "hurt")
        nurse.wait(self.rng.uniform(25, 90), "busy")
        self.patient.wait_until(nurse.now - 1, "hurt")
        self.patient.take("floor_sit", 3)
        nurse.take("lean", 2.5)
        self.patient.wait(4, "busy")
        up = fallen if self.is_behind_bed() else self.beside(fallen, 0.25)
        self.patient.take("crouch", 2.5, at=up)
        self.patient.take("stand", 2.5, at=up)
        self.seat = "up"
        nurse.wait_until(self.now + 2, "busy")
        if lit:
            self.picture.lights.append((came + 3, self.now + 200))

    def aftercare(self) -> None:
        """Let the nurse who helped bring the patient to bed and go."""
        began, nurse = self.now, self.others[-1]
        self.to_bed(speed=0.45)
        if nurse.place[:2] == self.at("behind_help")[:2]:
            nurse.walk(self.at("behind_foot"))
            nurse.walk(self.at("foot"))
        nurse.walk(self.beside(self.at("bedside"), 0.4))
        nurse.wait_until(self.now + self.rng.uniform(20, 60), "busy")
        self.patient.wait_until(nurse.now, "awake")
        self.leave(nurse)
        self.benign(
            began,
            "bed",
            "a nurse looks after the patient",
            "bed_edge",
            *self.right_at_night("extra_person"),
            until_s=nurse.now,
        )
        self.patient.wait_until(nurse.now + 5, "awake")
