import hashlib
import json
from pathlib import Path

import pytest

from forge_edge.speech.phones import PhoneChannel, spelling
from forge_edge.speech.twofold import digest, shipped

ROOT = Path(__file__).parents[2]
MANIFEST = json.loads((ROOT / "models" / "hearing" / "manifest.json").read_text(encoding="utf-8"))


def test_the_shipped_file_is_the_one_that_its_card_describes() -> None:
    assert digest() == MANIFEST["sha256"]
    assert hashlib.sha256((ROOT / MANIFEST["file"]).read_bytes()).hexdigest() == MANIFEST["sha256"]
    assert (ROOT / MANIFEST["file"]).stat().st_size < 1_000_000
    assert (ROOT / MANIFEST["card"]).is_file()


def test_the_shipped_file_gives_its_golden_output() -> None:
    golden = MANIFEST["golden"]
    phrases = {phrase: [tuple(phones.split())] for phrase, phones in golden["phrases"].items()}
    scores = PhoneChannel(shipped().channel).scores(golden["heard"], spelling(phrases))
    for phrase, ratio in golden["ratios"].items():
        assert scores.ratios[phrase] == pytest.approx(ratio, abs=golden["tolerance"])
