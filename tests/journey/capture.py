"""An hour of use, with every packet of the node captured: ``python -m tests.journey.capture --hours 1``.

The node lives in a network namespace of its own and the hub outside, so that whatever it sends passes the capture. The
hour is the one of `soak`, accelerated; ``--speed 1`` takes an hour. Prints a report as JSON and ends with 1 if anything
was sent to anybody but the broker of the hub.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.fakes.namespace import Namespace, namespace
from tests.journey.soak import Report, soak

PACKETS = Path(__file__).parents[1] / "fakes" / "packets.py"

LOOPBACK = "127.0.0.1"
Sent = tuple[str, str, str, int]


def captured(network: Namespace, file: Path, use: Callable[[], None]) -> list[Sent]:
    """Return whom packets went to in a namespace while something was done."""
    command = network.inside([sys.executable, str(PACKETS), str(file)])
    with subprocess.Popen(command, stdout=subprocess.PIPE) as capture:
        assert capture.stdout is not None
        capture.stdout.readline()  # it listens
        try:
            use()
        finally:
            capture.terminate()
    return [tuple(packet) for packet in json.loads(file.read_text(encoding="utf-8"))]


def strangers(packets: list[Sent], here: str, broker_port: int) -> list[Sent]:
    """Return the packets that neither went to the broker nor came from it.

    What stays on the machine went to nobody: the hub's pages are looked for on its loopback, where nobody answers here.
    """
    return [
        packet
        for packet in packets
        if packet[1:3] != (LOOPBACK, LOOPBACK)
        and not (packet[0] == "tcp" and (packet[2:] == (here, broker_port) or packet[1] == here))
    ]


def hour(
    folder: Path, network: Namespace, *, hours: float, limit_seconds: float, speed: float | None
) -> tuple[Report, list[Sent]]:
    """Let time pass in a room whose packets are captured; return what happened, and what went to strangers."""
    reports: list[Report] = []

    def use() -> None:
        reports.append(
            soak(folder, hours=hours, seed=2, limit_seconds=limit_seconds, speed=speed, network=network)
        )  # fmt: skip

    packets = captured(network, folder / "packets.json", use)
    (report,) = reports
    assert any(packet[2:] == (network.here, report.broker_port) for packet in packets), "the capture saw nothing"
    return report, strangers(packets, network.here, report.broker_port)


def main() -> int:
    """Run from the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--speed", type=float, default=None)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, namespace() as network:
        if network is None:
            print("a capture needs the right to make a network namespace: run it as root", file=sys.stderr)
            return 1
        report, found = hour(
            Path(folder), network, hours=options.hours, limit_seconds=7200 * options.hours, speed=options.speed
        )  # fmt: skip
    print(json.dumps({"figure": "capture", "simulated_hours": report.simulated_hours, "to_strangers": found}))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
