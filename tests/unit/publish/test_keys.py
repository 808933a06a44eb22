"""Signing keys at rest: encrypted, owned, named; and everything that is refused about them."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from support.publishing import PASSPHRASE, unlock

from pawld.errors import OperatorError
from pawld.publish import keys
from pawld.publish.keyring import Keyring
from pawld.reasons import Reason


def test_a_key_is_read_back_and_signs(tmp_path: Path) -> None:
    named = keys.generate(tmp_path, "root-1", PASSPHRASE)
    again = keys.read_public(tmp_path / "root-1.pub.json")
    assert again == named
    signature = keys.load_file(tmp_path / "root-1.pem", PASSPHRASE).sign(b"payload")
    again.key.verify_signature(signature, b"payload")


@pytest.mark.rig("openssl")
def test_a_key_that_openssl_wrapped_harder_stays_readable(tmp_path: Path) -> None:
    named = keys.generate(tmp_path, "root-1", PASSPHRASE)
    path = tmp_path / "root-1.pem"
    command = [
        "openssl",
        "pkcs8",
        "-topk8",
        "-scrypt",
        "-passin",
        f"pass:{PASSPHRASE}",
        "-passout",
        f"pass:{PASSPHRASE}",
    ]
    subprocess.run([*command, "-in", str(path), "-out", str(tmp_path / "new.pem")], check=True, timeout=20)
    (tmp_path / "new.pem").chmod(0o600)
    assert keys.load_file(tmp_path / "new.pem", PASSPHRASE).public_key == named.key


def test_a_wrong_passphrase_and_a_damaged_file_are_told(tmp_path: Path) -> None:
    keys.generate(tmp_path, "root-1", PASSPHRASE)
    path = tmp_path / "root-1.pem"
    for data, passphrase in ((path.read_bytes(), "wrong wrong wrong"), (path.read_bytes()[:60], PASSPHRASE)):
        path.write_bytes(data)
        with pytest.raises(OperatorError) as caught:
            keys.load_file(path, passphrase)
        assert caught.value.reason is Reason.SECRET_MISSING
        assert passphrase not in caught.value.message


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    keys.generate(tmp_path, "root-1", PASSPHRASE)
    (tmp_path / "root-1.pem").chmod(0o640)
    with pytest.raises(OperatorError) as caught:
        keys.load_file(tmp_path / "root-1.pem", PASSPHRASE)
    assert caught.value.reason is Reason.SECRET_EXPOSED


def test_a_key_without_encryption_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "root-1.pem"
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(Ed25519PrivateKey.generate().private_bytes(*form))
    path.chmod(0o600)
    with pytest.raises(OperatorError) as caught:
        keys.load_file(path, PASSPHRASE)
    assert caught.value.reason is Reason.SECRET_EXPOSED


def test_a_short_passphrase_and_a_taken_name_make_no_key(tmp_path: Path) -> None:
    with pytest.raises(OperatorError):
        keys.generate(tmp_path, "root-1", "short")
    assert list(tmp_path.iterdir()) == []
    keys.generate(tmp_path, "root-1", PASSPHRASE)
    before = (tmp_path / "root-1.pem").read_bytes()
    with pytest.raises(OperatorError):
        keys.generate(tmp_path, "root-1", PASSPHRASE)
    assert (tmp_path / "root-1.pem").read_bytes() == before


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "x", "keyid": "y", "key": {"keytype": "z"}}'])
def test_a_file_that_is_no_public_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.pub.json"
    path.write_text(text)
    with pytest.raises(OperatorError) as caught:
        keys.read_public(path)
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_a_missing_key_file_is_told(tmp_path: Path) -> None:
    for read in (keys.read_public, lambda path: keys.load_file(path, PASSPHRASE)):
        with pytest.raises(OperatorError) as caught:
            read(tmp_path / "nothing.pem")
        assert caught.value.reason is Reason.SECRET_MISSING


def test_a_pem_that_is_no_public_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nothing")
    with pytest.raises(OperatorError) as caught:
        keys.describe_pem(tmp_path / "x.pem", "x", "gcpkms:x")
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_a_uri_that_nobody_serves_is_told(tmp_path: Path) -> None:
    named = keys.generate(tmp_path, "root-1", PASSPHRASE)
    with pytest.raises(OperatorError) as caught:
        keys.load_uri(keys.NamedKey("kms", named.key, "nothing:x"), unlock)
    assert caught.value.reason is Reason.SECRET_MISSING


@pytest.mark.parametrize("uri", ["gcpkms:projects/p/locations/l/keyRings/r/cryptoKeys/k", "awskms:alias/acme"])
def test_a_kms_whose_library_is_not_here_is_named(tmp_path: Path, uri: str) -> None:
    pem = tmp_path / "kms.pem"
    key = generate_private_key(SECP256R1()).public_key()
    pem.write_bytes(key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(OperatorError) as caught:
        keys.load_uri(keys.describe_pem(pem, "kms", uri), unlock)
    assert caught.value.reason is Reason.SECRET_MISSING
    assert "UnsupportedLibraryError" in caught.value.message
    assert "requires" in caught.value.message or "required" in caught.value.message
    assert not caught.value.message.endswith("..")


def test_a_private_half_that_belongs_to_another_key_is_refused(tmp_path: Path) -> None:
    named = keys.generate(tmp_path, "root-1", PASSPHRASE)
    keys.generate(tmp_path / "other", "root-1", PASSPHRASE)
    (tmp_path / "other/root-1.pem").replace(tmp_path / "root-1.pem")
    with pytest.raises(OperatorError) as caught:
        Keyring(tmp_path, unlock).signer(named.key)
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_the_keyring_knows_names_and_refuses_strangers(tmp_path: Path) -> None:
    ring = Keyring(tmp_path, unlock)
    first, second = ring.new("root"), ring.new("root")
    assert (first.name, second.name) == ("root-1", "root-2")
    assert ring.name_of("f" * 64) == "f" * 12
    assert ring.add(first) == first
    stranger = keys.generate(tmp_path / "other", "root-1", PASSPHRASE)
    assert ring.signer(stranger.key) is None
    assert not ring.holds(stranger.key)
    for attempt in (lambda: ring.add(stranger), lambda: ring.named("nobody")):
        with pytest.raises(OperatorError) as caught:
            attempt()
        assert caught.value.reason is Reason.CONFIG_INVALID
