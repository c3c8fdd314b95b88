"""The peer of benchmarks/pose.py: MediaPipe's own `solutions.pose`, in an environment of its own.

Reads one job a line from standard input, and answers each with one line: times in milliseconds, keypoints as an .npy
file in the job's folder. Started by benchmarks/pose.py, never by hand.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import av
import mediapipe
import numpy as np


def main() -> None:
    """Answer jobs until there are no more."""
    for line in sys.stdin:
        job = json.loads(line)
        pictures = made(job) if "pictures" in job else clip(Path(job["clip"]), job["rate_hz"])
        print(json.dumps(run(pictures, job)), flush=True)


def clip(path: Path, rate_hz: float) -> list[Any]:
    """Return a clip's pictures at about a rate."""
    with av.open(str(path)) as video:
        step = max(1, round(float(video.streams.video[0].average_rate or rate_hz) / rate_hz))
        frames = enumerate(video.decode(video=0))
        return [frame.to_ndarray(format="rgb24") for number, frame in frames if number % step == 0]


def made(job: dict[str, Any]) -> list[Any]:
    """Return pictures that the benchmark made."""
    return list(np.load(job["pictures"]))


def run(pictures: list[Any], job: dict[str, Any]) -> dict[str, Any]:
    """Look at every picture, or at every nth alone, and store what was found."""
    chance = np.random.default_rng(1)
    if job.get("noise"):
        pictures = [
            np.clip(picture.astype(np.int16) + chance.integers(-1, 2, picture.shape), 0, 255).astype(np.uint8)
            for picture in pictures
        ]
    pose = mediapipe.solutions.pose.Pose(model_complexity=1, static_image_mode=job["alone"])
    found, wall, processor = [], [], []
    for picture in pictures[:: job["every"]]:
        started, used = time.perf_counter(), time.process_time()
        answer = pose.process(picture).pose_landmarks
        wall.append((time.perf_counter() - started) * 1000)
        processor.append((time.process_time() - used) * 1000)
        found.append([(one.x, one.y) for one in answer.landmark] if answer else np.full((33, 2), np.nan))
    pose.close()
    np.save(job["found"], np.array(found, np.float32))
    return {"wall_ms": wall, "processor_ms": processor}


if __name__ == "__main__":
    main()
