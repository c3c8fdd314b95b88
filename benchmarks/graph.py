"""How long a clinician waits for the graph, on Ladybug and on Neo4j, beside the query that a first program would ask.

The graph is made up, of the shape that the projection gives it, and brought in by each database's own bulk loader:
sessions of fifty utterances, each with a place on the circumplex, half of them with an emotion, a third with a
distortion. The naive query is one for each utterance, or for each kind of edge, put together in the program.
"""

import argparse
import csv
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import ladybug
from tests.fakes.neo4j_server import Neo4jServer, java_server

from forge_hub.graph import cypher, questions
from forge_hub.graph.embedded import MAX_DATABASE_BYTES, EmbeddedGraphStore
from forge_hub.graph.neo4j import Neo4jGraphStore
from forge_hub.graph.ports import GraphStore, NodeRef, Question
from forge_hub.graph.projector import iso
from forge_hub.graph.reading import FUSED
from forge_hub.graph.schema import EDGES, INFERRED, KEY, NODES, Kind, Value
from forge_hub.graph.vocabulary import VOCABULARY

BEGAN = datetime(2025, 1, 1, 9, tzinfo=UTC)
SESSION_UTTERANCES = 50
SHARES = {"TRIGGERS_EMOTION": 0.5, "HAS_DISTORTION": 0.33, "REFLECTS_STAGE": 0.1, "NOTES": 0.02}
ENDS = {"TRIGGERS_EMOTION": "Emotion", "HAS_DISTORTION": "Distortion", "REFLECTS_STAGE": "LifeStage", "NOTES": "Note"}
NAIVE_REPEATS = 3
WORDS = [
    "I",
    "was",
    "in",
    "the",
    "garden",
    "and",
    "then",
    "the",
    "nurse",
    "came",
    "and",
    "we",
    "talked",
    "about",
    "how",
    "it",
    "used",
    "to",
    "be",
    "at",
    "home",
]
_TYPES: Mapping[Kind, str] = {"text": "string", "integer": "long", "number": "double"}

Values = Mapping[str, Value]


class Tables:
    """One file a label without a header, the columns in the schema's order."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self.rows = 0
        self._writers = {}
        for label in [*NODES, *EDGES]:
            file = stack.enter_context((folder / f"{label}.csv").open("w", newline=""))
            self._writers[label] = csv.writer(file, quoting=csv.QUOTE_MINIMAL)

    def node(self, label: str, key: str, values: Values) -> None:
        """Write a node."""
        self.rows += 1
        self._writers[label].writerow([key, *(values.get(name, "") for name in NODES[label].properties)])

    def edge(self, label: str, start: str, end: str, values: Values | None = None) -> None:
        """Write an edge."""
        self.rows += 1
        carried = [(values or {}).get(name, "") for name in EDGES[label].properties]
        self._writers[label].writerow([start, end, *carried])


def write_person(tables: Tables, person: str, utterances: int, chance: random.Random) -> None:
    """Write one person with all their sessions."""
    tables.node("Persona", person, {})
    words = {label: sorted(keys) for label, keys in VOCABULARY.items()}
    for number in range(utterances):
        session, place = divmod(number, SESSION_UTTERANCES)
        key, moment = f"{person}-s{session}", BEGAN + timedelta(days=3 * session, seconds=20 * place)
        at, known_at = iso(moment), iso(moment + timedelta(seconds=5))
        if not place:
            tables.node("Session", key, {"started_at": at, "ended_at": iso(moment + timedelta(hours=1))})
            tables.node("PatternSummary", key, {"since": at, "until": at, "known_at": known_at, "utterances": 50})
            tables.edge("HAD_SESSION", person, key)
            tables.edge("HAS_PATTERN", key, key)
        said = f"{person}-u{number}"
        text = " ".join(chance.choices(WORDS, k=12))
        tables.node(
            "Utterance",
            said,
            {"text": text, "speaker": "patient", "ordinal": number, "at": at, "known_at": known_at},
        )
        tables.edge("SAID", person, said)
        tables.edge("INCLUDES", key, said)
        evidence: Values = {
            "start": 0,
            "end": 9,
            "confidence": round(chance.uniform(0.3, 0.9), 3),
            "source": "words-1",
            "state": "hypothesis",
            "at": at,
            "known_at": known_at,
        }
        felt = {"valence": round(chance.uniform(-1, 1), 3), "arousal": round(chance.uniform(-1, 1), 3)}
        quadrant = chance.choice(words["Sentiment"])
        tables.edge("HAS_SENTIMENT", said, quadrant, {**evidence, **felt, "inference": f"{said}-a"})
        for label, share in SHARES.items():
            if chance.random() < share:
                end = chance.choice(words[ENDS[label]])
                tables.edge(label, said, end, {**evidence, "inference": f"{said}-{label}"})
    for distortion in words["Distortion"][:5]:
        figures: Values = {"other": "valence", "weight": -0.3, "low": -0.5, "high": -0.1, "evidence": utterances}
        tables.edge("CORRELATED_WITH", person, distortion, {**figures, "at": iso(BEGAN), "known_at": iso(BEGAN)})


def filled(folder: Path) -> list[str]:
    """Return the labels that have rows, nodes first; edges with several kinds of ends are loaded by the first."""
    return [label for label in [*NODES, *EDGES] if (folder / f"{label}.csv").stat().st_size]


@contextmanager
def ladybug_store(folder: Path, tables: Path) -> Iterator[tuple[GraphStore, float]]:
    """Yield the embedded store with the tables in it, and the seconds that its bulk loader took."""
    path = folder / "graph.lbdb"
    EmbeddedGraphStore(path).close()
    begun = time.perf_counter()
    database = ladybug.Database(path, buffer_pool_size=2**30, max_db_size=MAX_DATABASE_BYTES)
    connection = ladybug.Connection(database)
    for label in filled(tables):
        ways = f", from='{EDGES[label].between[0][0]}', to='{EDGES[label].between[0][1]}'" if label in EDGES else ""
        connection.execute(f"COPY {label} FROM '{tables / f'{label}.csv'}' (header=false{ways})")
    connection.close()
    database.close()
    seconds = time.perf_counter() - begun
    store = EmbeddedGraphStore(path)
    try:
        yield store, seconds
    finally:
        store.close()


@contextmanager
def neo4j_store(folder: Path, tables: Path) -> Iterator[tuple[GraphStore, float]]:
    """Yield the server's store with the tables in it, and the seconds that its importer and our opening took."""
    begun = time.perf_counter()

    def bulk(admin: Callable[[Sequence[str]], None]) -> None:
        admin(["database", "import", "full", "neo4j", "--overwrite-destination", *_import_arguments(tables)])

    with java_server(folder, prepare=bulk) as server:
        store = _opened(server)
        seconds = time.perf_counter() - begun
        try:
            yield store, seconds
        finally:
            store.close()


