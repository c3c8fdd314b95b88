"""The last known state of every room. What is not known is ``unknown``."""

from pydantic import ValidationError

from forge_hub.records.database import Database
from forge_hub.records.schema import Room
from forge_shared.clock import Clock
from forge_shared.logs import get_logger
from forge_shared.wire import Status, TwinReported

log = get_logger()


class Rooms:
    """Keeps births, last wills and twins. Blocks on the store: call it from a thread."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def note(self, node: str, path: str, payload: bytes) -> bool:
        """Keep what a node said of itself.

        Args:
            node: Name of the node.
            path: The topic below the node: ``status`` or ``twin/reported``.
            payload: The message.

        Returns:
            Whether the node has just come online.
        """
        try:
            if path == "status":
                status = Status.model_validate_json(payload)
                self._note_status(node, status)
                return status.state == "online"
            self._note_twin(node, TwinReported.model_validate_json(payload))
        except ValidationError:
            log.warning("room.unreadable-state", node=node)
        return False

    def _note_status(self, node: str, status: Status) -> None:
        with self._database.begin() as transaction:
            room = transaction.get(Room, node)
            if room is None:
                room = self._unknown(node)
                transaction.add(room)
            room.connection, room.version, room.seen_at = status.state, status.version, self._clock.now()
            if status.state == "offline":
                # Its last words are not its state now.
                room.hearing = room.sight = room.activity = "unknown"

    def _note_twin(self, node: str, twin: TwinReported) -> None:
        with self._database.begin() as transaction:
            room = transaction.get(Room, node)
            if room is None:
                room = self._unknown(node)
                transaction.add(room)
            room.hearing, room.sight, room.activity = twin.hearing, twin.sight, twin.activity
            room.session_on, room.pending_events, room.version = twin.session_on, twin.pending_events, twin.version
            room.seen_at = self._clock.now()

    def _unknown(self, node: str) -> Room:
        return Room(
            node=node,
            connection="unknown",
            hearing="unknown",
            sight="unknown",
            activity="unknown",
            session_on=False,
            pending_events=0,
            version="",
            seen_at=self._clock.now(),
        )
