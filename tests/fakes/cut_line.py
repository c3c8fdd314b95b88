"""A line to a server on loopback that a test can cut and mend."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class CutLine:
    """Carries every connection made to ``port`` on to a server, until it is cut.

    Attributes:
        brought: Bytes that came from the server.
        allowance: After how many more of them it cuts itself; None: never.
    """

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self.brought = 0
        self.allowance: int | None = None
        self._ends: list[socket.socket] = []
        self._whole = True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End all connections and every new one at once."""
        self._whole = False
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Carry new connections again."""
        self._whole = True

    def close(self) -> None:
        """Cut for good."""
        self.cut()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self._whole:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._server_port))
            self._ends += [near, far]
            threading.Thread(target=_carry, args=(near, far, lambda data: data), daemon=True).start()
            threading.Thread(target=_carry, args=(far, near, self._counted), daemon=True).start()

    def _counted(self, data: bytes) -> bytes:
        if self.allowance is not None:
            data = data[: self.allowance]
            self.allowance -= len(data)
        self.brought += len(data)
        return data


def _carry(source: socket.socket, sink: socket.socket, allowed: Callable[[bytes], bytes]) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            passed = allowed(data)
            sink.sendall(passed)
            if len(passed) < len(data):
                break
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
    source.close()


@contextmanager
def cut_line(server_port: int) -> Iterator[CutLine]:
    """Give a line for the length of the block."""
    line = CutLine(server_port)
    try:
        yield line
    finally:
        line.close()