def _opened(server: Neo4jServer) -> Neo4jGraphStore:
    return Neo4jGraphStore(server.uri, server.user, server.password)


def _import_arguments(tables: Path) -> Iterator[str]:
    vocabulary = cypher.vocabulary()
    for label, keys in VOCABULARY.items():
        (tables / f"{label}.csv").write_text("".join(f"{key}\n" for key in sorted(keys)))
    (tables / "CAN_REPHRASE_USING.csv").write_text(
        "".join(f"{edge.start.key},{edge.end.key}\n" for edge in vocabulary.edges)
    )
    for label in filled(tables):
        header = tables / f"{label}.header"
        if label in NODES:
            columns = [
                f"{KEY}:ID({label})",
                *(f"{name}:{_TYPES[kind]}" for name, kind in NODES[label].properties.items()),
            ]
            yield f"--nodes={label}={header},{tables / f'{label}.csv'}"
        else:
            start, end = EDGES[label].between[0]
            carried = (f"{name}:{_TYPES[kind]}" for name, kind in EDGES[label].properties.items())
            columns = [f":START_ID({start})", f":END_ID({end})", *carried]
            yield f"--relationships={label}={header},{tables / f'{label}.csv'}"
        header.write_text(",".join(columns) + "\n")


def asked(name: str, statement: str, **parameters: object) -> Question[list[Sequence[object]]]:
    """Return a query that is not one of ours."""
    return Question(name, statement, parameters, list)


def one_by_one(store: GraphStore, person: str, edges: Iterable[str]) -> None:
    """Ask what a first program would: the person's utterances, then the edges of each."""
    found = store.ask(asked("naive", f"MATCH (p:Persona)-[:SAID]->(u) WHERE p.{KEY} = $key RETURN u.{KEY}", key=person))
    statement = f"MATCH (u:Utterance)-[e:{'|'.join(edges)}]->(v) WHERE u.{KEY} = $key RETURN v.{KEY}, e.confidence"
    for [key] in found:
        store.ask(asked("naive", statement, key=key))


def kind_by_kind(store: GraphStore, node: NodeRef, edges: Iterable[str]) -> None:
    """Ask what a first program would: the edges of a node, one query for each kind."""
    for label in edges:
        for start, end in EDGES[label].between:
            if node.label in {start, end}:
                pattern = f"(n:{node.label})-[e:{label}]-(m)" if start != end else f"(n:{node.label})-[e:{label}]->(m)"
                store.ask(
                    asked("naive", f"MATCH {pattern} WHERE n.{KEY} = $key RETURN m.{KEY} LIMIT 900", key=node.key)
                )


