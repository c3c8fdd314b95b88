"""``forge-edge updates``: the room's models on the command line."""

import argparse
import json
import sys
from pathlib import Path
from typing import get_args

from forge_edge.settings import NodeSettings
from forge_shared.errors import FolderBusyError
from forge_shared.files import owned_folder
from forge_shared.releases import ReleaseRole

EXIT_OK, EXIT_FAILED = 0, 1

# Each command imports what it needs: ears and eyes are started by the same command line.


def add(updates: argparse.ArgumentParser) -> None:
    """Add the commands to the parser of ``forge-edge updates``."""
    kinds = updates.add_subparsers(required=True, metavar="WHAT", dest="what")
    show = kinds.add_parser("show", help="say what serves in each role, what is being done, and whom the node trusts")
    show.set_defaults(run=_show)
    show.add_argument("--json", action="store_true", help="one JSON object")
    check = kinds.add_parser("check", help="let the node that runs look now what it shall have")
    check.set_defaults(run=_check)
    back = kinds.add_parser("back", help="let what did well before serve again, now; what served is not taken again")
    back.set_defaults(run=_back)
    back.add_argument("role", choices=get_args(ReleaseRole), help="which model")


def _show(settings: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge.hub_line import ROOTS, TRUSTED  # noqa: PLC0415 (see above)
    from forge_edge.update.roots import fingerprints  # noqa: PLC0415 (see above)
    from forge_edge.update.trusted import versions  # noqa: PLC0415 (see above)
    from forge_edge.updating.updater import STATUS  # noqa: PLC0415 (see above)

    folder = settings.folder
    said = _read(folder / STATUS)
    roots, believed = fingerprints(folder / ROOTS), versions(folder / TRUSTED)
    if options.json:
        print(json.dumps({"releases": said, "roots": roots, "believed": believed}))
        return EXIT_OK
    if not said:
        print("Every model is the one that came with the node.")
    for line in said:
        details = "  ".join(f"{name}={value}" for name, value in line.items() if name not in {"role", "serving"})
        print(f"{line['role']:15} {line.get('serving') or 'came with the node'}  {details}".rstrip())
    for name, digest in roots.items():
        print(f"trusted root    {name}: SHA-256 {digest}")
    for name, version in believed.items():
        print(f"believed last   {name}: version {version}")
    return EXIT_OK


def _check(settings: NodeSettings, _: argparse.Namespace) -> int:
    from forge_edge.update import wishes  # noqa: PLC0415 (see above)

    if not _is_running(settings.folder):
        print("forge-edge: the node does not run; it looks when it starts", file=sys.stderr)
        return EXIT_FAILED
    wishes.leave(settings.folder, wishes.Wish("check"))
    print("The node looks now: `forge-edge updates show`")
    return EXIT_OK


def _back(settings: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge.update import wishes  # noqa: PLC0415 (see above)
    from forge_edge.update.slots import MODELS, Slots  # noqa: PLC0415 (see above)
    from forge_edge.updating.record import taken_back  # noqa: PLC0415 (see above)

    try:
        with owned_folder(settings.folder) as folder:
            # Nobody serves: it is done here, and told when the node starts.
            slots = Slots(folder / MODELS)
            state = slots.state(options.role)
            if state.active is None:
                print(f"{options.role}: it is what came with the node already")
                return EXIT_FAILED
            after = state.failed("by-hand") if state.trial else state.bare().refused(state.active, "by-hand")
            told = taken_back(slots.serving(options.role), state, after, reason="by-hand")
            slots.set(options.role, after if told is None else after.telling(told))
    except FolderBusyError:
        wishes.leave(settings.folder, wishes.Wish("back", options.role))
        print(f"{options.role}: the node goes back within seconds: `forge-edge updates show`")
        return EXIT_OK
    print(f"{options.role}: what did well before serves from the next start on")
    return EXIT_OK


def _is_running(folder: Path) -> bool:
    try:
        with owned_folder(folder):
            return False
    except FolderBusyError:
        return True


def _read(path: Path) -> list[dict[str, object]]:
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return []
    return said if isinstance(said, list) else []
