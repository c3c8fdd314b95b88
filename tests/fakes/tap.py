"""A tap on the wire between a node and the broker: everything that passes is kept."""

import socket
import threading
from contextlib import suppress


class Tap:
    """A TCP relay on a port of its own; ``passed`` is every byte of both directions."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._passed = bytearray()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def passed(self) -> bytes:
        with self._lock:
            return bytes(self._passed)

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                broker = socket.create_connection(("127.0.0.1", self._target))
                for source, target in ((client, broker), (broker, client)):
                    threading.Thread(target=self._relay, args=(source, target), daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError), source, target:
            while chunk := source.recv(65536):
                with self._lock:
                    self._passed += chunk
                target.sendall(chunk)
            # One side hung up: so does the other.
            target.shutdown(socket.SHUT_RDWR)
