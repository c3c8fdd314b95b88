"""Every packet that passes the interfaces of a network namespace: ``packets.py FILE`` writes whom it went to.

The file is JSON, a list of ``[protocol, source, destination, destination port]``, each once; written when the program
is told to end. What the kernel says of its own to find neighbours (ARP, ICMPv6 133 to 143) is left out.
"""

import json
import signal
import socket
import struct
import sys
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

ALL_PROTOCOLS = 0x0003  # linux/if_ether.h, ETH_P_ALL
IPV4, IPV6 = 0x0800, 0x86DD
TCP, UDP, ICMPV6, HOP_BY_HOP = 6, 17, 58, 0

Packet = tuple[str, str, str, int]


def read(frame: bytes) -> Packet | None:
    """Return protocol, source, destination and destination port of an Ethernet frame; None: no packet of a program."""
    kind = struct.unpack("!H", frame[12:14])[0]
    if kind == IPV4:
        header = frame[14:]
        protocol, payload = header[9], header[4 * (header[0] & 15) :]
        source, destination = str(IPv4Address(header[12:16])), str(IPv4Address(header[16:20]))
    elif kind == IPV6:
        header = frame[14:]
        protocol, payload = header[6], header[40:]
        source, destination = str(IPv6Address(header[8:24])), str(IPv6Address(header[24:40]))
        if protocol in (HOP_BY_HOP, ICMPV6):
            return None
    else:
        return None
    port = struct.unpack("!H", payload[2:4])[0] if protocol in (TCP, UDP) else 0
    return {TCP: "tcp", UDP: "udp"}.get(protocol, str(protocol)), source, destination, port


def main() -> None:
    found: set[Packet] = set()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS)) as tap:
        print("listening", flush=True)
        try:
            while True:
                packet = read(tap.recv(65_535))
                if packet is not None:
                    found.add(packet)
        finally:
            Path(sys.argv[1]).write_text(json.dumps(sorted(found)), encoding="utf-8")


if __name__ == "__main__":
    main()
