"""What the hub speaks, as it last said: the node logs once when it is not what the node speaks, the doctor reads it."""

from pathlib import Path

from forge_shared.files import replace
from forge_shared.logs import get_logger
from forge_shared.wire import PROTOCOL

log = get_logger()


class Counterpart:
    """Remembers the hub's protocol in a file of the state folder.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._heard: int | None = None

    @property
    def protocol(self) -> int | None:
        """What the hub has said since the start that it speaks; None: nothing."""
        return self._heard

    def heard(self, protocol: int) -> None:
        """Take in what the hub speaks. Costs nothing unless it is another than the last."""
        if protocol == self._heard:
            return
        if protocol != PROTOCOL:
            log.warning("hub.other-protocol", hub=protocol, node=PROTOCOL)
        elif self._heard is not None:
            log.info("hub.same-protocol", protocol=protocol)
        self._heard = protocol
        try:
            replace(self._path, str(protocol).encode(), mode=0o600)
        except OSError:
            log.warning("hub.protocol-not-saved")


def last_heard(path: Path) -> int | None:
    """Return what the hub spoke when it was last heard; None when it never was."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
