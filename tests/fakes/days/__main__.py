"""Make one simulated day: ``python -m tests.fakes.days --seed N --out FOLDER [--hours 24] [--from-hour 0]``."""

import argparse
import time
from pathlib import Path

from tests.fakes.days.day import make_day


def main() -> None:
    """Write a day and say how large it is."""
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.days", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--from-hour", type=float, default=0.0)
    asked = parser.parse_args()
    began = time.process_time()
    day = make_day(asked.seed, hours=asked.hours, from_hour=asked.from_hour)
    day.write(asked.out)
    megabytes = (asked.out / "day.npz").stat().st_size / 1e6
    print(
        f"{len(day.arrays['t'])} frames, {megabytes:.1f} MB, {time.process_time() - began:.1f} s of processor time, "
        f"{len(day.incidents)} incidents"
    )


if __name__ == "__main__":
    main()
