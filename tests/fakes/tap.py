"""A tap on the wire between a node and the broker: everything that passes is kept, as it is before encryption."""

import asyncio
import ssl
import threading
from contextlib import suppress


class Tap:
    """A TLS relay on a port of its own, in a thread of its own; ``passed`` is every byte of both directions, in clear.

    Args:
        port: The broker's port on loopback.
        shown: What the tap is to the node: TLS settings with the broker's own certificate and key.
        node: What the tap is to the broker: TLS settings with the node's certificate and key.
    """

    def __init__(self, port: int, shown: ssl.SSLContext, node: ssl.SSLContext) -> None:
        self._target = port
        self._shown = shown
        self._node = node
        self.port = 0
        self._passed = bytearray()
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        listening = threading.Event()
        self._thread = threading.Thread(
            target=self._loop.run_until_complete, args=(self._serve(listening),), daemon=True
        )
        self._thread.start()
        listening.wait(10)

    @property
    def passed(self) -> bytes:
        with self._lock:
            return bytes(self._passed)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)
        self._loop.close()

    async def _serve(self, listening: threading.Event) -> None:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0, ssl=self._shown)
        self.port = server.sockets[0].getsockname()[1]
        listening.set()
        await self._ended.wait()
        server.close()
        carrying = asyncio.all_tasks() - {asyncio.current_task()}
        for task in carrying:
            task.cancel()
        await asyncio.gather(*carrying, return_exceptions=True)
        # A transport closes its socket on the loop's next turns.
        await asyncio.sleep(0.1)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target, ssl=self._node)
        except OSError:
            writer.transport.abort()
            return
        try:
            ways = [
                asyncio.create_task(self._one_way(source, target))
                for source, target in ((reader, far_writer), (far_reader, writer))
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        except asyncio.CancelledError:
            pass  # the tap is closed
        finally:
            # One side hung up: so does the other.
            for side in (writer, far_writer):
                side.transport.abort()

    async def _one_way(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while chunk := await source.read(65536):
                with self._lock:
                    self._passed += chunk
                target.write(chunk)
                await target.drain()
