"""The named queries: each one statement of Cypher that Ladybug and Neo4j both run, made here and nowhere else.

Times are UTC text of one length, as the graph keeps them; ``since`` is part of a window, ``until`` is not. What a
clinician has called wrong counts nowhere, and the clinician's own words are nobody's evidence.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from forge_hub.graph.batches import present
from forge_hub.graph.ports import NodeRef, Question
from forge_hub.graph.schema import INFERRED, NODES, Value
from forge_hub.graph.vocabulary import EVIDENCE_OF
from forge_hub.mind.inference import Framework
from forge_hub.mind.standing import ASSERTED, CLINICIAN

_FIRST, _LAST = "", "~"
"""Texts before and after every time."""

_NO_FIGURE: Final = 2.0
"""Stands for a valence or arousal that is absent, which are in [-1, 1]: lists have no place for what is not there."""

_OWN_WORDS: Final = f"(u.speaker IS NULL OR u.speaker <> '{CLINICIAN}')"
_WITHIN: Final = "u.at >= $since AND u.at < $until"

_UTTERED: Final = "u.id, s.id, p.id, u.at, u.speaker, u.known_at, s.known_at"

Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Mood:
    """What one utterance felt like. Valence and arousal are in [-1, 1], absent where nothing was read.

    ``emotions`` are ids with their confidence, the surest first.
    """

    utterance: str
    session: str
    at: str
    valence: float | None
    arousal: float | None
    confidence: float | None
    emotions: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Frequency:
    """How many of a day's utterances show a distortion, out of how many."""

    day: str
    distortion: str
    utterances: int
    of: int


@dataclass(frozen=True, slots=True)
class Change:
    """Something that the hub came to know: what it is, its node's id, what it is about, and the two times.

    ``kind`` is "utterance", "form", "pattern", or the label of an edge from an utterance.
    """

    kind: str
    key: str
    label: str
    state: str
    at: str
    known_at: str


@dataclass(frozen=True, slots=True)
class Quote:
    """One utterance as the evidence of one label, quoted from ``start`` to ``end``."""

    label: str
    utterance: str
    session: str
    text: str
    at: str
    start: int
    end: int
    confidence: float
    source: str
    state: str
    inference: str

    @property
    def words(self) -> str:
        """The quoted words."""
        return self.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Correlated:
    """How a distortion goes together with an emotion or an axis of affect, -1 to 1, in so many utterances."""

    distortion: str
    other: str
    weight: float
    low: float
    high: float
    evidence: int


@dataclass(frozen=True, slots=True)
class Trend:
    """A session's figures, in the order of the sessions."""

    session: str
    pattern: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Uttered:
    """An utterance without its words. Implements `forge_hub.mind.standing.Said`.

    ``known_at`` is since when the hub has known its words, ``session_known_at`` the last it heard of its session.
    """

    id: str
    session: str
    subject: str
    at: datetime
    speaker: str | None
    known_at: str
    session_known_at: str


def person_series(person: str, *, since: str = _FIRST, until: str = _LAST) -> Question[list[Mood]]:
    """Ask for valence, arousal and emotions of a person over time, by utterance; `trends` has them by session."""
    # A row costs Neo4j's driver 25 us, a value in a list 2: hence few rows, a session or a label each, and lists in
    # them whose places belong together. No OPTIONAL MATCH and no third condition on the utterance: both make Ladybug
    # 0.22 read what everybody said.
    return Question(
        "person_series",
        f"MATCH (:Persona {{id: $person}})-[:SAID]->(u:Utterance)<-[:INCLUDES]-(s:Session) WHERE {_WITHIN} "
        "RETURN '' AS edge, s.id AS label, coalesce(u.speaker, '') AS state, collect(u.id) AS said, "
        "collect(u.at) AS moments, collect(1.0 * coalesce(u.ordinal, 0)) AS sure, collect(0.0) AS valence, "
        "collect(0.0) AS arousal UNION ALL "
        f"MATCH (:Persona {{id: $person}})-[:SAID]->(u:Utterance)-[e:HAS_SENTIMENT|TRIGGERS_EMOTION]->(v) "
        f"WHERE {_WITHIN} RETURN LABEL_OF(e) AS edge, v.id AS label, e.state AS state, collect(u.id) AS said, "
        "collect('') AS moments, collect(e.confidence) AS sure, "
        f"collect(coalesce(e.valence, {_NO_FIGURE})) AS valence, "
        f"collect(coalesce(e.arousal, {_NO_FIGURE})) AS arousal",
        {"person": person, "since": since, "until": until},
        _moods,
    )


