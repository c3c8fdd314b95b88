"""What looking costs beside MediaPipe's own `solutions.pose`, in the same run, and whether it finds the same.

    python benchmarks/pose.py            three minutes; makes the peer's environment the first time

The peer (mediapipe 0.10.21, with numpy before 2) lives in an environment of its own under the temporary folder:

    python benchmarks/pose.py peer       makes it and nothing else; it needs Python 3.11 or 3.12

Clips of people in ../shared/data/vision are used where they are present; else drawn people alone, which is said.
Bounds: a processed picture costs at most 1.0 times the peer's, an hour of a quiet room at most 0.3 times; points within
1 % of the body's box.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from forge_edge.vision.attention import Attention, small_copy
from forge_edge.vision.backends import open_pose
from forge_edge.vision.figure import Figure, draw
from forge_edge.vision.ports import Picture
from forge_edge.vision.pose import PEOPLE, BlazePose

CLIPS = Path(__file__).parents[2] / "shared" / "data" / "vision" / "gmdcsa24" / "video"
PEER = Path(tempfile.gettempdir()) / "persona-forge-mediapipe-0.10.21"
PEER_ITSELF = "mediapipe==0.10.21"
PEER_NEEDS = ("absl-py", "attrs", "flatbuffers", "matplotlib", "numpy<2", "opencv-python-headless<4.12", "protobuf<5")
RATE_HZ = 10
ALONE_EVERY = 4  # pictures of a clip that are looked at without what came before
QUIET_S = 120.0  # of the quiet room; a turn in bed in it
BACKEND = "onnxruntime-cpu"


@dataclass
class Sums:
    """What all clips gave: times in milliseconds, distances as shares of the body's box."""

    ours_wall: list[float] = field(default_factory=list)
    ours_processor: list[float] = field(default_factory=list)
    peer_wall: list[float] = field(default_factory=list)
    peer_processor: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    tracking: list[float] = field(default_factory=list)
    peer_shaken: list[float] = field(default_factory=list)
    found_by: dict[str, int] = field(default_factory=lambda: {"both": 0, "peer": 0, "ours": 0})


class Peer:
    """MediaPipe in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process, self._folder = process, folder

    def look(self, job: dict[str, Any]) -> tuple[dict[str, list[float]], NDArray[np.float32]]:
        """Return its times, and its points as shape ``(n, 33, 2)``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        found = self._folder / "found.npy"
        self._process.stdin.write(json.dumps(job | {"found": str(found)}) + "\n")
        self._process.stdin.flush()
        times = json.loads(self._process.stdout.readline())
        return times, np.load(found)


