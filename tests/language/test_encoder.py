"""The encoder that the heads read: the same file each time, near enough to its weights, and blind to the batch."""

from pathlib import Path

import numpy as np
import pytest

from forge_language.encoder import adapter, built
from forge_language.encoder.package import encoder
from forge_language.encoder.transformer import LONGEST, forward
from forge_language.heads.reader import Reader, as_read

pytestmark = pytest.mark.skipif(encoder()[0] is None, reason="the encoder's package is not installed")

TEXTS = (
    "I always mess things up.",
    "the tray is on the table and the nurse said [NAME] will come at nine",
    "no",
    "",
    "What a lovely day!",
    "i'm so tired of this it never ends and nobody calls",
)


@pytest.fixture(scope="module")
def reader() -> Reader:
    runner = built.runner()
    assert runner is not None
    return Reader(runner)


def test_bytes_instead_of_floats_change_an_encoding_little(reader: Reader) -> None:
    on, _ = encoder()
    assert on is not None
    given = reader.means(TEXTS).states[:, -384:]
    exact, changed = [], adapter.adapted(on.transformer)
    for text in TEXTS:
        state = changed.embedded(on.vocabulary.encode(as_read(text), LONGEST))
        for layer in changed.layers:
            state = forward(state, layer)
        exact.append(state.mean(axis=0))
    wanted = np.array(exact)
    assert np.linalg.norm(given - wanted) < 0.12 * np.linalg.norm(wanted - wanted.mean(axis=0))


def test_a_text_is_encoded_bit_for_bit_alike_alone_and_among_others(reader: Reader) -> None:
    together = reader.means([*TEXTS, *(f"{text} {n}" for text in TEXTS for n in range(40))])
    for place, text in enumerate(TEXTS):
        assert np.array_equal(together.states[place], reader.means([text]).states[0])


def test_a_stretch_is_encoded_by_its_own_pieces_and_the_whole_by_all_but_the_marks(reader: Reader) -> None:
    text = "we had lunch, and I'm a failure"
    encoded = reader.read([text])
    [whole, lunch] = reader.stretches(text, encoded.pieces[0], [(0, len(text)), (0, 12)]).states
    assert np.allclose(whole, encoded.pieces[0][1:-1].mean(axis=0))
    assert np.allclose(lunch, encoded.pieces[0][1:4].mean(axis=0))


def test_a_stretch_beyond_what_is_read_has_an_encoding_all_the_same(reader: Reader) -> None:
    text = "well " * 200 + "that was it"
    encoded = reader.read([text])
    found = reader.stretches(text, encoded.pieces[0], [(len(text) - 11, len(text))])
    assert np.isfinite(found.states).all()


def test_the_encoder_is_kept_and_what_was_kept_is_read_only_when_it_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert built.kept() is None
    built.cache().parent.mkdir()
    (built.cache().parent / "encoder-of-an-earlier-version.onnx").write_bytes(b"another")
    file = built.keep()
    assert built.kept() == file.read_bytes() == built.build()
    file.write_bytes(file.read_bytes()[:-1])
    assert built.kept() is None
    assert [each.name for each in file.parent.iterdir()] == [file.name]