def distortion_frequency(person: str, *, since: str = _FIRST, until: str = _LAST) -> Question[list[Frequency]]:
    """Ask how often a person's words show which distortion, by day; days without any have one of distortion ""."""
    # What the edge and the speaker must be is no condition of the pattern: a third one makes Ladybug 0.22 read it all.
    shown = f"CASE WHEN {_stands('distortion')} THEN u.id END"
    columns = "left(u.at, 10) AS day, u.speaker AS speaker"
    return Question(
        "distortion_frequency",
        f"MATCH (:Persona {{id: $person}})-[:SAID]->(u:Utterance) WHERE {_WITHIN} "
        f"RETURN {columns}, '' AS distortion, count(u.id) AS utterances UNION ALL "
        f"MATCH (:Persona {{id: $person}})-[:SAID]->(u:Utterance)-[e:HAS_DISTORTION]->(d:Distortion) WHERE {_WITHIN} "
        f"RETURN {columns}, d.id AS distortion, count(DISTINCT {shown}) AS utterances",
        {"person": person, "since": since, "until": until},
        _frequencies,
    )


def changed_since(person: str, known_since: str) -> Question[list[Change]]:
    """Ask what the hub came to know of a person since a moment, newest first: words, forms, inferences, decisions."""
    persona = "MATCH (p:Persona {id: $person})"
    return Question(
        "changed_since",
        f"{persona}-[:SAID]->(u:Utterance) WHERE u.known_at > $known "
        "RETURN 'utterance' AS kind, u.id AS id, '' AS label, '' AS state, u.at AS at, u.known_at AS known UNION ALL "
        f"{persona}-[:SAID]->(u:Utterance)-[e:{'|'.join(INFERRED)}]->(v) WHERE e.known_at > $known "
        "RETURN LABEL_OF(e) AS kind, u.id AS id, v.id AS label, e.state AS state, e.at AS at, e.known_at AS known "
        f"UNION ALL {persona}-[:COMPLETED]->(f:FormResponse) WHERE f.known_at > $known "
        "RETURN 'form' AS kind, f.id AS id, '' AS label, '' AS state, f.at AS at, f.known_at AS known UNION ALL "
        f"{persona}-[:HAD_SESSION]->(:Session)-[:HAS_PATTERN]->(q:PatternSummary) WHERE q.known_at > $known "
        "RETURN 'pattern' AS kind, q.id AS id, '' AS label, '' AS state, q.until AS at, q.known_at AS known",
        {"person": person, "known": known_since},
        lambda rows: sorted(
            (Change(*row) for row in rows), key=lambda each: (each.known_at, each.at, each.key, each.kind, each.label)
        )[::-1],
    )


def pattern(session: str) -> Question[Mapping[str, Value] | None]:
    """Ask for the pattern of a session; None while it goes on, or when it has none."""
    names = list(NODES["PatternSummary"].properties)
    return Question(
        "pattern",
        f"MATCH (:Session {{id: $session}})-[:HAS_PATTERN]->(q:PatternSummary) RETURN {_columns('q', names)}",
        {"session": session},
        lambda rows: present(dict(zip(names, rows[0], strict=True))) if rows else None,
    )


def trends(person: str) -> Question[list[Trend]]:
    """Ask for the patterns of all of a person's sessions, in their order."""
    names = list(NODES["PatternSummary"].properties)
    return Question(
        "trends",
        "MATCH (:Persona {id: $person})-[:HAD_SESSION]->(s:Session)-[:HAS_PATTERN]->(q:PatternSummary) "
        f"RETURN s.id, {_columns('q', names)} ORDER BY q.since, s.id",
        {"person": person},
        lambda rows: [Trend(row[0], present(dict(zip(names, row[1:], strict=True)))) for row in rows],
    )


def evidence_of(person: str, framework: Framework, label: str) -> Question[list[Quote]]:
    """Ask for the utterances that show a label, in the order in which they were said."""
    return _quotes("evidence_of", person, framework, "v.id = $label AND ", {"label": label})


def notes_of(person: str) -> Question[list[Quote]]:
    """Ask for what is to be found again of what a person said: allergies, care requests, key events."""
    return _quotes("notes_of", person, "note", "", {})


def correlations(person: str) -> Question[list[Correlated]]:
    """Ask how a person's distortions go together with emotions and affect, the strongest first."""
    return Question(
        "correlations",
        "MATCH (:Persona {id: $person})-[e:CORRELATED_WITH]->(d:Distortion) "
        "RETURN d.id, e.other, e.weight, e.low, e.high, e.evidence",
        {"person": person},
        lambda rows: sorted(
            (Correlated(*row) for row in rows), key=lambda each: (-abs(each.weight), each.distortion, each.other)
        ),
    )


def owner(node: NodeRef) -> Question[str | None]:
    """Ask whose a session, utterance, form or pattern is; None: nobody's, as with the vocabulary."""
    ways = {
        "Persona": "MATCH (p:Persona {id: $key})",
        "Session": "MATCH (p:Persona)-[:HAD_SESSION]->(:Session {id: $key})",
        "Utterance": "MATCH (p:Persona)-[:SAID]->(:Utterance {id: $key})",
        "FormResponse": "MATCH (p:Persona)-[:COMPLETED]->(:FormResponse {id: $key})",
        "PatternSummary": (
            "MATCH (:PatternSummary {id: $key})<-[:HAS_PATTERN]-(s) "
            "OPTIONAL MATCH (o:Persona)-[:HAD_SESSION]->(s) "
            "WITH coalesce(o.id, s.id) AS key MATCH (p:Persona {id: key})"
        ),
    }
    way = ways.get(node.label, "MATCH (p:Persona) WHERE false AND p.id = $key WITH p")
    return Question(
        "owner", f"{way} RETURN p.id ORDER BY p.id", {"key": node.key}, lambda rows: rows[0][0] if rows else None
    )


