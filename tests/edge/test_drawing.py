"""What staff draw: what is taken, what is asked about, what holds, and what can be taken back."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.days.room import build_room

from forge_edge.__main__ import main
from forge_edge.drawing import kept
from forge_edge.drawing.drawn import Drawn, doubts
from forge_edge.errors import DrawingError, DrawingInvalidError, NodeConfigError
from forge_edge.monitor.zones import Zones
from forge_edge.redrawn import NO_ZONES, Redrawn

BED = ((0.1, 0.5), (0.4, 0.5), (0.4, 0.9), (0.1, 0.9))
DOOR = ((0.8, 0.1), (0.9, 0.1), (0.9, 0.5), (0.8, 0.5))
FLOOR = ((0.0, 0.6), (1.0, 0.6), (1.0, 1.0), (0.0, 1.0))
EVERYTHING = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
BOW = ((0.1, 0.1), (0.5, 0.5), (0.5, 0.1), (0.1, 0.5))


def read(**drawn: Any) -> Drawn:
    return Drawn.read(json.dumps(drawn))


def codes(**drawn: Any) -> list[tuple[str, str | None]]:
    return [(doubt.code, doubt.zone) for doubt in doubts(read(**drawn))]


@pytest.mark.parametrize(
    "drawn",
    [
        {"zones": {"bed": BED[:2]}},
        {"zones": {"bed": BOW}},
        {"masks": [BOW]},
        {"zones": {"sofa": BED}},
        {"zones": {"unknown": BED}},
        {"zones": {"bed": [(0.1, 0.1), (1.2, 0.1), (1.2, 0.5)]}},
        {"zones": {"bed": [(0.1, 0.1), (0.2, 0.1), (0.3, 0.1)]}},
        {"zones": {"bed": [(0.5, 0.5)] * 3}},
        {"zones": {"bed": [*BED, *((0.1, 0.9 - number / 1000) for number in range(80))]}},
        {"masks": [BED] * 33},
        {"beds": []},
        {"zones": {"bed": "the bed of Mrs Weber"}},
    ],
)
def test_what_is_no_area_of_the_picture_is_refused_and_not_repeated(drawn: dict[str, Any]) -> None:
    with pytest.raises(DrawingInvalidError, match="this is no drawing") as refused:
        read(**drawn)
    assert "Weber" not in str(refused.value)


def test_a_mask_over_the_bed_is_asked_about_and_one_beside_it_is_not() -> None:
    assert codes(zones={"bed": BED}, masks=[BED]) == [("hidden", "bed")]
    assert codes(zones={"bed": BED}, masks=[[(0.1, 0.5), (0.3, 0.5), (0.3, 0.9), (0.1, 0.9)]]) == [("hidden", "bed")]
    assert codes(zones={"bed": BED}, masks=[DOOR]) == []


def test_a_door_over_the_floor_and_a_zone_of_most_of_the_picture_are_asked_about() -> None:
    low = [(x, y + 0.5) for x, y in DOOR]
    assert codes(zones={"door": DOOR, "floor": FLOOR}) == []
    assert codes(zones={"door": FLOOR, "floor": FLOOR}) == [("over-floor", "door"), ("too-large", "door")]
    assert codes(zones={"door": low, "floor": low}) == [("over-floor", "door")]
    assert codes(zones={"bathroom_door": EVERYTHING}) == [("too-large", "bathroom_door")]
    assert codes(zones={"bed": EVERYTHING}) == [("too-large", "bed")]
    assert codes(zones={"floor": EVERYTHING}) == []
    assert codes(masks=[EVERYTHING]) == [("mostly-hidden", None)]
    assert {doubt.sentence for doubt in doubts(read(zones={"door": EVERYTHING, "bed": EVERYTHING}))} == {
        "The door is 100 % of the picture: whoever is not seen there counts as gone.",
        "The bed is 100 % of the picture: who lies there is not taken for fallen.",
    }


@settings(deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_room_that_is_drawn_with_care_is_taken_without_a_question_about_its_door(seed: int) -> None:
    zones = Zones.read(build_room(np.random.default_rng(seed)).zones)
    drawn = Drawn.model_construct(zones=zones.polygons, masks=())
    assert {doubt.code for doubt in doubts(drawn)} <= {"too-large"}


def test_what_is_drawn_holds_and_what_held_before_can_be_taken_back_and_made_again(tmp_path: Path) -> None:
    first, second = read(zones={"bed": BED}), read(zones={"door": DOOR}, masks=[BED])
    with pytest.raises(DrawingError, match="nothing was drawn before"):
        kept.undo(tmp_path)
    kept.keep(tmp_path, first)
    kept.keep(tmp_path, second)
    assert kept.current(tmp_path) == second
    assert kept.previous(tmp_path) == first
    assert kept.undo(tmp_path) == first == kept.current(tmp_path)
    assert kept.undo(tmp_path) == second == kept.current(tmp_path)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_the_first_drawing_can_be_taken_back_to_nothing(tmp_path: Path) -> None:
    kept.keep(tmp_path, read(zones={"bed": BED}, masks=[DOOR]))
    assert kept.undo(tmp_path) == Drawn()
    assert (kept.current(tmp_path).zones_version, kept.current(tmp_path).masks_version) == ("none", "none")


def test_files_that_cannot_be_read_are_drawn_anew_and_are_no_step_back(tmp_path: Path) -> None:
    (tmp_path / "zones.json").write_text("[]")
    with pytest.raises(NodeConfigError, match=r"zones\.json"):
        kept.current(tmp_path)
    kept.keep(tmp_path, read(zones={"bed": BED}))
    assert kept.current(tmp_path) == read(zones={"bed": BED})
    assert kept.previous(tmp_path) is None
    (tmp_path / kept.PREVIOUS_FILE).write_text("{")
    with pytest.raises(NodeConfigError, match="cannot be read"):
        kept.undo(tmp_path)


def test_a_disk_that_takes_nothing_leaves_what_held(tmp_path: Path) -> None:
    kept.keep(tmp_path, read(zones={"bed": BED}))
    with pytest.raises(DrawingError, match="could not be kept"):
        kept.keep(tmp_path / "none", read())


def test_zones_written_by_hand_beyond_the_edge_are_shown_up_to_it(tmp_path: Path) -> None:
    (tmp_path / "zones.json").write_text('{"bed": [[-0.2, 0.5], [0.4, 0.5], [0.4, 1.9]]}')
    assert kept.current(tmp_path).zones == {"bed": ((0.0, 0.5), (0.4, 0.5), (0.4, 1.0))}


def test_a_running_room_notices_other_zones_and_other_masks_once(tmp_path: Path) -> None:
    redrawn = Redrawn(tmp_path)
    assert redrawn.zones == NO_ZONES
    assert not redrawn.is_news("none")
    kept.keep(tmp_path, read(zones={"bed": BED}))
    assert redrawn.is_news("none")
    redrawn.take("none")
    assert redrawn.zones == read(zones={"bed": BED}).zones_version
    assert not redrawn.is_news("none")
    assert redrawn.is_news("0a1b2c")
    (tmp_path / "zones.json").write_text("{")
    with pytest.raises(NodeConfigError):
        redrawn.take("none")
    assert not redrawn.is_news("none"), "what cannot be read is said once"
    (tmp_path / "zones.json").unlink()
    assert redrawn.is_news("none")


def vision_zones(*arguments: str) -> int:
    return main(["vision", "zones", *arguments])


def test_zones_are_checked_set_shown_and_taken_back_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORGE_EDGE_STATE_DIR", str(tmp_path))
    good, doubtful, bad = (tmp_path / name for name in ("good", "doubtful", "bad"))
    good.write_text(json.dumps({"zones": {"bed": BED, "door": DOOR}}))
    doubtful.write_text(json.dumps({"zones": {"bed": BED}, "masks": [BED]}))
    bad.write_text(json.dumps({"zones": {"bed": BOW}}))
    assert vision_zones("set", str(good)) == 0
    assert vision_zones() == 0
    assert "bed            0.100,0.500  0.400,0.500" in capsys.readouterr().out
    assert vision_zones("check", str(doubtful), "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["doubts"] == ["A hidden area covers 100 % of the bed: nobody is watched there, and no fall is seen."]
    assert vision_zones("set", str(doubtful)) == 1
    assert "not set: look again, or give --anyway" in capsys.readouterr().err
    assert set(kept.current(tmp_path).zones) == {"bed", "door"}
    assert vision_zones("set", str(doubtful), "--anyway") == 0
    assert len(kept.current(tmp_path).masks) == 1
    assert vision_zones("undo") == 0
    assert set(kept.current(tmp_path).zones) == {"bed", "door"}
    for command in ("check", "set"):
        assert vision_zones(command, str(bad)) == 1
        assert "a line crosses itself" in capsys.readouterr().err
        assert vision_zones(command, str(tmp_path / "none")) == 1
    assert set(kept.current(tmp_path).zones) == {"bed", "door"}
