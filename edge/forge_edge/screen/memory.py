"""What the screen remembers between two moments: the call on its way, captions, a note. Never on a disk."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from forge_edge.dialogue.conversation import Conversation
from forge_edge.messages import SpeechHeard
from forge_edge.screen import calls, captions, light
from forge_edge.screen.calls import Call
from forge_edge.screen.captions import Captions
from forge_edge.screen.decisions import Outcome
from forge_edge.screen.light import Light
from forge_shared.clock import Clock
from forge_shared.events import Envelope, RequestCode
from forge_shared.wire import LanePosition

FORM_SECONDS = 180.0
"""How long a question stays on the screen that nobody touches. Ours: people who are low take long to answer, and what
is asked of them is nobody else's business."""

MOST_WATCHERS = 8
"""Pages that are kept up to date at once. A room has one; a browser that reloads leaves another for seconds."""


class ScreenMemory:
    """Kept by the core, which tells it what happens; read by the pages. Used on the event loop.

    Args:
        clock: The room's time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._captions = Captions()
        self._call: Call | None = None
        self._wish: light.Wish | None = None
        self._form_seconds: float | None = None
        self._watchers: list[asyncio.Event] = []
        self._kept_dark = False
        self.note = ""

    # What the core tells

    def changed(self) -> None:
        """Something that is shown may have changed."""
        for watcher in self._watchers:
            watcher.set()

    def heard(self, speech: SpeechHeard, conversation: Conversation) -> None:
        """Something was heard in this conversation."""
        self.note = ""
        self._captions = captions.heard(self._captions, speech, conversation, self._now())

    def said(self, sentences: Sequence[str], was: Conversation, conversation: Conversation) -> None:
        """The room goes from one state to the next and says this."""
        self._captions = captions.said(self._captions, sentences, was, conversation, self._now())

    def called(self, request: RequestCode, envelope: Envelope | None, *, hub: bool) -> None:
        """Somebody asked for something; ``envelope`` is its event, if it could be stored."""
        self._call = calls.made(request, envelope, self._now(), hub=hub, before=self._call)

    def repeats_call(self, request: RequestCode) -> bool:
        """Tell whether asking for this now only repeats a call on its way."""
        return calls.is_same(self._call, request, self._now())

    def acknowledged(self, position: LanePosition) -> None:
        """The hub has everything up to there."""
        if self._call is not None:
            self._call = calls.acknowledged(self._call, position, self._now())
            self.changed()

    def overdue(self) -> None:
        """What was called is not coming through."""
        if self._call is not None:
            self._call = calls.overdue(self._call, self._now())

    def accepted(self, event: str) -> None:
        """A person has taken the alert of this event."""
        if self._call is not None:
            self._call = calls.accepted(self._call, event, self._now())

    def reopened(self, event: str) -> None:
        """That person gave it back."""
        if self._call is not None:
            self._call = calls.reopened(self._call, event, self._now())

    def call_was_seen(self) -> None:
        """The patient does not need to see the call any more."""
        self._call = None

    def dim(self, now: datetime | None, night: light.Night, *, dark: bool) -> None:
        """The patient wants it dark or bright, until day or night begins."""
        self._wish = light.Wish(dark, light.is_night(now, night))

    def keep_dark(self, *, dark: bool) -> None:
        """Be dark, or by the hour again, until the patient wants it otherwise."""
        self._kept_dark, self._wish = dark, None
        self.changed()

    def says(self, note: str) -> None:
        """Show a sentence until something else happens."""
        self.note = note
        self.changed()

    def tapped(self, outcome: Outcome) -> None:
        """A touch had this outcome."""
        self.note = outcome.note
        if outcome.in_form is not None:
            self._form_seconds = self._now() if outcome.in_form else None

    @property
    def has_form(self) -> bool:
        """Whether a form is on the screen."""
        return self._form_seconds is not None

    def is_form_left(self, now: float) -> bool:
        """Tell whether a form is on the screen that nobody has touched for long."""
        return self._form_seconds is not None and now - self._form_seconds > FORM_SECONDS

    def leave_form(self) -> None:
        """Take the form off the screen."""
        self._form_seconds = None

    def forget(self) -> None:
        """Forget the person of a stay that ended."""
        self._form_seconds = None
        self._captions, self._call, self._wish, self.note = Captions(), None, None, ""
        self.changed()

    # What the pages read

    def captions(self, conversation: Conversation) -> Captions:
        """Return what is shown of the last exchange."""
        return captions.at(self._captions, conversation, self._now())

    @property
    def is_in_form(self) -> bool:
        """Whether a form is being answered by touch."""
        return self._form_seconds is not None

    @property
    def moment(self) -> int:
        """The present, so that a page does not put older news in place of newer: monotonic milliseconds."""
        return int(1000 * self._now())

    @property
    def call(self) -> Call | None:
        """The call that is shown."""
        return None if self._call is None or calls.is_over(self._call, self._now()) else self._call

    def light(self, now: datetime | None, night: light.Night) -> Light:
        """Return how bright the screen is."""
        if self._kept_dark and self._wish is None:
            return "night"
        return light.shown(now, night, self._wish)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[asyncio.Event | None]:
        """Yield an event that is set at each change; None where too many watch already."""
        if len(self._watchers) >= MOST_WATCHERS:
            yield None
            return
        watcher = asyncio.Event()
        self._watchers.append(watcher)
        try:
            yield watcher
        finally:
            self._watchers.remove(watcher)

    def _now(self) -> float:
        return self._clock.monotonic_seconds()
