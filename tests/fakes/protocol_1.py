"""The first protocol's readers, as strict as they were: what they do not know they refuse."""

from typing import Literal

from forge_shared.model import Frozen
from forge_shared.topics import Lane


class Position1(Frozen):
    epoch: str
    lane: Lane
    sequence: int


class Acknowledgement1(Frozen):
    positions: tuple[Position1, ...]


class Status1(Frozen):
    state: Literal["online", "offline"]
    version: str
