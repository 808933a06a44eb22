"""What else must vouch for the bytes: real programs sign, and what cannot be checked is refused."""

import hashlib
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography import x509
from support.evidence import Publisher, code_signer
from support.signing import Minisign, Vendor
from support.static_web import StaticWeb, send
from support.trusting import LINUX, Host

from pawld.errors import PawldError, RejectedError
from pawld.model import Chunks, Evidence, Record
from pawld.ports import Downloaded
from pawld.reasons import Reason
from pawld.trust.evidence import Demand, EvidenceChecker
from pawld.trust.evidence.authenticode import AuthenticodeEvidence
from pawld.trust.evidence.minisign import MinisignEvidence
from pawld.trust.evidence.sshsig import SshsigEvidence
from pawld.trust.pinned import PinnedEngine

BUILD = b"a build that somebody vouches for"
Prove = Callable[..., None]


@pytest.fixture
def prove(host: Host, tmp_path: Path) -> Prove:
    def proving(
        evidence: list[dict[str, str]], checkers: dict[str, EvidenceChecker], data: bytes = BUILD, **options: object
    ) -> None:
        path = tmp_path / "build.unverified"
        path.write_bytes(data)
        policy = host.policy(PinnedEngine({}), evidence=checkers, **options)
        with path.open("r+b") as file:
            policy.prove(record_with(evidence, data), Downloaded(file, path, "https://cdn.example")).confirm()
            assert file.read() == data

    return proving


def record_with(evidence: list[dict[str, str]], data: bytes = BUILD) -> Record:
    listed = tuple(Evidence(one["type"], one) for one in evidence)
    digest = hashlib.sha256(data).hexdigest()
    return Record("acme", "stable", LINUX, "1.0.0", 1, len(data), digest, "acme", "file", evidence=listed)


def refused(prove: Prove, evidence: dict[str, str], *arguments: object, **options: object) -> Reason:
    with pytest.raises(PawldError) as error:
        prove([evidence] if evidence else [], *arguments, **options)
    return error.value.reason


def test_evidence_of_an_unknown_type_counts_as_missing(prove: Prove) -> None:
    assert refused(prove, {"type": "horoscope"}, {}) is Reason.EVIDENCE_MISSING


def test_evidence_that_this_host_demands_must_be_listed(prove: Prove) -> None:
    assert refused(prove, {}, {}, demand=Demand(("minisign",))) is Reason.EVIDENCE_MISSING


def test_chunks_are_confirmed_with_their_evidence(host: Host, tmp_path: Path) -> None:
    path = tmp_path / "build.unverified"
    path.write_bytes(BUILD)
    record = replace(record_with([{"type": "horoscope"}]), chunks=Chunks(65536, (hashlib.sha256(BUILD).hexdigest(),)))
    verified = host.policy(PinnedEngine({})).prove_chunks(record, lambda _: iter([memoryview(BUILD)]), path)
    with verified.stream() as stream:
        stream.read()

    with pytest.raises(RejectedError) as error:
        verified.confirm()
    assert error.value.reason is Reason.EVIDENCE_MISSING


@pytest.mark.rig("minisign")
def test_minisign_itself_vouches_for_a_build(prove: Prove, tmp_path: Path) -> None:
    minisign = Minisign(tmp_path)
    signature = minisign.sign(BUILD, "anything").decode()

    prove([{"type": "minisign", "signature": signature}], {"minisign": MinisignEvidence([minisign.public_key])})


def test_a_records_own_key_counts_where_none_is_pinned(prove: Prove) -> None:
    vendor = Vendor.new()
    evidence = {"type": "minisign", "public_key": vendor.public_key, "signature": vendor.sign(BUILD, "x").decode()}

    prove([evidence], {"minisign": MinisignEvidence()})

    pinned = {"minisign": MinisignEvidence([Vendor.new().public_key])}
    assert refused(prove, evidence, pinned) is Reason.SIGNATURE_INVALID
    assert refused(prove, evidence | {"key_id": "0" * 16}, {"minisign": MinisignEvidence()}) is Reason.SIGNATURE_INVALID
    del evidence["public_key"]
    assert refused(prove, evidence, {"minisign": MinisignEvidence()}) is Reason.EVIDENCE_MISSING


