"""Everything in the node's lock exists for a Jetson and a Pi: asked of the index that this machine's pip is set to."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

LOCK = Path(__file__).parents[2] / "requirements/edge.txt"
OLDEST_GLIBC = "2_35"
"""Of the systems in jetson/README.md, Ubuntu 22.04's: 2.35; what pymicro-wakeword asks for."""
PYTHONS = ("3.11", "3.12", "3.13")
EXCEPTIONS = {
    # No wheel for any platform; its source is in the lock by its digest.
    ("3.12", "pocketsphinx"): "apt-get install build-essential python3-dev, and pip compiles it; or Python 3.13",
}
"""What has no wheel, and the way out; `jetson/README.md` tells it too."""
UNREACHABLE = re.compile(
    r"Failed to fetch|error sending request|Could not connect|tcp connect|dns error|timed out", re.IGNORECASE
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def index() -> list[str]:
    """Return the index of pip's own configuration as uv takes it; nothing: both have the same default."""
    pip = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(pip, capture_output=True, text=True, check=True, timeout=60).stdout
    found = dict(re.findall(r"^[\w:]+\.((?:extra-)?index-url)=(.+)$", listed, re.MULTILINE))
    return [part for name, value in found.items() for part in (f"--{name}", *shlex.split(value))]


def asked(lock: str, python: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Ask for metadata alone: nothing is downloaded but what an index says of its files."""
    (folder / "lock.txt").write_text(lock)
    command = [sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--no-deps", "--require-hashes"]
    command += ["--only-binary=:all:", f"--python-version={python}", "--target", str(folder / "none")]
    command += [
        f"--python-platform=aarch64-manylinux_{OLDEST_GLIBC}",
        *index(),
        "--requirement",
        str(folder / "lock.txt"),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    if ended.returncode != 0 and UNREACHABLE.search(ended.stderr) and os.environ.get("CI") != "true":
        pytest.skip("the index of packages cannot be reached from here")
    return ended


def without(lock: str, names: set[str]) -> str:
    """Return the lock without some packages: each is a line and its continuations."""
    entries = re.split(r"(?m)^(?=[a-zA-Z0-9])", lock)
    return "".join(entry for entry in entries if entry.split("==")[0] not in names)


@pytest.mark.parametrize("python", PYTHONS)
def test_every_package_of_a_node_has_a_wheel_for_aarch64_but_those_whose_way_out_is_known(
    python: str, tmp_path: Path
) -> None:
    lock = LOCK.read_text(encoding="utf-8")
    excepted = {name for version, name in EXCEPTIONS if version == python}
    found = asked(without(lock, excepted), python, tmp_path)
    assert found.returncode == 0, found.stderr[-1000:]
    for name in excepted:
        # An exception that is none any more is taken out of the list.
        missing = asked(without(lock, excepted - {name}), python, tmp_path)
        assert f"{name}==" in missing.stderr
        assert "no usable wheels" in missing.stderr


def test_the_way_out_stands_where_people_look() -> None:
    told = (LOCK.parents[1] / "jetson/README.md").read_text(encoding="utf-8")
    for python, name in EXCEPTIONS:
        assert f"{name} on Python {python}" in told
