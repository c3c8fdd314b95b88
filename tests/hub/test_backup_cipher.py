"""An encrypted archive opens whole, with its secret, or not at all."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_hub.backup import cipher
from forge_hub.backup.cipher import MAGIC, PIECE_BYTES, SealedReader, SealedWriter, Secret
from forge_hub.backup.errors import BackupError
from forge_shared.sealing import Keyring

PASSPHRASE = "four random words please"


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Secret:
    path = tmp_path_factory.mktemp("keys") / "backup.key"
    Keyring.open(path)
    return Secret(key_file=path)


def sealed(secret: Secret, *pieces: bytes) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, secret)
    for piece in pieces:
        writer.write(piece)
    writer.finish()
    return file.getvalue()


def opened(secret: Secret, content: bytes) -> bytes:
    reader = SealedReader(io.BytesIO(content), secret)
    found = b""
    while piece := reader.read(10_000):
        found += piece
    return found


@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_what_goes_in_comes_out(secret: Secret, size: int) -> None:
    content = bytes(number % 251 for number in range(size))
    assert opened(secret, sealed(secret, content[: size // 3], content[size // 3 :])) == content


@given(data=st.data())
def test_an_altered_archive_never_opens_whole(secret: Secret, data: st.DataObject) -> None:
    content = bytearray(sealed(secret, b"planted" * 20_000))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(BackupError):
        opened(secret, bytes(content))


@pytest.mark.parametrize("left", [0, 1, 100, PIECE_BYTES, PIECE_BYTES + 400, -1, -17])
def test_an_archive_that_is_cut_short_is_refused(secret: Secret, left: int) -> None:
    content = sealed(secret, b"x" * (2 * PIECE_BYTES + 5))
    header = content.index(b"\n", len(MAGIC)) + 1
    cut = content[: header + left] if left >= 0 else content[:left]
    with pytest.raises(BackupError):
        opened(secret, cut)


def test_pieces_that_change_places_are_refused(secret: Secret) -> None:
    content = sealed(secret, b"a" * PIECE_BYTES + b"b" * PIECE_BYTES + b"c")
    start, size = content.index(b"\n", len(MAGIC)) + 1, PIECE_BYTES + cipher.TAG_BYTES
    swapped = content[:start] + content[start + size : start + 2 * size] + content[start : start + size]
    with pytest.raises(BackupError):
        opened(secret, swapped + content[start + 2 * size :])


def test_nothing_of_the_content_is_seen(secret: Secret) -> None:
    assert b"planted" not in sealed(secret, b"planted" * 1000)


def test_a_passphrase_opens_what_it_sealed_and_another_does_not() -> None:
    content = sealed(Secret(passphrase=PASSPHRASE), b"x")
    assert opened(Secret(passphrase=PASSPHRASE), content) == b"x"
    with pytest.raises(BackupError, match="does not open"):
        opened(Secret(passphrase=PASSPHRASE + "!"), content)


def test_the_other_kind_of_secret_is_told_apart(secret: Secret) -> None:
    with pytest.raises(BackupError, match="other kind"):
        opened(secret, sealed(Secret(passphrase=PASSPHRASE), b"x"))
    with pytest.raises(BackupError, match="other kind"):
        opened(Secret(passphrase=PASSPHRASE), sealed(secret, b"x"))


@pytest.mark.parametrize("log_n", [1, 16, 21, 60, "17", None])
def test_a_header_that_asks_for_too_little_or_too_much_work_is_refused(log_n: object) -> None:
    header = {"kdf": "scrypt", "log_n": log_n, "salt": "AAAA", "key": "AAAA"}
    with pytest.raises(BackupError, match="header"):
        opened(Secret(passphrase=PASSPHRASE), MAGIC + json.dumps(header).encode() + b"\n" + bytes(40))


def test_a_secret_is_a_good_passphrase_or_a_key_file_that_is_there(tmp_path: Path) -> None:
    for wrong in ({}, {"passphrase": PASSPHRASE, "key_file": tmp_path}, {"passphrase": "short"}):
        with pytest.raises(BackupError):
            Secret(**wrong)
    with pytest.raises(BackupError, match="no such key file"):
        sealed(Secret(key_file=tmp_path / "absent.key"), b"x")
    assert list(tmp_path.iterdir()) == [], "a key that is made in passing would be lost"
