"""The harmless rest of a day in a patient room, much of which looks like an incident."""

import numpy as np
from tests.fakes.days.actor import Actor
from tests.fakes.days.stage import IN_BED_M, ON_CHAIR_M, ON_EDGE_M, Stage


def night_round(stage: Stage) -> None:
    """A nurse looks in at night."""
    began = stage.now
    nurse = stage.enter("nurse", began, stage.beside(stage.at("bedside"), 0.3))
    nurse.wait(stage.rng.uniform(15, 60), "awake")
    if stage.rng.random() < 0.5:
        nurse.take("lean", 1.5)
        nurse.wait(stage.rng.uniform(5, 20), "busy")
        nurse.take("stand", 1.5)
    stage.leave(nurse)
    stage.patient.wait_until(nurse.now, "sleep")
    stage.benign(began, "floor", "a nurse's round at night")


def long_edge(stage: Stage) -> None:
    """Sit on the bed's edge for long and lie down again."""
    stage.to_bed()
    began = stage.now
    stage.sit_on_edge(stage.rng.uniform(120, 600))
    stage.patient.take("propped", 2.5, at=stage.at("bed"), z=IN_BED_M)
    stage.covered_since_s = stage.now
    stage.benign(began, "bed", "sits on the bed's edge for long and lies down again", "bed_edge")


def night_bathroom(stage: Stage) -> None:
    """Go to the bathroom at night; led by a nurse where getting up is watched."""
    stage.to_bed()
    began, nurse = stage.now, None
    if stage.limits.bed_exit:
        nurse = stage.enter("nurse", began, stage.beside(stage.at("bedside"), 0.5))
        stage.picture.lights.append((began + 2, began + 500))
        stage.patient.wait_until(nurse.now, "awake")
    stage.get_up(edge_s=stage.rng.uniform(10, 60))
    if nurse is not None:
        nurse.wait_until(stage.now, "awake")
        nurse.walk(stage.beside(stage.at("bathroom_door"), 0.6), 0.8)
    _bathroom(stage, stage.rng.uniform(90, 260))
    stage.to_bed()
    if nurse is not None:
        nurse.wait_until(stage.now - 8, "awake")
        stage.leave(nurse)
        stage.patient.wait_until(nurse.now, "awake")
        stage.benign(began, "bed", "led to the bathroom at night", "bed_exit", "bed_edge", "extra_person")
    else:
        stage.benign(began, "bed", "goes to the bathroom at night; getting up is not watched", "bed_edge")


def bathroom(stage: Stage) -> None:
    """Go to the bathroom by day."""
    began = stage.now
    stage.get_up()
    _bathroom(stage, stage.rng.uniform(150, 800))
    stage.benign(began, "bathroom_door", "goes to the bathroom", "bed_edge")
    stage.to_chair()


def _bathroom(stage: Stage, seconds: float) -> None:
    stage.go("bathroom_door")
    stage.go("bathroom")
    stage.patient.away(seconds, stage.at("bathroom"))
    x, y, heading = stage.at("bathroom_door")
    stage.patient.walk((x, y, heading + np.pi), 0.8)


def morning_care(stage: Stage) -> None:
    """Two nurses wash the patient in bed, bend over and hide them."""
    stage.to_bed()
    began = stage.now
    first = stage.enter("nurse", began, stage.beside(stage.at("bedside"), 0.05))
    second = stage.enter("nurse", began + 4, stage.at("foot"))
    until = began + stage.rng.uniform(420, 720)
    stage.uncover()
    while stage.now < until:
        for nurse in (first, second):
            nurse.wait_until(stage.now, "busy")
            nurse.take(stage.among("bend", "lean", "stand"), 1.6)
        stage.patient.take(stage.among("on_side", "supine", "on_other_side"), 3, at=stage.at("bed"), z=IN_BED_M)
        stage.patient.wait(stage.rng.uniform(20, 70), "awake")
    for nurse in (first, second):
        nurse.wait_until(stage.now, "busy")
        nurse.take("stand", 1.5)
        stage.leave(nurse)
    stage.patient.wait_until(second.now, "awake")
    stage.benign(began, "bed", "two nurses care for the patient in bed and hide them")


