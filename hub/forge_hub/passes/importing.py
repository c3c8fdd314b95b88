"""The beginning of an import: whose it is, on what it rests, and the run that it is. Blocks on the database."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from forge_hub.access import COMMAND_LINE, audit
from forge_hub.passes.basis import Statement, check_person, consent_of
from forge_hub.passes.errors import PassError
from forge_hub.passes.pass_a import Transcript
from forge_hub.passes.readers import Format
from forge_hub.passes.removal import is_removed
from forge_hub.passes.runs import FOLDER, Run, RunFolder, all_runs, digest_of, run_of, session_of
from forge_hub.records.database import Database
from forge_hub.stays.consents import Consents
from forge_shared.clock import Clock


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for at the command line.

    Attributes:
        person: Pseudonym.
        new_person: Whether nobody of that pseudonym is on file yet.
        started_at: When the session began; None: it is not said, and the time of the import stands for it.
        format: Of the file.
        statement: The consent that the import rests on.
    """

    person: str
    new_person: bool
    started_at: datetime | None
    format: Format
    statement: Statement


def begin(  # noqa: PLR0913 (what an import is made of)
    site: str, folder: Path, database: Database, clock: Clock, transcript: Transcript, asked: Asked
) -> RunFolder:
    """Return the run of a transcript: a new one, the one that it has already, or the one that it continues.

    A transcript continues a run of the same person where all that the run holds is its beginning, word for word, by the
    same speakers at the same seconds, and no other date is given.

    Raises:
        NotFoundError: Nobody of that pseudonym is on file, or the account that states the consent is not.
        ConsentMissingError: The import rests on no consent that holds.
        PassError: The person was erased, or the transcript is on file for another time, or that time is to come.
    """
    digest = digest_of(transcript.turns)
    run_id, session = _place(site, database, asked.person, digest)
    if (folder / FOLDER / run_id / "run.json").exists():
        known = RunFolder.open(folder, run_id)
        if asked.started_at is not None and asked.started_at != known.run.started_at:
            raise PassError("this transcript is on file for another date: remove that run first, or leave the date out")
        return known
    now = clock.now()
    before = _grown_from(folder, transcript, asked)
    if before is not None:
        if before.run.turns < len(transcript.turns):
            consent_of(database, Consents(database, clock), asked.person, before.run.started_at, asked.statement)
            audit.note(database, now, COMMAND_LINE, "transcript.import", before.run.id, subject=asked.person)
            before.grow(digest, len(transcript.turns))
        return before
    started_at = asked.started_at or now
    if started_at > now:
        raise PassError("a session that was held lies in the past: look at --session-date")
    check_person(database, asked.person, new=asked.new_person)
    consents = Consents(database, clock)
    consent = consent_of(database, consents, asked.person, started_at, asked.statement)
    run = Run(
        id=run_id,
        person=asked.person,
        session=session,
        started_at=started_at,
        format=asked.format,
        digest=digest,
        turns=len(transcript.turns),
        consent=consent,
        imported_at=now,
    )
    audit.note(database, now, COMMAND_LINE, "transcript.import", run_id, subject=asked.person)
    return RunFolder.create(folder, run)


def may_infer(database: Database, clock: Clock, run: Run) -> bool:
    """Tell whether anything may be inferred from what a run says: consent to it covers the session's beginning."""
    return Consents(database, clock).inferences({run.person})(run.person, run.started_at)


def _grown_from(folder: Path, transcript: Transcript, asked: Asked) -> RunFolder | None:
    """Return the longest run that this transcript is or was, or that it begins with; None: there is none."""
    turns, whole = transcript.turns, digest_of(transcript.turns)
    found = [
        each
        for each in all_runs(folder)
        for run in [each.run]
        if run.person == asked.person
        and asked.started_at in {None, run.started_at}
        and (
            any(whole == shorter.digest for shorter in run.before)
            or (run.turns <= len(turns) and run.digest == digest_of(turns[: run.turns]))
        )
    ]
    return max(found, key=lambda each: each.run.turns, default=None)


def _place(site: str, database: Database, person: str, digest: str) -> tuple[str, str]:
    """Return the ids of run and session: other ones than those that were removed or forgotten."""
    generation = 0
    while True:
        session = session_of(person, digest, generation)
        run = run_of(site, person, session, digest, generation)
        if not is_removed(database, run):
            return run, session
        generation += 1
