"""A camera in the network: RTSP 1.0 with Motion JPEG over RTP in the same connection, for one made picture.

Sources: RFC 2326 (RTSP; section 10.12 for packets in the connection), RFC 3550 (RTP), RFC 2435 (JPEG in RTP).
"""

import base64
import contextlib
import socket
import struct
import threading
import time
from typing import Self

import cv2

from forge_edge.vision.ports import Picture

CLOCK_HZ = 90_000
FRAGMENT_BYTES = 1200
USER, PASSWORD = "ward", "secret"
_SDP = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=room\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:track1\r\n"


class RtspCamera:
    """Serves on a port of loopback until the context is left. Its network can be cut and its lens can fall silent.

    Args:
        picture: What it sees, RGB; sides are multiples of 16.
        hertz: Pictures a second.
    """

    def __init__(self, picture: Picture, hertz: float = 20.0) -> None:
        self._hertz = hertz
        self._height, self._width = picture.shape[:2]
        self._tables, self._scan = _jpeg(picture)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._lines: list[socket.socket] = []
        self.delivers = threading.Event()
        self.delivers.set()
        self.refused = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        """Its address, with the password in it."""
        return f"rtsp://{USER}:{PASSWORD}@127.0.0.1:{self._server.getsockname()[1]}/room"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection."""
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        self._lines.clear()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            self._lines.append(line)
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), line.makefile("rb") as requests:
            while first := requests.readline().decode():
                if first.startswith("$"):
                    continue  # a report of the receiver; what follows it is read as lines until the next request
                headers = {}
                while (header := requests.readline().decode(errors="replace").strip()) != "":
                    name, _, value = header.partition(":")
                    headers[name.strip().lower()] = value.strip()
                self._answer(line, first.split(" ")[0], headers)

    def _answer(self, line: socket.socket, method: str, headers: dict[str, str]) -> None:
        wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        status, extra, body = "200 OK", "Session: 1\r\n", ""
        if method != "OPTIONS" and headers.get("authorization") != wanted:
            status, extra = "401 Unauthorized", 'WWW-Authenticate: Basic realm="room"\r\n'
            self.refused += 1
        elif method == "OPTIONS":
            extra = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
        elif method == "DESCRIBE":
            extra, body = f"Content-Type: application/sdp\r\nContent-Length: {len(_SDP)}\r\n", _SDP
        elif method == "SETUP":
            extra += "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"
        line.sendall(f"RTSP/1.0 {status}\r\nCSeq: {headers.get('cseq', '0')}\r\n{extra}\r\n{body}".encode())
        if method == "PLAY" and status.startswith("200"):
            threading.Thread(target=self._play, args=(line,), daemon=True).start()

    def _play(self, line: socket.socket) -> None:
        sequence, number = 0, 0
        with contextlib.suppress(OSError):
            while True:
                self.delivers.wait()
                for offset in range(0, len(self._scan), FRAGMENT_BYTES):
                    piece = self._scan[offset : offset + FRAGMENT_BYTES]
                    last = offset + FRAGMENT_BYTES >= len(self._scan)
                    stamp = int(number * CLOCK_HZ / self._hertz)
                    head = struct.pack(">BBHII", 0x80, 26 | (0x80 if last else 0), sequence % 65536, stamp, 7)
                    head += struct.pack(">I", offset) + bytes([1, 255, self._width // 8, self._height // 8])
                    if offset == 0:
                        head += struct.pack(">BBH", 0, 0, len(self._tables)) + self._tables
                    packet = head + piece
                    line.sendall(b"$\x00" + struct.pack(">H", len(packet)) + packet)
                    sequence += 1
                number += 1
                time.sleep(1 / self._hertz)


def _jpeg(picture: Picture) -> tuple[bytes, bytes]:
    """Return the quantisation tables and the entropy-coded data of a picture, 4:2:0, as RFC 2435 sends them."""
    good, encoded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 90])
    assert good
    data, tables, at = encoded.tobytes(), b"", 2
    while data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == 0xDB:
            segment = data[at + 4 : at + 2 + length]
            tables += b"".join(segment[start + 1 : start + 65] for start in range(0, len(segment), 65))
        at += 2 + length
    begins = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return tables, data[begins:]
