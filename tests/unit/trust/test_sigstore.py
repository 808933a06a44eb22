"""A real bundle of Sigstore's staging instance, checked against a root file without a network."""

import builtins
import hashlib
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.static_web import StaticWeb
from support.trusting import LINUX, Host

from pawld.errors import OperatorError, PawldError, RejectedError
from pawld.model import Evidence, Record
from pawld.ports import Downloaded
from pawld.reasons import Reason
from pawld.trust.evidence.sigstore import SigstoreEvidence
from pawld.trust.pinned import PinnedEngine

HERE = Path(__file__).parent / "sigstore"
ROOT = HERE / "trusted_root.json"
BUILD = HERE / "bundle_v3.txt"
BUNDLE = (HERE / "bundle_v3.txt.sigstore.json").read_text("utf-8")
IDENTITY, ISSUER = "william@yossarian.net", "https://github.com/login/oauth"
SIGNED_BY = {"identity": IDENTITY, "issuer": ISSUER}
Edit = Callable[[dict[str, Any]], None]


def record_of(data: bytes) -> Record:
    return Record("acme", "stable", LINUX, "1.0.0", 1, len(data), hashlib.sha256(data).hexdigest(), "acme", "file")


def check(facts: dict[str, str], *, data: bytes | None = None, **options: Any) -> str:
    options.setdefault("trusted_root", ROOT)
    with BUILD.open("rb") as file:
        build = Downloaded(file, BUILD, "https://cdn.example")
        evidence = Evidence("sigstore", facts)
        return SigstoreEvidence(**options).check(record_of(data or BUILD.read_bytes()), evidence, build)


def refused(facts: dict[str, str], **options: Any) -> PawldError:
    with pytest.raises(PawldError) as caught:
        check(facts, **options)
    return caught.value


def edited(edit: Edit) -> str:
    document = json.loads(BUNDLE)
    edit(document)
    return json.dumps(document)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object) -> None:
        raise AssertionError("evidence is checked without a network")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", connect)


def test_a_real_bundle_vouches_without_a_network(no_network: None) -> None:
    assert check(SIGNED_BY | {"bundle": BUNDLE}) == f"{IDENTITY} by {ISSUER}"


def test_the_policy_proves_a_build_with_its_bundle(host: Host, no_network: None) -> None:
    data = BUILD.read_bytes()
    evidence = (Evidence("sigstore", SIGNED_BY | {"bundle": BUNDLE}),)
    policy = host.policy(PinnedEngine({}), evidence={"sigstore": SigstoreEvidence(ROOT)})
    plain = record_of(data)
    record = Record("acme", "stable", LINUX, "1.0.0", 1, len(data), plain.sha256, "acme", "file", evidence=evidence)
    with BUILD.open("rb") as file:
        assert policy.prove(record, Downloaded(file, BUILD, "https://cdn.example")).seekable().read() == data


def test_a_bundle_may_lie_at_an_address(server: StaticWeb, host: Host) -> None:
    facts = SIGNED_BY | {"url": f"{server.url}/acme.sigstore.json"}
    assert refused(facts, web=host.web).reason is Reason.EVIDENCE_MISSING
    server.files["acme.sigstore.json"] = BUNDLE.encode()
    assert check(facts, web=host.web)
    server.files["acme.sigstore.json"] = BUNDLE.encode() + b" " * 200_000
    assert refused(facts, web=host.web).reason is Reason.SIGNATURE_INVALID


@pytest.mark.parametrize(
    "facts",
    [
        {"identity": "mallory@example.com", "issuer": ISSUER, "bundle": BUNDLE},
        {"identity": IDENTITY, "issuer": "https://accounts.example.com", "bundle": BUNDLE},
    ],
    ids=["another identity", "another issuer"],
)
def test_the_bundle_of_somebody_else_is_refused(facts: dict[str, str], no_network: None) -> None:
    error = refused(facts)
    assert (type(error), error.reason) == (RejectedError, Reason.SIGNATURE_INVALID)


