"""A person's record as the pages show it: every inference with its evidence and its confidence. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from forge_hub.graph.ports import Finding, Fusion, Node, NodeRef, Subgraph
from forge_hub.records.reading import RecordedForm
from forge_hub.records.schema import FormAnswer, Utterance
from forge_hub.web.wording import danger_words, form_of
from forge_language.crisis import judge
from forge_shared.errors import ResponseInvalidError
from forge_shared.forms import scoring
from forge_shared.forms.questionnaire import Item, Questionnaire

PHQ9_MAXIMUM = 27
"""Nine items of 0 to 3 (Kroenke, Spitzer and Williams 2001)."""

EXCERPT_LENGTH = 60

_RELATIONS = {
    "HAD_SESSION": "had the session",
    "HAS_UTTERANCE": "contains",
    "COMPLETED": "filled in",
    "SHOWS_DISTORTION": "shows the pattern",
    "SHOWS_EMOTION": "shows the emotion",
    "REFLECTS_STAGE": "reflects the stage",
    "FEELS": "lies in the quadrant",
    "NEXT": "is followed by",
}
_KINDS = {"LifeStage": "Stage of life", "FormResponse": "Form"}


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One question of a form. ``answer`` is absent when it was not answered."""

    number: str
    question: str
    answer: FormAnswer | None
    display: str
    score: int | None
    risk: bool

    @property
    def raised(self) -> bool:
        """Whether this is a risk item that was not answered with its lowest option."""
        return self.risk and self.score != 0


@dataclass(frozen=True, slots=True)
class FormView:
    """A response, question by question. ``band`` is absent unless the form has published bands and a total."""

    id: str
    title: str
    completed: bool
    total: int | None
    maximum: int | None
    band: str | None
    node: str
    recorded_at: datetime
    re_prompts: int
    modes: Sequence[str]
    signature: str | None
    lines: Sequence[AnswerLine]

    @property
    def raised(self) -> bool:
        """Whether a risk item was answered other than with its lowest option, or was not answered."""
        return any(line.raised for line in self.lines)


@dataclass(frozen=True, slots=True)
class Tag:
    """One inference about an utterance with the words it rests on. Confidence is in [0, 1]."""

    name: str
    quote: str
    confidence: float

    @property
    def certainty(self) -> str:
        """The confidence in words."""
        return "insufficient evidence" if self.confidence <= 0 else f"confidence {self.confidence:.0%}"


@dataclass(frozen=True, slots=True)
class UtteranceView:
    """One utterance with its tags. ``valence`` and ``arousal`` are in [-1, 1], absent without evidence."""

    id: str
    number: int
    text: str
    at: datetime
    confidence: float
    dangers: Sequence[Tag]
    distortions: Sequence[Tag]
    emotions: Sequence[Tag]
    stage: Tag | None
    mood: Tag | None
    valence: float | None
    arousal: float | None


@dataclass(frozen=True, slots=True)
class Relation:
    """An edge of the graph in words."""

    start: str
    relation: str
    end: str
    certainty: str


def form_view(recorded: RecordedForm, forms: Mapping[str, Questionnaire]) -> FormView:
    """Return a response with the words of its questions; without its form, the bare codes."""
    response = recorded.response
    form = form_of(response.questionnaire, forms)
    answers = {answer.link_id: answer for answer in recorded.answers}
    if form is None:
        lines = [AnswerLine("", a.link_id, a, a.code, None, risk=False) for a in recorded.answers]
        title = response.questionnaire
    else:
        asked = [item for item in form.walk() if item.type == "choice" or item.is_asked]
        lines = [_line(item, answers.get(item.link_id)) for item in asked if _is_shown(form, item, answers)]
        title = form.title
    phq9 = form is not None and form.id == "phq-9"
    return FormView(
        id=response.id,
        title=title,
        completed=response.status == "completed",
        total=response.total,
        maximum=PHQ9_MAXIMUM if phq9 else None,
        band=scoring.severity_phq9(response.total) if phq9 and response.total is not None else None,
        node=response.node,
        recorded_at=response.recorded_at,
        re_prompts=response.re_prompts,
        modes=response.modes or (),
        signature=response.signature,
        lines=lines,
    )


def _dangers(text: str) -> list[Tag]:
    """Return the dangers that an utterance names, each once, the gravest mention of it first."""
    named: dict[str, Tag] = {}
    for found in judge(text).mentions:
        words = danger_words(found.category, found.reasons)
        named.setdefault(words, Tag(words, text[found.start : found.end], found.confidence))
    return list(named.values())


