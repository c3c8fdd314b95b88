"""How well the node hears: answers and refusals. Prints one JSON line per figure, a baseline beside it.

    python benchmarks/hearing.py            measure; recordings in ../shared are used where they are present
    python benchmarks/hearing.py answers    only what two agreeing hearings make of answers (`hearing_answers`)
    python benchmarks/hearing.py train      fit the rule of forge_edge.speech.evidence and print its numbers
    python benchmarks/hearing.py agree      fit the second hearing and the rule over both (`hearing_fit`) and write them
    python benchmarks/hearing.py third      fit the rule over three hearings (`hearing_third`) and print its numbers

--seed and --samples are for the last two and the second, --hearing for the second.

Voices, noises and phrases that the rule was fitted on are kept apart from those it is measured on. The blind sentences
in tests/golden/blind are measured and never fitted on. The baseline of every speech figure is the same decoder on the
same sound without the rule: whatever whole phrase the grammar chose is accepted.
"""

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

import numpy as np
from benchmarks import hearing_answers, hearing_fit, hearing_third
from numpy.typing import NDArray

from forge_edge.audio.files import load
from forge_edge.audio.ports import Samples
from forge_edge.audio.voices import VOICES
from forge_edge.speech import grammar
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.speech.evidence import LEAST_CONFIDENCE
from forge_edge.speech.flite import FliteSynthesiser
from forge_edge.speech.grammar import Vocabulary
from forge_edge.speech.pocketsphinx import PocketsphinxTranscriber
from forge_shared.forms.questionnaire import installed

SEED = 20
RECORDINGS = Path(__file__).parents[2] / "shared" / "data" / "voice"
BLIND = Path(__file__).parents[1] / "tests" / "golden" / "blind" / "form_answers.jsonl"
NOISES = ("quiet", "white 20 dB", "pink 20 dB", "white 10 dB", "pink 10 dB")
PROCESSES = 2

VOICES_TRAIN = (
    *("en-us 150 50", "en-gb 160 50", "en-us+f3 140 50", "en-us+m3 165 40", "en-us+f4 155 60", "en-gb-x-gbclan 150 45"),
    *("en-us+m1 170 50", "en-029 150 50", "kal16 160 0", "slt 160 0", "slt 140 0", "awb 150 0"),
)
VOICES_HELD_OUT = (
    *("en-gb-scotland 155 50", "en-us+m5 150 45", "en-gb-x-rp 150 55", "rms 160 0", "kal 160 0"),
)  # fmt: skip
"""Voice, words per minute, pitch (espeak-ng only)."""

_OTHER_TRAIN = """
my chest hurts; hey jarvis; what time is it; two; three; where is my daughter; turn the television off please; i do
not know what to say; it depends on the weather; sometimes in the morning; not now; not today; not yet; the lights
are too bright; half past seven; half an hour ago; several people came in; several hours; all day long; all of the
time; nearly there; nearly finished; every other week; every night he snores; most of my friends are gone; my leg is
itching; who is at the door; good morning; thank you very much; can you open the window; the doctor said tomorrow; i
was at the shop last week; how long will this take; is it lunch time already; my wife is coming at three; nice to
meet you; the food here is terrible; i slept on the sofa; what do you mean by that; let me think about it; that is a
difficult question; he said he would call me; i lost my glasses; more tea please; more than enough; more than i can
say; days go by so slowly; the days are getting longer; a few years ago; close the curtains; it is raining outside;
they moved me to another room; i have three children; what is your name; what day is it today; seven; yesterday was
better; i feel the same as before; ask my husband; you should ask the nurse about it; she is always late; my back is
sore; come back tomorrow; bring it back later; helping people was my job; the bus stop is far away; non stop
talking; stopping at the traffic lights; skipping breakfast again; yesterday; know; nobody came to see me; note the
time please; knots in the wood; never mind the gap; i know what you mean; hello; huh; hmm; ah; okay; sure; good;
fine; the answer is blue; television; remote control; my pillow fell down; read me the news; it was a long day; one
day at a time; two days ago; next week maybe; last night i had a dream; i used to play football; play some music;
turn it up; the cat sat on the mat; it is too cold in here; where are my slippers; could be better could be worse; i
would rather talk about something else; i think it is going to rain; i think he was nearly ninety; probably around
noon; well that is that; um the other thing; maybe later; maybe tomorrow; i guess so; it was sunny; it was my
birthday on sunday; i would say blue; oh dear me; oh look at that; please wait a moment; really good to see you;
repeat offender; the peat bog; yes and no; you know what; no one told me; none of your business; that's my chair;
that's right next to the window; correction fluid
"""
"""Said in a hospital room, but no answer, command or request: for fitting the rule."""

