"""Fits the second hearing and the rule over both hearings; writes what `forge_edge.speech.twofold` ships.

    python benchmarks/hearing.py agree --seed 2 --samples 2600

Everything is synthetic: espeak-ng and flite speak (`hearing_sounds.VOICES_FITTED`), noises are computed. No recording
of a person and no model of others goes in, except what pocketsphinx's phone loop writes down.
"""

import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from benchmarks.hearing_sounds import NOISES_FITTED, VOICES_FITTED, cough, in_a_ward, spoken
from numpy.typing import NDArray

from forge_edge.audio.ports import Samples
from forge_edge.speech import grammar
from forge_edge.speech.agreement import AgreementRule, claimed
from forge_edge.speech.phones import OTHER, PHONES, ChannelTables, PhoneChannel, Spelling, spelling
from forge_edge.speech.pocketsphinx import Listening, PocketsphinxTranscriber
from forge_edge.speech.ports import Grammar
from forge_edge.speech.twofold import FittedHearing
from forge_edge.speech.wordings import wordings
from forge_shared.forms.questionnaire import installed

FILE = Path(__file__).parents[1] / "edge" / "forge_edge" / "speech" / "hearing.json"

_SIGNS = {name: index for index, name in enumerate((*PHONES, OTHER))}
_ROUNDS = 5
_PRIOR = 8.0
"""Pseudo-counts of each phone: a share for itself, some for every sign, some for being left out."""
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Utterance:
    """What is said to the room: words of a vocabulary with their sense, or something else (``expected`` is None)."""

    kind: str
    words: str
    voice: str
    noise: str
    vocabulary: str
    expected: str | None
    seed: int

    def sound(self) -> Samples:
        """Synthesise it."""
        rng = np.random.default_rng(self.seed)
        clean = cough(rng) if self.kind == "cough" else spoken(self.words, self.voice)
        return in_a_ward(clean, self.noise, rng)


@cache
def grammars() -> dict[str, Grammar]:
    """Return what may be said at some point, by name."""
    forms = installed()
    safety = wordings().safety
    return {
        "frequency": grammar.answers(forms["phq-9"], forms["phq-9"].questions[0]).grammar,
        "difficulty": grammar.answers(forms["phq-9"], forms["phq-9"].questions[-1]).grammar,
        "yes-no": grammar.answers(forms["asq"], forms["asq"].questions[0]).grammar,
        "pain": grammar.answers(forms["pain"], forms["pain"].questions[0]).grammar,
        "confirmation": grammar.confirmation().grammar,
        "safety": Grammar(
            "safety",
            tuple(phrase for ways in safety.values() for phrase in ways),
            tuple(kind for kind, ways in safety.items() for _ in ways),
        ),
    }


def by_sense(given: Grammar) -> dict[str, list[str]]:
    """Return a grammar's phrases by what they mean."""
    table: dict[str, list[str]] = {}
    for phrase in given.phrases:
        table.setdefault(given.sense(phrase), []).append(phrase)
    return table


@cache
def engine() -> PocketsphinxTranscriber:
    """Return this process's engine."""
    return PocketsphinxTranscriber()


def fitted_on(count: int, sentences: Sequence[str], seed: int) -> list[Utterance]:
    """Return what the fit is made on: two of three mean something in their vocabulary, the others nothing."""
    rng = random.Random(seed)
    made = []
    for index in range(count):
        name = rng.choice(("frequency", "frequency", "difficulty", "yes-no", "yes-no", "confirmation"))
        given, expected = worded()[name], None
        if rng.random() < 0.35:
            words = rng.choice(sentences)
            if words in given.phrases:
                continue
        else:
            expected = rng.choice(
                sorted({s for s in given.senses if s.startswith(("a", "con")) or rng.random() < 0.15})
            )
            words = rng.choice(by_sense(given)[expected])
        kind = "sentence" if expected is None else "said"
        voice, noise = rng.choice(VOICES_FITTED), rng.choice(NOISES_FITTED)
        made.append(Utterance(kind, words, voice, noise, name, expected, seed * 100_003 + index))
    return made