def meal(stage: Stage) -> None:
    """Eat on the chair; somebody brings the tray and fetches it."""
    stage.to_chair()
    began = stage.now
    for eating in (stage.rng.uniform(600, 1100), 0.0):
        helper = stage.enter("helper", stage.now, stage.beside(stage.at("chair"), 0.85))
        helper.take("lean", 1.5)
        helper.wait(6, "busy")
        helper.take("stand", 1.5)
        stage.leave(helper)
        stage.patient.wait_until(helper.now, "awake")
        stage.patient.wait(eating, "awake" if stage.rng.random() < 0.5 else "busy")
    stage.benign(began, "chair", "eats on the chair")


def pick_up(stage: Stage) -> None:
    """Drop something, a blanket perhaps, and pick it up from the floor."""
    stage.get_up()
    stage.go(stage.among("centre", "window"))
    began = stage.now
    stage.picture.false_person.append((began, began + stage.rng.uniform(1, 4)))
    stage.patient.wait(2, "busy")
    stage.patient.take("bend", 1.4)
    stage.patient.wait(stage.rng.uniform(1, 4), "busy")
    stage.patient.take("stand", 1.6)
    stage.benign(began, "floor", "a blanket falls; picks it up")
    stage.to_chair()


def slippers(stage: Stage) -> None:
    """Kneel beside the bed and look for the slippers under it."""
    stage.get_up()
    stage.go("bedside")
    began = stage.now
    x, y, heading = stage.at("bedside")
    stage.patient.take("kneel", 2.5, at=(x, y, heading + np.pi))
    stage.patient.take("kneel_low", 2)
    stage.patient.wait(stage.rng.uniform(6, 20), "busy")
    stage.patient.take("kneel", 2)
    stage.patient.take("stand", 3)
    stage.benign(began, "floor", "kneels to look for slippers under the bed", "bed_edge")
    stage.to_bed()


def physiotherapy(stage: Stage) -> None:
    """Exercise on a mat on the floor with a physiotherapist."""
    began = stage.now
    x, y, heading = stage.at("mat")
    aside = (x - 0.75 * float(np.sin(heading)), y + 0.75 * float(np.cos(heading)), heading - np.pi / 2)
    therapist = stage.enter("therapist", began, aside)
    stage.patient.wait_until(therapist.now, "awake")
    stage.get_up()
    stage.go("mat")
    stage.patient.take("crouch", 2.5)
    stage.patient.take("floor_sit", 3)
    stage.patient.take("supine", 4)
    therapist.wait_until(stage.now, "awake")
    therapist.take("kneel", 2)
    for _ in range(int(stage.rng.integers(6, 11))):
        stage.patient.take(stage.among("floor_sit", "supine", "propped", "on_side"), stage.rng.uniform(2, 4))
        stage.patient.wait(stage.rng.uniform(15, 50), stage.among("busy", "awake"))
        therapist.wait_until(stage.now, "awake")
        therapist.take(stage.among("kneel", "kneel_low", "crouch"), 1.5)
    stage.patient.take("floor_sit", 3)
    stage.patient.take("crouch", 3)
    stage.patient.take("stand", 3)
    stage.benign(began, "floor", "exercises on a mat on the floor with a physiotherapist", "bed_edge")
    therapist.wait_until(stage.now, "busy")
    therapist.take("stand", 1.5)
    stage.leave(therapist)
    stage.seat = "up"
    stage.to_chair()


def visit(stage: Stage) -> None:
    """Somebody visits and sits down on the bed."""
    _visit(stage, child=False)


def visit_with_child(stage: Stage) -> None:
    """Somebody visits with a child, who plays on the floor."""
    _visit(stage, child=True)


def _visit(stage: Stage, *, child: bool) -> None:
    stage.to_chair()
    began = stage.now
    visitor = stage.enter("visitor", began, stage.beside(stage.at("visitor_seat"), 0.6))
    visitor.take("sit", 2, at=stage.at("visitor_seat"), z=ON_EDGE_M)
    until = began + stage.rng.uniform(1200, 2400)
    small = stage.enter("child", began + 3, stage.at("centre")) if child else None
    while stage.now < until:
        stage.patient.wait(stage.rng.uniform(60, 200), "awake")
        visitor.wait_until(stage.now, "awake")
        if small is not None:
            _play(stage, small)
    visitor.wait_until(stage.now, "awake")
    visitor.take("stand", 2, at=stage.beside(stage.at("visitor_seat"), 0.5))
    stage.leave(visitor)
    if small is not None:
        small.take("stand", 1.5)
        stage.leave(small)
    stage.patient.wait_until(visitor.now, "awake")
    note = "a visitor sits on the bed" + (", a child plays on the floor" if child else "")
    stage.benign(began, "bed", note)