def test_the_identity_that_this_host_pins_counts_before_the_records(no_network: None) -> None:
    options = {"identity": "release@acme.example", "issuer": ISSUER}
    assert refused(SIGNED_BY | {"bundle": BUNDLE}, **options).reason is Reason.SIGNATURE_INVALID
    assert check({"identity": "mallory@example.com", "bundle": BUNDLE}, identity=IDENTITY, issuer=ISSUER)


def test_a_bundle_of_another_build_is_refused(no_network: None) -> None:
    error = refused(SIGNED_BY | {"bundle": BUNDLE}, data=b"another build")
    assert (error.reason, "digest mismatch" in error.message) == (Reason.SIGNATURE_INVALID, True)


def _without_log(document: dict[str, Any]) -> None:
    document["verificationMaterial"]["tlogEntries"] = []


def _without_proof(document: dict[str, Any]) -> None:
    del document["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]


def _with_other_time(document: dict[str, Any]) -> None:
    document["verificationMaterial"]["tlogEntries"][0]["integratedTime"] = "1912085549"


def _with_other_root(document: dict[str, Any]) -> None:
    document["verificationMaterial"]["tlogEntries"][0]["inclusionProof"]["rootHash"] = "A" * 43 + "="


def _with_other_signature(document: dict[str, Any]) -> None:
    signature = document["messageSignature"]["signature"]
    document["messageSignature"]["signature"] = signature[:20] + ("A" if signature[20] != "A" else "B") + signature[21:]


def _with_envelope(document: dict[str, Any]) -> None:
    del document["messageSignature"]
    document["dsseEnvelope"] = {"payload": "e30=", "payloadType": "x", "signatures": [{"sig": "AAAA"}]}


@pytest.mark.parametrize(
    "edit", [_without_log, _without_proof, _with_other_time, _with_other_root, _with_other_signature, _with_envelope]
)
def test_a_bundle_that_was_touched_is_refused(edit: Edit, no_network: None) -> None:
    assert refused(SIGNED_BY | {"bundle": edited(edit)}).reason is Reason.SIGNATURE_INVALID


@pytest.mark.parametrize("bundle", ["", "{", "[]", "null", '{"mediaType": "x"}', "\x00" * 100, "[" * 100_000])
def test_what_is_no_bundle_is_refused(bundle: str, no_network: None) -> None:
    assert refused(SIGNED_BY | {"bundle": bundle}).reason is Reason.SIGNATURE_INVALID


def test_evidence_without_an_identity_is_none() -> None:
    assert refused({"bundle": BUNDLE}).reason is Reason.EVIDENCE_MISSING
    assert refused({"identity": IDENTITY, "bundle": BUNDLE}).reason is Reason.EVIDENCE_MISSING
    assert refused(SIGNED_BY).reason is Reason.EVIDENCE_MISSING


def test_a_root_that_cannot_be_read_is_the_operators(tmp_path: Path) -> None:
    facts = SIGNED_BY | {"bundle": BUNDLE}
    assert refused(facts, trusted_root=tmp_path / "none.json").reason is Reason.CONFIG_MISSING
    (tmp_path / "root.json").write_text("{}")
    error = refused(facts, trusted_root=tmp_path / "root.json")
    assert (type(error), error.reason) == (OperatorError, Reason.CONFIG_INVALID)


def test_without_the_extra_it_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_sigstore(name: str, *rest: Any) -> Any:
        if name.split(".", maxsplit=1)[0] == "sigstore":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_sigstore)
    error = refused(SIGNED_BY | {"bundle": BUNDLE})
    assert (type(error), error.reason) == (OperatorError, Reason.EVIDENCE_NOT_CHECKED)
    assert "install pawld[sigstore]" in error.message
    assert "Install or configure what the sentence names" in error.reason.next_step
