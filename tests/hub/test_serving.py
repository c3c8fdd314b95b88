"""How the hub begins to serve."""

import gc
from pathlib import Path

import pytest

from forge_hub.__main__ import main
from forge_hub.app import Hub


def test_what_is_loaded_is_not_looked_through_for_garbage_while_the_hub_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []

    async def serve(_: Hub) -> None:
        kept.append(gc.get_freeze_count())

    monkeypatch.setattr(Hub, "serve", serve)
    monkeypatch.setenv("FORGE_HUB_STATE_DIR", str(tmp_path))
    try:
        assert main(["serve"]) == 0
    finally:
        gc.unfreeze()
    assert kept[0] > 50_000
