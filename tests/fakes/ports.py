"""Ports that nobody listens on."""

import contextlib
import secrets
import socket


def free_port() -> int:
    """Return a TCP port of loopback that is free now, and that no outgoing connection is given while a server is down.

    Linux gives those 32768 and up (ip(7), ``ip_local_port_range``).
    """
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
