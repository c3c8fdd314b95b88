"""Keeps the room's releases as the site wants them, at moments in which nobody needs the room. See docs/adr/0038."""

import asyncio
import json
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from forge_edge.errors import UpdateRefusedError, UpdateUnreachableError
from forge_edge.update import wishes
from forge_edge.update.choice import Choice, GoBack, Keep, Refuse, Take, choose
from forge_edge.update.fetching import Fetching, Parcel
from forge_edge.update.slots import Change, RoleState
from forge_edge.update.trial import MOST_STARTS
from forge_edge.update.trusted import Wanted
from forge_edge.updating.parts import Parts
from forge_edge.updating.ports import ROLES
from forge_edge.updating.record import Record, taken_back
from forge_edge.updating.report import Doing, lines
from forge_edge.updating.served import Served
from forge_edge.updating.trials import Trials
from forge_shared.backoff import Backoff
from forge_shared.logs import get_logger
from forge_shared.releases import Manifest, ReleaseRole
from forge_shared.tasks import until_first_failure
from forge_shared.wire import RoomRelease

FETCHED: Final = "fetched"
STATUS: Final = "releases.json"
"""File of the state folder with what `forge-edge updates show` says."""
LASTING: Final = frozenset(
    {"golden-differs", "golden-failed", "golden-crashed", "golden-slow", "golden-unreadable", "build-slow"}
    | {"no-release", "no-manifest", "unlisted-file", "missing-file", "another-role", "not-as-signed"}
)
"""Reasons for which the same bytes are not tried again. What a line, a disk or a package can mend is."""

log = get_logger()


@dataclass(slots=True)
class _Ready:
    """A release that was proved and waits for a moment in which nobody needs the room."""

    wanted: Wanted
    packed: Path
    since: float
    quiet_since: float | None = None


