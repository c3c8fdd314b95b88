"""A person whose sessions enter a hub as everything does: as events of the log, which the projections file."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tests.fakes.clock import FakeClock
from tests.fakes.sent import FakeNode, arrived, phq_9

from forge_hub.graph.ports import GraphStore
from forge_hub.graph.projection import GraphProjection, inferences_of
from forge_hub.ingest.store import IngestStore
from forge_hub.passes.basis import Statement
from forge_hub.passes.importing import Asked, begin
from forge_hub.passes.pass_a import read_transcript
from forge_hub.passes.router import route
from forge_hub.passes.runs import PassName
from forge_hub.passes.stores import Stores
from forge_hub.passes.table_projection import InferredTables, SaidTables
from forge_hub.passes.tables import TableFolder
from forge_hub.projection import catch_up
from forge_hub.records.database import Database
from forge_hub.records.projector import RecordsProjection
from forge_language.redaction import redact
from forge_shared.events import Envelope, SessionEnded, SessionStarted, UtteranceSaid
from forge_shared.forms.questionnaire import installed
from forge_shared.ids import new_id

if TYPE_CHECKING:
    from tests.fakes.pages import HubPages

BAD_DAY = (
    "I always mess things up. Everyone probably thinks I'm a failure.",
    "The night was terrible and I felt sad and alone.",
    "It will go wrong again, I know it.",
    "I am allergic to penicillin, please write that down.",
    "My brother never calls me any more, that hurts.",
    "I was afraid of the stairs this morning.",
    "Nothing I do is ever good enough.",
    "I should have been a better mother.",
    "The pain in my hip was awful.",
    "I cried for an hour and hated it.",
    "It is all my fault.",
    "I felt tired and hopeless.",
)
GOOD_DAY = (
    "The garden was lovely and I felt calm.",
    "I laughed a lot with my sister, that was wonderful.",
    "I have always loved my sister.",
    "Breakfast was good and I enjoyed the coffee.",
    "I am proud of the walk that I managed.",
    "The music made me happy.",
    "I slept well and feel rested.",
    "Thank you, the nurse was very kind to me.",
    "I am looking forward to Sunday.",
    "It was a good talk and I am grateful.",
    "I was a little worried, then relieved.",
    "Today was a beautiful day.",
)
STORY = (BAD_DAY, BAD_DAY, BAD_DAY, GOOD_DAY, GOOD_DAY, GOOD_DAY)
"""Three bad sessions and three good ones: a turn between them."""


def settler(database: Database, graph: GraphStore) -> Callable[[], None]:
    """Return what lets a hub's projections catch up with its log."""
    records = RecordsProjection(database, installed())
    mind = GraphProjection(graph, inferences_of(database))

    def settle() -> None:
        catch_up(database, records)
        catch_up(database, mind)

    return settle


def tell(  # noqa: PLR0913 (what a test wants otherwise)
    pages: "HubPages",
    person: str,
    story: Sequence[Sequence[str]] = STORY,
    *,
    node: str = "room-12",
    every: timedelta = timedelta(days=3),
    scores: Sequence[int] = (),
    speaker: Literal["patient", "clinician"] = "patient",
) -> list[str]:
    """Let a person tell a story, one session after the other, the last one yesterday; return the sessions' ids.

    ``scores`` are what they answer every item of a PHQ-9 with, the day before each session.
    """
    sender = FakeNode(FakeClock(), node, "ward", person)
    store = IngestStore("ward", pages.database, pages.parts.clock)
    begun = pages.now - timedelta(days=1) - every * (len(story) - 1)
    sessions = []
    for number, words in enumerate(story):
        at = begun + every * number
        sessions.append(new_id())
        store.commit([arrived(each) for each in _session(sender, sessions[-1], words, at, speaker)])
        if number < len(scores):
            answered = phq_9(sender.clock, [scores[number]] * 9, started_at=at - timedelta(days=1, minutes=9))
            store.commit([sender.send(answered, time=at - timedelta(days=1))])
    pages.settle()
    return sessions


def bring(  # noqa: PLR0913 (what an import is made of)
    pages: "HubPages", folder: Path, person: str, transcript: bytes, *, by: str, held: datetime
) -> str:
    """Bring a transcript in by passes A, B and C, as the command line does; return its session."""
    database, tables = pages.database, TableFolder(folder)
    stores = Stores(
        "ward",
        folder,
        database=database,
        graph=pages.graph,
        log=IngestStore("ward", database, pages.parts.clock),
        filing=[RecordsProjection(database, installed()), SaidTables(tables)],
        drawing=[GraphProjection(pages.graph, inferences_of(database)), InferredTables(tables, database)],
        own=True,
    )
    read = read_transcript(transcript, "text")
    asked = Asked(person, False, held, "text", Statement(None, by, "spoken"))
    run = begin("ward", folder, database, pages.parts.clock, read, asked)
    passes: tuple[PassName, ...] = ("a", "b", "c")
    route(run, passes, step=lambda *_: None, transcript=read, redact=lambda text: redact(text, read.names), desk=stores)
    return run.run.session


def tell_now(pages: "HubPages", person: str, words: Sequence[str], node: str) -> list[str]:
    """Let a person say something in a session that began four minutes ago and is still on; return the utterances."""
    sender = FakeNode(FakeClock(), node, "ward", person)
    begun = pages.now - timedelta(minutes=4)
    sent = _session(sender, new_id(), words, begun)[:-1]
    IngestStore("ward", pages.database, pages.parts.clock).commit([arrived(each) for each in sent])
    pages.settle()
    return [each.id for each in sent[1:]]


def _session(
    sender: FakeNode,
    session: str,
    words: Sequence[str],
    at: datetime,
    speaker: Literal["patient", "clinician"] = "patient",
) -> list[Envelope]:
    sent = [sender.event(SessionStarted(session=session, consent=new_id()), time=at)]
    for place, text in enumerate(words, start=1):
        said = UtteranceSaid(session=session, speaker=speaker, text=text, redactions={}, confidence=0.9)
        sent.append(sender.event(said, time=at + timedelta(minutes=place)))
    ended = SessionEnded(session=session, reason="asked")
    return [*sent, sender.event(ended, time=at + timedelta(minutes=len(words) + 1))]
