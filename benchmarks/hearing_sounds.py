"""Sounds to hear: synthetic voices, noises of a ward, and what is no answer. Everything is made from a seed."""

import random
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from forge_edge.audio.ports import Samples
from forge_edge.speech.espeak import EspeakSynthesiser
from forge_edge.speech.flite import FliteSynthesiser

VOICES_FITTED = (
    *("en-us 150 50", "en-gb 160 50", "en-us+f3 140 50", "en-us+m3 165 40", "en-us+f4 155 60", "en-gb-x-gbclan 150 45"),
    *("en-us+m1 170 50", "en-029 150 50", "kal16 160 0", "slt 160 0", "slt 135 0", "awb 150 0", "en-us+f5 145 55"),
    *("en-us+Michael 150 45", "en-us+belinda 150 55", "en-us-nyc 150 50", "en-gb 130 40"),
)
VOICES_HELD_OUT = (
    *("en-gb-scotland 155 50", "en-us+m5 150 45", "en-gb-x-rp 150 55", "rms 160 0", "kal 160 0", "rms 135 0"),
    *("en-us+f2 150 55", "en-us+linda 150 50", "en-us+m7 155 50", "en-us+Alicia 150 50", "en-us+john 150 45"),
    "en-gb-x-gbcwmd 150 50",
)
"""Voice, words per minute, pitch (espeak-ng only)."""
NOISES_FITTED = ("quiet", "pink faint", "babble 15 dB", "ward 15 dB")
NOISES_HELD_OUT = ("pink 15 dB", "brown 15 dB", "music 15 dB")
"""Signal to noise over the spoken part. Babble is four other voices, a ward a fan, mains hum and a monitor's beeps."""

_FLITE = ("kal", "kal16", "slt", "rms", "awb")
_RATE = 16_000
_TALK = (
    "they moved the bed to the other side of the room and then the doctor came in to look at it",
    "we had a lovely lunch yesterday and she told me about the garden",
    "the train was late again so i walked along the river for an hour",
    "the match was on the television but nobody was really watching it",
    "can you bring the other chair over here so that we can all sit down",
    "my brother used to sell cars before he moved to the coast",
)
_OTHER_LANGUAGES = {
    "de": ("ich möchte ein glas wasser", "heute ist schönes wetter", "fast jeden tag", "überhaupt nicht", "ja", "nein"),
    "fr": ("je voudrais un verre d'eau", "il fait beau aujourd'hui", "presque tous les jours", "pas du tout", "oui"),
    "es": ("quiero un vaso de agua", "hoy hace buen tiempo", "casi todos los días", "para nada", "varios días"),
    "it": ("vorrei un bicchiere d'acqua", "oggi è una bella giornata", "quasi ogni giorno", "per niente"),
    "pl": ("poproszę szklankę wody", "dzisiaj jest ładna pogoda", "prawie codziennie", "wcale nie", "tak"),
    "tr": ("bir bardak su istiyorum", "bugün hava güzel", "neredeyse her gün", "hiç", "evet"),
}
_OTHER_LANGUAGES_HELD_OUT = {
    "nl": ("ik wil graag een glas water", "mooi weer vandaag", "bijna elke dag", "helemaal niet"),
    "pt": ("quero um copo de água", "hoje está bom tempo", "quase todos os dias", "de modo nenhum", "sim"),
    "sv": ("jag vill ha ett glas vatten", "det är fint väder idag", "nästan varje dag", "inte alls"),
    "ru": ("я хочу стакан воды", "сегодня хорошая погода", "почти каждый день", "совсем нет", "да"),
}
_NUMBERS = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "zero", "eleven", "twelve"),
    *("twenty two", "a hundred", "number two", "option three", "the second one", "three or four", "nineteen forty"),
)
_NEAR_MISSES = (
    *(
        "my several ties",
        "the federal days",
        "the seven ways",
        "nearly every bay",
        "clearly heavy rain",
        "not a tall man",
    ),
    *("more than half a cake", "more than half the dogs", "a knot in the hall", "severed ties", "all of my days off"),
    *(
        "every other friday",
        "a few daisies",
        "most daisies",
        "the day before",
        "yesterday",
        "knows",
        "known",
        "yesteryear",
    ),
    *("yesterday night", "notes", "note it", "a gnat at all", "knot", "yard", "neither", "half the day", "a holiday"),
)
_NEAR_MISSES_HELD_OUT = (
    *("seven daisies", "the general stays", "nearly ready", "early every monday", "not a doll", "what a ball"),
    *(
        "more than half past four",
        "a new day",
        "some daisies",
        "mostly grey",
        "yes or no",
        "no one",
        "nobody",
        "yessir",
    ),
    *("snow", "nose", "yet", "guess", "year", "yell", "nap", "never mind that", "clever", "the other ones", "not yet"),
)


@cache
def spoken(text: str, voice: str) -> Samples:
    """Return ``text`` in a synthetic voice."""
    name, words_per_minute, pitch = voice.split()
    speed = int(words_per_minute)
    if name in _FLITE:
        return FliteSynthesiser(name, words_per_minute=speed).synthesise(text).samples
    return EspeakSynthesiser(name, words_per_minute=speed, pitch=int(pitch)).synthesise(text).samples


