"""The command line of the mind map: ``forge-hub mind import|pass|runs|stop|remove``, ``forge-hub audit alignment``."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from forge_hub import access, control
from forge_hub.doors import authority_of
from forge_hub.errors import HubConfigError, HubError
from forge_hub.graph import open_graph
from forge_hub.graph.exchange import read_graph_json
from forge_hub.graph.ports import GraphStore
from forge_hub.graph.projection import GraphProjection, inferences_of
from forge_hub.holdings import graph_uri, records_url
from forge_hub.ingest.store import IngestStore
from forge_hub.passes.basis import REASONS, Statement
from forge_hub.passes.errors import PassError, TranscriptRefusedError
from forge_hub.passes.importing import Asked, begin, may_infer
from forge_hub.passes.pass_a import Transcript, read_transcript
from forge_hub.passes.pieces import MOST_BYTES
from forge_hub.passes.readers import FORMATS, Format, format_of
from forge_hub.passes.removal import Remover
from forge_hub.passes.router import Desk, Pace, route, stoppable
from forge_hub.passes.rows import Redact
from forge_hub.passes.runs import PassName, RunFolder, all_runs
from forge_hub.passes.served import ServedDesk
from forge_hub.passes.stores import Stores
from forge_hub.passes.table_projection import InferredTables, SaidTables
from forge_hub.passes.tables import TableFolder
from forge_hub.projection import Projection, catch_up
from forge_hub.records.database import Database, open_database
from forge_hub.records.projector import RecordsProjection
from forge_hub.settings import HubSettings
from forge_language.redaction import redact
from forge_shared.clock import SystemClock
from forge_shared.events import Pseudonym, UtcDatetime
from forge_shared.files import owned_folder
from forge_shared.forms.questionnaire import installed


class _Commands(Protocol):
    def add_parser(self, name: str, *, help: str, description: str = ...) -> argparse.ArgumentParser:  # noqa: A002 (argparse's word)
        """Add a command."""


def add_mind(commands: _Commands) -> _Commands:
    """Add the commands to the command line; return where others may add theirs."""
    mind = commands.add_parser("mind", help="Commands on transcripts and what is read out of them.")
    parts = mind.add_subparsers(required=True, metavar="COMMAND")
    whole = parts.add_parser("import", help="Bring a transcript in: passes a, b and c.")
    _add_file(whole)
    whole.set_defaults(run=_import, passes=("a", "b", "c"))
    passes = parts.add_parser("pass", help="One pass alone.").add_subparsers(required=True, metavar="PASS")
    first = passes.add_parser("a", help="A transcript to uniform rows, redacted.")
    _add_file(first)
    first.set_defaults(run=_import, passes=("a",))
    for name, description in (("b", "A run's rows to log, tables and CSV."), ("c", "A run's graph, checked, on disk.")):
        later = passes.add_parser(name, help=description)
        which = later.add_mutually_exclusive_group(required=True) if name == "c" else later
        which.add_argument(
            "id", nargs="?" if name == "c" else None, metavar="RUN", help="the run, or how its id begins"
        )
        if name == "c":
            which.add_argument(
                "--check", type=Path, metavar="FILE", help="only check a graph in JSON, and load nothing"
            )
        later.add_argument("--step", action="store_true", help="wait for Enter before each chunk")
        later.set_defaults(run=_continue, passes=(name,), check=None)
    parts.add_parser("runs", help="List the runs, one JSON line each.").set_defaults(run=_runs)
    for name, run, description in (
        ("stop", _stop, "Let a run stop within a second; the same command goes on later."),
        ("remove", _remove, "Undo an import: erase what a run has brought in, everywhere."),
    ):
        one = parts.add_parser(name, help=description)
        one.add_argument("id", metavar="RUN", help="the run, or how its id begins")
        one.set_defaults(run=run)
    return parts


def add_alignment(commands: _Commands) -> None:
    """Add the comparison of the three stores to the commands on the audit."""
    description = "Compare tables, CSV and graph row for row; exit with 1 where they differ."
    commands.add_parser("alignment", help=description).set_defaults(run=_alignment)


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--person", required=True, help="pseudonym of the person's stay")
    parser.add_argument("--new-person", action="store_true", help="nobody of that pseudonym is on file yet")
    parser.add_argument(
        "--session-date", metavar="WHEN", help="when the session began, as 2026-03-01 or 2026-03-01T14:30"
    )
    parser.add_argument("--format", choices=FORMATS, help="of the file (default: as its name ends)")
    parser.add_argument("--encoding", help="of the file's letters (default: UTF-8)")
    parser.add_argument("--names-file", type=Path, metavar="FILE", help="names that are redacted too, one a line")
    basis = parser.add_mutually_exclusive_group()
    basis.add_argument("--consent", metavar="ID", help="the consent on file that the import rests on")
    basis.add_argument("--consent-stated-by", metavar="ACCOUNT", help="who states now that the person consents")
    parser.add_argument("--consent-reason", choices=REASONS, help="on what that statement rests")
    parser.add_argument("--infer", action="store_true", help="they state that the person consents to inferences, too")
    parser.add_argument("--step", action="store_true", help="wait for Enter before each chunk")


def _import(settings: HubSettings, options: argparse.Namespace) -> None:
    kind: Format = options.format or format_of(options.file.name)
    transcript = read_transcript(_content(options.file), kind, options.encoding)
    names = transcript.names | _names(options.names_file)
    asked = Asked(
        _pseudonym(options.person),
        options.new_person,
        _moment(options.session_date, ZoneInfo(settings.time_zone)),
        kind,
        Statement(options.consent, options.consent_stated_by, options.consent_reason, options.infer),
    )
    with _opened(settings) as stores:
        clock = SystemClock()
        run = begin(settings.site, settings.folder, stores.database, clock, transcript, asked)
        if run.run.before:
            _say("it continues a session that is on file")
        if not may_infer(stores.database, clock, run.run):
            _say("nothing will be inferred: no consent to emotion-inference covers the session")
        _route(run, options, stores.desk, transcript, lambda text: redact(text, names))


def _continue(settings: HubSettings, options: argparse.Namespace) -> None:
    if options.check is not None:
        batch = read_graph_json(_content(options.check))
        print(json.dumps({"nodes": len(batch.nodes), "edges": len(batch.edges)}))
        return
    with _opened(settings) as stores:
        _route(RunFolder.open(settings.folder, options.id), options, stores.desk)


def _route(
    folder: RunFolder,
    options: argparse.Namespace,
    desk: Desk,
    transcript: Transcript | None = None,
    redactor: Redact | None = None,
) -> None:
    passes: Sequence[PassName] = options.passes
    run = folder.run
    _say(f"run {run.id}")
    with stoppable(folder):
        pace = Pace(folder, _entered if options.step else None)
        done = route(folder, passes, step=pace, transcript=transcript, redact=redactor, desk=desk)
    print(json.dumps({"run": run.id, "session": run.session, **done, "done": list(folder.progress.done)}))


def _runs(settings: HubSettings, _: argparse.Namespace) -> None:
    for folder in all_runs(settings.folder):
        print(json.dumps({**folder.run.model_dump(mode="json"), **folder.progress.model_dump(mode="json")}))


def _stop(settings: HubSettings, options: argparse.Namespace) -> None:
    RunFolder.open(settings.folder, options.id).ask_to_stop()


def _remove(settings: HubSettings, options: argparse.Namespace) -> None:
    reply = control.ask(settings.folder / "control.sock", "mind-remove", run=options.id, by=access.COMMAND_LINE)
    if reply is None:
        with _own(settings) as own:
            remover = Remover(settings.folder, own.database, own.graph, SystemClock(), own.derive)
            reply = {"ok": True, **remover.remove(options.id, access.COMMAND_LINE)}
    print(json.dumps(_answer(reply)))


def _alignment(settings: HubSettings, _: argparse.Namespace) -> None:
    reply = control.ask(settings.folder / "control.sock", "audit-alignment")
    if reply is None:
        with _own(settings) as own:
            own.derive()
            reply = {"ok": True, **own.stores.align().as_json()}
    found = _answer(reply)
    print(json.dumps(found))
    if not found["clean"]:
        raise PassError(f"tables, CSV and graph differ in {found['count'] + found['strangers']} places")


@dataclass(frozen=True, slots=True)
class _Opened:
    database: Database
    desk: Desk


@dataclass(frozen=True, slots=True)
class _Own:
    """The stores of a hub that does not serve."""

    database: Database
    graph: GraphStore
    stores: Stores
    projections: Sequence[tuple[Projection, Sequence[Projection]]]

    def derive(self) -> None:
        """Bring everything that is derived to the end of the log."""
        for projection, after in self.projections:
            catch_up(self.database, projection, after)


@contextmanager
def _opened(settings: HubSettings) -> Iterator[_Opened]:
    """Open the stores: those of the hub that serves, or else the folder's own."""
    socket = settings.folder / "control.sock"
    if control.ask(socket, "mind-settled") is not None:
        with closing(open_database(records_url(settings))) as database:
            yield _Opened(database, ServedDesk(socket, settings.folder))
    else:
        with _own(settings) as own:
            yield _Opened(own.database, own.stores)


