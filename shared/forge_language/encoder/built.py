"""The encoder that the heads read: made from the package's weights and our adapter, the same file each time.

It is made in memory in a second; ``forge-hub train encoder`` keeps it in a cache, from which it is read instead.
Without the weights' package or ONNX Runtime there is none, and only what needs no encoder is left: the lexicon and the
patterns.
"""

import hashlib
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from forge_language.encoder import adapter, word_pieces
from forge_language.encoder.package import encoder
from forge_language.encoder.quantised import quantised
from forge_language.encoder.transformer import LONGEST, Array

DEPTHS: Final = (0, 2, 4)
"""Layers of the encoder that the heads read, 0 for what enters the lowest. On EmoBank the lower ones tell arousal
better than the highest; what lies above the fourth adds .007 to valence and a third to the time."""
_PIECES_AT_ONCE: Final = 512
"""Rows of one pass: enough for the matrices' speed, few enough for a processor's cache. Measured here."""


class Runner:
    """An encoder on ONNX Runtime, on one thread: for so few rows several wait longer than they compute.

    Any thread may call it.

    Args:
        model: An ONNX file whose input is ``pieces`` and whose outputs have one row a piece.
        vocabulary: Cuts its texts.

    Raises:
        ImportError: ONNX Runtime is not installed.
        ValueError: It cannot open the file.
    """

    def __init__(self, model: bytes, vocabulary: word_pieces.Vocabulary) -> None:
        import onnxruntime  # noqa: PLC0415 (a room without it must still be importable)

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what fails is said once, by us
        try:
            self._session: Any = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its errors have no common base but this
            raise ValueError("ONNX Runtime cannot open the encoder") from error
        self.vocabulary = vocabulary

    def rows(self, texts: Sequence[str]) -> Iterator[tuple[list[int], list[Array]]]:
        """Yield places of texts of one length with all outputs of them, each of shape ``(texts, pieces, width)``.

        Texts of one number of word pieces go together, so that nothing is padded and nothing is masked.
        """
        numbers = [self.vocabulary.encode(text, LONGEST) for text in texts]
        by_length: dict[int, list[int]] = defaultdict(list)
        for place, pieces in enumerate(numbers):
            by_length[len(pieces)].append(place)
        for length, places in by_length.items():
            at_once = max(1, _PIECES_AT_ONCE // length)
            for start in range(0, len(places), at_once):
                chosen = places[start : start + at_once]
                rows = np.array([numbers[place] for place in chosen], np.int64)
                yield chosen, self._session.run(None, {"pieces": rows})


@lru_cache(maxsize=1)
def runner() -> Runner | None:
    """Return the encoder that the heads read; None without its weights or without ONNX Runtime."""
    on, _ = encoder()
    if on is None:
        return None
    try:
        return Runner(kept() or build(), on.vocabulary)
    except (ImportError, ValueError):
        return None


def build() -> bytes:
    """Return the encoder's file, made from the package's weights.

    Raises:
        ValueError: There are no weights, or what was made of them is not what the heads were trained on.
    """
    on, state = encoder()
    if on is None:
        raise ValueError(f"the encoder's weights are {state}")
    made = quantised(adapter.adapted(on.transformer), DEPTHS)
    if hashlib.sha256(made).hexdigest() != digest():
        raise ValueError("the encoder that was made is not the one that the heads were trained on")
    return made


def digest() -> str:
    """Return the SHA-256 of the file that `build` makes, as the adapter's description names it."""
    return str(adapter.description()["encoder_sha256"])


def cache() -> Path:
    """Return where `keep` puts the encoder: below ``XDG_CACHE_HOME``, else below ``~/.cache``."""
    home = os.environ.get("XDG_CACHE_HOME")
    folder = Path(home) if home else Path("~/.cache").expanduser()
    return folder / "persona-forge" / f"encoder-{digest()[:16]}.onnx"


def keep() -> Path:
    """Make the encoder and put it where it is read from next time, in place of an earlier one; return the file.

    Raises:
        ValueError: As `build`.
        OSError: The folder cannot be written.
    """
    made, file = build(), cache()
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as beside:
        beside.write(made)
        beside.flush()
        os.fsync(beside.fileno())
    Path(beside.name).replace(file)
    for earlier in file.parent.glob("encoder-*.onnx"):
        if earlier != file:
            earlier.unlink(missing_ok=True)
    return file


def kept() -> bytes | None:
    """Return what `keep` has put there, if it is there and is the same; else None."""
    try:
        found = cache().read_bytes()
    except (OSError, RuntimeError):  # RuntimeError: whoever runs this has no home
        return None
    return found if hashlib.sha256(found).hexdigest() == digest() else None
