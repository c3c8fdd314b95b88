"""Which room gets a release in which ring. Pure."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from forge_hub.errors import ReleaseError
from forge_shared.releases import Hardware

MOST_FIRST: Final = 10
"""Rooms of the first ring at most, unless the release has done well on this site before.

Source: Memfault's documented staged roll-outs begin with 5 to 10 devices.
"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A room that is to have a release.

    Attributes:
        is_ready: Whether it is in touch, and nobody has locked it.
        is_telling: Whether it raises at least as many alerts as the site's rooms do in the middle.
    """

    node: str
    hardware: Hardware | None
    is_ready: bool = True
    is_telling: bool = True


def check_shares(shares: Sequence[int]) -> tuple[int, ...]:
    """Return shares in per cent that rings can be made of.

    Raises:
        ReleaseError: They do not rise, or do not end with 100.
    """
    if not shares or any(a >= b for a, b in pairwise(shares)) or shares[0] < 1:
        raise ReleaseError("the rings' shares must rise, from at least 1 per cent")
    if shares[-1] != 100:  # noqa: PLR2004 (per cent)
        raise ReleaseError("the last ring is 100 per cent: to end before, stop the roll-out")
    return tuple(shares)


def in_rings(
    rooms: Sequence[Candidate], shares: Sequence[int], seed: str, *, is_proven: bool = False
) -> tuple[tuple[int, ...], Mapping[str, int]]:
    """Return the shares and for each room its ring, from 1.

    The first ring has a room of every hardware profile as far as it may grow, since what fails may fail on one profile
    alone. Rooms that are ready come first, since a room that is away shows nothing, and then those that raise alerts,
    since a room that raises none shows nothing of them. Among these it is drawn, so that the same rooms are not always
    the ones to try.

    Args:
        rooms: At least one.
        shares: Rising, the last is 100.
        seed: Draws; the same for the same roll-out.
        is_proven: Whether the release has done well on this site before: then the first ring may be of any size.

    Returns:
        Where the first share is of more rooms than may begin, it is cut, and a ring of the others is put in after it if
        it was the only one.
    """
    size = max(1, math.ceil(len(rooms) * shares[0] / 100))
    profiles = {room.hardware for room in rooms}
    if not is_proven:
        size = min(max(size, len(profiles)), MOST_FIRST, len(rooms))
        if len(shares) == 1 and size < len(rooms):
            shares = (max(1, min(99, round(100 * size / len(rooms)))), *shares)
    order = _order(rooms, seed)
    firsts: list[str] = []
    met: set[Hardware | None] = set()
    for room in order:
        if room.hardware not in met:
            met.add(room.hardware)
            firsts.append(room.node)
    line = firsts + [room.node for room in order if room.node not in set(firsts)]
    first = line[:size]
    line = first + [room.node for room in order if room.node not in set(first)]
    ends = [size, *(max(size, math.ceil(len(rooms) * share / 100)) for share in shares[1:])]
    return tuple(shares), {
        node: next(number for number, end in enumerate(ends, 1) if place < end) for place, node in enumerate(line)
    }


def _order(rooms: Sequence[Candidate], seed: str) -> list[Candidate]:
    """Return rooms so that every beginning of the list has each profile in about its share of all."""
    by_profile: dict[Hardware | None, list[Candidate]] = defaultdict(list)
    for room in sorted(rooms, key=lambda each: (not each.is_ready, not each.is_telling, _drawn(seed, each.node))):
        by_profile[room.hardware].append(room)
    placed = [
        ((index + 0.5) / len(mine), -len(mine), room.node, room)
        for mine in by_profile.values()
        for index, room in enumerate(mine)
    ]
    return [room for *_, room in sorted(placed, key=lambda each: each[:3])]


def _drawn(seed: str, node: str) -> str:
    return hashlib.sha256(f"{seed}/{node}".encode()).hexdigest()
