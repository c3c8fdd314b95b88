"""A network of its own, joined to this one by a line that can be cut so that packets vanish without a word."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network

NETWORKS = ip_network("198.18.0.0/15")
"""Addresses for tests of networks (RFC 2544). Each process takes four of its own: two runs must not meet."""


class Namespace:
    """A network namespace and the pair of interfaces that joins it."""

    def __init__(self, name: str) -> None:
        self.name = name
        first = 4 * (os.getpid() % (NETWORKS.num_addresses // 4))
        self.here, there = str(NETWORKS[first + 1]), str(NETWORKS[first + 2])
        _ip("netns", "add", name)
        _ip("link", "add", f"{name}-h", "type", "veth", "peer", "name", f"{name}-r", "netns", name)
        _ip("addr", "add", f"{self.here}/30", "dev", f"{name}-h")
        _ip("link", "set", f"{name}-h", "up")
        _ip("-n", name, "addr", "add", f"{there}/30", "dev", f"{name}-r")
        _ip("-n", name, "link", "set", f"{name}-r", "up")
        _ip("-n", name, "link", "set", "lo", "up")

    def inside(self, command: list[str]) -> list[str]:
        """Return a command as it is run inside. It shares the mounts of this machine, unlike with ``ip netns exec``."""
        return ["nsenter", f"--net=/run/netns/{self.name}", *command]

    def cut(self, seconds: float) -> None:
        """Let nothing pass for a while."""
        _ip("link", "set", f"{self.name}-h", "down")
        time.sleep(seconds)
        _ip("link", "set", f"{self.name}-h", "up")


@contextmanager
def namespace() -> Iterator[Namespace | None]:
    """Yield a namespace, or None where none may be made."""
    name = f"fc{os.getpid() % 100_000}"
    made = None
    if os.geteuid() == 0 and shutil.which("ip") is not None:
        try:
            made = Namespace(name)
        except subprocess.CalledProcessError:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
    try:
        yield made
    finally:
        if made is not None:
            subprocess.run(["ip", "link", "del", f"{name}-h"], check=False, capture_output=True)
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
