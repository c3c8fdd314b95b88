"""What is set for each room, as files: one NODE.json a room in a folder that an admin may edit, or the hub replaces."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from forge_hub.errors import TwinError
from forge_shared import topics
from forge_shared.files import replace
from forge_shared.plan import RoomPlan

FOLDER = "room-plans"
"""In the hub's state folder, where the settings name no other."""


class RoomPlans:
    """The folder. Its methods block on small files; threads may share it.

    Args:
        folder: It need not be there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, node: str) -> RoomPlan | None:
        """Return what is set for a room; None: nothing.

        Raises:
            TwinError: It cannot be read or is no plan.
        """
        try:
            return read(self._folder / f"{node}.json")
        except FileNotFoundError:
            return None

    def put(self, node: str, plan: RoomPlan | None) -> None:
        """Set a room's plan, or nothing.

        Raises:
            TwinError: It cannot be written; the old one stands.
        """
        path = self._folder / f"{node}.json"
        try:
            if plan is None:
                path.unlink(missing_ok=True)
                return
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace(path, plan.model_dump_json(indent=1).encode(), mode=0o600)
        except OSError as error:
            raise TwinError(f"the room's plan cannot be written ({type(error).__name__})") from None

    def forget(self, pseudonym: str) -> int:
        """Take out what was set for a person; return how many plans had something.

        Raises:
            TwinError: One cannot be read or written.
        """
        found = 0
        for node in self.stamps():
            plan = self.of(node)
            if plan is not None and plan.subject == pseudonym:
                self.put(node, left_to(plan, None))
                found += 1
        return found

    def stamps(self) -> Mapping[str, tuple[int, int]]:
        """Return time of change (ns) and size of every room's file, by node: another one has been edited."""
        try:
            found = [path for path in self._folder.iterdir() if path.suffix == ".json" and topics.is_name(path.stem)]
            states = {path.stem: path.stat() for path in found}
        except OSError:
            return {}
        return {node: (state.st_mtime_ns, state.st_size) for node, state in states.items()}


def left_to(plan: RoomPlan | None, subject: str | None) -> RoomPlan | None:
    """Return what of a plan is for whoever is there now; what is another person's is left out. Pure."""
    if plan is None or plan.subject in (None, subject):
        return plan
    return plan.of_stay(subject).model_copy(update={"subject": None})


def read(path: Path) -> RoomPlan:
    """Read a plan.

    Raises:
        FileNotFoundError: There is none.
        TwinError: It cannot be read or is no plan; the message names the fields, never what they hold.
    """
    try:
        return RoomPlan.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise TwinError(f"{path.name} cannot be read ({type(error).__name__})") from None
    except ValidationError as error:
        fields = sorted({".".join(str(part) for part in item["loc"]) or "all of it" for item in error.errors()})
        raise TwinError(f"{path.name} is no plan of a room: see {', '.join(fields)[:200]}") from None