class Updater:
    """The node's updater, one task of its core. `prepare` comes before the room's children are started.

    Attributes:
        distrust: Why what the hub said of releases last was not believed; None: it was.
    """

    def __init__(self, parts: Parts, *, hottest: Callable[[], float | None] | None = None) -> None:
        self._parts = parts
        self._room, self._pace, self._clock = parts.room, parts.pace, parts.clock
        self._record = Record(parts.slots, parts.room)
        self.trials = Trials(self._record, parts.room, parts.clock, hottest=hottest, watch_seconds=parts.pace.step)
        self.served = Served(self._record, parts.room, parts.clock, hottest=hottest)
        self._chance = random.Random()  # noqa: S311 (when to look is no secret)
        self._woken = asyncio.Event()
        self._is_over = threading.Event()
        self._doing: dict[ReleaseRole, Doing] = {}
        self._ready: dict[ReleaseRole, _Ready] = {}
        self._choosing = asyncio.Lock()
        self._refused: set[tuple[str, str, str]] = set()
        self.distrust: str | None = None
        self._shown = b""
        self._fetching = Fetching(parts.folder / FETCHED, parts.source, parts.clock, self._progress, self._is_cut)
        self._fetched_for: ReleaseRole | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def releases(self) -> tuple[RoomRelease, ...]:
        """What the room has in each role, as the twin says it."""
        return lines(self._record, self.trials, self.served, self._doing, self.distrust)

    def wake(self) -> None:
        """Look soon: the hub has said that something changed."""
        self._woken.set()

    async def prepare(self) -> None:
        """Count the start for what is on trial; what the node has started with too often is taken back."""
        for role in ROLES:
            state = self._record.state(role)
            if state.trial is None:
                continue
            serving, after = self._record.serving(role), state.started()
            if after.trial_starts >= MOST_STARTS or serving is None or not serving.is_on_trial:
                reason = "files-gone" if after.trial_starts < MOST_STARTS else "restarts"
                after = after.failed(reason)
                told = taken_back(serving, state, after, reason=reason)
                after = after if told is None else after.telling(told)
                log.warning("release.taken-back", role=role, reason=reason)
            try:
                self._parts.slots.set(role, after)
            except OSError:
                # A room whose disk takes nothing must start all the same.
                log.exception("releases.start-not-counted", role=role)

    async def run(self) -> None:
        """Keep the releases as the site wants them until cancelled. Whatever fails here, the room goes on."""
        self._loop = asyncio.get_running_loop()
        backoff = Backoff(*self._pace.retry)
        try:
            while True:
                try:
                    await self._record.tell_all()
                    await until_first_failure(
                        self._keep_looking(),
                        self._keep_switching(),
                        self.trials.run(),
                        self.served.run(),
                        self._follow_wishes(),
                    )
                except Exception:  # a model that is not exchanged harms nobody; a node that ends for it would
                    log.exception("updater.failed")
                    await asyncio.sleep(backoff.failed())
        finally:
            # A thread that fetches must not keep the node from ending.
            self._is_over.set()
            self._parts.hang_up()

    async def _keep_looking(self) -> None:
        backoff = Backoff(*self._pace.retry)
        while True:
            self._woken.clear()
            try:
                await self.look()
            except UpdateUnreachableError as error:
                if self._woken.is_set():
                    continue  # a fetch was cut for it
                if backoff.failures == 0:
                    log.info("releases.unreachable", code=error.code)
                wait = backoff.failed()
            except OSError:
                if backoff.failures == 0:
                    log.exception("releases.disk-failed")
                wait = backoff.failed()
            else:
                if failures := backoff.succeeded():
                    log.info("releases.reached", after_failures=failures)
                wait = self._pace.look * self._chance.uniform(0.8, 1.2)
            try:
                async with asyncio.timeout(wait):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Look once what the room shall have, and make it ready; `switch_ready` lets it serve.

        Every role has its turn before an error of one is raised; what goes back or is refused comes before what is
        fetched.

        Raises:
            UpdateUnreachableError: The hub cannot be reached; what serves goes on.
            OSError: The disk failed; what serves goes on.
        """
        try:
            wanted = await asyncio.to_thread(self._parts.look)
        except UpdateRefusedError as error:
            if self.distrust != error.reason:
                log.warning("releases.refused", reason=error.reason)
            self.distrust = error.reason
            self._report()
            return
        self.distrust = None
        await asyncio.to_thread(self._fetching.forget, {each.sha256 for each in wanted.values()})
        if self._woken.is_set():
            return  # what was read is old
        choices = {role: self._chosen(role, wanted.get(role)) for role in ROLES}
        # What is withdrawn waits for no download, and nothing of one role for an error of another.
        at_once = [role for role, choice in choices.items() if not isinstance(choice, Take)]
        ends = await asyncio.gather(*(self._follow(role, choices[role]) for role in at_once), return_exceptions=True)
        errors = [end for end in ends if end is not None]
        for role in ROLES:
            if role in at_once:
                continue
            if self._woken.is_set():
                break
            try:
                await self._follow(role, choices[role])
            except Exception as error:  # noqa: BLE001 (it is raised once every role has had its turn)
                errors.append(error)
        self._report()
        if errors:
            # The line is mended by waiting; whatever else it was is to be seen first.
            raise next((error for error in errors if not isinstance(error, UpdateUnreachableError)), errors[0])

    def _chosen(self, role: ReleaseRole, wanted: Wanted | None) -> Choice:
        obstacle = self._room.obstacle(role)
        choice = choose(wanted, self._record.state(role), hardware=self._parts.hardware, obstacle=obstacle)
        # What is to go back is not kept any more, however long it waits for a moment in which it can.
        if isinstance(choice, GoBack):
            self.trials.leaving.add(role)
        else:
            self.trials.leaving.discard(role)
        return choice

    async def _follow(self, role: ReleaseRole, choice: Choice) -> None:
        async with self._choosing:
            ready = self._ready.get(role)
            if ready is not None and not (isinstance(choice, Take) and ready.wanted == choice.wanted):
                del self._ready[role]
                await self._record.let_go(role)
        match choice:
            case Keep():
                self._doing.pop(role, None)
            case GoBack():
                await self._go_back(role, choice, at_once=False)
                self._doing.pop(role, None)
            case Refuse():
                await self._refuse(role, choice.wanted, choice.reason)
            case Take():
                try:
                    await self._make_ready(role, choice.wanted)
                except UpdateRefusedError as error:
                    await self._record.let_go(role)
                    await self._refuse(role, choice.wanted, error.reason)

    async def _make_ready(self, role: ReleaseRole, wanted: Wanted) -> None:
        """Fetch a release, put it in and prove it."""
        if role in self._ready:
            return
        self._fetched_for = role
        self._note(role, Doing("fetching", wanted.target, wanted.rollout, percentage=0))
        path = f"images/targets/{wanted.sha256}.{wanted.target}"
        packed = await asyncio.to_thread(self._fetching.fetch, Parcel(path, wanted.length, wanted.sha256))
        self._note(role, Doing("proving", wanted.target, wanted.rollout))
        manifest = await asyncio.to_thread(self._parts.slots.put_in, role, wanted.sha256, packed)
        _check(manifest, wanted)
        await self._parts.prover.prove(self._parts.slots.place(role, wanted.sha256), manifest)
        self._note(role, Doing("waiting", wanted.target, wanted.rollout))
        self._ready[role] = _Ready(wanted, packed, self._clock.monotonic_seconds())

    async def _keep_switching(self) -> None:
        is_stuck = False
        while True:
            try:
                await self.switch_ready()
                is_stuck = False
            except OSError:
                if not is_stuck:
                    log.exception("releases.disk-failed")
                is_stuck = True
            await asyncio.sleep(self._pace.step)

    async def switch_ready(self) -> None:
        """Let what is ready serve on trial, where nobody has needed the room for a while; else say why it waits.

        Raises:
            OSError: The disk failed; what serves goes on.
        """
        for role, ready in list(self._ready.items()):
            now, need = self._clock.monotonic_seconds(), self._room.needed(role)
            wanted = ready.wanted
            if need is not None:
                ready.quiet_since = None
                reason = need if now - ready.since < self._pace.overdue else "overdue"
                self._note(role, Doing("waiting", wanted.target, wanted.rollout, reason=reason))
                continue
            ready.quiet_since = now if ready.quiet_since is None else ready.quiet_since
            if now - ready.quiet_since >= self._pace.quiet:
                await self._begin(role, ready)

    async def _begin(self, role: ReleaseRole, ready: _Ready) -> None:
        wanted = ready.wanted
        if self._record.state(role).trial is not None:
            await self._go_back(role, GoBack("good"), at_once=False)
        on_trial = Change("on-trial", wanted.target, wanted.version, wanted.sha256, wanted.rollout)

        def begin(state: RoleState) -> RoleState:
            begun = state.began(wanted.sha256, wanted.rollout, target=wanted.target, version=wanted.version)
            return begun.telling(on_trial)

        async with self._choosing:
            # What a look has let go meanwhile is not on the disk any more.
            is_wanted = self._ready.get(role) is ready
            if not is_wanted or not await self._record.switch(role, begin, at_once=False):
                return
            del self._ready[role]
            self._doing.pop(role, None)
        log.info("release.on-trial", role=role, release=wanted.target)
        self._report()
        await asyncio.to_thread(ready.packed.unlink, missing_ok=True)

    async def _go_back(self, role: ReleaseRole, choice: GoBack, *, at_once: bool, reason: str = "withdrawn") -> None:
        """Let what did well before, or what came with the node, serve again. What serves now is not held against it."""
        leaving = self._record.state(role).trial
        began = self._clock.monotonic_seconds()

        def returned(state: RoleState) -> RoleState:
            if choice.to == "came-with-node":
                return state.bare()
            return state.withdrawn() if state.trial == leaving else state

        def alter(state: RoleState) -> RoleState:
            after = returned(state)
            if after.active == state.active:
                return state
            told = taken_back(self._record.serving(role), state, after, reason=reason)
            return after if told is None else after.telling(told)

        # While it waits, the trial may end by itself.
        while returned(state := self._record.state(role)).active != state.active:
            if await self._record.switch(role, alter, at_once=at_once):
                log.warning("release.taken-back", role=role, reason=reason)
                break
            at_once = self._clock.monotonic_seconds() - began >= self._pace.withdraw
            await asyncio.sleep(self._pace.step)
        self.trials.leaving.discard(role)

    async def _refuse(self, role: ReleaseRole, wanted: Wanted, reason: str) -> None:
        self._note(role, Doing("refused", wanted.target, wanted.rollout, reason=reason))
        state = self._record.state(role)
        refusal = (wanted.sha256, wanted.rollout, reason)
        if refusal in self._refused or state.has_answered(wanted.sha256, wanted.rollout):
            return  # this roll-out was told
        self._refused.add(refusal)
        log.warning("release.refused", role=role, release=wanted.target, reason=reason)
        told = Change("refused", wanted.target, wanted.version, wanted.sha256, wanted.rollout, reason)

        def alter(before: RoleState) -> RoleState:
            after = before.refused(wanted.sha256, reason) if reason in LASTING else before
            return after.answering(wanted.sha256, wanted.rollout).telling(told)

        await self._record.note(role, alter)

    async def _follow_wishes(self) -> None:
        while True:
            wish = await asyncio.to_thread(wishes.take, self._parts.folder)
            if wish is not None and wish.act == "check":
                self.wake()
            elif wish is not None and wish.role is not None:
                await self.back(wish.role)
            await asyncio.sleep(self._pace.step)

    async def back(self, role: ReleaseRole) -> None:
        """Go back to what did well before, now: a person at the node wants it. What served is not taken again.

        Raises:
            OSError: It could not be written.
        """
        state = self._record.state(role)
        if state.trial is not None:
            await self.trials.take_back(role, "by-hand")
        elif state.good is not None:
            good = state.good
            await self._record.note(role, lambda before: before.refused(good, "by-hand"))
            await self._go_back(role, GoBack("came-with-node"), at_once=True, reason="by-hand")
        self._report()

    def _is_cut(self) -> bool:
        return self._is_over.is_set() or self._woken.is_set()

    def _progress(self, there: int, of: int) -> None:
        """Note how far a release is; called from the thread that fetches it."""
        role, loop = self._fetched_for, self._loop
        doing = None if role is None else self._doing.get(role)
        if role is not None and doing is not None and loop is not None:
            loop.call_soon_threadsafe(self._note, role, doing.at(100 * there // max(of, 1)))

    def _note(self, role: ReleaseRole, doing: Doing) -> None:
        if self._doing.get(role) != doing:
            self._doing[role] = doing
            self._report()

    def _report(self) -> None:
        said = json.dumps([each.model_dump(mode="json", exclude_defaults=True) for each in self.releases]).encode()
        if said == self._shown:
            return
        self._shown = said
        self._room.report()
        status = self._parts.folder / STATUS
        try:
            # Nobody misses it after a power cut, and flash memory wears.
            status.with_suffix(".new").write_bytes(said)
            status.with_suffix(".new").replace(status)
        except OSError:
            log.exception("releases.status-not-written")


def _check(manifest: Manifest, wanted: Wanted) -> None:
    """Compare what a release says of itself with what was signed of it."""
    said = (manifest.target, manifest.role, manifest.version, manifest.release_counter)
    if said != (wanted.target, wanted.role, wanted.version, wanted.counter):
        raise UpdateRefusedError("not-as-signed")
