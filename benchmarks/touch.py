"""How soon a touch has taken effect: from what a browser sends to the page that shows what follows, through the core.

A node as shipped, but for its ears, without a hub. The baseline is the same page without a touch. Memory is that of the
node's core with a screen, beside the same core without one.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from tests.fakes.ports import free_port
from tests.journey.world import until

ROOT = Path(__file__).parents[1]
QUESTION = re.compile(r'name="to" value="([0-9a-f]{16})"')


def start(folder: Path, **settings: str) -> subprocess.Popen[bytes]:
    """Start a room's node that says nothing by itself."""
    folder.mkdir()
    script = folder / "script.json"
    script.write_text('{"turns": []}')
    environment = {**os.environ, "FORGE_EDGE_STATE_DIR": str(folder), **settings}
    node = ROOT / "tests" / "fakes" / "scripted_node.py"
    return subprocess.Popen([sys.executable, str(node), str(script)], env=environment, stderr=subprocess.DEVNULL)


def memory_megabytes(process: subprocess.Popen[bytes]) -> float:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return float(status.split("VmRSS:")[1].split()[0]) / 1000


def touches(address: str, key: str, times: int) -> tuple[list[float], list[float]]:
    """Answer a form over and over; return the milliseconds of each answer and of each look."""
    answers: list[float] = []
    looks: list[float] = []
    with httpx.Client(base_url=address, headers={"Origin": address}, follow_redirects=True, trust_env=False) as client:
        client.post("/open", data={"key": key})
        while len(answers) < times:
            page = client.post("/tap", data={"do": "form"}).text
            while (found := QUESTION.search(page)) and len(answers) < times:
                option = re.search(r'name="with" value="([^"]+)"', page)
                action = {"do": "answer", "with": option[1]} if option else {"do": "right"}
                started = time.perf_counter()
                page = client.post("/tap", data={**action, "to": found[1]}).text
                answers.append(1000 * (time.perf_counter() - started))
                started = time.perf_counter()
                client.get("/")
                looks.append(1000 * (time.perf_counter() - started))
    return answers, looks


def main() -> int:
    """Measure and print one JSON line per figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    times = parser.parse_args().times
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        bare = start(folder / "bare")
        node = start(folder / "screen", FORGE_EDGE_SCREEN_PORT=str(port))
        try:
            key = folder / "screen" / "screen.key"
            until("the screen", lambda: key.is_file() and (key.parent / "screen.html").is_file())
            answers, looks = touches(f"http://127.0.0.1:{port}", key.read_text(), times)
            memory = {"value": round(memory_megabytes(node), 1), "baseline": round(memory_megabytes(bare), 1)}
        finally:
            for process in (bare, node):
                process.terminate()
                process.wait(10)
    for what, cut in (("p50", 50), ("p95", 95)):
        value, baseline = (round(statistics.quantiles(one, n=100)[cut - 1], 1) for one in (answers, looks))
        print(json.dumps({"figure": f"touch.{what}_ms", "value": value, "baseline": baseline, "samples": times}))
    print(json.dumps({"figure": "touch.core_megabytes", **memory}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
