"""A channel's key in a PKCS#11 token: SoftHSM holds it, `pawld release` signs by it, python-tuf's client judges."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from support.publishing import PASSPHRASE, Client, served, tar_gz
from support.rigs import SOFTHSM

# The library reads its configuration once a process, so each step is a process of its own.
MAKE_KEY = """
import os, pathlib, pkcs11, sys
from pkcs11.util.ec import encode_named_curve_parameters
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from securesystemslib.signer import HSMSigner
token = pkcs11.lib(os.environ["PYKCS11LIB"]).get_token(token_label="acme")
with token.open(user_pin=sys.argv[1], rw=True) as session:
    curve = {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
    session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True).generate_keypair(store=True, id=b"\\x02")
uri, key = HSMSigner.import_(2, "acme", lambda _: sys.argv[1])
pathlib.Path(sys.argv[2]).write_text(key.keyval["public"])
print(uri)
"""
Ran = subprocess.CompletedProcess[str]


@pytest.fixture
def token(tmp_path: Path) -> dict[str, str]:
    """A fresh token whose PIN is the passphrase; return the environment that leads to it."""
    (tmp_path / "tokens").mkdir()
    config = tmp_path / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {tmp_path}/tokens\nobjectstore.backend = file\n")
    environment = {**os.environ, "SOFTHSM2_CONF": str(config), "PYKCS11LIB": str(SOFTHSM)}
    environment["PAWLD_PASSPHRASE"] = PASSPHRASE
    words = ["--init-token", "--free", "--label", "acme", "--pin", PASSPHRASE, "--so-pin", PASSPHRASE]
    subprocess.run(["softhsm2-util", *words], env=environment, check=True, capture_output=True)
    return environment


def release(environment: Mapping[str, str], *words: object) -> Ran:
    command = [sys.executable, "-m", "pawld", "release", *map(str, words)]
    return subprocess.run(command, env=dict(environment), check=False, capture_output=True, text=True)


def founded(tmp_path: Path, environment: Mapping[str, str]) -> Path:
    """Found a repository whose stable channel is signed by a key in the token."""
    pem, home = tmp_path / "stable.pem", tmp_path / "repo"
    command = [sys.executable, "-c", MAKE_KEY, PASSPHRASE, str(pem)]
    uri = subprocess.run(command, env=dict(environment), check=True, capture_output=True, text=True).stdout.strip()
    assert uri == "hsm:2?label=acme"
    described = release(environment, "describe-key", "token-1", "--pem", pem, "--uri", uri, "--to", tmp_path)
    assert described.returncode == 0, described.stderr
    keys = ("--unsafe-single-key", "--public-key", f"stable={tmp_path / 'token-1.pub.json'}")
    made = release(environment, "init", home, "--product", "acme-agent", *keys)
    assert made.returncode == 0, made.stderr
    assert not (home / "keys" / "token-1.pem").exists()
    return home


def ingest(tmp_path: Path, environment: Mapping[str, str], home: Path, version: str) -> Ran:
    build = tmp_path / f"acme-{version}.tar.gz"
    build.write_bytes(tar_gz(version))
    place = ("--version", version, "--channel", "stable", "--platform", "linux-x86_64", "--entrypoint", "bin/acme")
    return release(environment, "ingest", build, *place, "--repository", home, "--patches", 0)


@pytest.mark.long
@pytest.mark.rig("softhsm2")
def test_a_key_that_never_leaves_its_token_signs_a_release_or_says_why_it_cannot(
    tmp_path: Path, token: dict[str, str]
) -> None:
    home = founded(tmp_path, token)
    for lost, told in (({"PYKCS11LIB": ""}, "PYKCS11LIB environment"), ({"PAWLD_PASSPHRASE": "x" * 12}, "PinIn")):
        refused = ingest(tmp_path, token | lost, home, "1.0.0")
        assert refused.returncode == 78
        assert "token-1 could not sign" in refused.stderr
        assert told in refused.stderr
    assert not list((home / "public" / "metadata").glob("2.*"))

    taken = ingest(tmp_path, token, home, "1.0.0")
    assert taken.returncode == 0, taken.stderr
    with served(home / "public") as url:
        client = Client(tmp_path / "host", url, (home / "public/metadata/1.root.json").read_bytes())
        target = client.ask("acme-agent/stable/linux-x86_64")
    assert target is not None
    assert target.custom["version"] == "1.0.0"
