"""Room and hub as real processes: each notices when it has lost the other, and a canary proves the way between them."""

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from tests.journey.world import Site, until

ROOM = "room-1"


def listen(client: httpx.Client, over: threading.Event) -> None:
    """Keep an alert board open until told to end."""
    with suppress(httpx.TransportError), client.stream("GET", "/alerts/stream", timeout=None) as stream:
        for _ in stream.iter_lines():
            if over.is_set():
                return


@pytest.mark.alone
def test_a_lost_hub_is_said_in_the_room_and_a_lost_room_at_the_hub(tmp_path: Path) -> None:
    over = threading.Event()
    with Site(tmp_path) as site:
        site.make_account("admin")
        site.make_account("staff")
        page = threading.Thread(target=listen, args=(site.sign_in("staff"), over), daemon=True)
        page.start()
        site.start_scripted_room(ROOM, {"turns": []}, FORGE_EDGE_CANARY_MINUTES="0.05")
        closed = "SELECT 1 FROM alert WHERE kind = 'canary' AND cause = 'delivered'"
        until("a canary on an open page", lambda: site.records(closed), seconds=30)
        over.set()

        log = site.folder / f"{ROOM}.log"
        site.kill_hub()
        gone = time.monotonic()
        until("the room to say so", lambda: '"gone": true' in log.read_text(), seconds=15)
        assert time.monotonic() - gone < 10
        site.launch_hub()
        until("the room to say that it is back", lambda: '"gone": false' in log.read_text(), seconds=30)
        until("the hub", site.hub_is_up)

        pid = site.room_pid(ROOM)
        os.kill(pid, signal.SIGSTOP)
        stopped = time.monotonic()
        lost = "SELECT state, cause FROM alert WHERE kind = 'monitoring-lost' AND node = ?"
        until("the hub to notice", lambda: site.records(lost, ROOM), seconds=40)
        assert time.monotonic() - stopped < 30
        os.kill(pid, signal.SIGCONT)
        until("the alert to close", lambda: site.records(lost, ROOM) == [("closed", "resolved")], seconds=40)
        page.join(timeout=10)