def _play(stage: Stage, child: Actor) -> None:
    while child.now < stage.now:
        x, y, heading = stage.at(stage.among("centre", "mat", "near"))
        if stage.rng.random() < 0.4:
            child.take("stand", 1)
            child.walk((x + stage.rng.uniform(-0.3, 0.3), y + stage.rng.uniform(-0.3, 0.3), heading), 1.4)
        child.take(stage.among("kneel", "floor_sit", "prone", "kneel_low", "crouch"), stage.rng.uniform(0.8, 2))
        child.wait(stage.rng.uniform(15, 60), stage.among("busy", "awake", "awake"))


def cleaning(stage: Stage) -> None:
    """Somebody cleans the room."""
    began = stage.now
    cleaner = stage.enter("cleaner", began, stage.at("centre"))
    for name in ("near", "mat", "foot", "centre", "window", "wall", "near"):
        cleaner.walk(stage.at(name), 0.7)
        cleaner.take(stage.among("lean", "bend"), 1.5)
        cleaner.wait(stage.rng.uniform(10, 30), "busy")
        cleaner.take("stand", 1.2)
    stage.leave(cleaner)
    stage.patient.wait_until(cleaner.now, "awake")
    stage.benign(began, "floor", "the room is cleaned")


def drop_onto_bed(stage: Stage) -> None:
    """Lie down on the bed so quickly that it looks like a fall."""
    if stage.seat == "bed":
        stage.get_up()
        stage.go("centre")
    began = stage.now
    stage.to_bed(quick=True, covered=False)
    stage.benign(began, "bed", "lies down on the bed quickly", "bed_edge")


def sit_down_heavily(stage: Stage) -> None:
    """Drop onto the chair."""
    stage.get_up()
    stage.go("centre")
    began = stage.now
    stage.to_chair(heavily=True)
    stage.benign(began, "chair", "sits down heavily")


def wheelchair(stage: Stage) -> None:
    """Be wheeled out of the room for an examination and back."""
    stage.to_bed(covered=False)
    began = stage.now
    nurse = stage.enter("nurse", began, stage.beside(stage.at("bedside"), 0.7))
    stage.patient.wait_until(nurse.now, "awake")
    stage.sit_on_edge(10)
    nurse.wait_until(stage.now, "busy")
    stage.patient.take("stand", 3, at=stage.at("bedside"))
    stage.patient.take("sit", 3, at=stage.at("bedside"), z=ON_CHAIR_M)
    route = [stage.at(name) for name in ("centre", "door", "door_out")]
    _wheel(stage, nurse, route)
    out = stage.rng.uniform(600, 1400)
    nurse.leave()
    stage.patient.away(out, stage.at("door_out"))
    back = stage.enter("nurse", stage.now, stage.at("centre"))
    stage.patient.take("sit", 0.1, z=ON_CHAIR_M)
    _wheel(stage, back, route[-2::-1])
    stage.patient.take("stand", 3, at=stage.at("centre"))
    stage.seat = "up"
    stage.to_bed(covered=False)
    back.wait_until(stage.now, "busy")
    stage.leave(back)
    stage.patient.wait_until(back.now, "awake")
    stage.benign(began, "door", "wheeled out for an examination and back", "left_room", "bed_edge")


def _wheel(stage: Stage, pusher: Actor, route: list[tuple[float, float, float]]) -> None:
    pusher.wait_until(stage.now, "busy")
    for x, y, _ in route:
        here = stage.patient.place
        way = max(float(np.hypot(x - here[0], y - here[1])), 0.3)
        heading = float(np.arctan2(y - here[1], x - here[0]))
        stage.patient.take("sit", 1.5, at=(here[0], here[1], heading), z=ON_CHAIR_M)
        stage.patient.take("sit", way / 0.7, at=(x, y, heading), z=ON_CHAIR_M, power=1)
        pusher.walk((x - 0.6 * float(np.cos(heading)), y - 0.6 * float(np.sin(heading)), heading), 1.0)
        pusher.wait_until(stage.now, "awake")
