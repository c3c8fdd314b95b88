"""What each event adds to the graph. Pure and deterministic: the same log always gives the same graph."""

from collections.abc import Sequence
from datetime import UTC, datetime

from forge_hub.graph.batches import merged
from forge_hub.graph.ports import Edge, GraphBatch, Node, NodeRef
from forge_hub.graph.schema import Value
from forge_hub.mind.taggers import tags_of
from forge_shared.events import Envelope, EventData, FormRecorded, SessionStarted, UtteranceSaid


def batch_of(position: int, envelope: Envelope, data: EventData, *, infers: bool = True) -> GraphBatch:
    """Return what one event adds; an event of no concern to the graph only moves the position.

    Args:
        position: The event's place in the event log.
        envelope: As it was committed. Its subject is the person.
        data: The event's data at the newest version of its type.
        infers: Whether the person consents to inferences from what they said.
    """
    match data:
        case SessionStarted():
            return _session_started(position, envelope, data)
        case UtteranceSaid():
            return _utterance_said(position, envelope, data, infers=infers)
        case FormRecorded():
            return _form_recorded(position, envelope, data)
        case _:
            return GraphBatch((), (), position)


def merge(batches: Sequence[GraphBatch]) -> GraphBatch:
    """Return one batch that does what the given ones do in their order."""
    return merged(batches)


def _session_started(position: int, envelope: Envelope, data: SessionStarted) -> GraphBatch:
    person, session = NodeRef("Person", envelope.subject), NodeRef("Session", data.session)
    return GraphBatch(
        (Node(person.label, person.key), Node(session.label, session.key, {"started_at": _iso(envelope.time)})),
        (Edge("HAD_SESSION", person, session),),
        position,
    )


def _utterance_said(position: int, envelope: Envelope, data: UtteranceSaid, *, infers: bool) -> GraphBatch:
    """Its person and session come with it, since events may be committed in another order than they happened."""
    person, session = NodeRef("Person", envelope.subject), NodeRef("Session", data.session)
    said = NodeRef("Utterance", envelope.id)
    properties: dict[str, Value] = {
        "text": data.text,
        "at": _iso(envelope.time),
        # The node's own count orders a session even where its wall clock was set back meanwhile.
        "ordinal": envelope.sequence,
        "speaker": data.speaker,
    }
    nodes = [Node(person.label, person.key), Node(session.label, session.key), Node(said.label, said.key, properties)]
    edges = [Edge("HAD_SESSION", person, session), Edge("HAS_UTTERANCE", session, said)]
    for label, word, evidence in _tags(data.text) if infers else []:
        nodes.append(Node(word.label, word.key))
        edges.append(Edge(label, said, word, evidence))
    return GraphBatch(tuple(nodes), tuple(edges), position)


def _tags(text: str) -> list[tuple[str, NodeRef, dict[str, Value]]]:
    tags = tags_of(text)
    found: list[tuple[str, NodeRef, dict[str, Value]]] = [
        (
            "SHOWS_DISTORTION",
            NodeRef("Distortion", tag.label),
            {"start": tag.start, "end": tag.end, "confidence": tag.confidence, "source": tag.source},
        )
        for tag in tags.distortions
    ]
    if (felt := tags.felt) is not None:
        evidence: dict[str, Value] = {
            "start": felt.start,
            "end": felt.end,
            "confidence": felt.confidence,
            "source": felt.source,
            "valence": felt.valence,
            "arousal": felt.arousal,
        }
        found.append(("FEELS", NodeRef("Quadrant", felt.quadrant), evidence))
    return found


def _form_recorded(position: int, envelope: Envelope, data: FormRecorded) -> GraphBatch:
    person, response = NodeRef("Person", envelope.subject), NodeRef("FormResponse", data.response)
    properties: dict[str, Value] = {
        "questionnaire": data.questionnaire,
        "total": data.total,
        "status": data.status,
        "at": _iso(envelope.time),
    }
    return GraphBatch(
        (Node(person.label, person.key), Node(response.label, response.key, properties)),
        (Edge("COMPLETED", person, response),),
        position,
    )


def _iso(at: datetime) -> str:
    """Return UTC text of one length, so that sorting it sorts by time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
