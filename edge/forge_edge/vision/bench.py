"""Measures what looking costs on this machine: each back end, each stage."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forge_edge.errors import InferenceError
from forge_edge.vision import weights
from forge_edge.vision.attention import small_copy
from forge_edge.vision.detection import detector_input, sightings
from forge_edge.vision.figure import Figure, draw
from forge_edge.vision.landmarks import body, landmark_input
from forge_edge.vision.pose import BlazePose
from forge_edge.vision.proof import prove
from forge_edge.vision.region import around
from forge_edge.vision.runtime import DETECTOR, LANDMARKER, Backend, Runtime

_WIDTH, _HEIGHT = 640, 480  # of the picture that is looked at: what a room's camera gives


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the bench.

    Attributes:
        backend: Name of the back end.
        stage: What was measured; ``missing`` where the back end cannot be used.
        device: What it computes on.
        precision: Of the numbers it computes with.
        median_ms: Of one run.
        p95_ms: Of one run: 95 of 100 are quicker.
        memory_mib: By how much the process grew when both networks were opened; only of ``open``.
        reason: Why the back end cannot be used.
    """

    backend: str
    stage: str
    device: str = ""
    precision: str = ""
    median_ms: float | None = None
    p95_ms: float | None = None
    memory_mib: float | None = None
    reason: str = ""


def bench(backends: Sequence[Backend], repeats: int, folder: Path | None = None) -> Iterator[Measured]:
    """Yield what each back end costs.

    Args:
        backends: Those to be measured.
        repeats: How often each stage is run, at least 1.
        folder: Where the weights are; default: `weights.folder`.

    Raises:
        EngineMissingError: The weights are missing.
    """
    files = {network: weights.load(network, folder) for network in (DETECTOR, LANDMARKER)}
    for backend in backends:
        before, started = _memory_mib(), time.perf_counter()
        try:
            detector, landmarker = (backend.open(network, data) for network, data in files.items())
            for runtime in (detector, landmarker):
                prove(runtime)
        except InferenceError as error:
            yield Measured(backend.name, "missing", reason=str(error))
            continue
        took_ms, grown = (time.perf_counter() - started) * 1000, _memory_mib() - before
        about = (backend.name, detector.device, detector.precision)
        yield Measured(about[0], "open", *about[1:], took_ms, took_ms, grown)
        for stage, run in _stages(detector, landmarker).items():
            times = _times_ms(run, repeats)
            yield Measured(about[0], stage, *about[1:], float(np.median(times)), float(np.percentile(times, 95)))
        for runtime in (detector, landmarker):
            runtime.close()


def _stages(detector: Runtime, landmarker: Runtime) -> dict[str, Callable[[], object]]:
    picture = draw([Figure()], _WIDTH, _HEIGHT)
    whole = detector_input(picture)
    found = detector.run({"input": whole})
    region = next((one.region for one in sightings(found["boxes"], found["scores"], _WIDTH, _HEIGHT)), None)
    region = region or around(_WIDTH, _HEIGHT)
    square = landmark_input(picture, region)
    points = landmarker.run({"input": square})
    tracking, searching = (BlazePose(detector, landmarker, search_every=every) for every in (0, 1))
    return {
        "attention": lambda: small_copy(picture),
        "detector-input": lambda: detector_input(picture),
        "detector": lambda: detector.run({"input": whole}),
        "detector-output": lambda: sightings(found["boxes"], found["scores"], _WIDTH, _HEIGHT),
        "landmark-input": lambda: landmark_input(picture, region),
        "landmarks": lambda: landmarker.run({"input": square}),
        "landmark-output": lambda: body(points["landmarks"], points["presence"], points["heatmap"], region),
        "look-known": lambda: tracking.read(picture),
        "look-searching": lambda: searching.read(picture),
    }


def _times_ms(run: Callable[[], object], repeats: int) -> list[float]:
    run()  # the first run of a network is slower
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        run()
        times.append((time.perf_counter() - started) * 1000)
    return times


def _memory_mib() -> float:
    """Return this process's resident memory; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * 4096 / 2**20
