"""What a report says of a session: what a clinician has approved as such, and hypotheses as hypotheses. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from forge_hub.mind.evidence import ToReview
from forge_hub.mind.inference import FRAMEWORKS
from forge_hub.web.evidence_view import Reason, reason_of
from forge_hub.web.mind_wording import framework_words, words_of

QUOTES: Final = 3
"""Quotes of each hypothesis in a report. Ours: a report is read on paper; the pages have them all."""


@dataclass(frozen=True, slots=True)
class Fact:
    """An inference that a clinician has approved or put another label on, with its source."""

    kind: str
    words: str
    quote: str
    said_at: datetime
    utterance: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Guess:
    """A label that methods gave and nobody has decided on, with its surest quotes."""

    kind: str
    framework: str
    label: str
    words: str
    utterances: int
    quotes: Sequence[tuple[str, str]]
    highest: float
    method: str


@dataclass(frozen=True, slots=True)
class Report:
    """The two parts of a report."""

    facts: Sequence[Fact]
    guesses: Sequence[Guess]


def report_of(rows: Sequence[ToReview], names: Mapping[str, str]) -> Report:
    """Return a report of what stands in a session; ``names`` are usernames by account."""
    facts, open_rows = [], defaultdict(list)
    for each in rows:
        reason = reason_of(each.inference, each.utterance.text, names)
        if reason.state in {"approved", "relabelled"}:
            words = reason.instead or reason.words
            quote = reason.quote or each.utterance.text
            facts.append(Fact(reason.kind, words, quote, each.utterance.at, each.utterance.id, reason))
        elif reason.state == "hypothesis":
            open_rows[reason.framework, reason.label].append((reason, each))
    guesses = [_guess(framework, label, found) for (framework, label), found in open_rows.items()]
    order = {framework: place for place, framework in enumerate(FRAMEWORKS)}
    guesses.sort(key=lambda guess: (order.get(guess.framework, len(order)), -guess.utterances, guess.words))  # type: ignore[call-overload]
    return Report(facts, guesses)


def _guess(framework: str, label: str, found: Sequence[tuple[Reason, ToReview]]) -> Guess:
    surest = sorted(found, key=lambda pair: -pair[0].confidence)
    quotes = [(reason.quote or row.utterance.text, row.utterance.id) for reason, row in surest]
    return Guess(
        kind=framework_words(framework),
        framework=framework,
        label=label,
        words=words_of(label),
        utterances=len({row.utterance.id for _, row in found}),
        quotes=list(dict.fromkeys(quotes))[:QUOTES],
        highest=surest[0][0].confidence,
        method=surest[0][0].by,
    )
