"""``forge-edge watch``: a log of keypoints or a video in, a line for each finding out."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes.cameras import recording
from tests.fakes.looks import LOOKS_HZ, Stage

from forge_edge.__main__ import main
from forge_edge.monitor.looks import Look
from forge_edge.vision.figure import Figure, draw
from forge_edge.vision.keypoint_log import KeypointLog

PARTS = {"kind", "stage", "at_s", "zone", "confidence"}


@dataclass
class Ended:
    """How a command ended."""

    status: int
    out: str
    errors: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it printed, one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Watch = Callable[..., Ended]


@pytest.fixture
def watch(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Watch:
    monkeypatch.setenv("FORGE_EDGE_STATE_DIR", str(tmp_path))

    def run(*arguments: str | Path) -> Ended:
        status = main(["watch", *map(str, arguments)])
        said = capsys.readouterr()
        return Ended(status, said.out, said.err)

    return run


def falls() -> tuple[Stage, float, list[Look]]:
    stage = Stage()
    somebody = stage.somebody("near")
    somebody.walk(stage.room.places["mat"])
    somebody.wait(3, "awake")
    fell_s = somebody.now
    somebody.take("sideways", 0.8, power=2)
    somebody.wait(25, "hurt")
    return stage, fell_s, stage.looks(somebody.now)


def written(path: Path, looks: list[Look], *, people: int | None = None) -> Path:
    """Write a log: of one person, ``(n, 33, 4)``, or of ``people``, the first of them at the last place."""
    points = np.full((len(looks), people or 1, 33, 4), np.nan, np.float32)
    for row, look in enumerate(looks):
        if look.people:
            points[row, -1] = look.people[0]
    np.savez_compressed(
        path,
        t=np.array([look.at_s for look in looks]),
        kp=points[:, 0] if people is None else points,
        fps=np.array(LOOKS_HZ),
        w=np.array(640),
        h=np.array(round(640 * looks[0].aspect)),
    )
    return path


@pytest.mark.parametrize("people", [None, 1, 3])
def test_a_log_of_one_person_and_one_of_several_give_a_line_for_each_step(
    watch: Watch, tmp_path: Path, people: int | None
) -> None:
    _, fell_s, looks = falls()
    ended = watch(written(tmp_path / "fall.npz", looks, people=people), "--json")
    assert ended.status == 0
    suspected, confirmed = ended.lines
    assert set(suspected) >= PARTS
    assert (suspected["kind"], suspected["stage"]) == ("fall", "suspected")
    assert (confirmed["kind"], confirmed["stage"]) == ("fall", "confirmed")
    assert fell_s < suspected["at_s"] < fell_s + 3
    assert suspected["at_s"] + 10 < confirmed["at_s"] < suspected["at_s"] + 15
    assert 0 < suspected["confidence"] < confirmed["confidence"] <= 1
    assert suspected["incident"] == confirmed["incident"]
    assert suspected["zone"] == "unknown", "nobody drew any"


def test_the_same_log_prints_the_same_bytes(watch: Watch, tmp_path: Path) -> None:
    _, _, looks = falls()
    log = written(tmp_path / "fall.npz", looks)
    assert watch(log, "--json").out == watch(log, "--json").out != ""


def test_zones_are_those_of_the_file_or_else_of_the_room(watch: Watch, tmp_path: Path) -> None:
    stage, _, looks = falls()
    log, drawn = written(tmp_path / "fall.npz", looks), json.dumps(stage.room.zones)
    (tmp_path / "drawn.json").write_text(drawn, encoding="utf-8")
    named = watch(log, "--json", "--zones", tmp_path / "drawn.json")
    assert {line["zone"] for line in named.lines} == {"floor"}
    (tmp_path / "zones.json").write_text(drawn, encoding="utf-8")
    assert watch(log, "--json").out == named.out


def test_what_is_watched_for_and_the_time_of_day_can_be_said(watch: Watch, tmp_path: Path) -> None:
    stage = Stage()
    somebody = stage.somebody("bed")
    somebody.take("supine", 0.1, z=0.62)
    somebody.wait(30, "awake")
    somebody.take("edge", 2.4, at=stage.room.places["edge"], z=0.6)
    somebody.take("stand", 1.8, at=stage.room.places["bedside"])
    somebody.walk(stage.room.places["window"])
    somebody.wait(10, "awake")
    log = written(tmp_path / "up.npz", stage.looks(somebody.now))
    (tmp_path / "zones.json").write_text(json.dumps(stage.room.zones), encoding="utf-8")
    plan = tmp_path / "plan.json"
    plan.write_text('{"kinds": ["bed_exit"], "night": {"begins": "21:30", "ends": "05:00"}}', encoding="utf-8")
    by_night = watch(log, "--json", "--watch", plan, "--begins", "23:59")
    assert [(line["kind"], line["stage"]) for line in by_night.lines] == [("bed_exit", "confirmed")]
    assert watch(log, "--json", "--watch", plan, "--begins", "14:00").lines == []
    assert watch(log, "--json", "--watch", plan).lines == [], "what is not known is day"


def test_a_log_with_a_gap_is_a_camera_that_gave_nothing(watch: Watch, tmp_path: Path) -> None:
    _, _, looks = falls()
    gap = [look for look in looks if not 2 < look.at_s < 20]
    ended = watch(written(tmp_path / "gap.npz", gap), "--json")
    blind = [line for line in ended.lines if line["kind"] == "blind"]
    assert [(line["stage"], line["cause"]) for line in blind] == [("confirmed", "no-picture"), ("over", "seeing")]
    assert 2 < blind[0]["at_s"] <= 12


def test_without_json_a_person_can_read_it(watch: Watch, tmp_path: Path) -> None:
    _, _, looks = falls()
    ended = watch(written(tmp_path / "fall.npz", looks))
    assert ended.status == 0
    assert "fall" in ended.out.splitlines()[0]
    with pytest.raises(json.JSONDecodeError):
        json.loads(ended.out.splitlines()[0])


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn figure that walks, three seconds."""
    pictures = [draw([Figure(x=0.35 + 0.01 * number, size=0.9)], 320, 240) for number in range(24)]
    return recording(tmp_path_factory.mktemp("video") / "walks.avi", pictures, hertz=8)


