"""What this host demands beside the record: of which types, and of how many different signers."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from support.signing import Vendor
from support.trusting import LINUX, Host

from pawld.errors import OperatorError, PawldError, TransientError
from pawld.model import Evidence, Record
from pawld.ports import Downloaded
from pawld.reasons import Reason
from pawld.trust.evidence import Demand, EvidenceChecker, Unchecked, asked, missing
from pawld.trust.evidence.minisign import MinisignEvidence
from pawld.trust.pinned import PinnedEngine

BUILD = b"a build that somebody vouches for"
Prove = Callable[..., None]
OPTIONAL = {"optional": "yes"}


class Witness:
    """Vouches for everything, or fails as it is told."""

    def __init__(self, fault: PawldError | None = None) -> None:
        self.fault = fault
        self.asked = 0

    def check(self, record: Record, evidence: Evidence, downloaded: Downloaded) -> str:  # noqa: ARG002 - the port's
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        return evidence.facts.get("who", "somebody")


@pytest.fixture
def prove(host: Host, tmp_path: Path) -> Prove:
    path = tmp_path / "build.unverified"
    path.write_bytes(BUILD)

    def proving(evidence: list[Evidence], demand: Demand, **checkers: EvidenceChecker) -> None:
        policy = host.policy(PinnedEngine({}), evidence=checkers, demand=demand)
        with path.open("rb") as file:
            policy.prove(record_with(*evidence), Downloaded(file, path, "https://cdn.example"))

    return proving


def record_with(*evidence: Evidence) -> Record:
    digest = hashlib.sha256(BUILD).hexdigest()
    return Record("acme", "stable", LINUX, "1.0.0", 1, len(BUILD), digest, "acme", "file", evidence=evidence)


def refused(prove: Prove, *arguments: object, **checkers: object) -> PawldError:
    with pytest.raises(PawldError) as caught:
        prove(*arguments, **checkers)
    return caught.value


def signed(vendor: Vendor, **facts: str) -> Evidence:
    return Evidence("minisign", {"signature": vendor.sign(BUILD, "x").decode()} | facts)


def test_one_of_each_demanded_type_must_vouch(prove: Prove) -> None:
    both = Demand(("minisign", "sshsig"))
    minisign, sshsig = Evidence("minisign", OPTIONAL), Evidence("sshsig", OPTIONAL)
    prove([minisign, sshsig], both, minisign=Witness(), sshsig=Witness())
    error = refused(prove, [minisign], both, minisign=Witness(), sshsig=Witness())
    assert (error.reason, "no evidence of type sshsig" in error.message) == (Reason.EVIDENCE_MISSING, True)


def test_m_of_n_keys_are_counted_once_each(prove: Prove) -> None:
    one, two, three = Vendor.new(), Vendor.new(), Vendor.new()
    checker = MinisignEvidence([one.public_key, two.public_key, three.public_key])
    demand = Demand(("minisign",), need=2)
    prove([signed(one), signed(three)], demand, minisign=checker)
    prove([signed(one), signed(two), signed(Vendor.new(), **OPTIONAL)], demand, minisign=checker)

    twice = refused(prove, [signed(one), signed(one)], demand, minisign=checker)
    assert (twice.reason, "1 signers that vouch" in twice.message) == (Reason.EVIDENCE_MISSING, True)
    stranger = refused(prove, [signed(one), signed(Vendor.new(), **OPTIONAL)], demand, minisign=checker)
    assert stranger.reason is Reason.SIGNATURE_INVALID


def test_m_of_n_types_hold_though_one_of_them_cannot_be_checked(prove: Prove) -> None:
    offered = [Evidence(kind, OPTIONAL) for kind in ("minisign", "sshsig", "sigstore")]
    demand = Demand(("minisign", "sshsig", "sigstore"), need=2)
    absent = Unchecked("sigstore", "install pawld[sigstore]")
    prove(offered, demand, minisign=Witness(), sshsig=Witness(), sigstore=absent)

    error = refused(
        prove, offered, demand, minisign=Witness(), sshsig=Witness(missing(record_with(), "none")), sigstore=absent
    )
    assert error.reason is Reason.EVIDENCE_MISSING
    error = refused(prove, offered[:1] + offered[2:], demand, minisign=Witness(), sigstore=absent)
    assert (type(error), error.reason) == (OperatorError, Reason.EVIDENCE_NOT_CHECKED)
    assert "install pawld[sigstore]" in error.message


def test_signers_of_types_that_are_not_demanded_do_not_count(prove: Prove) -> None:
    listed = [Evidence("minisign", {"who": "a"}), Evidence("sshsig", {"who": "b"})]
    demand = Demand(("minisign",), need=2)
    assert refused(prove, listed, demand, minisign=Witness(), sshsig=Witness()).reason is Reason.EVIDENCE_MISSING


def test_what_a_record_demands_must_hold_whatever_this_host_has_enough_of(prove: Prove) -> None:
    listed = [Evidence("minisign", {}), Evidence("sshsig", {})]
    broken = Witness(missing(record_with(), "a signature that is none"))
    demand = Demand(("minisign", "sshsig"), need=1)
    assert refused(prove, listed, demand, minisign=Witness(), sshsig=broken).reason is Reason.EVIDENCE_MISSING


def test_what_is_offered_and_not_demanded_is_not_looked_at(prove: Prove) -> None:
    idle = Witness(missing(record_with(), "nothing"))
    prove([Evidence("sigstore", OPTIONAL)], Demand(), sigstore=idle)
    assert idle.asked == 0


@pytest.mark.parametrize("kind", ["authenticode", "pkgutil"])
def test_a_signature_inside_of_the_build_needs_no_mention_in_the_record(prove: Prove, kind: str) -> None:
    witness = Witness()
    prove([], Demand((kind,)), **{kind: witness})
    assert witness.asked == 1
    error = refused(prove, [], Demand((kind,)), **{kind: Witness(missing(record_with(), "none"))})
    assert error.reason is Reason.EVIDENCE_MISSING
    assert [one.type for one in asked(record_with(Evidence(kind, {})), Demand((kind,)))] == [kind]


def test_an_address_that_does_not_answer_is_asked_again_later(prove: Prove) -> None:
    silent = Witness(TransientError(Reason.SERVER_ERROR, "It answered 500."))
    error = refused(prove, [Evidence("minisign", OPTIONAL)], Demand(("minisign",)), minisign=silent)
    assert (type(error), error.reason) == (TransientError, Reason.SERVER_ERROR)