_OTHER_HELD_OUT = """
where did you put my coat; my arm feels heavy; what is for dinner; four; nine; one; not for long; not all of them;
not at home; several times he rang; more than a month; half the ward is asleep; half of it; nearly dropped it; every
time i stand up; everyday shoes; day after day; several dozen; all right then; at all costs; the phone is ringing;
please move the chair; my son lives in glasgow; he was a good man; when can i go home; what are you talking about; i
can't remember; ask me later; it comes and goes; it varies a lot; depends on the day; good question; that's private;
i had eggs this morning; who won the match; is the doctor here; they woke me at six; my knee is swollen; pass me the
paper; mind your head; tell me a story; the radio is too loud; i feel sick; i'm cold; there is a draught; have you
seen my bag; thanks; hello there; mm hmm; uh; nobody knows; back in a minute; skipper of the boat; stopwatch;
helpful people; yesterday evening; no idea; yes but only at night; i think that's the wrong pill; probably the
medicine; maybe a little later; well i never; um let me see; i would say he is tall; it was the other one; oh never
you mind
"""
"""The same, for measuring."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One utterance to be heard: ``expected`` is a meaning's kind and code, or None where nothing may be understood."""

    text: str
    voice: str
    noise: str
    vocabulary: str
    expected: tuple[str, str] | None
    seed: int


@dataclass(frozen=True, slots=True)
class Hearing:
    """What was heard in a trial: the choice's meaning, the rule's figures, the decoder's processor seconds."""

    trial: Trial
    chosen: tuple[str, str] | None
    confidence: float
    evidence: tuple[float, ...] | None
    seconds: float

    @property
    def accepted(self) -> tuple[str, str] | None:
        """What the node would act on."""
        return self.chosen if self.confidence >= LEAST_CONFIDENCE else None


@cache
def vocabularies() -> dict[str, Vocabulary]:
    """Return everything that may be said at some point, by name."""
    form = installed()["phq-9"]
    first, last = form.questions[0], form.questions[-1]
    return {
        "frequency": grammar.answers(form, first),
        "difficulty": grammar.answers(form, last),
        "confirmation": grammar.confirmation(),
        "requests": grammar.requests(),
    }


@cache
def engine() -> PocketsphinxTranscriber:
    """Return this process's engine."""
    return PocketsphinxTranscriber()


@cache
def spoken(text: str, voice: str) -> Samples:
    """Return ``text`` in a synthetic voice."""
    name, words_per_minute, pitch = voice.split()
    speed = int(words_per_minute)
    if name in ("kal", "kal16", "slt", "rms", "awb"):
        return FliteSynthesiser(name, words_per_minute=speed).synthesise(text).samples
    return EspeakSynthesiser(name, words_per_minute=speed, pitch=int(pitch)).synthesise(text).samples


def in_noise(samples: Samples, noise: str, rng: np.random.Generator) -> Samples:
    """Return ``samples`` with silence around and noise at a signal-to-noise ratio over the spoken part."""
    before, after = (int(16_000 * seconds * rng.uniform(0.7, 1.3)) for seconds in (0.3, 0.5))
    signal = samples.astype(np.float64)
    signal *= 11_000 / max(1.0, float(np.abs(signal).max()))
    padded = np.concatenate((np.zeros(before), signal, np.zeros(after)))
    if noise == "quiet":
        added = rng.standard_normal(padded.size) * 6.0
    else:
        colour, decibels, _ = noise.split()
        added = white_or_pink(colour, padded.size, rng)
        added *= np.sqrt(np.mean(signal**2) / 10 ** (float(decibels) / 10) / np.mean(added**2))
    return np.clip(padded + added, -32_768, 32_767).astype(np.int16)


