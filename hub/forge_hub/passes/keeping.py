"""What an erasure or the end of a time to be kept means for the runs' folders and the CSV files."""

from pathlib import Path

from forge_hub.passes.errors import PassError
from forge_hub.passes.removal import is_removed
from forge_hub.passes.runs import RunFolder, all_runs
from forge_hub.passes.tables import TableFolder
from forge_hub.records.database import Database


def derive_anew(folder: Path) -> None:
    """Delete the CSV files: they are derived anew from the log. Nothing may write them meanwhile."""
    TableFolder(folder).drop()


def forget_person(folder: Path, pseudonym: str) -> int:
    """Delete a person's runs, and all CSV files; return how many runs there were."""
    derive_anew(folder)
    return _remove([run for run in all_runs(folder) if _is_of(run, pseudonym)])


def forget_emptied(folder: Path, database: Database) -> int:
    """Delete the runs whose events were emptied in the log, and all CSV files; return how many runs there were."""
    derive_anew(folder)
    return _remove([run for run in all_runs(folder) if is_removed(database, run.path.name)])


def _is_of(run: RunFolder, pseudonym: str) -> bool:
    try:
        return run.run.person == pseudonym
    except PassError:
        # Nobody can say any more whose it is: then it must not stay.
        return True


def _remove(runs: list[RunFolder]) -> int:
    for run in runs:
        run.remove()
    return len(runs)
