"""Sealed bytes open with their key, in their place, unaltered, and in no other case."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_shared.errors import SealError
from forge_shared.sealing import OVERHEAD_BYTES, Keyring, add_key, is_sealed

KEYRING = Keyring({b"k" * 8: b"1" * 32})


@given(plain=st.binary(max_size=200), context=st.binary(max_size=40))
def test_what_is_sealed_opens_again_and_is_not_seen(plain: bytes, context: bytes) -> None:
    sealed = KEYRING.seal(plain, context)
    assert KEYRING.unseal(sealed, context) == plain
    assert is_sealed(sealed)
    assert len(sealed) == len(plain) + OVERHEAD_BYTES
    assert len(plain) < 8 or plain not in sealed


@given(data=st.data())
def test_one_altered_bit_anywhere_is_refused(data: st.DataObject) -> None:
    sealed = bytearray(KEYRING.seal(b"several days", b"here"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealError):
        KEYRING.unseal(bytes(sealed), b"here")


@given(content=st.binary(max_size=80))
def test_bytes_that_were_never_sealed_are_refused(content: bytes) -> None:
    with pytest.raises(SealError):
        KEYRING.unseal(content, b"here")


def test_what_was_sealed_for_another_place_is_refused() -> None:
    with pytest.raises(SealError):
        KEYRING.unseal(KEYRING.seal(b"x", b"outbox/1"), b"outbox/2")


def test_the_same_words_look_different_every_time() -> None:
    assert KEYRING.seal(b"yes", b"") != KEYRING.seal(b"yes", b"")


def test_a_key_file_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "device.key"
    sealed = Keyring.open(path).seal(b"x", b"")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert Keyring.open(path).unseal(sealed, b"") == b"x"
    assert [entry.name for entry in path.parent.iterdir()] == ["device.key"]


def test_a_new_key_seals_and_the_old_one_still_opens(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    before = Keyring.open(path)
    old = before.seal(b"old", b"")
    add_key(path)
    after = Keyring.open(path)
    new = after.seal(b"new", b"")
    assert (after.unseal(old, b""), after.unseal(new, b"")) == (b"old", b"new")
    with pytest.raises(SealError):
        before.unseal(new, b"")


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    Keyring.open(path)
    path.chmod(0o640)
    with pytest.raises(SealError, match="chmod 600"):
        Keyring.open(path)


def test_a_key_that_systemd_hands_over_is_read_though_its_access_list_looks_like_a_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "device.key"
    Keyring.open(path)
    path.chmod(0o440)
    with pytest.raises(SealError, match="chmod 600"):
        Keyring.open(path)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert Keyring.open(path).seal(b"x", b"")


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b'{"keys": []}', b'{"keys": [{"id": "0011223344556677", "key": "cGxhbnRlZA=="}]}', b"\xff\x00"],
)
def test_a_file_without_keys_is_refused_and_not_repeated(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "device.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SealError) as refused:
        Keyring.open(path)
    assert "cGxhbnRlZA" not in str(refused.value)


def test_a_key_that_can_neither_be_read_nor_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file where the folder should be")
    with pytest.raises(SealError, match=r"device\.key"):
        Keyring.open(tmp_path / "keys" / "device.key")
