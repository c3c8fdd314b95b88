"""A long transcript through all passes while it is killed again and again: ``python -m tests.journey.transcripts``.

The command line is killed (SIGKILL) at seeded points of all three passes and started again. In the end nothing may be
missing or doubled, a second run may change no byte, and tables, CSV and graph must agree. Then files that are no
transcripts are given to every reader. ``--neo4j`` does the first part on Neo4j too.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from tests.fakes.mind_hub import files_of
from tests.fakes.neo4j_server import neo4j_server
from tests.fakes.transcripts import malformed, markdown, turns, words

from forge_hub.passes.errors import TranscriptRefusedError
from forge_hub.passes.pass_a import read_transcript
from forge_hub.passes.rows import CHUNK_SIZE, Rows
from forge_hub.passes.runs import PassName, all_runs
from forge_hub.records.database import open_database
from forge_hub.records.schema import Account, EventLog, Utterance
from forge_language.redaction import redact

PERSON = "p-1"
PASSES: tuple[PassName, ...] = ("a", "b", "c")
COMMAND_SECONDS = 900.0
_STEP = re.compile(r"pass ([abc]): chunk (\d+)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a transcript.

    Attributes:
        store: ``ladybug`` or ``neo4j``.
        kills: How often the command was killed before it was through.
        lost: Turns whose words are in no row.
        doubled: Turns whose words are in more than one.
        gaps: Numbers that are missing in the log's sequence.
        changed: Files that a second run changed.
        differences: Rows in which tables, CSV and graph differ.
        seconds: From the first start to the end of the last run, kills included.
    """

    store: str
    turns: int
    rows: int
    kills: int
    lost: int
    doubled: int
    gaps: int
    changed: int
    differences: int
    seconds: float

    @property
    def is_clean(self) -> bool:
        """Whether nothing went wrong."""
        return not (self.lost or self.doubled or self.gaps or self.changed or self.differences)


def prove(  # noqa: PLR0913 (what is done, and with what)
    folder: Path, count: int, kills: int, seed: int, environment: Mapping[str, str], store: str
) -> Outcome:
    """Bring a transcript of ``count`` turns in, killed ``kills`` times, and examine what is there."""
    state = folder / "state"
    state.mkdir(parents=True, mode=0o700)
    file = folder / "session.md"
    file.write_bytes(markdown(turns(count, seed)))
    _make_account(state)
    env = {**os.environ, "FORGE_HUB_STATE_DIR": str(state), "FORGE_HUB_SITE": "ward", **environment}
    begun = time.monotonic()
    killed = sum(
        _killed(_import(file), env, at, after) for at, after in _points(random.Random(seed), kills, _chunks(count))
    )
    _command(_import(file), env)
    seconds = time.monotonic() - begun
    files = files_of(state)
    _command(_import(file), env)
    again = files_of(state)
    changed = sum(files.get(name) != again.get(name) for name in {*files, *again})
    alignment = json.loads(_command(["audit", "alignment"], env, may_fail=True))
    rows, lost, doubled, gaps = _examine(state, count)
    found = alignment["count"] + alignment["strangers"]
    return Outcome(store, count, rows, killed, lost, doubled, gaps, changed, found, round(seconds, 1))


def try_readers(count: int) -> dict[str, int]:
    """Give so many damaged files to the readers; return how often they said what. A crash ends it."""
    said: Counter[str] = Counter()
    for seed in range(count):
        kind, content = malformed(seed)
        try:
            transcript = read_transcript(content, kind)
            list(Rows(PERSON, "0" * 36, redact).chunks(transcript.turns))
            said["taken"] += 1
        except TranscriptRefusedError as error:
            said[error.refusal] += 1
    return dict(sorted(said.items()))


def _chunks(count: int) -> int:
    return max(1, count // 2 // CHUNK_SIZE)


def _points(chance: random.Random, kills: int, chunks: int) -> list[tuple[tuple[int, int], float]]:
    """Return before which steps the command is killed, in order, and how many seconds after they were announced."""
    steps = [(place, chunk) for place in range(len(PASSES)) for chunk in range(1, chunks + 1)]
    points = sorted(chance.choice(steps) for _ in range(kills))
    return [(point, chance.choice((0.0, chance.uniform(0, 0.05), chance.uniform(0, 2.0)))) for point in points]


def _killed(arguments: list[str], env: Mapping[str, str], at: tuple[int, int], after: float) -> bool:
    """Start the command and kill it; return whether it came to that."""
    process = subprocess.Popen(
        [sys.executable, "-m", "forge_hub", *arguments],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process, process.stderr:
        for line in process.stderr:
            found = _STEP.search(line)
            if found and (PASSES.index(found[1]), int(found[2])) >= at:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(after)
                process.kill()
                break
    return process.returncode != 0


def _import(file: Path) -> list[str]:
    basis = ["--consent-stated-by", "carla", "--consent-reason", "signed-form"]
    return ["mind", "import", str(file), "--person", PERSON, "--new-person", "--session-date", "2026-02-01", *basis]


def _command(arguments: list[str], env: Mapping[str, str], *, may_fail: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "forge_hub", *arguments],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS,
    )
    if done.returncode and not may_fail:
        raise RuntimeError(done.stderr[-2000:])
    return done.stdout


def _make_account(state: Path) -> None:
    with closing(open_database(f"sqlite:///{state / 'records.db'}")) as database, database.begin() as transaction:
        transaction.add(
            Account(id="carla-id", username="carla", role="clinician", password_hash="", created_at=datetime.now(UTC))
        )


def _examine(state: Path, count: int) -> tuple[int, int, int, int]:
    """Return how many rows there are, which turns are lost and doubled, and the gaps of the log."""
    with closing(open_database(f"sqlite:///{state / 'records.db'}")) as database, database.read() as transaction:
        texts = list(transaction.scalars(select(Utterance.text)))
        numbers = list(transaction.scalars(select(EventLog.sequence).where(EventLog.node == "transcripts")))
    [run] = all_runs(state)
    rows = sum(len(chunk.rows) for chunk in run.read_chunks())
    marks = Counter(mark for text in texts for mark in re.findall(r"I wrote ([a-z ]+) on the paper", text))
    held = [marks[words(number)] for number in range(count)]
    lost = sum(times == 0 for times in held) + max(0, rows - len(texts))
    gaps = len(set(range(1, rows + 3)) ^ set(numbers)) + len(numbers) - len(set(numbers))
    return len(texts), lost, sum(times > 1 for times in held) + max(0, len(texts) - rows), gaps


def main() -> int:
    """Run it and print what came of it, a JSON line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--turns", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--files", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--neo4j", action="store_true", help="do it on Neo4j too")
    options = parser.parse_args()
    outcomes = []
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        outcomes.append(prove(folder / "ladybug", options.turns, options.kills, options.seed, {}, "ladybug"))
        print(json.dumps(asdict(outcomes[-1])), flush=True)
        if options.neo4j:
            (folder / "server").mkdir()
            with neo4j_server(folder / "server") as server:
                uri = server.uri.replace("://", f"://{server.user}@")
                environment = {
                    "FORGE_HUB_GRAPH_URI": uri,
                    "FORGE_HUB_GRAPH_PASSWORD": server.password.get_secret_value(),
                }
                outcomes.append(
                    prove(folder / "neo4j", options.turns, options.kills, options.seed + 1, environment, "neo4j")
                )
            print(json.dumps(asdict(outcomes[-1])), flush=True)
    print(json.dumps({"malformed files": options.files, **try_readers(options.files)}), flush=True)
    return 0 if all(outcome.is_clean for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
