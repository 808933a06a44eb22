"""Thresholds are met over files that are carried by hand, and by nothing less."""

import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, CryptoSigner, Key, Signature, Signer
from support.publishing import PASSPHRASE, StillClock, reopened, take_in, tar_gz, unlock

from pawld.errors import OperatorError, RejectedError
from pawld.publish import ceremony, keys
from pawld.publish.publication import Published, publish
from pawld.publish.publisher import Publisher
from pawld.publish.refresh import refresh
from pawld.publish.rotate import rotate
from pawld.reasons import Reason

if TYPE_CHECKING:
    from conftest import Site

STABLE = "acme-agent/stable/linux-x86_64"


@pytest.fixture
def offline(guarded: "Site") -> "Site":
    """The three stable keys are on three sticks, not in the publisher's directory."""
    for number in (1, 2, 3):
        stick = guarded.tmp / f"stick-{number}"
        stick.mkdir()
        shutil.move(guarded.home / f"keys/stable-{number}.pem", stick)
    return guarded


def sign(site: "Site", number: int, copies: list[Path]) -> None:
    signer = ceremony.signer_for(site.tmp / f"stick-{number}" / f"stable-{number}.pem", unlock)
    for copy in copies:
        ceremony.sign_file(copy, signer)


def carried(site: "Site", name: str) -> list[Path]:
    to = site.tmp / name
    to.mkdir()
    return ceremony.carry(site.publisher, to)


def brought(publisher: Publisher, copies: list[Path]) -> Published:
    for copy in copies:
        publisher.staging.merge(copy)
    return publish(publisher)


def test_two_people_sign_one_after_the_other(offline: "Site") -> None:
    waiting = take_in(offline.publisher, "1.0.0").waiting
    assert [(need.role, need.count, need.by) for need in waiting] == [
        ("archive", 2, ("stable-1", "stable-2", "stable-3")),
        ("stable", 2, ("stable-1", "stable-2", "stable-3")),
    ]
    assert offline.client().ask(STABLE) is None
    copies = carried(offline, "letter")
    sign(offline, 1, copies)
    sign(offline, 3, copies)
    assert brought(offline.publisher, copies).waiting == ()
    assert offline.client().fetch(STABLE) == tar_gz("1.0.0")


def test_two_people_sign_copies_at_the_same_time(offline: "Site") -> None:
    take_in(offline.publisher, "1.0.0")
    first, second = carried(offline, "first"), carried(offline, "second")
    sign(offline, 1, first)
    sign(offline, 2, second)
    renamed = [copy.rename(copy.with_name(f"from-bob-{copy.name}")) for copy in second]
    assert brought(offline.publisher, first).versions == {}
    assert brought(offline.publisher, renamed).waiting == ()
    assert offline.client().fetch(STABLE) == tar_gz("1.0.0")


def test_one_signature_twice_is_one(offline: "Site") -> None:
    take_in(offline.publisher, "1.0.0")
    copies = carried(offline, "letter")
    sign(offline, 1, copies)
    sign(offline, 1, copies)
    assert [need.count for need in brought(offline.publisher, copies).waiting] == [1, 1]
    assert offline.client().ask(STABLE) is None


def test_a_strangers_signature_is_none(offline: "Site") -> None:
    take_in(offline.publisher, "1.0.0")
    copies = carried(offline, "letter")
    keys.generate(offline.tmp, "mallory", PASSPHRASE)
    for copy in copies:
        ceremony.sign_file(copy, ceremony.signer_for(offline.tmp / "mallory.pub.json", unlock))
    sign(offline, 1, copies)
    assert [need.count for need in brought(offline.publisher, copies).waiting] == [1, 1]
    assert offline.client().ask(STABLE) is None


def test_a_file_that_was_changed_on_its_way_is_refused(offline: "Site") -> None:
    take_in(offline.publisher, "1.0.0")
    copies = carried(offline, "letter")
    facts = json.loads(copies[1].read_bytes())
    facts["signed"]["targets"][STABLE]["length"] += 1
    copies[1].write_text(json.dumps(facts))
    sign(offline, 1, copies)
    sign(offline, 2, copies)
    with pytest.raises(RejectedError) as caught:
        offline.publisher.staging.merge(copies[1])
    assert caught.value.reason is Reason.METADATA_UNTRUSTED
    assert offline.client().ask(STABLE) is None


def test_beta_goes_out_while_stable_waits(offline: "Site") -> None:
    take_in(offline.publisher, "1.0.0")
    published = take_in(offline.publisher, "1.1.0", "beta")
    assert published.versions["beta"] == 2
    assert {need.role for need in published.waiting} == {"archive", "stable"}
    assert offline.client().fetch("acme-agent/beta/linux-x86_64") == tar_gz("1.1.0")


