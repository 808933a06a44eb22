"""Sidecar signatures: by minisign's own program where it is the point, else by the library."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from minisign import KeyPair, PublicKey

EXPIRES = "2099-01-01T00:00:00Z"


@dataclass
class Vendor:
    """One key pair of py-minisign."""

    pair: KeyPair

    @classmethod
    def new(cls) -> "Vendor":
        return cls(KeyPair.generate())

    @property
    def public_key(self) -> str:
        return self.pair.public_key.to_base64().decode()

    @property
    def key_id(self) -> str:
        return self.pair.public_key._keynum_pk.key_id[::-1].hex().upper()

    def sign(self, data: bytes, comment: str) -> bytes:
        return bytes(self.pair.secret_key.sign(data, trusted_comment=comment))


@dataclass
class Minisign:
    """Debian's minisign, with a key of its own in *directory*."""

    directory: Path

    def __post_init__(self) -> None:
        self._run("-G", "-W", "-f", "-p", str(self._public), "-s", str(self.directory / "key"))

    @property
    def _public(self) -> Path:
        return self.directory / "key.pub"

    @property
    def public_key(self) -> str:
        return PublicKey.from_file(self._public).to_base64().decode()

    def sign(self, data: bytes, comment: str, *options: str) -> bytes:
        path = self.directory / "signed"
        path.write_bytes(data)
        self._run("-S", *options, "-s", str(self.directory / "key"), "-m", str(path), "-t", comment)
        return (self.directory / "signed.minisig").read_bytes()

    def _run(self, *arguments: str) -> None:
        subprocess.run(["minisign", *arguments], check=True, capture_output=True, input=b"\n\n")


def comment(**changes: str) -> str:
    """The trusted comment of acme 1.8.3."""
    plain = {"product": "acme", "version": "1.8.3", "channel": "stable", "serial": "1042", "expires": EXPIRES}
    return " ".join(f"{name}={value}" for name, value in (plain | changes).items())
