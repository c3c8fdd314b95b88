"""What the documents say is true, and what may not stand in the repository does not."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
]
HAZARD = re.compile(r"^\| (H\d+) \|.*\| (.+?) \|$", re.MULTILINE)


def hazards() -> list[tuple[str, list[str]]]:
    text = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")
    return [(match[1], re.findall(r"`(tests/[^`]+)`", match[2])) for match in HAZARD.finditer(text)]


def is_orphan(claim: str, root: Path = ROOT) -> bool:
    path, _, name = claim.partition("::")
    file = root / path
    return not file.is_file() or not re.search(rf"^(async )?def {re.escape(name)}\b", file.read_text(), re.MULTILINE)


def test_the_reference_and_the_schemas_are_those_of_the_code() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_hazard_has_a_control_and_every_control_a_test() -> None:
    rows = hazards()
    assert len(rows) >= 100
    for hazard, claims in rows:
        assert claims, f"{hazard} has no test that holds its control"
        assert [claim for claim in claims if is_orphan(claim)] == [], hazard


def test_every_test_that_the_security_page_names_exists() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    claims = re.findall(r"`(tests/[^`]+::[^`]+)`", text)
    assert len(claims) >= 30
    assert [claim for claim in claims if is_orphan(claim)] == []


def test_a_control_whose_test_is_gone_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_x.py").write_text("def test_that_is_here() -> None: ...\n")
    assert not is_orphan("tests/test_x.py::test_that_is_here", tmp_path)
    assert is_orphan("tests/test_x.py::test_that_was_here", tmp_path)
    assert is_orphan("tests/test_y.py::test_that_is_here", tmp_path)


@pytest.mark.parametrize("name", ["shared", "language", "edge", "hub", "development"])
def test_a_lock_has_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^[a-z0-9].*==", text, re.MULTILINE)
    assert len(pinned) >= 5
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text
    assert "tflite-runtime" not in text


def test_the_pages_lock_has_no_addresses() -> None:
    assert "://" not in re.sub(
        r'"(url|homepage)": "[^"]*"', "", (ROOT / "hub" / "package-lock.json").read_text(encoding="utf-8")
    )


def test_no_registry_is_named_and_no_lock_of_uv_is_kept() -> None:
    hosts = re.compile(
        "|".join(("py" + "pi\\.org", "python" + "hosted", "registry\\.npm" + "js", "repo1?\\.mav" + "en"))
    )
    for path in TRACKED:
        assert path.name != "uv.lock"
        if path.is_file() and path.suffix not in {".png", ".ico", ".woff2"}:
            assert not hosts.search(path.read_text(encoding="utf-8", errors="replace")), path


def test_no_weights_and_no_recordings_are_kept() -> None:
    forbidden = {".onnx", ".tflite", ".gguf", ".safetensors", ".pt", ".wav", ".flac", ".mp3", ".mp4"}
    assert [path for path in TRACKED if path.suffix in forbidden] == []


def test_the_readme_has_a_newcomers_order() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    order = ["# Persona-Forge", "## Two commands", "## What you will see", "## Putting it to work", "## Adding a form"]
    places = [text.index(heading) for heading in [*order, "## What it is not for"]]
    assert places == sorted(places)
    assert "make demo" in text
    assert "make test" in text


def test_every_decision_record_says_status_context_decision_and_consequences() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("0*.md"))
    assert len(records) >= 6
    for record in records:
        text = record.read_text(encoding="utf-8").lower()
        assert all(word in text for word in ("status", "context", "decision", "consequences")), record.name