def utterance_view(utterance: Utterance, number: int, fusion: Fusion | None) -> UtteranceView:
    """Return an utterance with what the graph says of it; ``fusion`` is absent when the graph cannot be asked."""
    text = utterance.text
    sentiment = fusion.sentiment if fusion else None
    placed = sentiment is not None and sentiment.confidence > 0
    return UtteranceView(
        id=utterance.id,
        number=number,
        text=text,
        at=utterance.at,
        confidence=utterance.confidence,
        dangers=_dangers(text),
        distortions=[_tag(found, text) for found in fusion.distortions] if fusion else [],
        emotions=[_tag(found, text) for found in fusion.emotions] if fusion else [],
        stage=_tag(fusion.stage, text) if fusion and fusion.stage else None,
        mood=(
            Tag(words_of(sentiment.quadrant), text[sentiment.start : sentiment.end], sentiment.confidence)
            if sentiment
            else None
        ),
        valence=sentiment.valence if sentiment and placed else None,
        arousal=sentiment.arousal if sentiment and placed else None,
    )


def words_of(code: str) -> str:
    """Return a vocabulary id in words: ``all-or-nothing`` becomes "All or nothing"."""
    words = code.replace("-", " ").replace("_", " ")
    return words[:1].upper() + words[1:]


def relations_of(graph: Subgraph) -> list[Relation]:
    """Return the graph's edges in words: what a screen reader or a printed page gets instead of the drawing."""
    names = {node.ref: f"{kind_of(node)}: {name_of(node)}" for node in graph.nodes}
    return [
        Relation(
            names.get(edge.start, edge.start.key),
            _RELATIONS.get(edge.label, words_of(edge.label.lower())),
            names.get(edge.end, edge.end.key),
            Tag("", "", float(confidence)).certainty
            if isinstance(confidence := edge.properties.get("confidence"), int | float)
            else "",
        )
        for edge in graph.edges
    ]


def elements_of(graph: Subgraph, utterance_id: str) -> dict[str, list[dict[str, object]]]:
    """Return the graph as Cytoscape.js takes it, the utterance itself marked ``focus``."""
    return {
        "nodes": [
            {
                "id": _identity(node.ref),
                "label": name_of(node),
                "kind": node.label,
                "focus": node.label == "Utterance" and node.key == utterance_id,
            }
            for node in graph.nodes
        ],
        "edges": [
            {
                "source": _identity(edge.start),
                "target": _identity(edge.end),
                "label": _RELATIONS.get(edge.label, words_of(edge.label.lower())),
            }
            for edge in graph.edges
        ],
    }


def kind_of(node: Node) -> str:
    """Return what a node is, in words."""
    return _KINDS.get(node.label, node.label)


def name_of(node: Node) -> str:
    """Return a node's name: an utterance's own words, a session's time, a vocabulary id in words."""
    match node.label:
        case "Utterance":
            text = str(node.properties.get("text") or node.key)
            return text if len(text) <= EXCERPT_LENGTH else text[: EXCERPT_LENGTH - 1].rstrip() + "…"
        case "Session":
            return str(node.properties.get("started_at") or node.key)[:16].replace("T", " ")
        case "Person":
            return node.key
        case "FormResponse":
            return str(node.properties.get("questionnaire") or node.key).rsplit("/", 1)[-1].split("|")[0]
        case _:
            return words_of(node.key)


def _is_shown(form: Questionnaire, item: Item, answers: Mapping[str, FormAnswer]) -> bool:
    if item.link_id in answers:
        return True
    try:
        return scoring.is_enabled(form, item, {link_id: answer.code for link_id, answer in answers.items()})
    except ResponseInvalidError:
        return True  # answers that do not fit the form hide none of its questions


def _line(item: Item, answer: FormAnswer | None) -> AnswerLine:
    option = item.option(answer.code) if answer else None
    return AnswerLine(
        number=item.prefix.rstrip("."),
        question=item.text,
        answer=answer,
        display=option.display if option else answer.code if answer else "Not answered",
        score=option.ordinal if option else None,
        risk=item.is_risk,
    )


def _tag(found: Finding, text: str) -> Tag:
    return Tag(words_of(found.id), text[found.start : found.end], found.confidence)


def _identity(ref: NodeRef) -> str:
    return f"{ref.label}:{ref.key}"
