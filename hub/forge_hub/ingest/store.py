"""Committing what arrived: event log, inbox and quarantine in one transaction.

Identity is (node, epoch, lane, sequence), carried by the topic. An event id that is already logged (a node that opened
a new epoch sends it under a new number) counts as received and is not logged again. A message that cannot be read
counts as received too, and is kept with its reason. The log keeps the order of each lane; an alarm that arrives beyond
a gap rings at once all the same.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from forge_hub.ingest.ledger import Ledger, acknowledgements
from forge_hub.ingest.quarantine import Space
from forge_hub.ingest.reading import Arrived, Unplaced, read
from forge_hub.ingest.replay import Replayed, replay
from forge_hub.records.database import Database
from forge_hub.records.erasures import ErasedPeople
from forge_shared.clock import Clock
from forge_shared.wire import Acknowledgement


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit changed.

    Attributes:
        events: New events in the log.
        duplicates: Events that had been received before.
        quarantined: Messages that could not be read.
        left: Messages too far beyond a gap to be kept; they are not acknowledged, and their nodes send them again.
        rung: Alarms beyond a gap whose alert was raised ahead of the log.
        acknowledgements: What to answer, by node.
        records_of: The nodes whose records were in the batch.
        alarms: How many of the new events came in the alarm lane.
        seconds: How long it took, waiting for another writer included.
    """

    events: int
    duplicates: int
    quarantined: int
    left: int
    rung: int
    acknowledgements: dict[str, Acknowledgement]
    records_of: frozenset[str]
    alarms: int = 0
    seconds: float = 0.0


class IngestStore:
    """Writes the event log. Threads may share it, one writes at a time; blocks on the database: call it from a thread.

    Two writers would let a projection read past an event whose transaction is still open, and never come back to it.

    Args:
        site: Name of the site.
        database: The records.
        clock: Dates what arrives.
        space: What the quarantine may hold.
    """

    def __init__(self, site: str, database: Database, clock: Clock, space: Space | None = None) -> None:
        self._site = site
        self._database = database
        self._clock = clock
        self._space = space or Space()
        self._writing = threading.Lock()

    def commit(self, batch: Sequence[Arrived]) -> Committed:
        """Commit a batch of messages in one transaction.

        Within a lane events are logged in the order of their sequence; what lies beyond a gap waits in the inbox.

        Returns:
            What is now acknowledged per node: its newest epochs, and those of the batch however old they look. It may
            be published as soon as this returns, not before.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: Nothing of the batch was committed.
        """
        began = self._clock.monotonic_seconds()
        readings = [read(self._site, message) for message in batch]
        addresses = [reading.address for reading in readings if not isinstance(reading, Unplaced)]
        named: dict[str, set[str]] = {}
        for address in addresses:
            named.setdefault(address.node, set()).add(address.epoch)
        with self._writing, self._counted(), self._database.begin() as transaction:
            erased = ErasedPeople.load(transaction)
            ledger = Ledger(transaction, self._site, self._clock.now(), erased, self._space)
            ledger.load(readings)
            for reading in readings:
                ledger.take(reading)
            ledger.write()
            answers = acknowledgements(transaction, named)
        count = ledger.count
        records_of = frozenset(address.node for address in addresses if address.lane == "record")
        return Committed(
            events=count.events,
            duplicates=count.duplicates,
            quarantined=count.quarantined,
            left=count.left,
            rung=count.rung,
            acknowledgements=answers,
            records_of=records_of,
            alarms=count.alarms,
            seconds=self._clock.monotonic_seconds() - began,
        )

    def replay(self, entry_id: str | None = None) -> Replayed:
        """Let what is in quarantine, or one entry of it, enter the log where this version can read it now.

        Args:
            entry_id: Which entry; None: all of them, in the order in which they came.

        Raises:
            NotFoundError: There is no such entry.
            sqlalchemy.exc.SQLAlchemyError: Nothing was changed.
        """
        with self._writing, self._database.begin() as transaction:
            self._space.forget()
            return replay(transaction, self._site, self._clock.now(), entry_id)

    def acknowledgement(self, node: str) -> Acknowledgement:
        """Return what is committed of a node's newest epochs."""
        with self._database.read() as transaction:
            return acknowledgements(transaction, {node: ()})[node]

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count the quarantine anew after a transaction that failed: its entries are not there."""
        try:
            yield
        except BaseException:
            self._space.forget()
            raise
