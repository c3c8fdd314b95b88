"""A person's forms as the pages show them, and the dangers that an utterance names. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from forge_hub.records.reading import RecordedForm
from forge_hub.records.schema import FormAnswer
from forge_hub.web.wording import danger_words, form_of
from forge_language.crisis import judge
from forge_shared.errors import ResponseInvalidError
from forge_shared.forms import scoring
from forge_shared.forms.questionnaire import Item, Questionnaire

PHQ9_MAXIMUM = 27
"""Nine items of 0 to 3 (Kroenke, Spitzer and Williams 2001)."""


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
    """A danger that an utterance names, with the words it rests on. Confidence is in [0, 1].

    Attributes:
        is_doubted: Whether it calls nobody: something speaks against it, which its name says.
    """

    name: str
    quote: str
    confidence: float
    is_doubted: bool

    @property
    def certainty(self) -> str:
        """The confidence in words."""
        return "insufficient evidence" if self.confidence <= 0 else f"confidence {self.confidence:.0%}"


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


@lru_cache(maxsize=1024)
def dangers_of(text: str) -> tuple[Tag, ...]:
    """Return the dangers that an utterance names, each once, the gravest mention of it first.

    Judging takes some 20 ms of a processor, a page of utterances half a second: whoever turns back waits once.
    """
    named: dict[str, Tag] = {}
    for found in judge(text).mentions:
        words, quote = danger_words(found.category, found.reasons), text[found.start : found.end]
        named.setdefault(words, Tag(words, quote, found.confidence, found.priority not in ("staff", "urgent")))
    return tuple(named.values())


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
