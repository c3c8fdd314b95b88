"""What becomes of roll-outs, as the hub's engine and the rooms would have it, without waiting for them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import update

from forge_hub.records.database import Database
from forge_hub.records.schema import ReleaseFigure, Rollout, RolloutRing, RolloutRoom, RoomRelease
from forge_hub.releases.catalogue import Catalogue
from forge_hub.releases.rollout import Found
from forge_hub.releases.rollouts import Rollouts
from forge_hub.releases.stored import stored_found
from forge_shared.clock import Clock


class RolloutWorld:
    """The roll-outs of a site, whose rooms a test alters.

    Attributes:
        rollouts: What pages use.
    """

    def __init__(self, database: Database, catalogue: Catalogue, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.rollouts = Rollouts(database, catalogue, clock, on_changed=lambda: None)

    def first_ring_opens(self, rollout: str, waits_for: str = "rooms") -> None:
        """Open the first ring."""
        with self._database.begin() as transaction:
            transaction.add(RolloutRing(rollout=rollout, number=1, opened_at=self._clock.now(), passed_at=None))
        self._change(rollout, ring=1, findings=stored_found((), waits_for))

    def room_does(self, rollout: str, node: str, **changes: Any) -> None:
        """Let a room come into another state."""
        with self._database.begin() as transaction:
            of_room = (RolloutRoom.rollout == rollout, RolloutRoom.node == node)
            transaction.execute(update(RolloutRoom).where(*of_room).values(**changes))

    def room_says(self, rollout: str, node: str, **said: Any) -> None:
        """Let a room say what it does about a release that it was told of."""
        state = self.rollouts.state(rollout)
        self.room_does(rollout, node, state="directed")
        with self._database.begin() as transaction:
            transaction.merge(
                RoomRelease(
                    node=node,
                    role=state.role,
                    said={"role": state.role, "next": state.target, **said},
                    said_at=self._clock.now(),
                )
            )

    def room_measures(self, rollout: str, node: str, **figures: float) -> None:
        """Let a room tell figures of the release that it serves."""
        state = self.rollouts.state(rollout)
        nothing = dict.fromkeys(("latency_ms", "memory_mb", "temperature_celsius"))
        row = ReleaseFigure(
            node=node, role=state.role, release=state.target, at=self._clock.now(), **{**nothing, **figures}
        )
        with self._database.begin() as transaction:
            transaction.merge(row)

    def hub_finds(self, rollout: str, found: Sequence[Found], waits_for: str | None = None) -> None:
        """Let the hub come to something about the release."""
        self._change(rollout, findings=stored_found(found, waits_for))

    def _change(self, rollout: str, **changes: Any) -> None:
        with self._database.begin() as transaction:
            transaction.execute(update(Rollout).where(Rollout.id == rollout).values(**changes))
