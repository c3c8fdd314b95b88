"""Telling systemd that a program lives (``Type=notify``, ``WatchdogSec=``)."""

import contextlib
import os
import socket


def notify(state: str) -> None:
    """Send a state such as ``READY=1`` or ``WATCHDOG=1`` to systemd; does nothing where systemd did not start us.

    Source: sd_notify(3): one datagram to the socket named by ``NOTIFY_SOCKET``; a leading ``@`` is an abstract name.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection, contextlib.suppress(OSError):
        connection.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        connection.sendall(state.encode())
