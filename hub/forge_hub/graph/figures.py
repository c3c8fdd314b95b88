"""What a person's ended sessions amount to, as nodes and edges: patterns, profile, correlations. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from forge_hub.graph.ports import Edge, GraphBatch, Node, NodeRef, Outdated
from forge_hub.graph.projector import is_known, iso, standing
from forge_hub.graph.questions import Uttered
from forge_hub.graph.schema import State, Value
from forge_hub.graph.vocabulary import VOCABULARY
from forge_hub.mind.person import Profile, Score, profile_of
from forge_hub.mind.standing import of_person
from forge_hub.mind.summaries import WEEK, PatternSummary, correlations, monday, summarise
from forge_hub.records.schema import Inference
from forge_language.taxonomy import LEAST_QUOTED

SOURCE: Final = "counts-1"
"""What a person's edges come from: counts over hypotheses, no tagger of its own."""


def figures_of(
    person: str, said: Sequence[Uttered], on_file: Mapping[str, Sequence[Inference]], sessions: Iterable[str]
) -> GraphBatch:
    """Return what follows from all of a person's ended sessions, in place of what followed before.

    Args:
        person: The pseudonym.
        said: What the ended sessions hold.
        on_file: What is on file about those utterances.
        sessions: The sessions whose patterns are wanted; of the weeks all are.

    What was said without consent to inferences is not on file and counts nowhere, nor do the clinician's own words.
    """
    inferences = {
        key: [each for each in found if is_known(each) and standing(each)[1] != "rejected"]
        for key, found in on_file.items()
    }
    said = [each for each in of_person(said) if each.id in inferences]
    batch = GraphBatch((Node("Persona", person),), (), 0, (Outdated(NodeRef("Persona", person)),))
    if not said:
        return batch
    by_session: dict[str, list[Uttered]] = defaultdict(list)
    by_week: dict[datetime, list[Uttered]] = defaultdict(list)
    for each in said:
        by_session[each.session].append(each)
        by_week[monday(each.at)].append(each)
    nodes, edges = list(batch.nodes), list[Edge]()
    for session in sorted(set(sessions) & by_session.keys()):
        part = by_session[session]
        summary = summarise(part, _about(part, inferences))
        nodes.append(_pattern(session, summary, _known_at(part, on_file)))
        edges.append(Edge("HAS_PATTERN", NodeRef("Session", session), nodes[-1].ref))
    for since, part in sorted(by_week.items()):
        summary = summarise(part, _about(part, inferences), window=(since, since + WEEK))
        nodes.append(_pattern(f"{person}/{since.date()}", summary, _known_at(part, on_file)))
        edges.append(Edge("HAS_PATTERN", NodeRef("Persona", person), nodes[-1].ref))
    edges += _personal(person, said, _about(said, inferences), _known_at(said, on_file))
    return GraphBatch(tuple(nodes), tuple(edges), 0, batch.replaced)


def _personal(person: str, said: Sequence[Uttered], about: Sequence[Inference], known_at: str) -> Iterator[Edge]:
    times: dict[str, Value] = {"at": iso(max(each.at for each in said)), "known_at": known_at}
    for edge, end, properties in _profile(profile_of(said, about)):
        yield Edge(edge, NodeRef("Persona", person), end, {**properties, "source": SOURCE, **times})
    for each in correlations(said, about):
        yield Edge(
            "CORRELATED_WITH",
            NodeRef("Persona", person),
            NodeRef("Distortion", each.distortion),
            {
                "other": each.other,
                "weight": each.weight,
                "low": each.low,
                "high": each.high,
                "evidence": each.n,
                **times,
            },
        )


def _profile(profile: Profile) -> Iterator[tuple[str, NodeRef, dict[str, Value]]]:
    """Return what is said of a person where there is evidence enough to say anything."""
    stage = profile.stage
    if stage.stage in VOCABULARY["LifeStage"]:
        shown = len(stage.evidence.get(stage.stage, ()))
        weight = shown / max(1, sum(map(len, stage.evidence.values())))
        state: State = "approved" if stage.by_clinician else "hypothesis"
        yield "IN_LIFE_STAGE", NodeRef("LifeStage", stage.stage), _counted(weight, shown, state)
    attachment = profile.attachment
    if attachment.name in VOCABULARY["Attachment"]:
        axes: dict[str, Value] = {"anxiety": attachment.anxiety.value, "avoidance": attachment.avoidance.value}
        counted = _counted(None, attachment.n_evidence, "hypothesis")
        yield "HAS_ATTACHMENT", NodeRef("Attachment", attachment.name), counted | axes
    for trait, score in profile.traits.items():
        if evidence := _evidence(score):
            interval: dict[str, Value] = {"low": score.low, "high": score.high}
            counted = _counted(score.value, evidence, "hypothesis")
            yield "HAS_TRAIT", NodeRef("Trait", trait), counted | interval
    for belief in profile.schemas:
        if belief.approved or len(belief.evidence) >= LEAST_QUOTED:
            state = "approved" if belief.approved else "hypothesis"
            weight = len(belief.evidence) / profile.utterances
            yield "HAS_SCHEMA", NodeRef("Schema", belief.label), _counted(weight, len(belief.evidence), state)


def _counted(weight: float | None, evidence: int, state: State) -> dict[str, Value]:
    return {"weight": weight, "evidence": evidence, "state": state}


def _evidence(score: Score) -> int:
    return len({*score.high_evidence, *score.low_evidence})


def _pattern(key: str, summary: PatternSummary, known_at: str) -> Node:
    properties: dict[str, Value] = {
        "session": summary.session,
        "since": iso(summary.since),
        "until": iso(summary.until),
        "known_at": known_at,
        "utterances": summary.utterances,
        "readings": summary.readings,
        "avg_valence": summary.avg_valence,
        "avg_arousal": summary.avg_arousal,
        "dominant_emotion": summary.dominant_emotion,
        **summary.rates,
    }
    return Node("PatternSummary", key, properties)


def _known_at(said: Sequence[Uttered], inferences: Mapping[str, Sequence[Inference]]) -> str:
    """Since when all is known that a figure rests on: words, ends of sessions, what clinicians decided."""
    decided = (iso(each.decided_at) for each in _about(said, inferences) if each.decided_at is not None)
    return max([*(max(each.known_at, each.session_known_at) for each in said), *decided])


def _about(said: Iterable[Uttered], inferences: Mapping[str, Sequence[Inference]]) -> list[Inference]:
    return [found for each in said for found in inferences.get(each.id, ())]
