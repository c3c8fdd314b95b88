"""The last known state of every room. What is not known is ``unknown``."""

from forge_hub.fleet.room_releases import note_releases
from forge_hub.records.database import Database
from forge_hub.records.schema import Room
from forge_shared.clock import Clock
from forge_shared.logs import get_logger
from forge_shared.wire import Status, TwinReported

_MOST_PENDING = 2**31 - 1
"""The largest number in a column of 32 bits."""

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
                _check_version(status.version)
                self._note_status(node, status)
                return status.state == "online"
            twin = TwinReported.model_validate_json(payload)
            _check_version(twin.version)
            self._note_twin(node, twin)
        except ValueError:  # pydantic's errors are ValueErrors
            log.warning("room.unreadable-state", node=node)
        return False

    def _note_status(self, node: str, status: Status) -> None:
        with self._database.begin() as transaction:
            room = transaction.get(Room, node)
            if room is None:
                room = self._unknown(node)
                transaction.add(room)
            room.connection, room.version = status.state, status.version
            if status.state == "online":
                room.seen_at = self._clock.now()
            else:
                # Its last words are not its state now. The will speaks for a room that was not seen any more.
                room.hearing = room.sight = room.activity = "unknown"
                room.session_on, room.capture = False, None

    def _note_twin(self, node: str, twin: TwinReported) -> None:
        with self._database.begin() as transaction:
            room = transaction.get(Room, node)
            if room is None:
                room = self._unknown(node)
                transaction.add(room)
            room.pending_events, room.version = min(twin.pending_events, _MOST_PENDING), twin.version
            # The broker keeps a room's last twin and repeats it to a hub that comes back: it says when it was true.
            room.seen_at = min(twin.at, self._clock.now())
            room.hardware = twin.hardware
            note_releases(transaction, node, twin, self._clock.now())
            room.troubles, room.clock_error_seconds = " ".join(twin.troubles), twin.clock_error_seconds
            if room.connection != "offline":
                room.hearing, room.sight, room.activity = twin.hearing, twin.sight, twin.activity
                room.session_on, room.twin_revision = twin.session_on, twin.revision
                room.capture = None if twin.capture is None else " ".join(twin.capture)

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


def _check_version(version: str) -> None:
    if not version.isprintable():
        raise ValueError("a version with control characters, which PostgreSQL does not store")
