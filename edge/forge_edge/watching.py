"""The room's sight: whether it sees, and where its looks go. The core's side of the eyes."""

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Literal

import numpy as np

from forge_edge.children import EyesChild
from forge_edge.messages import DrawingPage, OpenDrawing, Seen, Shown, Sight
from forge_edge.monitor.looks import Look, Measures
from forge_edge.observations import SenseObserved
from forge_edge.room_clock import RoomClock
from forge_shared.events import SenseReason

State = Literal["ok", "lost", "closed", "starting"]

NO_MASKS = "none"
"""The version of masks before anything was seen."""
MOST_TIMES = 1000
"""Of the newest inferences whose time is kept: some minutes of a room in which somebody moves. Ours."""
DRAWING_SECONDS = 3.0
"""How long the eyes may take to open their drawing page; a screen's touch waits for four."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The eyes' drawing page, as the room's screen leads to it.

    Attributes:
        port: Where it is, on loopback.
        token: Opens it, once. Never in a log or an address.
    """

    port: int
    token: str = field(repr=False)


class Watching:
    """What the room knows of its eyes. Runs on the event loop.

    Every change of state is observed once: a camera that stays lost while its process is started again and again is one
    loss.

    Args:
        eyes: Makes the child that sees; None: the room has no camera.
        observe: Takes what is observed.
        clock: The room's clock.
        zone: Returns the room's time zone; None: the machine's.
        on_look: Called with every look that there is time for, in order.

    Attributes:
        took_ms: How long the newest inferences took.
        faults: How often the eyes ended by themselves while their camera worked, since they were started anew.
    """

    def __init__(
        self,
        eyes: Callable[..., EyesChild] | None,
        *,
        observe: Callable[[SenseObserved], Awaitable[None]],
        clock: RoomClock,
        zone: Callable[[], tzinfo | None],
        on_look: Callable[[Look], Awaitable[None]] | None = None,
    ) -> None:
        self._observe = observe
        self._clock = clock
        self._zone = zone
        self._on_look = on_look
        self._eyes = (
            None if eyes is None else eyes(on_said=self._on_said, on_gone=self._on_gone, on_closed=self._on_closed)
        )
        self._allowed = True
        self._source: State = "starting"
        self._blind = False
        self._changing = asyncio.Lock()
        self._closed_by: SenseReason = "consent-withdrawn"
        self._page: asyncio.Future[int | None] | None = None
        self.took_ms: deque[float] = deque(maxlen=MOST_TIMES)
        self.faults = 0
        self.masks = NO_MASKS
        self.drawing: Drawing | None = None

    @property
    def state(self) -> str:
        """``ok``, ``lost``, ``closed`` or ``starting``; lost too where the camera gives pictures that show nothing."""
        return self.camera or "closed"

    @property
    def camera(self) -> State | None:
        """As `state`; None where there is no camera."""
        if self._eyes is None:
            return None
        return "lost" if self._blind and self._source == "ok" else self._source

    async def run(self) -> None:
        """Keep the eyes running until cancelled; without a camera there is nothing to run.

        Raises:
            EngineError: The eyes cannot be started.
            NodeConfigError: The socket cannot be opened.
        """
        if self._eyes is not None:
            await self._eyes.run()

    async def allow(self, *, allowed: bool, reason: SenseReason = "consent-withdrawn") -> tuple[SenseObserved, ...]:
        """Let the eyes be open, or end their process: only then has the camera been let go for certain.

        Args:
            allowed: Whether they may be open.
            reason: Why they may not.

        Returns:
            What is to be observed of it.
        """
        if self._eyes is None or allowed == self._allowed:
            return ()
        self._allowed, self._closed_by = allowed, reason
        self._forget_page()
        async with self._changing:
            ended = await self._eyes.close(closed=not allowed)
        if allowed:
            self._source, self._blind = "starting", False
            return ()
        return self._closed() if ended else ()

    @property
    def pid(self) -> int | None:
        """The eyes' process; None: there is none."""
        return None if self._eyes is None else self._eyes.pid

    async def start_anew(self) -> None:
        """Let another process be the eyes: what it reads from the disk may have changed."""
        self.took_ms.clear()
        self.faults = 0
        self._forget_page()
        if self._eyes is not None and self._allowed:
            self._source = "starting"
            await self._eyes.restart()

    async def see(self, reason: SenseReason | None) -> None:
        """Note why what the camera shows is of no use, or (None) that it is again."""
        await self._change(self._source, "recovered" if reason is None else reason, blind=reason is not None)

    async def draw(self, screen_port: int) -> Drawing | None:
        """Let the eyes open their drawing page; None where they do not. Its end is noted by itself.

        Args:
            screen_port: Port of the room's screen.
        """
        self._forget_page()
        if self._eyes is None or not self._allowed:
            return None
        page = self._page = asyncio.get_running_loop().create_future()
        order = OpenDrawing(token=secrets.token_urlsafe(32), screen_port=screen_port)
        try:
            async with asyncio.timeout(DRAWING_SECONDS):
                port = await page if await self._eyes.draw(order) else None
        except TimeoutError:
            port = None
        finally:
            if self._page is page:  # else somebody else has given the number meanwhile
                self._page = None
        self.drawing = Drawing(port, order.token) if port is not None else None
        return self.drawing

    def _forget_page(self) -> None:
        self.drawing = None
        if self._page is not None and not self._page.done():
            self._page.set_result(None)

    async def _on_said(self, said: Shown) -> None:
        if not self._allowed:
            return  # what eyes had still said before they were closed
        match said:
            case Sight():
                restarted = said.reason == "started" and self._source == "lost"
                await self._change(said.state, "recovered" if restarted else said.reason, blind=self._blind)
            case Seen():
                self.masks = said.masks
                if said.took_ms is not None:
                    self.took_ms.append(said.took_ms)
                if self._on_look is not None:
                    await self._on_look(self._look(said))
            case DrawingPage(port=None):
                self._forget_page()
            case DrawingPage() if self._page is not None and not self._page.done():
                self._page.set_result(said.port)

    async def _on_gone(self) -> None:
        self._forget_page()
        if self._allowed:
            self.faults += self._source != "lost"  # of eyes whose camera is gone nobody knows why they end
            await self._change("lost", "process-died", blind=self._blind)

    async def _on_closed(self) -> None:
        async with self._changing:  # `allow` waits for it too, and returns what is to be observed if it still can
            pass
        if not self._allowed:
            for observation in self._closed():
                await self._observe(observation)

    def _closed(self) -> tuple[SenseObserved, ...]:
        if self._source == "closed":
            return ()
        self._source = "closed"
        return (SenseObserved(sense="sight", state="closed", reason=self._closed_by),)

    async def _change(self, source: State, reason: SenseReason, *, blind: bool) -> None:
        before = self.state
        self._source, self._blind = source, blind
        match self.state:
            case "ok" | "lost" | "closed" as state if state != before:
                await self._observe(SenseObserved(sense="sight", state=state, reason=reason))

    def _look(self, seen: Seen) -> Look:
        measures = seen.measures
        return Look(
            at_s=seen.at_s,
            people=tuple(np.array(person, np.float32).reshape(-1, 4) for person in seen.people),
            measures=None
            if measures is None
            else Measures(measures.luma, measures.contrast, measures.motion, measures.scene),
            aspect=seen.aspect,
            day_s=self._day_s(),
            looked=seen.looked,
        )

    def _day_s(self) -> float | None:
        if self._clock.is_wrong:
            return None
        now = self._clock.now().astimezone(self._zone())
        return 3600.0 * now.hour + 60.0 * now.minute + now.second