def test_a_signature_can_lie_at_an_address(prove: Prove, host: Host, server: StaticWeb) -> None:
    vendor = Vendor.new()
    checkers: dict[str, EvidenceChecker] = {"minisign": MinisignEvidence([vendor.public_key], host.web)}
    evidence = {"type": "minisign", "url": f"{server.url}/acme.minisig"}

    assert refused(prove, evidence, checkers) is Reason.EVIDENCE_MISSING
    server.files["acme.minisig"] = vendor.sign(BUILD, "x")
    prove([evidence], checkers)
    server.files["acme.minisig"] = b"x" * 20_000
    assert refused(prove, evidence, checkers) is Reason.SIGNATURE_INVALID
    server.instead["acme.minisig"] = lambda handler: send(handler, 500)
    assert refused(prove, evidence, checkers) is Reason.SERVER_ERROR
    assert refused(prove, {"type": "minisign"}, checkers) is Reason.EVIDENCE_MISSING


@pytest.mark.rig("ssh-keygen")
def test_openssh_vouches_for_a_build(prove: Prove, tmp_path: Path) -> None:
    key = tmp_path / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    signature = subprocess.run(
        ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", "file"], input=BUILD, check=True, capture_output=True
    ).stdout.decode()
    public = " ".join((tmp_path / "id.pub").read_text().split()[:2])
    evidence = {"type": "sshsig", "identity": "release@acme", "public_key": public, "signature": signature}
    checkers: dict[str, EvidenceChecker] = {"sshsig": SshsigEvidence()}

    prove([evidence], checkers)

    assert refused(prove, evidence, checkers, b"another build") is Reason.SIGNATURE_INVALID
    assert refused(prove, evidence | {"namespace": "git"}, checkers) is Reason.SIGNATURE_INVALID
    assert refused(prove, evidence | {"identity": 'a" b'}, checkers) is Reason.EVIDENCE_MISSING
    assert refused(prove, evidence, {"sshsig": SshsigEvidence(program="/nowhere")}) is Reason.EVIDENCE_NOT_CHECKED


@pytest.mark.rig("osslsigncode")
@pytest.mark.rig("wixl")
def test_authenticode_vouches_for_an_installer(prove: Prove, tmp_path: Path) -> None:
    publisher = code_signer(tmp_path)
    signed = publisher.sign_installer(tmp_path)
    evidence = {"type": "authenticode", "leaf_sha256": publisher.leaf_sha256}
    checkers: dict[str, EvidenceChecker] = {"authenticode": AuthenticodeEvidence(publisher.certificate)}

    prove([evidence], checkers, signed)

    assert refused(prove, {"type": "authenticode", "leaf_sha256": "0" * 64}, checkers, signed) is (
        Reason.SIGNATURE_INVALID
    )
    assert refused(prove, {"type": "authenticode"}, checkers, signed) is Reason.EVIDENCE_MISSING
    assert refused(prove, evidence, checkers, BUILD) is Reason.SIGNATURE_INVALID
    pinned = AuthenticodeEvidence(publisher.certificate, publisher.leaf_sha256)
    prove([{"type": "authenticode"}], {"authenticode": pinned}, signed)
    absent = AuthenticodeEvidence(publisher.certificate, program="/nowhere")
    assert refused(prove, evidence, {"authenticode": absent}, signed) is Reason.EVIDENCE_NOT_CHECKED


def test_a_file_that_was_replaced_is_not_what_authenticode_looks_at(tmp_path: Path) -> None:
    path = tmp_path / "build.unverified"
    path.write_bytes(BUILD)
    with path.open("r+b") as file:
        path.rename(tmp_path / "moved")
        path.write_bytes(BUILD)

        with pytest.raises(RejectedError) as error:
            AuthenticodeEvidence(path).check(
                record_with([]), Evidence("authenticode", {"leaf_sha256": "a" * 64}), Downloaded(file, path, "x")
            )
    assert error.value.reason is Reason.DIGEST_MISMATCH


def test_the_publishers_leaf_is_what_the_library_says(tmp_path: Path) -> None:
    publisher: Publisher = code_signer(tmp_path)

    certificate = x509.load_pem_x509_certificate(publisher.certificate.read_bytes())
    assert certificate.subject.rfc4514_string() == "CN=Acme"
