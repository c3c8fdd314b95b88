"""Train the verifier on the lessons: a small convolutional network, by Adam, in numpy alone.

    python models/wake/lessons.py FOLDER && python models/wake/train.py FOLDER

writes ``verifier.npz`` and ``manifest.json`` beside this file and prints how well it tells the words of voices that it
was not trained on.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Final

import numpy as np
from lessons import LEVELS_PER_UNIT, WINDOW_FRAMES
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from phrases import WORDS

Array = NDArray[np.float32]
Layers = dict[str, Array]

HERE: Final = Path(__file__).parent
SEED: Final = 22
CHANNELS: Final = 40
MEAN: Final = 2.5
SPREAD: Final = 4.0
"""Frames are centred and scaled by these, about the mean and spread of microWakeWord's features in speech."""

FILTERS: Final = 32
KERNEL: Final = 5
STRIDE: Final = 2
HIDDEN: Final = 48
EPOCHS: Final = 10
REFINING_EPOCHS: Final = 6
REFINING_RATE: Final = 6e-4
REPEATED: Final = 6
"""The second round: how long, how fast, and every how many lessons of the first are repeated in it."""

BATCH: Final = 256
RATE: Final = 1.5e-3
DECAY: Final = 2e-4
DROPPED: Final = 0.3


def patches(signal: Array) -> Array:
    """Return what each step of a convolution sees: ``(n, time, channels)`` to ``(n, steps, kernel * channels)``."""
    seen = sliding_window_view(signal, KERNEL, axis=1)[:, ::STRIDE]
    return np.ascontiguousarray(seen.transpose(0, 1, 3, 2)).reshape(len(signal), seen.shape[1], -1)


def unpatch(gradient: Array, length: int, channels: int) -> Array:
    """Return the gradient of `patches` for a signal of ``length``."""
    steps = gradient.shape[1]
    whole = np.zeros((len(gradient), length, channels), np.float32)
    parts = gradient.reshape(len(gradient), steps, KERNEL, channels)
    for tap in range(KERNEL):
        whole[:, tap : tap + STRIDE * steps : STRIDE] += parts[:, :, tap]
    return whole


def fresh(random: np.random.Generator) -> Layers:
    """Return layers with He's initial weights."""
    steps = WINDOW_FRAMES // 2
    for _ in range(2):
        steps = (steps - KERNEL) // STRIDE + 1
    sizes = ((KERNEL * CHANNELS, FILTERS), (KERNEL * FILTERS, FILTERS), (steps * FILTERS, HIDDEN), (HIDDEN, len(WORDS)))
    layers: Layers = {}
    for number, (into, out) in enumerate(sizes, 1):
        layers[f"weights{number}"] = (random.standard_normal((into, out)) * np.sqrt(2 / into)).astype(np.float32)
        layers[f"biases{number}"] = np.zeros(out, np.float32)
    return layers


