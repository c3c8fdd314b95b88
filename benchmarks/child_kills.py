"""Whether ears and eyes come back: real processes, killed, stopped and hung, and how long they are away.

    python benchmarks/child_kills.py [--times N]

Prints one JSON line. Each child is hurt N times, by the three ways in turn; 100 times take some 18 minutes.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

from tests.fakes.hurt_children import ANSWER_SECONDS, BACK_SECONDS, hurt


def main() -> int:
    """Hurt them, and print what came of it."""
    parser = argparse.ArgumentParser(description="Kill, stop and hang the ears and the eyes of a room in turn.")
    parser.add_argument("--times", type=int, default=12)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        tally = asyncio.run(hurt(Path(folder), options.times))
        seconds = time.monotonic() - began
    print(
        json.dumps(
            {
                "figure": "a child of the room that is killed, stopped or hangs",
                "times_each": options.times,
                "back_seconds": {
                    f"{child} {way}": {"median": round(statistics.median(times), 1), "longest": round(max(times), 1)}
                    for (child, way), times in sorted(tally.back_seconds.items())
                },
                "longer_than_seconds": {str(BACK_SECONDS): len(tally.late)},
                "other_answered": tally.answers,
                "other_slower_than_seconds": {str(ANSWER_SECONDS): len(tally.slow)},
                "seconds": round(seconds, 1),
            }
        )
    )
    return 1 if tally.late or tally.slow else 0


if __name__ == "__main__":
    raise SystemExit(main())
