"""Watches what serves on trial and ends the trial: it stays, or what did well before serves again within seconds."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from forge_edge.update.slots import RoleState
from forge_edge.update.trial import Judged, Observed, judge
from forge_edge.updating.figures import greater, hottest_celsius, percentile_95
from forge_edge.updating.ports import ROLES, ServedRoom
from forge_edge.updating.record import Record, committed, taken_back
from forge_shared.clock import Clock
from forge_shared.logs import get_logger
from forge_shared.releases import ReleaseRole

WATCH_SECONDS: Final = 1.0
"""How often trials are judged: with the start of a process it is over within ten seconds of a fault."""
KEEP_SECONDS: Final = 60.0
"""How often it is written at most how long trials have gone on: a card wears, and a start of the node costs as much of
a trial. Ours."""

log = get_logger()


@dataclass(slots=True)
class _Trial:
    digest: str
    looked_seconds: float
    works: bool
    worked_seconds: float
    memory_mb: float | None = None
    temperature_celsius: float | None = None


class Trials:
    """The trials of this start of the node; how long they have gone on was kept from the one before.

    Args:
        record: What serves.
        room: Where it does.
        clock: Measures how long.
        hottest: Returns the device's temperature in degrees Celsius, None where it is not known; default: its sensors.
        watch_seconds: How often they are judged.

    Attributes:
        leaving: Roles that are to go back to what they had: no trial of theirs is kept.
    """

    def __init__(
        self,
        record: Record,
        room: ServedRoom,
        clock: Clock,
        *,
        hottest: Callable[[], float | None] | None = None,
        watch_seconds: float = WATCH_SECONDS,
    ) -> None:
        self._record = record
        self._room = room
        self._clock = clock
        self._hottest = hottest or hottest_celsius
        self._watch_seconds = watch_seconds
        self._trials: dict[ReleaseRole, _Trial] = {}
        self._is_stuck = False
        self.leaving: set[ReleaseRole] = set()
        self._kept_at = clock.monotonic_seconds()
        self._is_unkept = False

    def observed(self, role: ReleaseRole) -> Observed | None:
        """Return what was seen of the release that serves a role on trial; None: none does."""
        state, trial = self._record.state(role), self._trials.get(role)
        if state.trial is None or trial is None or trial.digest != state.trial:
            return None
        measured = self._room.measured(role)
        return Observed(
            seconds=trial.worked_seconds,
            starts=state.trial_starts,
            failures=measured.faults,
            latency_ms=percentile_95(measured.took_ms or ()),
            measurements=None if measured.took_ms is None else len(measured.took_ms),
            memory_mb=greater(trial.memory_mb, measured.memory_mb),
            temperature_celsius=trial.temperature_celsius,
        )

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(self._watch_seconds)

    async def look(self) -> None:
        """Judge every trial. What cannot be written is tried again: what serves until then is whole."""
        for role in ROLES:
            try:
                await self.watch(role)
                self._is_stuck = False
            except OSError:
                if not self._is_stuck:
                    log.exception("release.trial-not-ended", role=role)
                self._is_stuck = True
        await self._keep()

    async def watch(self, role: ReleaseRole) -> None:
        """Judge the trial of a role, if there is one.

        Raises:
            OSError: Its end could not be written.
        """
        state = self._record.state(role)
        if state.trial is None:
            self._trials.pop(role, None)
            return
        now, measured = self._clock.monotonic_seconds(), self._room.measured(role)
        trial = self._trials.get(role)
        if trial is None or trial.digest != state.trial:
            trial = self._trials[role] = _Trial(state.trial, now, measured.works, state.trial_seconds)
        if trial.works and measured.works:
            trial.worked_seconds += now - trial.looked_seconds
        trial.looked_seconds, trial.works = now, measured.works
        trial.temperature_celsius = greater(trial.temperature_celsius, self._hottest())
        trial.memory_mb = greater(trial.memory_mb, measured.memory_mb)
        serving, observed = self._record.serving(role), self.observed(role)
        if serving is None or not serving.is_on_trial:
            await self._end(role, Judged("roll-back", "files-gone"))
        elif observed is not None:
            await self._end(role, judge(serving.manifest.limits, observed))

    async def _keep(self) -> None:
        """Write how long the trials have gone on, where that has not been written for a while."""
        now = self._clock.monotonic_seconds()
        if now - self._kept_at < KEEP_SECONDS:
            return
        served = {
            role: (trial.digest, trial.worked_seconds)
            for role, trial in self._trials.items()
            if trial.worked_seconds > self._record.state(role).trial_seconds
        }
        if not served:
            return
        self._kept_at = now
        try:
            await self._record.served(served)
            self._is_unkept = False
        except OSError:
            if not self._is_unkept:
                log.exception("release.trial-not-kept")
            self._is_unkept = True

    async def _end(self, role: ReleaseRole, judged: Judged) -> None:
        serving, reason = self._record.serving(role), judged.reason
        digest = self._record.state(role).trial
        if judged.verdict == "commit" and serving is not None and role not in self.leaving:

            def keep(state: RoleState) -> RoleState:
                if state.trial != digest or role in self.leaving:
                    return state
                return state.committed().telling(committed(serving, state))

            await self._record.note(role, keep)
            if self._record.state(role).good == digest:
                log.info("release.committed", role=role, release=serving.manifest.target)
        elif judged.verdict == "roll-back" and reason is not None:
            await self.take_back(role, reason)

    async def take_back(self, role: ReleaseRole, reason: str) -> None:
        """End a trial now: what did well before serves again, and this release never again.

        Raises:
            OSError: It could not be written.
        """
        serving, digest = self._record.serving(role), self._record.state(role).trial

        def alter(state: RoleState) -> RoleState:
            if state.trial != digest:
                return state  # it was taken back already
            after = state.failed(reason)
            told = taken_back(serving, state, after, reason=reason)
            return after if told is None else after.telling(told)

        await self._record.switch(role, alter, at_once=True)
        log.warning("release.taken-back", role=role, reason=reason)