def test_what_is_seen_in_a_video_can_be_kept_as_points_and_judged_again(
    watch: Watch, tmp_path: Path, video: Path
) -> None:
    kept = tmp_path / "kept.npz"
    first = watch(video, "--json", "--keypoints", kept)
    assert first.status == 0
    log = KeypointLog(kept)
    assert len(log.times) == 24
    assert log.times == pytest.approx(np.arange(24) / 8, abs=1e-3)
    assert log.aspect == pytest.approx(0.75)
    seen = [log.at(index) for index in range(24)]
    assert sum(len(moment.people) == 1 for moment in seen) >= 20, "the figure is truly seen"
    nose = [float(moment.people[0][0, 0]) for moment in seen if moment.people]
    assert nose[-1] - nose[0] > 0.1, "and where it walks"
    assert all(moment.measured is not None for moment in seen)
    again = watch(kept, "--json", "--keypoints", tmp_path / "again.npz")
    assert again.out == first.out
    one, other = (np.load(path) for path in (kept, tmp_path / "again.npz"))
    assert set(one) == set(other)
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


@pytest.mark.parametrize(
    ("make", "arguments", "says"),
    [
        (None, ("nowhere.npz",), "nowhere.npz is no log of keypoints"),
        ("text.npz", ("text.npz",), "text.npz is no log of keypoints"),
        ("text.mp4", ("text.mp4",), "text.mp4"),
        ("zones.json", ("fall.npz",), "draw them anew, or take the file away"),
        (None, ("fall.npz", "--zones", "none.json"), "there is no file none.json with zones"),
        (None, ("fall.npz", "--watch", "none.json"), "cannot read none.json"),
        ("plan.json", ("fall.npz", "--watch", "plan.json"), "plan.json does not say what to watch for"),
        (None, ("fall.npz", "--keypoints", "no/such/folder.npz"), "cannot write folder.npz"),
    ],
)
def test_what_cannot_be_read_or_written_is_said_in_one_line_with_what_to_do(  # noqa: PLR0913 (two fixtures, three parameters)
    watch: Watch,
    tmp_path: Path,
    make: str | None,
    arguments: tuple[str, ...],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    _, _, looks = falls()
    written(tmp_path / "fall.npz", looks)
    if make is not None:
        (tmp_path / make).write_text("secret words", encoding="utf-8")
    ended = watch(*arguments, "--json")
    assert ended.status == 1
    assert says in ended.errors
    assert len([line for line in ended.errors.splitlines() if line.startswith("forge-edge: ")]) == 1
    assert "Traceback" not in ended.errors
    assert "secret" not in ended.errors


def test_a_plan_with_a_misspelt_kind_says_where(watch: Watch, tmp_path: Path) -> None:
    _, _, looks = falls()
    (tmp_path / "plan.json").write_text('{"kinds": ["falls"], "absent_minutes": -1}', encoding="utf-8")
    ended = watch(written(tmp_path / "fall.npz", looks), "--watch", tmp_path / "plan.json")
    assert ended.status == 1
    assert "absent_minutes" in ended.errors
    assert "kinds" in ended.errors