@contextmanager
def _own(settings: HubSettings) -> Iterator[_Own]:
    clock = SystemClock()
    with (
        owned_folder(settings.folder) as folder,
        closing(open_database(records_url(settings))) as database,
        closing(open_graph(graph_uri(settings), settings.graph_password)) as graph,
    ):
        authority = authority_of(settings, clock)
        pem = authority.authority_pem() if authority.certificate_file.exists() else None
        records = RecordsProjection(database, installed(settings.forms_dir), pem)
        drawn = GraphProjection(graph, inferences_of(database))
        said, inferred = SaidTables(TableFolder(folder)), InferredTables(TableFolder(folder), database)
        stores = Stores(
            settings.site,
            folder,
            database=database,
            graph=graph,
            log=IngestStore(settings.site, database, clock),
            filing=[records, said],
            drawing=[drawn, inferred],
            own=True,
        )
        filed: list[tuple[Projection, Sequence[Projection]]] = [
            (records, ()),
            (said, ()),
            (drawn, ()),
            (inferred, [drawn]),
        ]
        yield _Own(database, graph, stores, filed)


def _answer(reply: Mapping[str, Any]) -> dict[str, Any]:
    if not reply.get("ok"):
        raise HubError(str(reply.get("error", "the hub refused")))
    return {key: value for key, value in reply.items() if key != "ok"}


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise HubConfigError(f"the file cannot be read ({type(error).__name__})") from None
    if len(content) > MOST_BYTES:
        raise TranscriptRefusedError("too-large")
    return content


def _names(path: Path | None) -> frozenset[str]:
    if path is None:
        return frozenset()
    try:
        lines = _content(path).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise HubConfigError("the file of names is not UTF-8") from None
    return frozenset(word for line in lines for word in line.casefold().split())


def _pseudonym(person: str) -> str:
    try:
        return TypeAdapter(Pseudonym).validate_python(person)
    except ValidationError:
        raise HubConfigError("a pseudonym is lower-case letters, digits and hyphens; never a name") from None


def _moment(given: str | None, zone: ZoneInfo) -> datetime | None:
    if given is None:
        return None
    try:
        at = datetime.fromisoformat(given)
        return TypeAdapter(UtcDatetime).validate_python(at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise HubConfigError("a session's date is written as 2026-03-01 or 2026-03-01T14:30") from None


def _entered() -> bool:
    _say("Enter for the next chunk, q to stop")
    line = sys.stdin.readline()
    return line != "" and line.strip().lower() != "q"


def _say(line: str) -> None:
    print(f"forge-hub: {line}", file=sys.stderr, flush=True)
