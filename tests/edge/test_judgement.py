"""The room's judgement as the core uses it: what is observed of a look, whom it asks, and what it says of its sight."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from tests.fakes.looks import ROOM, Stage

from forge_edge.errors import NodeConfigError
from forge_edge.judgement import ZONES_FILE, Judged, Judgement, read_zones
from forge_edge.monitor.looks import Look, Measures
from forge_edge.observations import DangerObserved
from forge_shared.plan import Watch

MASKS = "0a1b2c3d"
TURNED = 0xFFFF_FFFF


def judgement(folder: Path, stage: Stage, watch: Watch | None = None) -> Judgement:
    (folder / ZONES_FILE).write_text(json.dumps(stage.room.zones), encoding="utf-8")
    return Judgement(folder, watch or Watch())


def falls(*, gets_up: bool = False, times: int = 1) -> tuple[Stage, float, list[Look]]:
    stage = Stage()
    somebody = stage.somebody("near")
    somebody.walk(stage.room.places["mat"])
    somebody.wait(3, "awake")
    fell_s = somebody.now
    for _ in range(times):
        somebody.take("sideways", 0.8, power=2)
        somebody.wait(30 if not gets_up else 4, "hurt")
        if gets_up or times > 1:
            somebody.take("crouch", 2)
            somebody.take("stand", 2)
            somebody.wait(10, "awake")
    return stage, fell_s, stage.looks(somebody.now)


def seen(judge: Judgement, looks: list[Look]) -> list[Judged]:
    return [judged for look in looks if (judged := judge.see(look, MASKS)) != Judged()]


def dangers(judged: list[Judged]) -> list[DangerObserved]:
    return [danger for one in judged for danger in one.dangers]


def test_a_fall_is_one_incident_in_two_steps_and_its_person_is_asked_once(tmp_path: Path) -> None:
    stage, _, looks = falls()
    judged = seen(judgement(tmp_path, stage), looks)
    suspected, confirmed = dangers(judged)
    assert (suspected.kind, suspected.stage, suspected.confirmed_by) == ("fall", "suspected", None)
    assert (confirmed.kind, confirmed.stage, confirmed.confirmed_by) == ("fall", "confirmed", "time")
    assert suspected.incident == confirmed.incident
    assert suspected.zone == "floor"
    assert {suspected.masks, confirmed.masks} == {MASKS}
    assert 0 <= suspected.lasted_seconds < 5
    assert 12 <= confirmed.lasted_seconds < 18
    assert [one.asks for one in judged] == [True, False]


def test_the_next_fall_is_another_incident(tmp_path: Path) -> None:
    stage, _, looks = falls(times=2)
    found = dangers(seen(judgement(tmp_path, stage), looks))
    assert [danger.stage for danger in found] == ["suspected", "confirmed", "over"] * 2
    one, other = {danger.incident for danger in found[:3]}, {danger.incident for danger in found[3:]}
    assert len(one) == len(other) == 1
    assert one != other


def test_two_rooms_never_give_an_incident_the_same_name(tmp_path: Path) -> None:
    stage, _, looks = falls()
    names = {dangers(seen(judgement(tmp_path, stage), looks))[0].incident for _ in range(2)}
    assert len(names) == 2


def test_who_got_up_is_withdrawn(tmp_path: Path) -> None:
    stage, _, looks = falls(gets_up=True)
    found = dangers(seen(judgement(tmp_path, stage), looks))
    assert [(danger.stage, danger.confirmed_by) for danger in found] == [("suspected", None), ("withdrawn", None)]


@pytest.mark.parametrize(
    ("answer", "stage_", "by"), [("hurt", "confirmed", "voice"), ("silence", "confirmed", "silence")]
)
def test_what_confirms_a_fall_is_told(tmp_path: Path, answer: str, stage_: str, by: str) -> None:
    stage, fell_s, looks = falls()
    judge = judgement(tmp_path, stage)
    [asked] = seen(judge, [look for look in looks if look.at_s < fell_s + 6])
    assert asked.asks
    assert answer in {"hurt", "silence"}
    judged = judge.answered(fell_s + 6, MASKS, "hurt" if answer == "hurt" else "silence")
    [danger] = judged.dangers
    assert (danger.stage, danger.confirmed_by, danger.incident) == (stage_, by, asked.dangers[0].incident)
    assert not judged.asks
    assert seen(judge, [look for look in looks if look.at_s >= fell_s + 6]) == []


def test_i_am_fine_takes_it_back(tmp_path: Path) -> None:
    stage, fell_s, looks = falls()
    judge = judgement(tmp_path, stage)
    [asked] = seen(judge, [look for look in looks if look.at_s < fell_s + 6])
    [danger] = judge.answered(fell_s + 6, MASKS, "well").dangers
    assert (danger.stage, danger.confirmed_by, danger.incident) == ("withdrawn", None, asked.dangers[0].incident)


def test_an_answer_that_nobody_asked_for_is_none(tmp_path: Path) -> None:
    judge = judgement(tmp_path, Stage())
    assert judge.answered(1.0, MASKS, "hurt") == Judged()


def pictures(measures: Measures, begins_s: int) -> list[Look]:
    return [
        Look(float(begins_s + second), (), replace(measures, luma=measures.luma + 0.1 * (second % 3)))
        for second in range(20)
    ]


@pytest.mark.parametrize(
    ("measures", "reason"),
    [
        (Measures(30.0, 4.0, 0.3, ROOM.scene), "picture-covered"),
        (Measures(1.0, 0.5, 0.05, 0), "picture-black"),
        (replace(ROOM, scene=ROOM.scene ^ TURNED), "picture-moved"),
    ],
    ids=["covered", "black", "moved"],
)
def test_a_useless_picture_is_a_lost_sense_with_its_reason_and_no_danger(
    tmp_path: Path, measures: Measures, reason: str
) -> None:
    judge = judgement(tmp_path, Stage())
    judged = seen(judge, [*pictures(ROOM, 0), *pictures(measures, 20), *pictures(ROOM, 40)])
    assert [(one.sight, one.dangers) for one in judged] == [(reason, ()), ("seeing", ())]


def test_a_picture_that_never_changes_is_frozen_and_no_picture_is_a_silent_source(tmp_path: Path) -> None:
    judge = judgement(tmp_path, Stage())
    frozen = [Look(20.0 + second, (), replace(ROOM, motion=0.0)) for second in range(20)]
    assert [one.sight for one in seen(judge, [*pictures(ROOM, 0), *frozen])] == ["picture-frozen"]
    judge = judgement(tmp_path, Stage())
    assert seen(judge, pictures(ROOM, 0)) == []
    said = [judge.tick(19.0 + second, MASKS).sight for second in range(11)]
    assert [reason for reason in said if reason is not None] == ["source-silent"]


def test_what_staff_agree_later_counts_from_then_on(tmp_path: Path) -> None:
    stage, _, looks = falls()
    judge = judgement(tmp_path, stage, Watch(kinds=("immobile",)))
    judge.adopt(Watch(kinds=("fall",)))
    assert [danger.kind for danger in dangers(seen(judge, looks))] == ["fall", "fall"]
    judge = judgement(tmp_path, stage)
    judge.adopt(Watch(kinds=()))
    assert seen(judge, looks) == []


def test_without_zones_falls_are_judged_all_the_same(tmp_path: Path) -> None:
    _, _, looks = falls()
    found = dangers(seen(Judgement(tmp_path, Watch()), looks))
    assert [danger.stage for danger in found] == ["suspected", "confirmed"]
    assert {danger.zone for danger in found} == {"unknown"}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", '{"sofa": [[0,0],[1,0],[1,1]]}', '{"bed": [[0,0],[1,0]]}', '{"bed": 3}', '{"bed": [1,2,3]}'],
)
def test_zones_that_cannot_be_read_stop_the_room_before_it_judges_by_them(tmp_path: Path, text: str) -> None:
    (tmp_path / ZONES_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(NodeConfigError, match=r"zones.json holds no zones: draw them anew, or take the file away"):
        Judgement(tmp_path, Watch())


def test_zones_that_are_no_text_are_no_zones(tmp_path: Path) -> None:
    (tmp_path / "zones.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NodeConfigError):
        read_zones(tmp_path / "zones.json")
    assert not read_zones(tmp_path / "none.json")


def test_lasting_only_grows_within_an_incident(tmp_path: Path) -> None:
    stage, _, looks = falls(times=2)
    found = dangers(seen(judgement(tmp_path, stage), looks))
    for one, other in pairwise(found):
        assert one.incident != other.incident or one.lasted_seconds <= other.lasted_seconds
