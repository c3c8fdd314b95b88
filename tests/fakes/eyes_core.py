"""The core's side of the eyes' socket, for tests of the eyes alone: it notes every byte that they say."""

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from forge_edge.messages import Beat, DrawingPage, OpenDrawing, Seen, Shown, Sight, read_shown


class EyesCore:
    """Listens on a socket and takes down what one child says, until the context is left."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "eyes.sock"
        self.traffic = b""
        self.said: list[Shown | Beat] = []
        self.ended = False
        self._changed = threading.Condition()
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self.path))
        self._server.listen(1)
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        self._thread.join(10)
        self._server.close()

    def hang_up(self) -> None:
        """Be gone."""
        if self._connection is None:
            self._server.shutdown(socket.SHUT_RDWR)
        elif not self.ended:
            self._connection.shutdown(socket.SHUT_RDWR)

    def tell(self, order: OpenDrawing) -> None:
        """Give the eyes an order."""
        assert self._connection is not None
        self._connection.sendall(order.model_dump_json().encode() + b"\n")

    @property
    def pages(self) -> list[int | None]:
        """Ports of the drawing page, in the order in which the eyes told of it; None: it is closed."""
        return [said.port for said in self.said if isinstance(said, DrawingPage)]

    @property
    def looks(self) -> list[Seen]:
        return [said for said in self.said if isinstance(said, Seen)]

    @property
    def states(self) -> list[tuple[str, str]]:
        return [(said.state, said.reason) for said in self.said if isinstance(said, Sight)]

    def until(self, what: Callable[[], bool], seconds: float = 20.0) -> None:
        """Wait until something has been said."""
        with self._changed:
            assert self._changed.wait_for(what, seconds), self.said[-8:]

    def _listen(self) -> None:
        try:
            self._connection = self._server.accept()[0]
        except OSError:
            return
        rest = b""
        while data := self._connection.recv(65536):
            with self._changed:
                self.traffic += data
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    with contextlib.suppress(ValueError):  # what is no message is traffic all the same
                        self.said.append(read_shown(line))
                self._changed.notify_all()
        with self._changed:
            self.ended = True
            self._changed.notify_all()
        self._connection.close()