@cache
def worded() -> dict[str, Grammar]:
    """Return the vocabularies of the fit, made of the catalogue alone: a form's codes have no part in it."""
    words = wordings()
    options = {
        "frequency": ("not at all", "several days", "more than half the days", "nearly every day"),
        "difficulty": ("not difficult at all", "somewhat difficult", "very difficult", "extremely difficult"),
        "yes-no": ("yes", "no", "i would rather not answer"),
    }
    tables = {name: {f"answer:{key}": (key, *words.further(key)) for key in keys} for name, keys in options.items()}
    tables["confirmation"] = {f"confirmation:{code}": ways for code, ways in words.confirmations.items()}
    made = {}
    for name, table in tables.items():
        senses: dict[str, str] = {}
        steering = {f"command:{code}": ways for code, ways in grammar.COMMANDS.items()}
        calls = {f"request:{code}": ways for code, ways in grammar.CALLS.items()}
        for sense, ways in (*table.items(), *steering.items(), *calls.items()):
            for way in ways:
                senses.setdefault(way, sense)
        made[name] = Grammar(name, tuple(senses), tuple(senses.values()))
    return made


def listened(utterance: Utterance) -> Listening:
    """Hear an utterance."""
    return engine().listen(utterance.sound(), worded()[utterance.vocabulary])


def fit(count: int, sentences: Sequence[str], seed: int, processes: int) -> FittedHearing:
    """Return the fitted channel and rule."""
    said = fitted_on(count, sentences, seed)
    with ProcessPoolExecutor(processes) as pool:
        heard = list(pool.map(listened, said, chunksize=20))
    return fit_to(said, heard)


def fit_to(said: Sequence[Utterance], heard: Sequence[Listening]) -> FittedHearing:
    """Return the channel and the rule that fit what was heard of these utterances."""
    channel = _channel(said, heard)
    compared = PhoneChannel(channel)
    figures, right = [], []
    for utterance, listening in zip(said, heard, strict=True):
        given = worded()[utterance.vocabulary]
        senses = {phrase: given.sense(phrase) for phrase in given.phrases}
        scores = compared.scores(listening.phones, _spelled(utterance.vocabulary))
        claim = claimed(listening.text, listening.evidence, scores, given, senses)
        if claim is not None:
            figures.append(claim.figures)
            right.append(claim.sense == utterance.expected)
    return FittedHearing(channel=channel, rule=ridge_rule(np.array(figures), np.array(right, dtype=float)))


@cache
def _spelled(name: str) -> Spelling:
    return spelling({phrase: engine().pronunciations(phrase) for phrase in worded()[name].phrases})


def _channel(said: Sequence[Utterance], heard: Sequence[Listening]) -> ChannelTables:
    """Count how phones are written down, by hard expectation maximisation over alignments."""
    pairs = []
    for utterance, listening in zip(said, heard, strict=True):
        ways = engine().pronunciations(utterance.words) if utterance.kind == "said" else ()
        signs = [_SIGNS[sign] for sign in listening.phones]
        if ways and signs:
            spelled = [[_SIGNS[phone] for phone in way] for way in ways]
            pairs.append((spelled, signs))
    prior = np.full((len(PHONES), len(_SIGNS) + 1), 0.3 / len(_SIGNS))
    prior[:, -1] = 0.15
    prior[np.arange(len(PHONES)), np.arange(len(PHONES))] += 0.4
    prior /= prior.sum(axis=1, keepdims=True)
    emissions, insertions, insertion = prior, np.full(len(_SIGNS), 1 / len(_SIGNS)), 0.25
    for _ in range(_ROUNDS):
        written, added = _PRIOR * prior, np.ones(len(_SIGNS))
        for spelled, signs in pairs:
            _, steps = max(
                (_aligned(way, signs, emissions, insertions * insertion) for way in spelled), key=lambda a: a[0]
            )
            for phone, sign in steps:
                if phone is None:
                    added[sign] += 1
                else:
                    written[phone, sign] += 1
        inserted = added.sum() - len(_SIGNS)
        insertion = float(inserted / (inserted + (written.sum() - _PRIOR * len(PHONES)) + len(pairs)))
        emissions, insertions = written / written.sum(axis=1, keepdims=True), added / added.sum()
    return ChannelTables(
        emissions=_rounded(emissions),
        insertions=_rounded(insertions[None])[0],
        insertion=round(insertion, _DIGITS),
        background=_rounded(_background(heard)),
    )


