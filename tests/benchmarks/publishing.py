"""Publishes the payloads through ``pawld release``, and beside it as a signed checksum file for the sidecar mode."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from benchmarks.payloads import VERSION, sha256
from minisign import KeyPair

PLATFORM = "linux-x86_64"


def published(pawld: Path, home: Path, payloads: Mapping[str, Path]) -> Path:
    """Return the publisher's directory, with one release of each payload on ``stable``."""
    directory = home / "publisher"
    if (directory / "done").exists():
        return directory
    environment = {**os.environ, "PAWLD_PASSPHRASE": "correct horse battery", "PAWLD_REPOSITORY": str(directory)}
    release = [str(pawld), "release"]
    products = [word for product in payloads for word in ("--product", product)]
    init = [*release, "init", "--unsafe-single-key", "--channel", "stable", *products, str(directory)]
    subprocess.run(init, env=environment, check=True, capture_output=True)
    for product, path in payloads.items():
        words = ["--product", product, "--version", VERSION, "--platform", PLATFORM, "--channel", "stable"]
        ingest = [*release, "ingest", str(path), *words]
        subprocess.run(ingest, env=environment, check=True, capture_output=True)
    (directory / "done").touch()
    return directory


def public_of(publisher: Path) -> Path:
    """Return what a web server serves."""
    return publisher / "public"


def signed_checksums(into: Path, product: str, path: Path) -> str:
    """Write ``SHA256SUMS`` and its signature; return the public key."""
    into.mkdir(parents=True, exist_ok=True)
    pair = KeyPair.generate()
    data = f"{sha256(path)}  {path.name}\n".encode()
    comment = f"product={product} version={VERSION} channel=stable serial=1 expires=2099-01-01T00:00:00Z"
    (into / "SHA256SUMS").write_bytes(data)
    (into / "SHA256SUMS.minisig").write_bytes(bytes(pair.secret_key.sign(data, trusted_comment=comment)))
    return str(pair.public_key.to_base64().decode())
