"""A tap on the wire between a node and the broker: everything that passes is kept, as it is before encryption."""

import socket
import ssl
import threading
from contextlib import suppress


class Tap:
    """A TLS relay on a port of its own; ``passed`` is every byte of both directions, in clear.

    Args:
        port: The broker's port on loopback.
        shown: What the tap is to the node: TLS settings with the broker's own certificate and key.
        node: What the tap is to the broker: TLS settings with the node's certificate and key.
    """

    def __init__(self, port: int, shown: ssl.SSLContext, node: ssl.SSLContext) -> None:
        self._target = port
        self._shown = shown
        self._node = node
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
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, raw: socket.socket) -> None:
        with suppress(OSError):
            client = self._shown.wrap_socket(raw, server_side=True)
            to_broker = socket.create_connection(("127.0.0.1", self._target))
            broker = self._node.wrap_socket(to_broker, server_hostname="127.0.0.1")
            for source, target in ((client, broker), (broker, client)):
                threading.Thread(target=self._relay, args=(source, target), daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(65536):
                with self._lock:
                    self._passed += chunk
                target.sendall(chunk)
        # One side hung up: so does the other.
        for side in (source, target):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
