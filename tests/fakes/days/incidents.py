"""What a watch over the room must find: each is played on the stage from whatever the patient does, and noted."""

from collections.abc import Callable

import numpy as np
from tests.fakes.days.room import Place
from tests.fakes.days.stage import IN_BED_M, ON_CHAIR_M, Blindness, Stage

Incident = Callable[[Stage], None]

_BLIND_S: dict[Blindness, tuple[float, float]] = {
    "covered": (60, 600),
    "frozen": (60, 300),
    "moved": (120, 900),
    "black": (45, 300),
    "dropped": (30, 240),
}
_BLIND_NOTES: dict[Blindness, str] = {
    "covered": "a cloth hangs over the camera",
    "frozen": "the same picture comes again and again",
    "moved": "the camera is knocked aside and set right later",
    "black": "the picture is black",
    "dropped": "no picture comes: a gap in t",
}


def _topple(stage: Stage, towards: str) -> float:
    """Fall from standing; return the second of landing."""
    patient, rng = stage.patient, stage.rng
    x, y, heading = patient.place
    turn, posture = {
        "back": (np.pi, "supine"),
        "front": (0.0, "prone"),
        "side": (np.pi / 2, "sideways"),
    }[towards]
    way = rng.uniform(0.3, 0.5)
    there = (x + way * float(np.cos(heading + turn)), y + way * float(np.sin(heading + turn)), heading)
    patient.take(posture, rng.uniform(0.55, 1.0), at=there, power=2)
    stage.seat = "up"
    return stage.now


def _fallen(stage: Stage, at_s: float, landed_s: float, where: str, note: str) -> None:
    """Let the patient lie until a nurse has helped them up, and note the fall."""
    stage.help_up(stage.rng.uniform(50, 260), lit=stage.is_night())
    allows = stage.right_at_night("extra_person")
    stage.incident("fall", at_s, where, note, after_s=landed_s - at_s + 2.0, allows=allows)
    stage.aftercare()


def _stand_somewhere(stage: Stage) -> None:
    stage.get_up()
    stage.go(stage.among("centre", "window", "near"))
    stage.patient.wait(stage.rng.uniform(4, 20), "busy")


def fall_standing(stage: Stage) -> None:
    """Fall while standing in the room."""
    _stand_somewhere(stage)
    began, towards = stage.now, stage.among("back", "front", "side")
    _fallen(stage, began, _topple(stage, towards), "floor", f"falls from standing, to the {towards}")


def fall_seldom_seen(stage: Stage) -> None:
    """Fall so that the detector finds the fallen person in about a tenth of the frames."""
    _stand_somewhere(stage)
    began = stage.now
    landed = _topple(stage, stage.among("back", "front", "side"))
    stage.help_up(stage.rng.uniform(80, 260), lit=stage.is_night())
    stage.patient.faint.append((landed, stage.now - 6))
    allows = stage.right_at_night("extra_person")
    note = "falls from standing; the detector finds the fallen person in about a tenth of the frames"
    stage.incident("fall", began, "floor", note, after_s=landed - began + 2.0, allows=allows)
    stage.aftercare()


def fall_from_bed(stage: Stage) -> None:
    """Roll out of bed."""
    stage.to_bed()
    stage.patient.wait(stage.rng.uniform(60, 200), "sleep" if stage.is_night() else "awake")
    stage.uncover()
    stage.patient.take("on_side", 3, at=stage.at("bed_border"), z=IN_BED_M)
    stage.patient.wait(stage.rng.uniform(2, 10), "restless")
    began = stage.now
    x, y, heading = stage.at("bedside_floor")
    stage.patient.take(stage.among("prone", "supine", "on_side"), 0.7, at=(x, y, heading), power=2)
    stage.seat = "up"
    _fallen(stage, began, stage.now, "floor", "falls out of bed")


def fall_from_chair(stage: Stage) -> None:
    """Slip from the chair."""
    stage.to_chair()
    stage.patient.wait(stage.rng.uniform(60, 300), "awake")
    stage.patient.take("lean", 1.2, at=stage.at("chair"), z=ON_CHAIR_M)
    began = stage.now
    stage.patient.take(stage.among("sideways", "prone"), 0.9, at=stage.at("chair_front"), power=2)
    stage.seat = "up"
    _fallen(stage, began, stage.now, "floor", "falls from the chair")


