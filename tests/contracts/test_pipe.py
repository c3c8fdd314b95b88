"""Outbox and ingest against a broker that loses, repeats and reorders: nothing lost, nothing twice, order kept.

The broker here is a world that the test alters; the real ones are met in the journeys.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import select
from tests.fakes.clock import FakeClock

from forge_edge.anonymiser import Anonymiser
from forge_edge.observations import FormObserved, RequestObserved
from forge_edge.outbox.store import Outbox
from forge_hub.ingest.reading import Arrived
from forge_hub.ingest.store import IngestStore
from forge_hub.records.database import open_database
from forge_hub.records.schema import EventLog
from forge_shared.ids import new_id
from forge_shared.sealing import Keyring
from forge_shared.topics import LANES, Lane


class Pipe(RuleBasedStateMachine):
    """A node, a hub, and an unreliable broker between them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FakeClock()
        self.anonymiser = Anonymiser("p-1", self.clock)
        self.keyring = Keyring.open(Path(self.folder.name) / "device.key")
        self.outbox = self.open_outbox()
        self.database = open_database(f"sqlite:///{self.folder.name}/hub.db")
        self.ingest = IngestStore("site", self.database, self.clock)
        self.produced: dict[Lane, list[str]] = {lane: [] for lane in LANES}

    def teardown(self) -> None:
        # The world becomes kind: everything is sent until it is acknowledged.
        for _ in range(5):
            self.deliver([message for lane in LANES for message in self.waiting(lane)])
            self.acknowledge()
        assert self.outbox.state().pending == 0
        for lane in LANES:
            assert self.logged(lane) == self.produced[lane], "committed equals produced, once, in order"
        self.outbox.close()
        self.database.close()
        self.folder.cleanup()

    @rule(lane=st.sampled_from(LANES))
    def something_happens(self, lane: Lane) -> None:
        observation = (
            RequestObserved("water", "voice")
            if lane == "alarm"
            else FormObserved(new_id(), "https://x.org/f|1", "stopped", (), (), None, 0, self.clock.now())
        )
        event = self.anonymiser.event_of(observation)
        assert event is not None
        self.produced[lane].append(self.outbox.append(event).id)

    @rule(data=st.data())
    def the_broker_delivers_some_in_any_order_and_some_twice(self, data: st.DataObject) -> None:
        waiting = [message for lane in LANES for message in self.waiting(lane)]
        if waiting:
            self.deliver(data.draw(st.lists(st.sampled_from(waiting), max_size=8)))

    @rule()
    def the_hub_acknowledges(self) -> None:
        self.acknowledge()

    @rule()
    def the_node_restarts(self) -> None:
        self.outbox.close()
        self.outbox = self.open_outbox()

    @rule()
    def garbage_arrives(self) -> None:
        self.deliver([Arrived("forge/v1/site/room-9/event/x/alarm/1", b"\xff")])

    @invariant()
    def nothing_is_logged_twice_or_out_of_order(self) -> None:
        for lane in LANES:
            logged = self.logged(lane)
            assert logged == self.produced[lane][: len(logged)]

    def open_outbox(self) -> Outbox:
        path = Path(self.folder.name) / "outbox.db"
        return Outbox(path, "site", "room-1", self.clock, limit_bytes=10**9, keyring=self.keyring)

    def waiting(self, lane: Lane) -> list[Arrived]:
        return [Arrived(e.address.topic(), e.to_json()) for e in self.outbox.pending(lane, 0, 1000)]

    def deliver(self, messages: Sequence[Arrived]) -> None:
        if messages:
            self.ingest.commit(messages)

    def acknowledge(self) -> None:
        for position in self.ingest.acknowledgement("room-1").positions:
            self.outbox.acknowledge(position)

    def logged(self, lane: Lane) -> list[str]:
        with self.database.read() as transaction:
            query = select(EventLog.event_id).where(EventLog.lane == lane).order_by(EventLog.position)
            return list(transaction.scalars(query))


TestPipe = Pipe.TestCase
TestPipe.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
