"""Whether tables, CSV and graph say the same, row for row. Blocks on all three; no projection may run meanwhile."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from forge_hub.graph.ports import GraphStore, Subgraph
from forge_hub.graph.projector import is_known, standing
from forge_hub.graph.schema import INFERRED
from forge_hub.passes.table_projection import inferred_row, written
from forge_hub.passes.tables import COLUMNS, Kind, Row, TableFolder, cell
from forge_hub.records.database import Database
from forge_hub.records.schema import Inference, Person, Utterance

Place = Literal["tables", "csv", "graph"]

MOST_NAMED = 1000
"""Differences that are named; the rest is counted. Ours: more than anybody reads."""
_IN_GRAPH = ("person", "session", "ordinal", "at", "speaker", "question", "text", "corrected_by")
"""Columns of what was said that the graph holds too."""
_INFERRED_IN_GRAPH = ("utterance", "word", "state", "start", "end", "confidence", "source")


@dataclass(frozen=True, slots=True)
class Difference:
    """A row that one of the stores lacks, or has otherwise.

    Attributes:
        kind: An utterance or an inference.
        id: Its id.
        place: The store that differs from the tables, or the tables that lack it.
        lacks: Whether it lacks the row; else it has another.
        columns: In what it differs.
    """

    kind: Kind
    id: str
    place: Place
    lacks: bool
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alignment:
    """What a comparison found.

    Attributes:
        people: How many were compared.
        utterances: Rows of what was said, in the tables.
        inferences: Rows of what is inferred, in the tables.
        strangers: Utterances and inferences in the graph of people who are not on file.
        count: Differences, of which at most `MOST_NAMED` are named.
        differences: Those, sorted.
    """

    people: int
    utterances: int
    inferences: int
    strangers: int
    count: int
    differences: tuple[Difference, ...]

    @property
    def clean(self) -> bool:
        """Whether the three say the same."""
        return self.count == 0 and self.strangers == 0

    def as_json(self) -> dict[str, Any]:
        """Return what is printed."""
        return {**asdict(self), "clean": self.clean}


def align(database: Database, graph: GraphStore, tables: TableFolder) -> Alignment:
    """Compare the three stores.

    Raises:
        PassError: A CSV file cannot be read.
        GraphError: The graph cannot be read.
    """
    people = _people(database, tables)
    found: list[Difference] = []
    said_total = inferred_total = in_graph = count = 0
    for person in people:
        with database.read() as transaction:
            said, inferred, inferred_drawn = _filed(transaction, person)
        drawn_said, drawn_inferred = _drawn(graph.snapshot(person))
        written_said = _written(tables, person, "said")
        written_inferred = _written(tables, person, "inferred")
        for difference in (
            *_differences("said", said, written_said, "csv", COLUMNS["said"]),
            *_differences("said", said, drawn_said, "graph", _IN_GRAPH),
            *_differences("inferred", inferred, written_inferred, "csv", COLUMNS["inferred"]),
            *_differences("inferred", inferred_drawn, drawn_inferred, "graph", _INFERRED_IN_GRAPH),
        ):
            count += 1
            if len(found) < MOST_NAMED:
                found.append(difference)
        said_total, inferred_total = said_total + len(said), inferred_total + len(inferred)
        in_graph += len(drawn_said) + len(drawn_inferred)
    counts = graph.counts()
    strangers = counts["Utterance"] + sum(counts[label] for label in INFERRED) - in_graph
    return Alignment(len(people), said_total, inferred_total, strangers, count, tuple(found))


def _people(database: Database, tables: TableFolder) -> list[str]:
    with database.read() as transaction:
        known = set(transaction.scalars(select(Person.pseudonym)))
        known |= set(transaction.scalars(select(Utterance.subject).distinct()))
    return sorted(known | {person for kind in COLUMNS for person, _ in tables.sessions(kind)})


def _filed(transaction: Transaction, person: str) -> tuple[dict[str, Row], dict[str, Row], dict[str, Row]]:
    """Return what the tables hold: what was said, what is inferred, and the same as the graph must have it."""
    said = {
        each.id: {
            "utterance": each.id,
            "person": each.subject,
            "session": each.session,
            "ordinal": cell(each.ordinal),
            "at": written(each.at),
            "speaker": cell(each.speaker),
            "question": cell(each.question),
            "text": each.text,
            "redactions": cell(each.redactions),
            "confidence": cell(float(each.confidence)),
            "original": cell(each.original),
            "corrected_by": cell(each.corrected_by),
            "corrected_at": "" if each.corrected_at is None else written(each.corrected_at),
        }
        for each in transaction.scalars(select(Utterance).where(Utterance.subject == person))
    }
    inferences = list(transaction.scalars(select(Inference).where(Inference.subject == person)))
    return (
        said,
        {each.id: inferred_row(each) for each in inferences},
        {each.id: _as_drawn(each) for each in inferences if is_known(each)},
    )


def _as_drawn(inference: Inference) -> Row:
    word, state = standing(inference)
    return {
        "utterance": inference.utterance,
        "word": word,
        "state": state,
        "start": cell(inference.start),
        "end": cell(inference.end),
        "confidence": cell(float(inference.confidence)),
        "source": f"{inference.method}-{inference.version}",
    }


def _written(tables: TableFolder, person: str, kind: Kind) -> dict[str, Row]:
    return {
        key: row
        for owner, session in tables.sessions(kind)
        if owner == person
        for key, row in tables.read(person, session, kind).items()
    }


def _drawn(graph: Subgraph) -> tuple[dict[str, Row], dict[str, Row]]:
    """Return what the graph holds of one person: what was said, and what is inferred."""
    person_of: dict[str, str] = {}
    session_of: dict[str, str] = {}
    inferred: dict[str, Row] = {}
    for edge in graph.edges:
        if edge.label == "SAID":
            person_of[edge.end.key] = edge.start.key
        elif edge.label == "INCLUDES":
            session_of[edge.end.key] = edge.start.key
        elif edge.label in INFERRED:
            values = {name: cell(edge.properties.get(name)) for name in ("state", "start", "end", "source")}
            confidence = cell(float(edge.properties.get("confidence") or 0))
            row = {**values, "confidence": confidence, "utterance": edge.start.key, "word": edge.end.key}
            inferred[str(edge.properties.get("inference"))] = row
    said = {
        node.key: {
            **{name: cell(node.properties.get(name)) for name in _IN_GRAPH},
            "person": person_of.get(node.key, ""),
            "session": session_of.get(node.key, ""),
        }
        for node in graph.nodes
        if node.label == "Utterance"
    }
    return said, inferred


def _differences(
    kind: Kind, filed: Mapping[str, Row], other: Mapping[str, Row], place: Place, columns: tuple[str, ...]
) -> Iterator[Difference]:
    for key in sorted({*filed, *other}):
        if key not in other:
            yield Difference(kind, key, place, lacks=True)
        elif key not in filed:
            yield Difference(kind, key, "tables", lacks=True)
        else:
            unlike = tuple(name for name in columns if filed[key][name] != other[key][name])
            if unlike:
                yield Difference(kind, key, place, lacks=False, columns=unlike)
