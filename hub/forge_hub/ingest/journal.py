"""The hub's own events: what its people decide enters the log as a node of the hub's name, numbered without gaps."""

import threading
import uuid
from collections.abc import Callable

from forge_hub.errors import RecordsError
from forge_hub.ingest.reading import Arrived
from forge_hub.ingest.store import Committed, IngestStore
from forge_shared import topics
from forge_shared.clock import Clock
from forge_shared.events import Envelope, EventData, source_of
from forge_shared.ids import new_id
from forge_shared.topics import Lane

ATTEMPTS = 10
"""How often a number is taken anew that another writer was given meanwhile. Ours: a hub has one writer, so a second
attempt is a rarity and a tenth a fault."""


class Journal:
    """Writes the hub's own events. Threads may share it; blocks on the database: call it from a thread.

    It remembers no number: each event takes the one after the last that is committed, so neither a kill nor a restored
    backup leaves a gap.

    Args:
        store: What writes the log.
        site: Name of the site.
        clock: Dates the events.
        on_committed: Called after every commit, in the caller's thread; must not block.
    """

    def __init__(
        self, store: IngestStore, site: str, clock: Clock, *, on_committed: Callable[[Committed], None] | None = None
    ) -> None:
        self._store = store
        self._site = site
        self._clock = clock
        self._on_committed = on_committed
        self._turn = threading.Lock()
        self._epoch = str(uuid.uuid5(uuid.NAMESPACE_URL, source_of(site, topics.HUB)))

    def append(self, data: EventData, subject: str) -> Committed:
        """Log one event.

        Args:
            data: What happened.
            subject: Pseudonym of the person whom it concerns.

        Raises:
            RecordsError: The log does not take it.
            sqlalchemy.exc.SQLAlchemyError: Nothing was logged.
        """
        with self._turn:
            committed = self._commit(data, subject)
        if self._on_committed is not None:
            self._on_committed(committed)
        return committed

    def _commit(self, data: EventData, subject: str) -> Committed:
        event_id, now = new_id(), self._clock.now()
        for _ in range(ATTEMPTS):
            sequence = self._next(data.lane)
            envelope = Envelope(
                id=event_id,
                source=source_of(self._site, topics.HUB),
                type=data.type_name(),
                time=now,
                subject=subject,
                epoch=self._epoch,
                lane=data.lane,
                sequence=sequence,
                data=data.model_dump(mode="json"),
            )
            committed = self._store.commit([Arrived(envelope.address.topic(), envelope.to_json(), own=True)])
            if committed.events:
                return committed
            if committed.quarantined:
                break
        raise RecordsError("the log did not take an event of the hub's own")

    def _next(self, lane: Lane) -> int:
        """Return the number after the last of a lane, in the one epoch of this hub."""
        positions = self._store.acknowledgement(topics.HUB).positions
        last = (place.sequence for place in positions if (place.epoch, place.lane) == (self._epoch, lane))
        return max(last, default=0) + 1
