"""What the camera shows of danger, judged by what staff have drawn: drawn anew it holds without a restart."""

import json
from dataclasses import replace
from pathlib import Path

from structlog.testing import capture_logs
from tests.edge.test_judgement import falls
from tests.fakes.looks import Stage

from forge_edge.danger import Danger
from forge_edge.drawing import kept
from forge_edge.drawing.drawn import Drawn
from forge_edge.monitor.looks import Look
from forge_edge.observations import DangerObserved
from forge_edge.redrawn import NO_ZONES
from forge_shared.plan import Watch


def drawing(stage: Stage) -> Drawn:
    return Drawn.read(json.dumps({"zones": stage.room.zones}))


class Room:
    """A room whose staff draw; its masks are those of the newest picture."""

    def __init__(self, folder: Path) -> None:
        self.masks = "none"
        self.danger = Danger(folder, lambda: self.masks)

    def sees(self, looks: list[Look]) -> list[DangerObserved]:
        return [danger for look in looks for danger in self.danger.see(look).dangers]


def test_what_is_drawn_while_the_room_runs_is_judged_by_from_then_on_and_named_in_what_is_told(tmp_path: Path) -> None:
    stage, _, looks = falls()
    room = Room(tmp_path)
    assert not room.danger.follow_drawing()
    (before, *_) = room.sees(looks)
    assert (before.zone, before.zones) == ("unknown", NO_ZONES)
    room = Room(tmp_path)
    drawn = drawing(stage)
    kept.keep(tmp_path, drawn)
    assert room.danger.follow_drawing()
    assert not room.danger.follow_drawing(), "once"
    (after, *_) = room.sees(looks)
    assert (after.zone, after.zones) == ("floor", drawn.zones_version)


def test_a_fall_that_is_suspected_is_decided_before_anything_is_judged_anew(tmp_path: Path) -> None:
    stage, fell_s, looks = falls()
    room = Room(tmp_path)
    assert not room.danger.follow_drawing()
    suspected = room.sees([look for look in looks if look.at_s < fell_s + 6])
    assert [danger.stage for danger in suspected] == ["suspected"]
    kept.keep(tmp_path, drawing(stage))
    assert not room.danger.follow_drawing()
    (answered,) = room.danger.answered(fell_s + 6, "hurt").dangers
    assert (answered.stage, answered.incident, answered.zones) == ("confirmed", suspected[0].incident, NO_ZONES)
    assert room.danger.follow_drawing()


def test_a_danger_that_is_forgotten_is_judged_anew_by_the_zones_and_the_watch_of_before(tmp_path: Path) -> None:
    stage, fell_s, looks = falls()
    kept.keep(tmp_path, drawing(stage))
    room = Room(tmp_path)
    room.danger.adopt(Watch(kinds=("fall",)))
    (before,) = room.sees([look for look in looks if look.at_s < fell_s + 6])
    room.danger.forget(fell_s + 6)
    assert (room.danger.going_on, room.danger.is_suspected) == ({}, False)
    assert room.danger.answered(fell_s + 6, "hurt").dangers == ()
    after = room.sees([replace(look, at_s=look.at_s + 60) for look in looks])
    assert [(danger.kind, danger.stage) for danger in after] == [("fall", "suspected"), ("fall", "confirmed")]
    assert {danger.zone for danger in after} == {"floor"}
    assert before.incident not in {danger.incident for danger in after}


def test_a_picture_that_showed_nothing_before_is_of_use_until_it_is_judged_anew(tmp_path: Path) -> None:
    _, _, looks = falls()
    room = Room(tmp_path)
    room.danger.see(looks[0])
    assert room.danger.tick(looks[0].at_s + 60).sight == "source-silent"
    room.danger.forget(looks[0].at_s + 60)
    assert room.danger.see(replace(looks[0], at_s=looks[0].at_s + 61)).sight == "seeing"
    assert room.danger.see(replace(looks[1], at_s=looks[0].at_s + 61.1)).sight is None


def test_other_masks_are_another_picture_to_judge(tmp_path: Path) -> None:
    room = Room(tmp_path)
    assert not room.danger.follow_drawing()
    room.masks = "0a1b2c3d"
    assert room.danger.follow_drawing()
    assert not room.danger.follow_drawing()


def test_zones_that_cannot_be_read_any_more_are_said_once_and_those_before_hold(tmp_path: Path) -> None:
    stage, _, looks = falls()
    drawn = drawing(stage)
    kept.keep(tmp_path, drawn)
    room = Room(tmp_path)
    assert not room.danger.follow_drawing()
    (tmp_path / "zones.json").write_text("{")
    with capture_logs() as logs:
        assert not room.danger.follow_drawing()
        assert not room.danger.follow_drawing()
    assert [each["event"] for each in logs] == ["zones.unreadable"]
    assert {danger.zone for danger in room.sees(looks)} == {"floor"}
