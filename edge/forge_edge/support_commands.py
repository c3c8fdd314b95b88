"""The command line's view of the support bundle: ``forge-edge support-bundle``."""

import argparse
from pathlib import Path

from forge_edge.errors import NodeConfigError
from forge_edge.settings import NodeSettings


def add(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes, and itself."""
    parser.set_defaults(run=_write)
    parser.add_argument("file", type=Path, metavar="FILE", help="a .tar.gz to write")
    parser.add_argument("--log", type=Path, metavar="FILE", help="the node's log (default: its unit's journal)")


def _write(settings: NodeSettings, options: argparse.Namespace) -> int:
    from forge_edge.support import write_bundle  # noqa: PLC0415 (other commands do without the doctor's packages)

    if not settings.folder.is_dir():
        # Run by hand it looks at its user's own folder, and would tell of a node that is none.
        raise NodeConfigError(
            "there is no state folder here: FORGE_EDGE_STATE_DIR names the node's (docs/devices.md, Asking for help)"
        )
    try:
        if options.log is None:
            write_bundle(settings, options.file)
        else:
            with options.log.open(encoding="utf-8", errors="replace") as lines:
                write_bundle(settings, options.file, lines)
    except OSError as error:
        raise NodeConfigError(f"cannot read the log or write the bundle ({type(error).__name__})") from None
    print(f"{options.file}: look into it before you give it away")
    return 0
