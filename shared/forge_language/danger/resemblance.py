"""What an utterance resembles of what people in danger, and people who are not, have said: a small trained head.

The head has members that were trained alike from different beginnings: what one believes for no good reason another
corrects. Each is a change of low rank to the upper layers of a sentence encoder, and a layer of weights on top. It
finds what no phrase foresees and knows look-alikes; it names no words. How it was trained and how well it does:
models/crisis.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from io import BytesIO
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # it publishes no types

from forge_language.danger.catalogue import Catalogue, Category, Priority
from forge_language.danger.utterance import sentences
from forge_language.encoder.package import WEIGHTS_SHA256, Encoder, State, encoder
from forge_language.encoder.transformer import LONGEST, MATRICES, Array, Layer, forward, softmax

PRIORITIES: Final[tuple[Priority, ...]] = get_args(Priority)
CATEGORIES: Final[tuple[Category, ...]] = get_args(Category)
_SURE: Final = 1e-4
"""Shares nearer to 0 or 1 than this count as this: no head is surer, and a logarithm needs an end."""


@dataclass(frozen=True, slots=True)
class Resemblance:
    """What an utterance resembles.

    Attributes:
        priorities: Shares that sum to 1, in the order of ``PRIORITIES``.
        categories: Shares of each danger in the order of ``CATEGORIES``; what is missing to 1 resembles none.
    """

    priorities: tuple[float, ...]
    categories: tuple[float, ...]

    @property
    def crisis(self) -> float:
        """The share of ``staff`` and ``urgent``, 0 to 1."""
        return self.priorities[2] + self.priorities[3]

    @property
    def category(self) -> Category:
        """The danger that it resembles most."""
        return CATEGORIES[int(np.argmax(self.categories))]


@dataclass(frozen=True, slots=True)
class Weighing:
    """How the share of a crisis and what the phrases say become one confidence: a logistic regression.

    Attributes:
        slope: Of the log-odds of the head's share.
        by_phrases: What is added for the priority that the phrases give.
        alarm_at: The confidence from which somebody is called, 0 to 1.
    """

    slope: float
    by_phrases: Mapping[Priority, float]
    alarm_at: float

    def confidence(self, share: float, phrases: Priority) -> float:
        """Return how likely it is that somebody must come, 0 to 1."""
        held = min(max(share, _SURE), 1 - _SURE)
        return float(1 / (1 + np.exp(-self.slope * np.log(held / (1 - held)) - self.by_phrases[phrases])))


@dataclass(frozen=True, slots=True)
class Member:
    """One of those whose scores the head takes the mean of.

    Attributes:
        layers: The upper layers with the change added.
        weights: Shape ``(width, 15)``: priorities, then no danger, then the dangers.
        biases: Shape ``(15,)``.
    """

    layers: tuple[Layer, ...]
    weights: Array
    biases: Array

    def scores(self, state: Array) -> Array:
        """Return the scores of what leaves the lower layers, shape ``(15,)``."""
        for layer in self.layers:
            state = forward(state, layer)
        scores: Array = state.mean(axis=0) @ self.weights + self.biases
        return scores


@dataclass(frozen=True, slots=True)
class Head:
    """The head of one language on its encoder.

    Attributes:
        encoder: What it was trained on.
        lower: How many of the encoder's layers are left as they are.
        members: At least one.
        weighing: How much the head and the phrases count together.
    """

    encoder: Encoder
    lower: int
    members: tuple[Member, ...]
    weighing: Weighing

    def resemblance(self, text: str, words: Catalogue) -> Resemblance:
        """Return what an utterance resembles.

        Args:
            text: The utterance.
            words: The catalogue of the head's language.
        """
        numbers = self.encoder.vocabulary.encode(as_read(text, words), LONGEST)
        state = self.encoder.transformer.embedded(numbers)
        with _threads().limit(limits=1):
            for layer in self.encoder.transformer.layers[: self.lower]:
                state = forward(state, layer)
            scores = np.mean([member.scores(state) for member in self.members], axis=0)
        priorities, dangers = softmax(scores[: len(PRIORITIES)]), softmax(scores[len(PRIORITIES) :])
        return Resemblance(tuple(map(float, priorities)), tuple(map(float, dangers[1:])))


@lru_cache(maxsize=1)
def _threads() -> ThreadpoolController:
    """Return what limits numpy's threads: for so few rows they wait for each other longer than they compute.

    On two busy cores a sentence took 21 ms with one thread and 140 ms with two.
    """
    return ThreadpoolController()


def as_read(text: str, words: Catalogue) -> str:
    """Return an utterance as the head reads it: its words without fillers, forms of address and punctuation.

    A recogniser gives no punctuation; so nothing is learned from it.
    """
    return " ".join(word.text for sentence in sentences(text, words) for word in sentence.words) or text.lower()


@lru_cache(maxsize=8)
def head(language: str) -> tuple[Head | None, State]:
    """Return a language's head, read at its first use, and how it stands; None where it or its encoder is missing.

    Raises:
        ValueError: The shipped head is not the one that its description names.
    """
    folder = resources.files("forge_language.danger")
    description = folder.joinpath(f"resemblance_{language}.json")
    if not language.isalpha() or not description.is_file():
        return None, "absent"
    found, state = encoder()
    if found is None:
        return None, state
    about = json.loads(description.read_text(encoding="utf-8"))
    files = [folder.joinpath(name).read_bytes() for name in about["members"]]
    return read(about, files, found), state


def read(about: Mapping[str, Any], files: Sequence[bytes], on: Encoder) -> Head:
    """Return the head that a description and its members' files of numbers hold.

    Raises:
        ValueError: The numbers are not those that the description names, or were trained on another encoder.
    """
    digests = [hashlib.sha256(data).hexdigest() for data in files]
    if digests != list(about["members"].values()) or about["encoder_sha256"] != WEIGHTS_SHA256:
        raise ValueError("the head's files are not the ones that its description names")
    lower = about["lower_layers"]
    members = tuple(_member(data, on.transformer.layers[lower:]) for data in files)
    return Head(on, lower, members, Weighing(**about["weighing"]))


def _member(data: bytes, upper: Sequence[Layer]) -> Member:
    with np.load(BytesIO(data), allow_pickle=False) as arrays:
        numbers = {name: arrays[name].astype(np.float32) for name in arrays.files}
    layers = tuple(_changed(layer, f"{place}.", numbers) for place, layer in enumerate(upper))
    return Member(layers, numbers["weights"], numbers["biases"])


def _changed(layer: Layer, at: str, numbers: Mapping[str, NDArray[np.float32]]) -> Layer:
    """Return a layer with what was learned added: ``down`` (inputs, rank) times ``up`` (rank, outputs) to a matrix."""
    return Layer(
        {name: layer.matrices[name] + numbers[f"{at}{name}.down"] @ numbers[f"{at}{name}.up"] for name in MATRICES},
        {name: layer.biases[name] + numbers[f"{at}{name}.bias"] for name in MATRICES},
        layer.attended_scale + numbers[f"{at}attended_scale"],
        layer.attended_shift + numbers[f"{at}attended_shift"],
        layer.out_scale + numbers[f"{at}out_scale"],
        layer.out_shift + numbers[f"{at}out_shift"],
    )