def test_builds_of_several_platforms_are_signed_together(offline: "Site") -> None:
    take_in(offline.publisher, "1.0.0")
    take_in(offline.publisher, "1.1.0", "beta")
    take_in(offline.publisher, "1.1.0")
    copies = carried(offline, "letter")
    sign(offline, 1, copies)
    sign(offline, 2, copies)
    assert brought(offline.publisher, copies).versions["stable"] == 2
    assert offline.client().fetch(STABLE) == tar_gz("1.1.0")


def test_whoever_signs_sees_what_the_file_says(offline: "Site") -> None:
    take_in(offline.publisher, "1.0.0")
    copies = {copy.name: copy for copy in carried(offline, "letter")}
    stated = ceremony.statement(copies["stable.json"])
    assert (stated.kind, stated.version, stated.signatures) == ("targets", 2, ())
    assert stated.records[STABLE].version == "1.0.0"
    sign(offline, 1, list(copies.values()))
    again = ceremony.statement(copies["stable.json"])
    assert again.digest == stated.digest
    assert len(again.signatures) == 1


def test_a_root_and_delegations_name_their_keys(guarded: "Site") -> None:
    publisher = reopened(guarded.home, clock=StillClock())
    (guarded.home / "keys/root-1.pem").unlink()
    (guarded.home / "keys/root-2.pem").unlink()
    refresh(publisher, ["root", "targets"])
    root = ceremony.statement(publisher.staging.path("root"))
    assert {role: quorum[0] for role, quorum in root.quorums.items()} == {
        "root": 2,
        "targets": 2,
        "snapshot": 1,
        "timestamp": 1,
    }
    assert root.expires == publisher.clock.now() + timedelta(days=365)
    published = publisher.repository.targets()
    assert published is not None
    path = guarded.tmp / "targets.json"
    path.write_bytes(published.to_bytes())
    assert {role: quorum[0] for role, quorum in ceremony.statement(path).quorums.items()} == {
        "stable": 2,
        "beta": 1,
        "archive": 2,
    }


class _Vault(Signer):
    """Stands for a KMS: the private half never leaves it, and a PIN opens it."""

    held: CryptoSigner
    broken = False

    def __init__(self, public_key: Key) -> None:
        self._public_key = public_key

    @property
    def public_key(self) -> Key:
        return self._public_key

    @classmethod
    def from_priv_key_uri(cls, priv_key_uri: str, public_key: Key, secrets_handler: object = None) -> "_Vault":
        assert callable(secrets_handler)
        assert priv_key_uri == "vault:stable"
        if secrets_handler("PIN") != PASSPHRASE:
            raise ValueError("wrong PIN")
        return cls(public_key)

    def sign(self, payload: bytes) -> Signature:
        if self.broken:
            raise OSError("the token was pulled out")
        return self.held.sign(payload)


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> type[_Vault]:
    monkeypatch.setitem(SIGNER_FOR_URI_SCHEME, "vault", _Vault)
    _Vault.held, _Vault.broken = CryptoSigner.generate_ecdsa(), False
    return _Vault


def described(tmp: Path, vault: type[_Vault], uri: str = "vault:stable") -> Path:
    pem = tmp / "exported.pem"
    pem.write_text(str(vault.held.public_key.keyval["public"]))
    keys.write_public(tmp, keys.describe_pem(pem, "stable-kms", uri))
    return tmp / "stable-kms.pub.json"


def test_a_key_in_a_vault_signs_through_its_uri(site: "Site", vault: type[_Vault]) -> None:
    publisher = site.publisher
    named = publisher.keyring.add(keys.read_public(described(site.tmp, vault)))
    rotate(publisher, "stable", [publisher.keyring.named("stable-1")], [named])
    assert publish(publisher).waiting == ()
    (site.home / "keys/stable-1.pem").unlink()
    take_in(site.publisher, "1.0.0")
    assert site.client().fetch(STABLE) == tar_gz("1.0.0")


def test_a_vault_that_fails_signs_nothing(offline: "Site", vault: type[_Vault]) -> None:
    take_in(offline.publisher, "1.0.0")
    copies = carried(offline, "letter")
    key = described(offline.tmp, vault)
    with pytest.raises(OperatorError) as caught:
        ceremony.signer_for(key, lambda _name: "wrong PIN")
    assert caught.value.reason is Reason.SECRET_MISSING
    signer, before = ceremony.signer_for(key, unlock), copies[0].read_bytes()
    vault.broken = True
    with pytest.raises(OperatorError) as caught:
        ceremony.sign_file(copies[0], signer)
    assert caught.value.reason is Reason.SECRET_MISSING
    assert copies[0].read_bytes() == before
