"""A child's end of the socket to the core."""

import contextlib
import queue
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from forge_edge.messages import LINE_BYTES, Beat, Said, Shown
from forge_shared.logs import get_logger

BEAT_SECONDS = 1.0
"""How often a child says that it lives."""

QUEUE_LENGTH = 64
"""Orders that wait for a child. When it is full the oldest is dropped: the newest says where the dialogue stands."""

OrderT = TypeVar("OrderT")


class CoreLink(Generic[OrderT]):
    """The socket to the core. Reports are sent from any thread; orders queue up until they are taken.

    Args:
        path: The socket.
        read: Reads one line of the core; raises ValueError for what it cannot have said.

    Raises:
        OSError: The core is not there.
    """

    def __init__(self, path: Path, read: Callable[[bytes], OrderT]) -> None:
        self._read_order = read
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._lock = threading.Lock()
        self._orders: queue.Queue[OrderT] = queue.Queue(QUEUE_LENGTH)
        self.closed = threading.Event()
        threading.Thread(target=self._read, name="core-link", daemon=True).start()

    def report(self, perception: Said | Shown | Beat) -> None:
        """Send a perception. Does nothing once the core is gone."""
        with self._lock, contextlib.suppress(OSError):
            self._socket.sendall(perception.model_dump_json().encode() + b"\n")

    def order(self, wait_seconds: float = 0.0) -> OrderT | None:
        """Return the next order, waiting for it at most that long."""
        try:
            return self._orders.get(block=wait_seconds > 0, timeout=wait_seconds or None)
        except queue.Empty:
            return None

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError), self._socket.makefile("rb", buffering=LINE_BYTES) as lines:
            for line in lines:
                self._take(self._read_order(line))
        self.closed.set()
        with self._lock:
            self._socket.close()

    def _take(self, order: OrderT) -> None:
        while True:
            try:
                self._orders.put_nowait(order)
            except queue.Full:
                with contextlib.suppress(queue.Empty):
                    self._orders.get_nowait()
                    get_logger().warning("orders.dropped")
            else:
                return
