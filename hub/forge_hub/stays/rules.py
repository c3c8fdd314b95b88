"""What an admission, a transfer and a discharge may do. Pure: the open bed assignments in, a decision out."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from forge_hub.errors import StayError

PSEUDONYM_BYTES = 10
"""80 random bits: two of a million pseudonyms are alike with a chance below one in a trillion (birthday bound)."""


@dataclass(frozen=True, slots=True)
class Beds:
    """Which stay has which bed now. A bed holds one stay at a time, and a stay has one bed."""

    taken: Mapping[str, str]

    def admit(self, stay: str, bed: str) -> "Beds":
        """Give a new stay a bed.

        Raises:
            StayError: The bed is taken, or the stay has one already.
        """
        if bed in self.taken:
            raise StayError("this bed is taken")
        if stay in self.taken.values():
            raise StayError("this stay has a bed already")
        return Beds({**self.taken, bed: stay})

    def transfer(self, stay: str, bed: str) -> "Beds":
        """Give a stay another bed; its old one is free at the same moment.

        Raises:
            StayError: The stay is over, the bed is taken, or it is the one that the stay has.
        """
        if self.bed_of(stay) == bed:
            raise StayError("the stay has this bed already")
        return self.discharge(stay).admit(stay, bed)

    def discharge(self, stay: str) -> "Beds":
        """Take the bed from a stay.

        Raises:
            StayError: The stay is over.
        """
        bed = self.bed_of(stay)
        return Beds({other: who for other, who in self.taken.items() if other != bed})

    def bed_of(self, stay: str) -> str:
        """Return the bed of a stay.

        Raises:
            StayError: The stay is over.
        """
        for bed, who in self.taken.items():
            if who == stay:
                return bed
        raise StayError("this stay is over")


def new_pseudonym() -> str:
    """Return a pseudonym that is random and derived from nothing, so that it leads nowhere but to its own stay."""
    return f"p-{secrets.token_hex(PSEUDONYM_BYTES)}"