def in_a_ward(samples: Samples, noise: str, rng: np.random.Generator) -> Samples:
    """Return ``samples`` at some level, with silence around them and one of the noises over everything."""
    before, after = (int(_RATE * seconds * rng.uniform(0.7, 1.3)) for seconds in (0.25, 0.5))
    signal = samples.astype(np.float64)
    signal *= rng.uniform(5_000, 14_000) / max(1.0, float(np.abs(signal).max()))
    padded = np.concatenate((np.zeros(before), signal, np.zeros(after)))
    if noise == "quiet":
        added = rng.standard_normal(padded.size) * 6.0
    else:
        kind, decibels = noise.split()[:2]
        added = _MADE[kind](padded.size, rng)
        if decibels == "faint":
            # A hiss of about -40 dB, hardly heard; longer utterances have less of it.
            added *= np.sqrt(2 * np.sum(1 / np.arange(1, padded.size // 2)) / padded.size)
            decibels = "15"
        added *= np.sqrt(np.mean(signal**2) / 10 ** (float(decibels) / 10))
    return np.clip(padded + added, -32_768, 32_767).astype(np.int16)


def cough(rng: np.random.Generator) -> Samples:
    """Return a cough, a thump, a breath, a click or a beep, shape ``(n,)``: bursts of coloured noise and tones."""
    parts: list[NDArray[np.float64]] = []
    for _ in range(int(rng.integers(1, 4))):
        size = int(_RATE * rng.uniform(0.08, 0.45))
        shape = np.exp(-np.linspace(0, rng.uniform(2, 7), size)) * np.minimum(
            1, np.arange(size) / rng.uniform(50, 1500)
        )
        tone = np.sin(2 * np.pi * rng.uniform(90, 900) * np.arange(size) / _RATE) * rng.uniform(0, 1.2)
        parts += [
            (coloured(size, rng, rng.uniform(0, 1.2)) + tone) * shape,
            np.zeros(int(_RATE * rng.uniform(0.03, 0.3))),
        ]
    sound = np.concatenate(parts)
    return np.asarray(sound / np.abs(sound).max() * 9_000, dtype=np.int16)


def coloured(size: int, rng: np.random.Generator, steepness: float) -> NDArray[np.float64]:
    """Return noise of unit power whose amplitude falls with frequency to that power: 0 white, 0.5 pink, 1 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(size))
    sound = np.fft.irfft(spectrum / np.maximum(np.arange(spectrum.size), 1) ** steepness, size)
    return np.asarray(sound / max(float(np.std(sound)), 1e-9))


def no_answers(sentences: Sequence[str], *, held_out: bool, count: int, seed: int) -> list[tuple[str, str, str]]:
    """Return utterances that are no answer, a fifth of each kind: kind, words, and a voice of another language or "".

    Args:
        sentences: Other sentences.
        held_out: Whether to take the near misses and languages that nothing was fitted on.
        count: How many.
        seed: Of the choice.
    """
    rng = random.Random(seed)
    foreign = _OTHER_LANGUAGES_HELD_OUT if held_out else _OTHER_LANGUAGES
    near = _NEAR_MISSES_HELD_OUT if held_out else _NEAR_MISSES
    made = []
    for index in range(count):
        kind = ("sentence", "near-miss", "number", "cough", "other-language")[index % 5]
        voice = ""
        if kind == "other-language":
            voice = rng.choice(sorted(foreign))
            words = rng.choice(foreign[voice])
            voice = f"{voice} {rng.randrange(130, 170)} {rng.randrange(35, 65)}"
        else:
            words = {
                "sentence": rng.choice(sentences),
                "near-miss": rng.choice(near),
                "number": rng.choice(_NUMBERS),
            }.get(kind, "")
        made.append((kind, words, voice))
    return made


@cache
def _talkers() -> list[NDArray[np.float64]]:
    voices = VOICES_FITTED[: len(_TALK)]
    talks = [spoken(words, voice).astype(np.float64) for voice, words in zip(voices, _TALK, strict=True)]
    return [talk / np.std(talk) for talk in talks]


def _babble(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    sound = np.zeros(size)
    for _ in range(4):
        talk = _talkers()[rng.integers(len(_TALK))]
        sound += np.resize(np.roll(talk, -rng.integers(talk.size)), size)
    return np.asarray(sound / np.std(sound))


def _ward(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    seconds = np.arange(size) / _RATE
    fan = coloured(size, rng, 0.5)
    hum = sum(np.sin(2 * np.pi * 50 * k * seconds + rng.uniform(0, 6)) / k for k in range(1, 5))
    tone = np.sin(2 * np.pi * rng.uniform(800, 1200) * seconds)
    beeping = (seconds * rng.uniform(0.8, 1.3) + rng.uniform()) % 1 < 0.12
    sound = fan + 0.7 * hum + 1.2 * tone * beeping
    return np.asarray(sound / np.std(sound))


def _music(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    seconds = np.arange(size) / _RATE
    sound = np.zeros(size)
    for start in np.arange(-0.3, size / _RATE, 0.3):
        note = 220 * 2 ** (rng.integers(0, 25) / 12)
        since = np.maximum(seconds - start, 0)
        sound += sum(np.sin(2 * np.pi * note * k * since) / k for k in range(1, 5)) * np.exp(-4 * since) * (since > 0)
    return np.asarray(sound / np.std(sound))


_MADE: dict[str, Callable[[int, np.random.Generator], NDArray[np.float64]]] = {
    "white": lambda size, rng: coloured(size, rng, 0.0),
    "pink": lambda size, rng: coloured(size, rng, 0.5),
    "brown": lambda size, rng: coloured(size, rng, 1.0),
    "babble": _babble,
    "ward": _ward,
    "music": _music,
}
