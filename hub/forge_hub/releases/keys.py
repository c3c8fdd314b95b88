"""Keys of people and of the hub that sign releases.

A person's key is Ed25519 in a file of its own, encrypted with a passphrase (PKCS #8), and is kept off the hub; what the
hub is given is its public half. The hub's own key, for what changes every day, lies in its state folder.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner, Key, SSlibKey

from forge_hub.errors import ReleaseError
from forge_shared.files import replace

LEAST_PASSPHRASE = 12
"""Characters. Ours: somebody who has the file can guess without limit; NIST SP 800-63B-4 asks for 15 without one."""


LABEL: Final = "x-persona-forge-label"
"""Field of a public key that says whose it is, for the pages. The root's people sign it with the key."""
_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")


def label_of(key: Key) -> str:
    """Return whose key it is, as it was labelled when it was made; empty: it was not."""
    label = key.unrecognized_fields.get(LABEL, "")
    return label if isinstance(label, str) and _LABEL.fullmatch(label) else ""


def make_key(path: Path, passphrase: str, label: str = "") -> Key:
    """Make a person's key and write it, and beside it its public half (``.pub``).

    Args:
        path: The key's file.
        passphrase: Encrypts it.
        label: Whose key it is, a word by which colleagues know them; shown where somebody must still sign.

    Raises:
        ReleaseError: The file exists, the passphrase is too short, or the label is none.
    """
    if path.exists():
        raise ReleaseError(f"{path.name} is there already: what it signed could not be renewed with another")
    if len(passphrase) < LEAST_PASSPHRASE:
        raise ReleaseError(f"a passphrase of at least {LEAST_PASSPHRASE} characters, please")
    if label and not _LABEL.fullmatch(label):
        raise ReleaseError("a label has at most 40 letters, digits, spaces, '.', '-' and '_'")
    key = Ed25519PrivateKey.generate()
    protection = serialization.BestAvailableEncryption(passphrase.encode())
    replace(
        path, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection), mode=0o600
    )
    public = SSlibKey.from_crypto(key.public_key())
    if label:
        public.unrecognized_fields[LABEL] = label
    replace(path.with_name(path.name + ".pub"), _public_json(public), mode=0o644)
    return public


def open_key(path: Path, passphrase: str) -> CryptoSigner:
    """Open a person's key.

    Raises:
        ReleaseError: It cannot be read, or the passphrase is wrong.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), passphrase.encode())
    except OSError:
        raise ReleaseError(f"{path.name} cannot be read") from None
    except (ValueError, TypeError):
        raise ReleaseError(f"{path.name} is no key, or the passphrase is wrong") from None
    return _signer(path, key)


def read_public(path: Path) -> Key:
    """Return a public key as `make_key` wrote it.

    Raises:
        ReleaseError: It cannot be read or is none.
    """
    try:
        document: dict[str, Any] = json.loads(path.read_bytes())
        return Key.from_dict(document.pop("keyid"), document)
    except OSError:
        raise ReleaseError(f"{path.name} cannot be read") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ReleaseError(f"{path.name} is no public key") from None


def online_key(path: Path) -> CryptoSigner:
    """Open the hub's own key; make it where there is none.

    Raises:
        ReleaseError: It cannot be read.
    """
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        plain = serialization.NoEncryption()
        replace(
            path, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain), mode=0o600
        )
    try:
        return _signer(path, serialization.load_pem_private_key(path.read_bytes(), None))
    except (OSError, ValueError, TypeError):
        raise ReleaseError(f"{path.name}, the hub's own key for releases, cannot be read") from None


def _signer(path: Path, key: object) -> CryptoSigner:
    if not isinstance(key, Ed25519PrivateKey):
        raise ReleaseError(f"{path.name} is not an Ed25519 key")
    return CryptoSigner(key)


def _public_json(key: Key) -> bytes:
    return json.dumps({"keyid": key.keyid, **key.to_dict()}, indent=1, sort_keys=True).encode() + b"\n"
