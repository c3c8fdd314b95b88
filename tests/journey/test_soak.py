"""Minutes of the accelerated day, and of the capture; ``make soak`` and ``make capture`` let hours pass."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes.namespace import namespace
from tests.journey.capture import Sent, captured, hour, strangers
from tests.journey.soak import Report, soak


@pytest.mark.alone
@pytest.mark.timeout(300)
def test_a_room_in_which_things_happen_all_the_time_hangs_nowhere_stores_nothing_false_and_sends_to_its_hub_only(
    tmp_path: Path,
) -> None:
    with namespace() as network:
        if network is None:
            report = soak(tmp_path, hours=0.05, seed=2, limit_seconds=150)
            found: list[Sent] = []
        else:
            report, found = hour(tmp_path, network, hours=0.05, limit_seconds=150, speed=None)
    assert report.wrong() == []
    assert report.broker_restarts >= 1
    assert found == []


def test_the_capture_finds_a_connection_to_somebody_else(tmp_path: Path) -> None:
    with namespace() as network:
        if network is None:
            pytest.skip("no right to make a network namespace")

        def plant() -> None:
            # Several, over a second: the capture may have begun only just now.
            send = f"socket.socket(2, 2).sendto(b'x', ('{network.here}', 53)); time.sleep(0.1)"
            program = f"import socket, time\nfor _ in range(10): {send}"
            subprocess.run(network.inside([sys.executable, "-c", program]), check=True)

        packets = captured(network, tmp_path / "packets.json", plant)
        assert ("udp", 53) in [packet[0::3] for packet in strangers(packets, network.here, 8883)]


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"stored": {"water": 10, "nurse": 1}}, "something was stored that nobody asked for"),
        ({"stored": {"water": 11}}, "water was stored more often than it was asked for"),
        ({"stored": {}}, "the room did not listen any more"),
        ({"longest_seconds": {"deciding": 400.0}}, "deciding hung"),
        ({"log_lines_a_minute": 11.0}, "too much is logged"),
        ({"memory_growth": 1.5}, "memory grows"),
        ({"finished": False}, "the room did not come to its end"),
    ],
)
def test_the_report_says_what_did_not_hold(changed: dict[str, object], wrong: str) -> None:
    good = {"finished": True, "simulated_hours": 8.0, "asked_for_water": 10, "stored": {"water": 10}}
    assert Report(**good).wrong() == []  # type: ignore[arg-type]  # fields by name
    assert Report(**{**good, **changed}).wrong() == [wrong]  # type: ignore[arg-type]  # fields by name