def timed(work: Callable[[str], object], person: str) -> float:
    """Return the milliseconds that something takes about one person."""
    begun = time.perf_counter()
    work(person)
    return 1000 * (time.perf_counter() - begun)


def measured(
    store: GraphStore, people: int, utterances: int, repeats: int
) -> Iterator[tuple[str, list[float], list[float]]]:
    """Yield for each thing that a page asks its name, and milliseconds of ours and of the naive query."""
    chance = random.Random(7)
    recently = iso(BEGAN + timedelta(days=3 * (utterances // SESSION_UTTERANCES - 2)))
    sentiment = ["HAS_SENTIMENT", "TRIGGERS_EMOTION"]

    def persons(number: int) -> list[str]:
        return [f"p{chance.randrange(people)}" for _ in range(number)]

    def said(person: str) -> str:
        return f"{person}-u{chance.randrange(utterances)}"

    def dashboard(person: str) -> None:
        store.ask(questions.person_series(person))
        store.ask(questions.distortion_frequency(person))
        store.ask(questions.trends(person))
        store.ask(questions.correlations(person))

    word = NodeRef("Distortion", "labelling")
    works: dict[str, tuple[Callable[[str], object], Callable[[str], object]]] = {
        "fusion": (
            lambda person: store.fusion(said(person)),
            lambda person: kind_by_kind(store, NodeRef("Utterance", said(person)), FUSED),
        ),
        "neighbourhood of an utterance": (
            lambda person: store.neighbourhood(said(person)),
            lambda person: kind_by_kind(store, NodeRef("Utterance", said(person)), EDGES),
        ),
        "neighbourhood of a persona": (
            lambda person: store.neighbourhood(NodeRef("Persona", person)),
            lambda person: kind_by_kind(store, NodeRef("Persona", person), EDGES),
        ),
        "neighbourhood of a distortion": (
            lambda person: store.neighbourhood(word, person=person),
            lambda person: one_by_one(store, person, ["HAS_DISTORTION"]),
        ),
        "dashboard (four questions)": (
            dashboard,
            lambda person: one_by_one(store, person, [*sentiment, "HAS_DISTORTION"]),
        ),
        "person_series": (
            lambda person: store.ask(questions.person_series(person)),
            lambda person: one_by_one(store, person, sentiment),
        ),
        "distortion_frequency": (
            lambda person: store.ask(questions.distortion_frequency(person)),
            lambda person: one_by_one(store, person, ["HAS_DISTORTION"]),
        ),
        "changed_since": (
            lambda person: store.ask(questions.changed_since(person, recently)),
            lambda person: one_by_one(store, person, INFERRED),
        ),
        "evidence_of": (
            lambda person: store.ask(questions.evidence_of(person, "distortion", "labelling")),
            lambda person: one_by_one(store, person, ["HAS_DISTORTION"]),
        ),
        "notes_of": (
            lambda person: store.ask(questions.notes_of(person)),
            lambda person: one_by_one(store, person, ["NOTES"]),
        ),
    }
    for name, (ours, naive) in works.items():
        ours(persons(1)[0])  # the first one plans
        fast = [timed(ours, person) for person in persons(repeats)]
        slow = [timed(naive, person) for person in persons(NAIVE_REPEATS)]
        yield name, fast, slow


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    """Print the figures of each store, one JSON line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--utterances", type=int, default=200, help="of each person")
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--stores", nargs="+", default=["ladybug", "neo4j"], choices=["ladybug", "neo4j"])
    options = parser.parse_args()
    makers = {"ladybug": ladybug_store, "neo4j": neo4j_store}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "tables").mkdir()
        chance = random.Random(3)
        with ExitStack() as stack:
            tables = Tables(folder / "tables", stack)
            for number in range(options.people):
                write_person(tables, f"p{number}", options.utterances, chance)
        for kind in options.stores:
            (folder / kind).mkdir()
            with makers[kind](folder / kind, folder / "tables") as (store, seconds):
                base = {"store": kind, "people": options.people, "utterances": options.people * options.utterances}
                print(json.dumps({**base, "rows": tables.rows, "loaded_s": round(seconds, 1)}), flush=True)
                for name, ours, naive in measured(store, options.people, options.utterances, options.repeats):
                    figures = {
                        "p50_ms": round(statistics.median(ours), 1),
                        "p95_ms": round(percentile(ours, 0.95), 1),
                        "naive_p50_ms": round(statistics.median(naive), 1),
                    }
                    print(json.dumps({**base, "question": name, **figures}), flush=True)


if __name__ == "__main__":
    main()
