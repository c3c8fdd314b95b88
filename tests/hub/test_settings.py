"""The hub's settings: what is misspelt is named before anything starts."""

import os
import subprocess
import sys
from pathlib import Path


def command(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "FORGE_HUB_STATE_DIR": str(folder / "state"), **variables}
    return subprocess.run(
        [sys.executable, "-m", "forge_hub", "setup-link", "staff"],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_misspelt_setting_is_refused_with_the_nearest_one_and_without_its_value(tmp_path: Path) -> None:
    done = command(tmp_path, FORGE_HUB_BROKER_PASWORD="planted words", FORGE_HUB_XYZZY="1")
    assert done.returncode == 2
    assert "FORGE_HUB_BROKER_PASWORD" in done.stderr
    assert "did you mean FORGE_HUB_BROKER_PASSWORD?" in done.stderr
    assert "FORGE_HUB_XYZZY: there is no such setting" in done.stderr
    assert "planted" not in done.stderr
    assert not (tmp_path / "state").exists()