def white_or_pink(colour: str, size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return noise of about unit power, shape ``(size,)``."""
    white = rng.standard_normal(size)
    if colour == "white":
        return white
    spectrum = np.fft.rfft(white)
    return np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(spectrum.size), 1)), size)


def hear(trial: Trial) -> Hearing:
    """Synthesise a trial and hear it."""
    vocabulary = vocabularies()[trial.vocabulary]
    sound = in_noise(spoken(trial.text, trial.voice), trial.noise, np.random.default_rng(trial.seed))
    began = time.process_time()
    listening = engine().listen(sound, vocabulary.grammar)
    text, evidence = listening.text, listening.evidence
    seconds = time.process_time() - began
    meaning = vocabulary.meaning(text)
    return Hearing(
        trial,
        (meaning.kind, meaning.code) if meaning else None,
        evidence.confidence if evidence else 0.0,
        astuple(evidence) if evidence else None,
        seconds,
    )


def sentences(written: str) -> list[str]:
    """Return the sentences of a list with semicolons between them."""
    return [sentence.strip() for sentence in written.replace("\n", " ").split(";")]


def trials(count: int, voices: Sequence[str], other: str, seed: int) -> Iterator[Trial]:
    """Yield utterances, half of them in the vocabulary, half of them not."""
    rng = random.Random(seed)
    others = sentences(other)
    everything = vocabularies()
    for index in range(count):
        name = rng.choice(("frequency", "frequency", "frequency", "difficulty", "confirmation", "requests"))
        meanings = everything[name].meanings
        expected = None
        if index % 2:
            by_meaning: dict[tuple[str, str], list[str]] = {}
            for phrase, meaning in meanings.items():
                by_meaning.setdefault((meaning.kind, meaning.code), []).append(phrase)
            kinds = [key for key in by_meaning if key[0] != "command"] if rng.random() < 0.6 else list(by_meaning)
            expected = rng.choice(kinds)
            # The plain wording as often as all its variants together.
            text = rng.choice(by_meaning[expected][: rng.choice((1, 1000))])
        elif rng.random() < 0.75:
            text = rng.choice(others)
        else:
            text = rng.choice([p for v in everything.values() for p in v.meanings if p not in meanings])
        yield Trial(text, rng.choice(voices), rng.choice(NOISES), name, expected, seed * 1_000_003 + index)


def blind_trials(seed: int) -> Iterator[Trial]:
    """Yield the blind sentences, each in three of the held-out voices and three noises."""
    rng = random.Random(seed)
    for index, line in enumerate(BLIND.read_text(encoding="utf-8").splitlines()):
        case = json.loads(line)
        expect = case["expect"]
        name = "confirmation" if expect in ("yes", "no") else "frequency"
        kind = "answer" if str(expect).startswith("LA") else "confirmation" if name == "confirmation" else "command"
        for repeat, voice in enumerate(rng.sample(VOICES_HELD_OUT, 3)):
            noise = ("quiet", "white 10 dB", "pink 10 dB")[repeat]
            yield Trial(case["text"], voice, noise, name, (kind, expect) if expect else None, seed + index * 3 + repeat)


def fit(hearings: Sequence[Hearing]) -> tuple[NDArray[np.float64], float]:
    """Return weights, shape ``(10,)``, and bias of a ridge logistic regression on raw figures, by Newton's method."""
    usable = [hearing for hearing in hearings if hearing.evidence is not None]
    raw = np.array([hearing.evidence for hearing in usable])
    target = np.array([hearing.chosen == hearing.trial.expected for hearing in usable], dtype=float)
    mean, spread = raw.mean(axis=0), raw.std(axis=0)
    inputs = np.column_stack(((raw - mean) / spread, np.ones(len(raw))))
    ridge = np.diag([1.0] * raw.shape[1] + [0.0])
    weights = np.zeros(inputs.shape[1])
    for _ in range(30):
        predicted = 1 / (1 + np.exp(-inputs @ weights))
        gradient = inputs.T @ (predicted - target) + ridge @ weights
        curvature = (inputs.T * (predicted * (1 - predicted))) @ inputs + ridge
        weights -= np.linalg.solve(curvature, gradient)
    scaled = weights[:-1] / spread
    return scaled, float(weights[-1] - scaled @ mean)


def share(hearings: Sequence[Hearing], holds: Callable[[Hearing, tuple[str, str] | None], bool]) -> dict[str, object]:
    """Return the share of hearings for which ``holds`` is true of what was accepted, and the baseline's."""
    count = max(1, len(hearings))
    return {
        "value": round(sum(holds(hearing, hearing.accepted) for hearing in hearings) / count, 4),
        "baseline": round(sum(holds(hearing, hearing.chosen) for hearing in hearings) / count, 4),
        "n": len(hearings),
    }


def show(figure: str, **fields: object) -> None:
    """Print one figure."""
    print(json.dumps({"figure": figure, **fields}), flush=True)


def show_hearings(prefix: str, hearings: Sequence[Hearing]) -> None:
    """Print acceptance and refusal of one set of trials."""
    for noise in dict.fromkeys(hearing.trial.noise for hearing in hearings):
        here = [hearing for hearing in hearings if hearing.trial.noise == noise]
        for kind in ("answer", "command", "request", "confirmation"):
            true = [hearing for hearing in here if hearing.trial.expected and hearing.trial.expected[0] == kind]
            if true:
                right = share(true, lambda hearing, got: got == hearing.trial.expected)
                show(f"{prefix}.{kind}.right", noise=noise, **right)
    true = [hearing for hearing in hearings if hearing.trial.expected and hearing.trial.expected[0] == "answer"]
    show(
        f"{prefix}.answer.heard-as-another",
        **share(true, lambda hearing, got: got is not None and got[0] == "answer" and got != hearing.trial.expected),
    )
    other = [hearing for hearing in hearings if hearing.trial.expected is None]
    show(f"{prefix}.other.accepted-as-answer", **share(other, lambda _, got: got is not None and got[0] == "answer"))
    show(f"{prefix}.other.accepted-as-anything", **share(other, lambda _, got: got is not None))


def show_confusion(pool: ProcessPoolExecutor) -> None:
    """Print, for each answer of the PHQ-9, what it was heard as: the simulated patients' voices, three noise levels."""
    options = {option.code: option.display.lower() for option in installed()["phq-9"].questions[0].answer_option}
    said = [
        Trial(words, f"{v.voice} {v.words_per_minute} {v.pitch}", noise, "frequency", ("answer", code), index)
        for index, v in enumerate(VOICES[name].voice for name in sorted(VOICES))
        for noise in ("quiet", "pink 20 dB", "pink 10 dB")
        for code, words in options.items()
    ]
    heard = list(pool.map(hear, said, chunksize=8))
    for code, words in options.items():
        row = Counter(
            options.get(one.accepted[1], one.accepted[1]) if one.accepted else "not accepted"
            for one in heard
            if one.trial.expected == ("answer", code)
        )
        base = Counter(
            options.get(one.chosen[1], one.chosen[1]) if one.chosen else "nothing"
            for one in heard
            if one.trial.expected == ("answer", code)
        )
        show("confusion", said=words, heard=dict(row), baseline=dict(base), n=row.total())


def show_nothing_said() -> None:
    """Print how often silence and noise alone are accepted, with every vocabulary."""
    rng = np.random.default_rng(SEED)
    sounds: list[Samples] = [np.zeros(32_000, np.int16)]
    for level in (10, 100, 1_000, 5_000):
        sounds += [np.clip(white_or_pink(colour, 32_000, rng) * level, -32_768, 32_767).astype(np.int16) for colour in ("white", "pink")]  # fmt: skip  # noqa: E501 (one noise a line)
    if (RECORDINGS / "background_noise.wav").is_file():
        room = load(RECORDINGS / "background_noise.wav")
        sounds += [room[start : start + 32_000] for start in range(0, len(room) - 32_000, 16_000)]
    heard = [engine().transcribe(sound, v.grammar) for sound in sounds for v in vocabularies().values()]
    show(
        "nothing-said.accepted",
        value=round(sum(one.accepted for one in heard) / len(heard), 4),
        baseline=round(sum(bool(one.text) for one in heard) / len(heard), 4),
        n=len(heard),
    )


def main() -> None:
    """Measure, or fit a rule."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", nargs="?", default="measure", choices=["measure", "answers", "train", "agree", "third"])
    parser.add_argument("--seed", type=int, default=SEED, help="of every choice; what is shipped was fitted with 2")
    parser.add_argument("--samples", type=int, default=0, help="answers to tell (2000) or utterances to fit on (2600)")
    parser.add_argument(
        "--hearing", default="whisper", choices=["light", "whisper"], help="which hearings answers are told to"
    )
    options = parser.parse_args()
    if options.what == "third":
        rule, count = hearing_third.fit(options.samples or 900, sentences(_OTHER_TRAIN), options.seed, PROCESSES)
        show("third-rule", weights=rule.weights, bias=rule.bias, n=count)
        return
    if options.what == "agree":
        fitted = hearing_fit.fit(options.samples or 2600, sentences(_OTHER_TRAIN), options.seed, PROCESSES)
        hearing_fit.FILE.write_text(fitted.model_dump_json() + "\n", encoding="utf-8")
        return
    if options.what in ("measure", "answers"):
        count, other = options.samples or 2000, sentences(_OTHER_HELD_OUT)
        given = {"seed": options.seed + 1, "processes": PROCESSES, "hearing": options.hearing}
        hearing_answers.measure(count, other, RECORDINGS, **given)
    if options.what == "answers":
        return
    with ProcessPoolExecutor(PROCESSES) as pool:
        if options.what == "train":
            hearings = list(pool.map(hear, trials(1600, VOICES_TRAIN, _OTHER_TRAIN, SEED), chunksize=20))
            weights, bias = fit(hearings)
            show("rule", weights=[round(float(weight), 3) for weight in weights], bias=round(bias, 3), n=len(hearings))
            return
        held_out = list(pool.map(hear, trials(600, VOICES_HELD_OUT, _OTHER_HELD_OUT, SEED + 1), chunksize=20))
        show_hearings("held-out", held_out)
        seconds = sorted(hearing.seconds for hearing in held_out)
        show("decode.cpu-seconds", median=round(seconds[len(seconds) // 2], 3), p95=round(seconds[int(len(seconds) * 0.95)], 3), baseline=None)  # fmt: skip  # noqa: E501 (one figure a line)
        show_confusion(pool)
        show_nothing_said()
        if BLIND.is_file():
            show_hearings("blind", list(pool.map(hear, blind_trials(SEED), chunksize=20)))


if __name__ == "__main__":
    main()
