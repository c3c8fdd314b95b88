"""A scripted node on a machine that was never told the time and begins in 1970. Used as `scripted_node.py` is."""

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from forge_edge import app
from forge_edge.settings import NodeSettings
from forge_shared import logs
from forge_shared.clock import SystemClock

EARS = Path(__file__).with_name("scripted_ears.py")
STARTED = time.monotonic()


class NeverSet(SystemClock):
    def now(self) -> datetime:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time.monotonic() - STARTED)


if __name__ == "__main__":
    logs.configure("forge-edge run")
    app.SystemClock = NeverSet  # type: ignore[attr-defined]  # another class of the same port
    asyncio.run(app.Node(NodeSettings(), ears_command=[sys.executable, str(EARS), sys.argv[1]]).run())
