"""Signing keys as files: ``NAME.pub.json`` says which key it is, ``NAME.pem`` holds it, encrypted by a passphrase.

The private half is PKCS #8 in PEM (PBES2, AES-256). The derivation that OpenSSL chooses there is a light one, so a
short passphrase is refused; ``openssl pkcs8 -topk8 -scrypt`` may re-wrap a file, and it stays readable. A key may also
live elsewhere: ``uri`` then names it for securesystemslib (``gcpkms:…``, ``awskms:…``, ``azurekms:…``, ``hsm:…``).
"""

import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.exceptions import Error as SslibError
from securesystemslib.signer import CryptoSigner, Key, Signer, SSlibKey

from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.system.files import make_directory, write_durably
from pawld.values import dataclass

MIN_PASSPHRASE = 12  # characters
KEY_FILE_LIMIT = 64 * 1024  # bytes
Unlock = Callable[[str], str]
"""Returns the passphrase (or the PIN) for the key of that name."""


@dataclass(frozen=True, slots=True)
class NamedKey:
    """A public key, what people call it, and where its private half is if it is not in a file here."""

    name: str
    key: Key
    uri: str | None = None

    def document(self) -> bytes:
        """Return the file ``NAME.pub.json``."""
        facts: dict[str, Any] = {"name": self.name, "keyid": self.key.keyid, "key": self.key.to_dict()}
        return json.dumps(facts | ({"uri": self.uri} if self.uri else {}), indent=1, sort_keys=True).encode() + b"\n"


def read_public(path: Path) -> NamedKey:
    """Read ``NAME.pub.json``; ``OperatorError`` (config_invalid) where it is none."""
    try:
        facts = json.loads(_read(path))
        return NamedKey(str(facts["name"]), Key.from_dict(str(facts["keyid"]), facts["key"]), facts.get("uri"))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OperatorError(Reason.CONFIG_INVALID, f"{path} is not a public key file of `pawld release`.") from error


def generate(directory: Path, name: str, passphrase: str) -> NamedKey:
    """Make an Ed25519 key and write both files, the private one first; an existing name is never overwritten."""
    if len(passphrase) < MIN_PASSPHRASE:
        raise OperatorError(
            Reason.CONFIG_INVALID, f"A passphrase for a signing key has at least {MIN_PASSPHRASE} characters."
        )
    private = directory / f"{name}.pem"
    if private.exists():
        raise OperatorError(Reason.CONFIG_INVALID, f"There is a key {private} already; it is never overwritten.")
    signer = CryptoSigner(key := Ed25519PrivateKey.generate())
    make_directory(directory, mode=0o700)
    encryption = serialization.BestAvailableEncryption(passphrase.encode())
    write_durably(private, key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
    named = NamedKey(name, signer.public_key)
    write_public(directory, named)
    return named


def write_public(directory: Path, named: NamedKey) -> None:
    """Write ``NAME.pub.json``, which is no secret."""
    make_directory(directory, mode=0o700)
    write_durably(directory / f"{named.name}.pub.json", named.document())


def describe_pem(pem: Path, name: str, uri: str) -> NamedKey:
    """Return the key that a KMS or a token exported in PEM, to be signed with through *uri*."""
    try:
        public = serialization.load_pem_public_key(_read(pem))
        return NamedKey(name, SSlibKey.from_crypto(public), uri)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise OperatorError(Reason.CONFIG_INVALID, f"{pem} is not a public key that TUF can use.") from error


def load_file(path: Path, passphrase: str) -> CryptoSigner:
    """Decrypt a private key file.

    Raises:
        OperatorError: secret_missing where it cannot be read or the passphrase is wrong; secret_exposed where others
            may read it or it is not encrypted at all.
    """
    _refuse_exposed(path)
    data = _read(path)
    if b"ENCRYPTED" not in data.split(b"\n", 1)[0]:
        raise OperatorError(Reason.SECRET_EXPOSED, f"The signing key {path} is not encrypted.")
    try:
        return CryptoSigner(serialization.load_pem_private_key(data, passphrase.encode()))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise OperatorError(
            Reason.SECRET_MISSING,
            f"The signing key {path} does not open: the passphrase is wrong, or the file damaged.",
        ) from error


def load_uri(named: NamedKey, unlock: Unlock) -> Signer:
    """Return the signer behind the key's URI; ``OperatorError`` (secret_missing) where it cannot be reached."""
    try:
        return Signer.from_priv_key_uri(named.uri or "", named.key, lambda _what: unlock(named.name))
    except (SslibError, ValueError, OSError, ImportError) as error:
        why = f"{type(error).__name__}: {error}".rstrip(".")
        raise OperatorError(Reason.SECRET_MISSING, f"The signing key {named.name} cannot be used: {why}.") from error


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(KEY_FILE_LIMIT)
    except OSError as error:
        raise OperatorError(
            Reason.SECRET_MISSING, f"The key file {path} cannot be read: {error.strerror or error}."
        ) from error


def _refuse_exposed(path: Path) -> None:
    if sys.platform == "win32" or not path.exists():
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise OperatorError(
            Reason.SECRET_EXPOSED, f"The signing key {path} may be used by others than its owner (mode {mode:04o})."
        )