def fall_in_doorway(stage: Stage) -> None:
    """Fall in the doorway of the bathroom, half of the body beyond it."""
    stage.get_up()
    x, y, heading = stage.at("bathroom_door")
    before = (x - 0.45 * float(np.cos(heading)), y - 0.45 * float(np.sin(heading)), heading)
    stage.patient.walk(before)  # so that the hips come to lie on this side of the wall
    began = stage.now
    _fallen(
        stage, began, _topple(stage, "front"), "bathroom_door", "falls in the doorway of the bathroom, half out of view"
    )


def slide_down_wall(stage: Stage) -> None:
    """Slide slowly down a wall and stay sitting on the floor."""
    stage.get_up()
    stage.go("wall")
    stage.patient.wait(stage.rng.uniform(3, 15), "busy")
    began = stage.now
    stage.patient.take("crouch", stage.rng.uniform(2, 4), at=stage.at("wall"), power=1)
    stage.patient.take("floor_sit", stage.rng.uniform(1, 3), at=stage.at("wall"), power=1)
    _fallen(stage, began, stage.now, "floor", "slides slowly down the wall and stays sitting on the floor")


def fall_behind_bed(stage: Stage) -> None:
    """Fall between the bed and the wall, half hidden by the bed."""
    stage.get_up()
    stage.go("behind")
    stage.patient.wait(stage.rng.uniform(3, 12), "busy")
    began = stage.now
    _fallen(stage, began, _topple(stage, "back"), "floor", "falls behind the bed, mostly hidden by it")


def fall_and_get_up(stage: Stage) -> None:
    """Fall and get up again alone within 8 s."""
    _stand_somewhere(stage)
    began = stage.now
    landed = _topple(stage, stage.among("front", "side"))
    stage.patient.wait(stage.rng.uniform(1.0, 2.0), "still")
    stage.patient.take("kneel_low", 1.2)
    stage.patient.take("crouch", 1.0)
    stage.patient.take("stand", 1.2)
    note = "falls and gets up again alone"
    allows = stage.right_at_night()
    stage.incident("fall", began, "floor", note, after_s=landed - began + 2.0, stage="suspected", allows=allows)
    stage.patient.wait(stage.rng.uniform(5, 15), "awake")
    stage.to_bed()


def bed_exit(stage: Stage) -> None:
    """Get up at night; only for a patient for whom it is watched."""
    stage.to_bed()
    stage.patient.wait(60, "sleep")
    began = stage.now
    stage.sit_on_edge(stage.rng.uniform(5, 30) if stage.rng.random() < 0.6 else stage.rng.uniform(60, 400))
    stage.benign(began, "bed", "sits on the bed's edge", "bed_edge")
    up = stage.now
    stage.patient.take("stand", 2.2, at=stage.at("bedside"))
    stage.seat = "up"
    note = "gets up and walks about"
    if stage.rng.random() < 0.7:
        note = "gets up and goes to the bathroom"
        _out_and_back(stage, "bathroom", stage.rng.uniform(120, 480))
    else:
        stage.go("window")
        stage.patient.wait(stage.rng.uniform(60, 240), "busy")
    stage.to_bed()
    stage.incident("bed_exit", up, "bed", note, after_s=12.0, allows=("bed_edge",))


def left_room(stage: Stage) -> None:
    """Leave the room alone by its door."""
    stage.get_up()
    stage.go("door")
    began = stage.now
    _out_and_back(stage, "door", stage.rng.uniform(300, 1300))
    stage.incident("left_room", began, "door", "leaves the room alone", after_s=15.0)
    stage.to_chair()


def absent_in_bathroom(stage: Stage) -> None:
    """Stay in the bathroom for longer than agreed."""
    _absent(stage, "bathroom", "bathroom_door", "does not come back from the bathroom")


def absent_outside(stage: Stage) -> None:
    """Stay out of the room for longer than agreed."""
    _absent(stage, "door", "door", "does not come back to the room", "left_room")


