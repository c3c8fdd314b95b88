"""A socket that only this machine reaches."""

import socket


def listening(port: int = 0) -> socket.socket:
    """Return a listening socket of 127.0.0.1.

    Its protocol is named, or asyncio would not switch Nagle's algorithm off and each answer would wait 40 ms.

    Args:
        port: TCP port; 0: one that the system chooses.

    Raises:
        OSError: The port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener
