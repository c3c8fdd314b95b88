"""A hub that runs, watched from outside as a monitoring system would."""

from pathlib import Path

import httpx
from tests.journey.world import Site, until

TOKEN = "a-token-of-a-scraper-4711"


def test_a_running_hub_tells_how_it_is_and_gives_its_numbers_to_its_scraper(tmp_path: Path) -> None:
    with Site(tmp_path, hub_environment={"FORGE_HUB_METRICS_TOKEN": TOKEN}) as site:
        told = until("a healthy hub", lambda: _healthy(site))
        assert {"alerts", "broker", "certificate", "clock", "disk", "ingest", "monitoring", "records"} <= told
        assert httpx.get(f"{site.address}/metrics").status_code == 401
        answer = httpx.get(f"{site.address}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        output = site.hub_output.read_text(encoding="utf-8")
    assert "forge_hub_broker_connected 1.0" in answer.text
    assert 'forge_hub_projection_lag_events{projection="graph"} 0.0' in answer.text
    assert TOKEN not in output


def _healthy(site: Site) -> set[str] | None:
    answer = httpx.get(f"{site.address}/healthz", timeout=5).json()
    # A machine that runs tests may be short of space.
    ill = {part for part, code in answer["parts"].items() if code != "ok"} - {"disk"}
    return None if ill else set(answer["parts"])