def make_peer() -> None:
    """Make the peer's environment, unless it is there."""
    if (PEER / "made").exists():
        return
    print(f"Making {PEER} (a minute)", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(PEER)], check=True)
    pip = [str(PEER / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # Not what its metadata asks for: jax, sounddevice and sentencepiece are of no use to `solutions.pose`.
    subprocess.run([*pip, "--no-deps", PEER_ITSELF], check=True)
    subprocess.run([*pip, f"av=={av.__version__}", *PEER_NEEDS], check=True)
    (PEER / "made").touch()


@contextmanager
def peer() -> Iterator[Peer]:
    """Yield the running peer."""
    program = Path(__file__).parent / "peers" / "mediapipe_pose.py"
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [str(PEER / "bin" / "python"), str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process,
    ):
        try:
            yield Peer(process, Path(folder))
        finally:
            process.kill()


def pictures_of(clip: Path) -> list[Picture]:
    """Return a clip's pictures at about ten a second; the same ones as the peer's."""
    with av.open(str(clip)) as video:
        step = max(1, round(float(video.streams.video[0].average_rate or RATE_HZ) / RATE_HZ))
        frames = enumerate(video.decode(video=0))
        chosen = [frame.to_ndarray(format="rgb24") for number, frame in frames if number % step == 0]
    return [np.asarray(picture, np.uint8) for picture in chosen]


def reader(like: BlazePose, *, people: int = PEOPLE, smooth: bool = True) -> BlazePose:
    """Return what finds people with the networks of another reader, and has seen nobody yet."""
    return BlazePose(like._detector, like._landmarker, people=people, smooth=smooth)  # noqa: SLF001 (opened once)


def distance(ours: NDArray[np.float32], theirs: NDArray[np.float32], size: Sequence[int]) -> float:
    """Return the mean distance of all points, as a share of the box's longer side."""
    pixels = np.array(size, np.float32)
    off = np.linalg.norm((ours - theirs) * pixels, axis=1).mean()
    return float(off / np.ptp(theirs * pixels, axis=0).max())


def measure_clip(path: Path, their: Peer, networks: BlazePose, sums: Sums) -> None:
    """Look at a clip twice, by turns, and compare."""
    pictures = pictures_of(path)
    size = pictures[0].shape[1::-1]
    job = {"clip": str(path), "rate_hz": RATE_HZ, "alone": False, "every": 1}
    times, followed = their.look(job)
    _, alone = their.look(job | {"alone": True, "every": ALONE_EVERY})
    _, shaken = their.look(job | {"noise": True})
    sums.peer_wall += times["wall_ms"]
    sums.peer_processor += times["processor_ms"]
    following = reader(networks)  # as it runs in a room: it also searches for others
    for picture in pictures:
        started, used = time.perf_counter(), time.process_time()
        following.read(picture)
        sums.ours_wall.append((time.perf_counter() - started) * 1000)
        sums.ours_processor.append((time.process_time() - used) * 1000)
    one = reader(networks, people=1)
    for picture, theirs, shaken_theirs in zip(pictures, followed, shaken, strict=True):
        people, there = one.read(picture), bool(np.isfinite(theirs[0, 0]))
        if people and there:
            sums.tracking.append(distance(people[0][:, :2], theirs, size))
        if people or there:
            sums.found_by["both" if people and there else "ours" if people else "peer"] += 1
        if there and np.isfinite(shaken_theirs[0, 0]):
            sums.peer_shaken.append(distance(shaken_theirs, theirs, size))
    for picture, theirs in zip(pictures[::ALONE_EVERY], alone, strict=True):
        people = reader(networks, people=1, smooth=False).read(picture)
        if people and np.isfinite(theirs[0, 0]):
            sums.alone.append(distance(people[0][:, :2], theirs, size))


def quiet_room() -> Iterator[Picture]:
    """Yield ten pictures a second of a room in which somebody lies and once turns; with a camera's noise."""
    chance = np.random.default_rng(11)
    noises = [chance.normal(0, 3, (480, 640, 3)) for _ in range(16)]
    turns = {step: draw([Figure(0.5, 0.62, 0.9, 80 + step)]) for step in range(21)}
    for number in range(int(QUIET_S * RATE_HZ)):
        step = min(max(number - 600, 0), 20)  # after a minute, for two seconds
        yield np.clip(turns[step] + noises[number % 16], 0, 255).astype(np.uint8)


def measure_quiet_room(their: Peer, networks: BlazePose) -> dict[str, object]:
    """Compare an hour: the peer looks at every picture, the room at those that may show something new."""
    attention, following = Attention(), reader(networks)
    used, looks, longest, last = 0.0, 0, 0.0, 0.0
    sample = []
    for number, picture in enumerate(quiet_room()):
        if number < 200:
            sample.append(picture)
        at_s = number / RATE_HZ
        started = time.process_time()
        due = attention.is_due(small_copy(picture), at_s)
        if due:
            assert following.read(picture), "who lies still is found at every look"
        used += time.process_time() - started
        if due:
            looks, longest, last = looks + 1, max(longest, at_s - last), at_s
    with tempfile.TemporaryDirectory() as folder:
        stored = Path(folder) / "pictures.npy"
        np.save(stored, np.array(sample))
        times, _ = their.look({"pictures": str(stored), "alone": False, "every": 1})
    ours_s = used * 3600 / QUIET_S
    theirs_s = float(np.mean(times["processor_ms"])) / 1000 * RATE_HZ * 3600
    return {
        "measure": "quiet room, processor seconds an hour",
        "ours": round(ours_s, 1),
        "peer": round(theirs_s, 1),
        "ratio": round(ours_s / theirs_s, 3),
        "bound": 0.3,
        "looks_per_minute": round(looks * 60 / QUIET_S, 1),
        "longest_without_a_look_s": round(longest, 2),
    }


def lines(sums: Sums) -> Iterator[dict[str, object]]:
    """Yield the figures of all clips."""
    for kind in ("processor", "wall"):
        ours, theirs = (float(np.mean(getattr(sums, f"{who}_{kind}"))) for who in ("ours", "peer"))
        medians = {
            f"{who}_median": round(float(np.median(getattr(sums, f"{who}_{kind}"))), 1) for who in ("ours", "peer")
        }
        yield {
            "measure": f"a processed picture, {kind} ms",
            "ours": round(ours, 1),
            "peer": round(theirs, 1),
            **medians,
            "ratio": round(ours / theirs, 3),
            "bound": 1.0,
            "pictures": len(sums.ours_wall),
        }
    named = (
        ("each picture alone", sums.alone),
        ("following", sums.tracking),
        ("following, the peer against itself with a grey level of noise", sums.peer_shaken),
    )
    for name, off in named:
        yield {
            "measure": f"distance of points, share of the box: {name}",
            "median": round(float(np.median(off)), 4),
            "p95": round(float(np.percentile(off, 95)), 4),
            "within_1_percent": round(float(np.mean(np.array(off) <= 0.01)), 3),
            "pictures": len(off),
        }
    yield {"measure": "pictures in which somebody is found by", **sums.found_by}


def main() -> None:
    """Print the figures, one JSON line each."""
    make_peer()
    if sys.argv[1:] == ["peer"]:
        return
    networks, sums = open_pose(lambda _: None, (BACKEND,)), Sums()
    clips = sorted(CLIPS.glob("*/*/*.mp4"))
    with peer() as their:
        for clip in clips:
            measure_clip(clip, their, networks, sums)
        if clips:
            for line in lines(sums):
                print(json.dumps({"benchmark": "pose", **line}))
        else:
            print(json.dumps({"benchmark": "pose", "measure": "clips", "found": 0}))
        print(json.dumps({"benchmark": "pose", **measure_quiet_room(their, networks)}))


if __name__ == "__main__":
    main()