def _absent(stage: Stage, through: str, where: str, note: str, *allows: str) -> None:
    stage.get_up()
    stage.go("bathroom_door" if through == "bathroom" else "door")
    began = stage.now
    _out_and_back(stage, through, stage.limits.absent_s + stage.rng.uniform(240, 1100))
    stage.incident("absent_long", began, where, note, after_s=stage.limits.absent_s + 15, allows=allows)
    stage.to_chair()


def _out_and_back(stage: Stage, through: str, seconds: float) -> None:
    door, beyond = ("bathroom_door", "bathroom") if through == "bathroom" else ("door", "door_out")
    stage.go(door)
    stage.go(beyond)
    stage.patient.away(seconds, stage.at(beyond))
    x, y, heading = stage.at(door)
    stage.patient.walk((x, y, heading + np.pi), 0.8)


def stranger_at_night(stage: Stage) -> None:
    """Somebody comes in at night and stays for longer than a nurse on her round."""
    stage.to_bed()
    came = stage.now + stage.rng.uniform(30, 120)
    to: Place = stage.at(stage.among("chair_front", "foot", "centre"))
    stranger = stage.enter("stranger", came, to, speed=0.7)
    stranger.wait(stage.limits.extra_person_s + stage.rng.uniform(90, 500), "awake")
    stage.leave(stranger)
    stage.patient.wait_until(stranger.now, "sleep")
    note = "somebody comes in at night and stays"
    stage.incident(
        "extra_person", came + 1, "floor", note, after_s=stage.limits.extra_person_s + 15, until_s=stranger.now
    )
    stage.patient.wait(10, "sleep")


def immobile_on_chair(stage: Stage) -> None:
    """Sit without the least movement for longer than agreed, by day."""
    stage.to_chair()
    stage.patient.wait(stage.rng.uniform(30, 200), "awake")
    stage.patient.take(stage.among("sit", "slump"), 4, at=stage.at("chair"), z=ON_CHAIR_M)
    _immobile(stage, "chair", "sits without any movement, no breath to be seen")


def immobile_on_floor(stage: Stage) -> None:
    """Lie down on the exercise mat and not move for longer than agreed, by day."""
    stage.get_up()
    stage.go("mat")
    stage.patient.take("crouch", 2)
    stage.patient.take("floor_sit", 2)
    stage.patient.take("supine", 3)
    stage.seat = "up"
    _immobile(stage, "floor", "lies on the mat without any movement, no breath to be seen", "fall")


def _immobile(stage: Stage, where: str, note: str, *allows: str) -> None:
    began = stage.now
    stage.patient.wait(stage.limits.immobile_s + stage.rng.uniform(300, 1100), "still")
    if where == "floor":
        stage.help_up(0.0, lit=False)
    else:
        nurse = stage.enter("nurse", stage.now, stage.beside(stage.at("chair"), 0.75))
        nurse.take("lean", 1.5)
        stage.patient.wait_until(nurse.now, "still")
        nurse.wait(40, "busy")
        stage.patient.take("sit", 2, at=stage.at("chair"), z=ON_CHAIR_M)
    stage.incident("immobile", began, where, note, after_s=stage.limits.immobile_s + 15, allows=allows)
    if where == "floor":
        stage.aftercare()
    else:
        stage.patient.wait_until(stage.others[-1].now, "awake")
        stage.leave(stage.others[-1])
        stage.patient.wait_until(stage.others[-1].now, "awake")


def blind(what: Blindness) -> Incident:
    """Return the incident in which the camera sees nothing that can be used."""

    def happen(stage: Stage) -> None:
        if stage.seat == "up":
            stage.to_chair()
        began = stage.now
        stage.idle_until(began + stage.rng.uniform(*_BLIND_S[what]))
        stage.picture.blind.append((what, began, stage.now))
        stage.incident("blind", began, "camera", _BLIND_NOTES[what], after_s=stage.limits.blind_s)
        stage.patient.wait(20, "sleep" if stage.seat == "bed" and stage.is_night() else "awake")

    return happen
