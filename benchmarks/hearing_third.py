"""Fits the rule over three hearings and prints its numbers: ``forge_edge.speech.third_hearing.RULE``.

    python benchmarks/hearing.py third --seed 2 --samples 900

The first two hearings are those that are shipped (`hearing_fit`), Whisper's weights those of the package. Voices,
noises and sentences are the fit's; what is no answer is added to a third: near misses, numbers, coughs and languages
that the measurement does not use. What means a decoy is left out: it is refused whatever the rule says.
"""

import random
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import numpy as np
from benchmarks.hearing_fit import Utterance, fitted_on, ridge_rule, worded
from benchmarks.hearing_sounds import NOISES_FITTED, VOICES_FITTED, no_answers

from forge_edge.speech.agreement import DECOY, AgreementRule
from forge_edge.speech.third_hearing import ThirdClaim
from forge_edge.speech.threefold import ThreefoldTranscriber
from forge_edge.speech.whisper import Whisper
from forge_edge.speech.whisper_package import packaged


@cache
def engine() -> ThreefoldTranscriber:
    """Return this process's engine.

    Raises:
        SystemExit: Whisper's packages are not here.
    """
    model, state = packaged()
    if model is None:
        raise SystemExit(f"Whisper's packages are {state}")
    return ThreefoldTranscriber(Whisper(model, threads=1))


def no_answers_fitted_on(count: int, sentences: Sequence[str], seed: int) -> list[Utterance]:
    """Return utterances that mean nothing in the vocabulary in which they are said."""
    rng = random.Random(seed)
    made = []
    for index, (kind, words, foreign) in enumerate(no_answers(sentences, held_out=False, count=count, seed=seed)):
        name = rng.choice(("frequency", "difficulty", "yes-no", "confirmation"))
        if words not in worded()[name].phrases:
            voice, noise = foreign or rng.choice(VOICES_FITTED), rng.choice(NOISES_FITTED)
            made.append(Utterance(kind, words, voice, noise, name, None, seed * 100_003 + 50_000 + index))
    return made


def claimed(utterance: Utterance) -> ThirdClaim | None:
    """Hear an utterance."""
    return engine().claim(utterance.sound(), worded()[utterance.vocabulary])[1]


def fit(count: int, sentences: Sequence[str], seed: int, processes: int) -> tuple[AgreementRule, int]:
    """Return the fitted rule and how many claims it rests on."""
    said = [*fitted_on(count, sentences, seed), *no_answers_fitted_on(count // 2, sentences, seed)]
    with ProcessPoolExecutor(processes) as pool:
        claims = list(pool.map(claimed, said, chunksize=10))
    known = [(claim, one) for claim, one in zip(claims, said, strict=True) if claim and DECOY not in claim.sense]
    figures = np.array([claim.figures for claim, _ in known])
    right = np.array([claim.sense == one.expected for claim, one in known], dtype=float)
    return ridge_rule(figures, right), len(known)
