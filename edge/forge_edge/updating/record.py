"""What is true of the node's releases: changed one at a time, and told once it is true."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

from forge_edge.update.slots import Change as Told
from forge_edge.update.slots import Outcome, RoleState, Serving, Slots
from forge_edge.updating.ports import ROLES, ServedRoom
from forge_shared.releases import ReleaseRole

Alter = Callable[[RoleState], RoleState]
"""Returns the state that follows from one. Pure."""


class Record:
    """The slots, for who works on the event loop.

    Args:
        slots: On the disk.
        room: Serves from them.
    """

    def __init__(self, slots: Slots, room: ServedRoom) -> None:
        self._slots = slots
        self._room = room
        self._lock = asyncio.Lock()

    def state(self, role: ReleaseRole) -> RoleState:
        """Return what a role has."""
        return self._slots.state(role)

    def serving(self, role: ReleaseRole) -> Serving | None:
        """Return what serves a role; None: what came with the node."""
        return self._slots.serving(role)

    async def note(self, role: ReleaseRole, alter: Alter) -> None:
        """Change what is known of a role; what serves stays.

        Raises:
            OSError: It could not be written; what was true before is.
        """
        async with self._lock:
            await asyncio.to_thread(self._slots.set, role, alter(self._slots.state(role)))
            await self._tell(role)

    async def served(self, seconds: Mapping[ReleaseRole, tuple[str, float]]) -> None:
        """Note for how long releases have served on trial; of a trial that has ended meanwhile nothing.

        Args:
            seconds: Digest and seconds by role.

        Raises:
            OSError: It could not be written; what was true before is.
        """
        async with self._lock:
            states = {role: self._slots.state(role) for role in seconds}
            changed = {
                role: states[role].served(served)
                for role, (digest, served) in seconds.items()
                if states[role].trial == digest
            }
            if changed:
                await asyncio.to_thread(self._slots.set_all, changed)

    async def switch(self, role: ReleaseRole, alter: Alter, *, at_once: bool) -> bool:
        """Change what serves a role; False: somebody needs the room.

        Raises:
            OSError: It could not be written; what served before does.
        """
        async with self._lock:
            state = alter(self._slots.state(role))
            done = await self._room.switch(role, partial(self._slots.set, role, state), at_once=at_once)
            if done:
                await self._tell(role)
        return done

    async def let_go(self, role: ReleaseRole) -> None:
        """Delete what was put in and does not serve."""
        async with self._lock:
            await asyncio.to_thread(self._slots.let_go, role)

    async def tell_all(self) -> None:
        """Tell what a node that was killed had not told yet."""
        async with self._lock:
            for role in ROLES:
                await self._tell(role)

    async def _tell(self, role: ReleaseRole) -> None:
        state = self._slots.state(role)
        if not state.untold:
            return
        for change in state.untold:
            await self._room.tell(role, change)
        # Killed here, it is told twice, which harms nobody; never told, it would be missed.
        await asyncio.to_thread(self._slots.set, role, state.told())


def taken_back(serving: Serving | None, state: RoleState, after: RoleState, *, reason: str) -> Told | None:
    """Return what is to be told of a release that serves no longer; None: it was none, or its name is not known.

    Args:
        serving: What serves: what did well before, where the files of what is on trial are gone.
        state: What the role had.
        after: What it has from now on.
        reason: Why.
    """
    if state.active is None:
        return None
    rollout = state.rollout or "manual"
    if state.trial is not None and state.trial_target is not None:
        return Told("rolled-back", state.trial_target, state.trial_version, after.active, rollout, reason)
    if serving is None or serving.is_on_trial != (state.trial is not None):
        return None
    return _told("rolled-back", serving, after.active, rollout, reason)


def committed(serving: Serving, state: RoleState) -> Told:
    """Return what is to be told of a release that did well."""
    return _told("committed", serving, state.trial, state.rollout or "manual", None)


def _told(outcome: Outcome, serving: Serving, sha256: str | None, rollout: str, reason: str | None) -> Told:
    return Told(outcome, serving.manifest.target, serving.manifest.version, sha256, rollout, reason)