def _aligned(
    way: Sequence[int], signs: Sequence[int], emissions: NDArray[np.float64], insertions: NDArray[np.float64]
) -> tuple[float, list[tuple[int | None, int]]]:
    """Return the best alignment's log-probability and its steps; the last sign's index means: left out."""
    left_out = emissions.shape[1] - 1
    logs, added = np.log(emissions), np.log(insertions)
    best = np.full((len(way) + 1, len(signs) + 1), -np.inf)
    step = np.zeros(best.shape, dtype=int)
    best[0, 0] = 0.0
    for row in range(len(way) + 1):
        for column in range(len(signs) + 1):
            options = [best[row, column], -np.inf, -np.inf, -np.inf]
            if row:
                options[1] = best[row - 1, column] + logs[way[row - 1], left_out]
            if column:
                options[2] = best[row, column - 1] + added[signs[column - 1]]
            if row and column:
                options[3] = best[row - 1, column - 1] + logs[way[row - 1], signs[column - 1]]
            step[row, column] = int(np.argmax(options))
            best[row, column] = max(options)
    row, column, steps = len(way), len(signs), []
    while row or column:
        kind = step[row, column]
        phone = None if kind == 2 else way[row - 1]
        steps.append((phone, left_out if kind == 1 else signs[column - 1]))
        row, column = row - (kind != 2), column - (kind != 1)
    return float(best[-1, -1]), steps


def _background(heard: Sequence[Listening]) -> NDArray[np.float64]:
    """Return how signs follow each other in anything that is said, shape (41, 41); the last is the edge."""
    edge = len(_SIGNS)
    pairs, single = np.zeros((edge + 1, edge + 1)), np.ones(edge + 1)
    for listening in heard:
        path = (edge, *(_SIGNS[sign] for sign in listening.phones), edge)
        for before, after in pairwise(path):
            pairs[before, after] += 1
            single[after] += 1
    smoothed = pairs + 10.0 * single / single.sum()
    return np.asarray(smoothed / smoothed.sum(axis=1, keepdims=True))


def ridge_rule(figures: NDArray[np.float64], right: NDArray[np.float64]) -> AgreementRule:
    """Fit a ridge logistic regression by Newton's method."""
    mean, spread = figures.mean(axis=0), figures.std(axis=0) + 1e-9
    inputs = np.column_stack(((figures - mean) / spread, np.ones(len(figures))))
    ridge = np.diag([1.0] * figures.shape[1] + [0.0])
    weights = np.zeros(inputs.shape[1])
    for _ in range(40):
        predicted = 1 / (1 + np.exp(-np.clip(inputs @ weights, -30, 30)))
        gradient = inputs.T @ (predicted - right) + ridge @ weights
        weights -= np.linalg.solve((inputs.T * (predicted * (1 - predicted))) @ inputs + ridge, gradient)
    scaled = weights[:-1] / spread
    return AgreementRule(
        weights=tuple(round(float(weight), 4) for weight in scaled), bias=round(float(weights[-1] - scaled @ mean), 4)
    )


def _rounded(table: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(float(value), _DIGITS) for value in row) for row in table)
