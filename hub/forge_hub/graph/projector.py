"""What each event changes in the graph. Pure and deterministic: the same log always gives the same graph."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from forge_hub.graph.batches import merged
from forge_hub.graph.ports import Edge, GraphBatch, Node, NodeRef, Outdated
from forge_hub.graph.schema import State, Value
from forge_hub.graph.vocabulary import EVIDENCE_OF, VOCABULARY
from forge_hub.records.log import Logged
from forge_hub.records.schema import Inference
from forge_shared.events import FormRecorded, SessionEnded, SessionStarted, UtteranceCorrected, UtteranceSaid

_ENDS: Mapping[str, tuple[str, str]] = {str(framework): ends for framework, ends in EVIDENCE_OF.items()}


def batch_of(event: Logged, inferences: Iterable[Inference] = ()) -> GraphBatch:
    """Return what one event changes; an event of no concern to the graph only moves the position.

    Args:
        event: As it was committed. Its subject is the person.
        inferences: What is on file about the utterance that the event is about.
    """
    match event.data:
        case SessionStarted() | SessionEnded():
            return _session(event, event.data)
        case UtteranceSaid():
            return _said(event, event.data, inferences)
        case UtteranceCorrected():
            return _corrected(event, event.data, inferences)
        case FormRecorded():
            return _form(event, event.data)
        case _:
            return GraphBatch((), (), event.position)


def decided(position: int, inference: Inference) -> GraphBatch:
    """Return what a clinician's word on an inference changes: the state of its edge, and where it leads."""
    said = NodeRef("Utterance", inference.utterance)
    return GraphBatch((), _evidence(said, [inference], None), position, (Outdated(said, inference.id),))


def is_known(inference: Inference) -> bool:
    """Tell whether the graph's vocabulary has the label of an inference; one that it has not is left out."""
    ends = _ENDS.get(inference.framework)
    return ends is not None and inference.label in VOCABULARY[ends[1]]


def standing(inference: Inference) -> tuple[str, State]:
    """Return the label that an inference has after a clinician's word, and its state.

    "other" approves the label that they put in its place; one that no vocabulary has leaves the first label rejected.
    """
    match inference.verdict:
        case None:
            return inference.label, "hypothesis"
        case "right":
            return inference.label, "approved"
        case "other" if inference.instead in VOCABULARY[_ENDS[inference.framework][1]]:
            return inference.instead, "approved"
        case _:
            return inference.label, "rejected"


def merge(batches: Sequence[GraphBatch]) -> GraphBatch:
    """Return one batch that does what the given ones do in their order."""
    return merged(batches)


def iso(at: datetime) -> str:
    """Return UTC text of one length, so that sorting it sorts by time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _session(event: Logged, data: SessionStarted | SessionEnded) -> GraphBatch:
    person, session = NodeRef("Persona", event.envelope.subject), NodeRef("Session", data.session)
    name = "started_at" if isinstance(data, SessionStarted) else "ended_at"
    properties: dict[str, Value] = {name: iso(event.envelope.time), "known_at": iso(event.received_at)}
    return GraphBatch(
        (Node(person.label, person.key), Node(session.label, session.key, properties)),
        (Edge("HAD_SESSION", person, session),),
        event.position,
    )


def _said(event: Logged, data: UtteranceSaid, inferences: Iterable[Inference]) -> GraphBatch:
    """Its person and session come with it, since events may be committed in another order than they happened."""
    person, session = NodeRef("Persona", event.envelope.subject), NodeRef("Session", data.session)
    said = NodeRef("Utterance", event.envelope.id)
    properties: dict[str, Value] = {
        "text": data.text,
        "question": data.question,
        "speaker": data.speaker,
        # The node's own count orders a session even where its wall clock was set back meanwhile.
        "ordinal": event.envelope.sequence,
        "at": iso(event.envelope.time),
        "known_at": iso(event.received_at),
        "corrected_by": None,
    }
    return GraphBatch(
        (Node(person.label, person.key), Node(session.label, session.key), Node(said.label, said.key, properties)),
        (
            Edge("HAD_SESSION", person, session),
            Edge("SAID", person, said),
            Edge("INCLUDES", session, said),
            *_evidence(said, inferences, event.received_at),
        ),
        event.position,
        (Outdated(said),),
    )


def _corrected(event: Logged, data: UtteranceCorrected, inferences: Iterable[Inference]) -> GraphBatch:
    """Text and tags are replaced; whose utterance it is and when it was said stays."""
    said = NodeRef("Utterance", data.utterance)
    properties: dict[str, Value] = {
        "text": data.text,
        "question": data.question,
        "speaker": data.speaker,
        "known_at": iso(event.received_at),
        "corrected_by": data.by,
    }
    return GraphBatch(
        (Node(said.label, said.key, properties),),
        _evidence(said, inferences, event.received_at),
        event.position,
        (Outdated(said),),
    )


def _evidence(said: NodeRef, inferences: Iterable[Inference], known_at: datetime | None) -> tuple[Edge, ...]:
    """Return the edges of inferences: known since a clinician decided, else since the hub has the words."""
    return tuple(_edge(said, each, known_at) for each in inferences if is_known(each))


def _edge(said: NodeRef, inference: Inference, known_at: datetime | None) -> Edge:
    edge, label = _ENDS[inference.framework]
    word, state = standing(inference)
    known = inference.decided_at or known_at or inference.at
    properties: dict[str, Value] = {
        "inference": inference.id,
        "start": inference.start,
        "end": inference.end,
        "confidence": inference.confidence,
        "source": f"{inference.method}-{inference.version}",
        "state": state,
        "at": iso(inference.at),
        "known_at": iso(known),
    }
    if inference.framework == "affect" and word == inference.label:
        properties |= {"valence": inference.valence, "arousal": inference.arousal}
    return Edge(edge, said, NodeRef(label, word), properties)


def _form(event: Logged, data: FormRecorded) -> GraphBatch:
    person, response = NodeRef("Persona", event.envelope.subject), NodeRef("FormResponse", data.response)
    properties: dict[str, Value] = {
        "questionnaire": data.questionnaire,
        "total": data.total,
        "status": data.status,
        "at": iso(event.envelope.time),
        "known_at": iso(event.received_at),
    }
    return GraphBatch(
        (Node(person.label, person.key), Node(response.label, response.key, properties)),
        (Edge("COMPLETED", person, response),),
        event.position,
    )