def uttered(utterance: str) -> Question[Uttered | None]:
    """Ask whose an utterance is, and of which session; None: the graph does not hold it."""
    return Question(
        "uttered",
        f"MATCH (p:Persona)-[:SAID]->(u:Utterance {{id: $key}})<-[:INCLUDES]-(s:Session) RETURN {_UTTERED}",
        {"key": utterance},
        lambda rows: _uttered(rows[0]) if rows else None,
    )


def ended(sessions: Collection[str]) -> Question[set[str]]:
    """Ask which of some sessions have ended."""
    return Question(
        "ended",
        "UNWIND $keys AS key MATCH (s:Session {id: key}) WHERE s.ended_at IS NOT NULL RETURN s.id",
        {"keys": sorted(sessions)},
        lambda rows: {row[0] for row in rows},
    )


def said_in_ended(person: str) -> Question[list[Uttered]]:
    """Ask for what a person's ended sessions hold."""
    return Question(
        "said_in_ended",
        "MATCH (p:Persona {id: $person})-[:SAID]->(u:Utterance)<-[:INCLUDES]-(s:Session) WHERE s.ended_at IS NOT NULL "
        f"RETURN {_UTTERED}",
        {"person": person},
        lambda rows: [_uttered(row) for row in rows],
    )


def _quotes(
    name: str, person: str, framework: Framework, condition: str, parameters: Mapping[str, str]
) -> Question[list[Quote]]:
    edge, label = EVIDENCE_OF[framework]
    return Question(
        name,
        f"MATCH (:Persona {{id: $person}})-[:SAID]->(u:Utterance)-[e:{edge}]->(v:{label}) "
        f"WHERE {condition}{_OWN_WORDS} AND {_stands(framework)} MATCH (s:Session)-[:INCLUDES]->(u) "
        "RETURN v.id, u.id, s.id, u.text, u.at, e.start, e.`end`, e.confidence, e.source, e.state, e.inference "
        "ORDER BY u.at, u.ordinal, u.id, e.start, v.id, e.inference",
        {"person": person, **parameters},
        lambda rows: [Quote(*row) for row in rows],
    )


def _stands(framework: Framework) -> str:
    """The condition that an edge ``e`` counts in figures: `forge_hub.mind.standing.standing_label` in Cypher."""
    least = ASSERTED.get(framework, 0.0)
    return f"(e.state = 'approved' OR (e.state = 'hypothesis' AND e.confidence >= {least!r} AND e.confidence > 0.0))"


def _moods(rows: Rows) -> list[Mood]:
    about: dict[str, list[Sequence[Any]]] = defaultdict(list)
    said = []
    for edge, label, state, *lists in rows:
        for utterance, at, sure, valence, arousal in zip(*lists, strict=True):
            if not edge:
                if state != CLINICIAN:
                    said.append((at, sure, utterance, label))
            elif state != "rejected" and sure > 0:
                about[utterance].append((edge, label, state, sure, valence, arousal))
    return [_mood(utterance, session, at, about[utterance]) for at, _, utterance, session in sorted(said)]


def _mood(utterance: str, session: str, at: str, about: Rows) -> Mood:
    read = [each for each in about if each[0] == "HAS_SENTIMENT" and _NO_FIGURE not in each[4:]]
    _, _, _, sure, valence, arousal = min(
        read, key=lambda each: (each[2] != "approved", -each[3], each[1]), default=(None,) * 6
    )
    emotions = {each[1]: each[3] for each in sorted(about, key=lambda each: each[3]) if each[0] == "TRIGGERS_EMOTION"}
    ranked = sorted(emotions.items(), key=lambda each: (-each[1], each[0]))
    return Mood(utterance, session, at, valence, arousal, sure, tuple(ranked))


def _frequencies(rows: Rows) -> list[Frequency]:
    said: dict[str, int] = defaultdict(int)
    shown: dict[tuple[str, str], int] = defaultdict(int)
    for day, speaker, distortion, utterances in rows:
        if speaker == CLINICIAN or not utterances:
            continue
        if distortion:
            shown[day, distortion] += utterances
        else:
            said[day] += utterances
    found = [Frequency(day, each, number, said[day]) for (day, each), number in shown.items()]
    days = {day for day, _ in shown}
    found += [Frequency(day, "", 0, number) for day, number in said.items() if day not in days]
    return sorted(found, key=lambda each: (each.day, each.distortion))


def _uttered(row: Sequence[Any]) -> Uttered:
    utterance, session, person, at, speaker, known_at, session_known_at = row
    known_at = known_at or at
    return Uttered(
        utterance, session, person, datetime.fromisoformat(at), speaker, known_at, session_known_at or known_at
    )


def _columns(variable: str, names: Sequence[str]) -> str:
    return ", ".join(f"{variable}.`{name}`" for name in names)