def centred(windows: NDArray[np.uint8]) -> Array:
    """Return windows as the network sees them: centred, scaled, two frames averaged into one."""
    frames = (windows.astype(np.float32) / LEVELS_PER_UNIT - MEAN) / SPREAD
    return frames.reshape(len(frames), WINDOW_FRAMES // 2, 2, CHANNELS).mean(axis=2)


def forward(layers: Layers, signal: Array, kept: Array | None = None) -> tuple[Array, list[Array]]:
    """Return logits, shape ``(n, 4)``, and what the backward pass needs."""
    seen1 = patches(signal)
    out1 = np.maximum(seen1 @ layers["weights1"] + layers["biases1"], 0)
    seen2 = patches(out1)
    out2 = np.maximum(seen2 @ layers["weights2"] + layers["biases2"], 0)
    flat = out2.reshape(len(out2), -1)
    hidden = np.maximum(flat @ layers["weights3"] + layers["biases3"], 0)
    if kept is not None:
        hidden = hidden * kept
    return hidden @ layers["weights4"] + layers["biases4"], [seen1, out1, seen2, out2, flat, hidden]


def backward(layers: Layers, cache: list[Array], gradient: Array, kept: Array) -> Layers:
    """Return the gradient of every layer, given that of the logits."""
    seen1, out1, seen2, out2, flat, hidden = cache
    grown: Layers = {"weights4": hidden.T @ gradient, "biases4": gradient.sum(0)}
    of_hidden = (gradient @ layers["weights4"].T) * (hidden > 0) * kept
    grown["weights3"], grown["biases3"] = flat.T @ of_hidden, of_hidden.sum(0)
    of_out2 = (of_hidden @ layers["weights3"].T).reshape(out2.shape) * (out2 > 0)
    grown["weights2"] = seen2.reshape(-1, seen2.shape[2]).T @ of_out2.reshape(-1, FILTERS)
    grown["biases2"] = of_out2.sum((0, 1))
    of_out1 = unpatch(of_out2 @ layers["weights2"].T, out1.shape[1], FILTERS) * (out1 > 0)
    grown["weights1"] = seen1.reshape(-1, seen1.shape[2]).T @ of_out1.reshape(-1, FILTERS)
    grown["biases1"] = of_out1.sum((0, 1))
    return grown


def varied(signal: Array, random: np.random.Generator) -> Array:
    """Vary windows as rooms and microphones would: level, tilt, noise, a lost stretch of time or of channels."""
    count = len(signal)
    level = random.uniform(0.75, 1.2, (count, 1, 1)).astype(np.float32)
    tilt = 0.15 * random.standard_normal((count, 1, 1), np.float32) * np.linspace(-1, 1, CHANNELS, dtype=np.float32)
    noise = random.standard_normal(signal.shape, np.float32)
    noise *= 0.15
    signal = (signal + MEAN / SPREAD) * level
    signal += tilt - MEAN / SPREAD
    signal += noise
    for one in np.flatnonzero(random.random(count) < 0.3):
        at = random.integers(signal.shape[1] - 6)
        signal[one, at : at + random.integers(1, 6)] = -MEAN / SPREAD
    shift = int(random.integers(-2, 3))
    return np.roll(signal, shift, axis=1)


Part = dict[str, NDArray[np.generic]]


def train(layers: Layers, part: Part, epochs: int, rate: float, random: np.random.Generator) -> Layers:
    """Return the layers after so many passes over the lessons; the rate falls to nothing along half a cosine."""
    first = {name: np.zeros_like(value) for name, value in layers.items()}
    second = {name: np.zeros_like(value) for name, value in layers.items()}
    windows = np.concatenate([centred(some).astype(np.float16) for some in np.array_split(part["windows"], 64)])
    words = part["words"].astype(int)
    targets = (words[:, None] == np.arange(len(WORDS))).astype(np.float32)
    total = epochs * (len(windows) // BATCH)
    step = 0
    for epoch in range(epochs):
        order = random.permutation(len(windows))
        losses = []
        for start in range(0, len(order) - BATCH + 1, BATCH):
            chosen = np.sort(order[start : start + BATCH])
            target = targets[chosen]
            kept = (random.random((BATCH, HIDDEN)) > DROPPED).astype(np.float32) / (1 - DROPPED)
            logits, cache = forward(layers, varied(windows[chosen].astype(np.float32), random), kept)
            guessed = 1 / (1 + np.exp(-logits))
            # Of the four, one word is said in one lesson of eight: its part of the loss counts double.
            gradient = ((guessed - target) * (1 + target) / BATCH).astype(np.float32)
            losses.append(float(-np.log(np.where(target > 0, guessed, 1 - guessed) + 1e-7).mean()))
            grown = backward(layers, cache, gradient, kept)
            step += 1
            pace = rate * 0.5 * (1 + np.cos(np.pi * step / total))
            for name, value in layers.items():
                first[name] = 0.9 * first[name] + 0.1 * grown[name]
                second[name] = 0.999 * second[name] + 0.001 * grown[name] ** 2
                stepped = first[name] / (1 - 0.9**step) / (np.sqrt(second[name] / (1 - 0.999**step)) + 1e-8)
                layers[name] = (value - pace * (stepped + DECAY * value)).astype(np.float32)
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}", flush=True)
    return layers


def refresher(parts: dict[str, Part]) -> Part:
    """Return the lessons of the second round: all with an onset, and every so many of the first round's."""
    return {key: np.concatenate((parts["onset"][key], parts["train"][key][::REPEATED])) for key in parts["train"]}


def show(layers: Layers, part: Part) -> None:
    """Print, for each word, how many of its windows and of the engine's other windows score at least 0.5."""
    logits = np.concatenate(
        [forward(layers, centred(part["windows"][at : at + 1024]))[0] for at in range(0, len(part["windows"]), 1024)]
    )
    for index, word in enumerate(WORDS):
        said = part["words"] == index
        other = (part["words"] != index) & (part["likes"] == index)
        hard = other & (part["scores"] > 0.05)
        print(
            json.dumps(
                {
                    "word": word,
                    "accepted": round(float((logits[said, index] >= 0).mean()), 4),
                    "others_accepted": round(float((logits[other, index] >= 0).mean()), 4),
                    "others_that_the_engine_hears_accepted": round(float((logits[hard, index] >= 0).mean()), 4),
                    "n": [int(said.sum()), int(other.sum()), int(hard.sum())],
                }
            ),
            flush=True,
        )


def main(folder: Path) -> None:
    """Train, check, and write weights and manifest."""
    parts = {name: dict(np.load(folder / f"{name}.npz")) for name in ("train", "onset", "check")}
    random = np.random.default_rng(SEED)
    layers = train(fresh(random), parts["train"], EPOCHS, RATE, random)
    layers = train(layers, refresher(parts), REFINING_EPOCHS, REFINING_RATE, random)
    halved = {name: value.astype(np.float16) for name, value in layers.items()}
    rounded = {name: value.astype(np.float32) for name, value in halved.items()}
    show(rounded, parts["check"])
    weights = HERE / "verifier.npz"
    np.savez(weights, **halved)
    manifest = {
        "name": "wake",
        "licence": "Apache-2.0",
        "weights": "verifier.npz",
        "sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
        "input": {
            "shape": [WINDOW_FRAMES, CHANNELS],
            "type": "float32",
            "axes": ["frame, 10 ms each, oldest first", "channel of microWakeWord's frontend, lowest first"],
            "range": [0, 26],
        },
        "output": {"shape": [len(WORDS)], "type": "float32", "words": list(WORDS), "unit": "log-odds"},
    }
    (HERE / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    said = parts["check"]["windows"][parts["check"]["words"] >= 0][:1]
    golden = {
        "input": said[0].tolist(),
        "input_scale": LEVELS_PER_UNIT,
        "output": [round(float(one), 3) for one in forward(rounded, centred(said))[0][0]],
        "tolerance": 0.01,
    }
    (HERE / "golden.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
