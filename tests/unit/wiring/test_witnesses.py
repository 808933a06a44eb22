"""Which checkers a configuration wires, and what is said where one is not to be had."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.evidence import code_signer
from support.signing import Vendor

from pawld.errors import OperatorError, RejectedError
from pawld.model import Evidence, Platform, Record
from pawld.reasons import Reason
from pawld.settings.evidence import EvidenceDemand
from pawld.system.http import Web
from pawld.wiring.witnesses import KNOWN, Witnesses, as_a_host

WINDOWS = Platform("windows", "x86_64")


def wired(**settings: Any) -> dict[str, str]:
    with Web() as web:
        found = Witnesses(EvidenceDemand.model_validate(settings), web)
        assert (len(found), tuple(found)) == (len(KNOWN), KNOWN)
        return {kind: type(found[kind]).__name__ for kind in found}


def test_every_type_has_a_checker_or_says_what_it_needs() -> None:
    assert wired() == {
        "minisign": "MinisignEvidence",
        "sshsig": "SshsigEvidence",
        "sigstore": "Unchecked",
        "authenticode": "Unchecked",
        "pkgutil": "PkgutilEvidence",
    }


def test_what_is_configured_is_what_checks() -> None:
    found = wired(
        minisign={"public_keys": [Vendor.new().public_key]},
        sshsig={"public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUn"},
        sigstore={"trusted_root": "/etc/pawld/sigstore.json"},
        authenticode={"ca_file": "/etc/pawld/ca.pem"},
        pkgutil={"team_id": "ABCDE12345"},
    )
    assert (found["sigstore"], found["authenticode"]) == ("SigstoreEvidence", "AuthenticodeEvidence")


def test_windows_checks_authenticode_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert wired()["authenticode"] == "WindowsAuthenticodeEvidence"


@pytest.mark.parametrize(("kind", "told"), [("sigstore", "trusted_root"), ("authenticode", "ca_file")])
def test_what_is_not_configured_is_refused_with_its_key(tmp_path: Path, kind: str, told: str) -> None:
    with Web() as web, pytest.raises(OperatorError, match=told) as caught:
        Witnesses(None, web)[kind].check(None, None, None)  # type: ignore[arg-type]  # it looks at none
    assert caught.value.reason is Reason.EVIDENCE_NOT_CHECKED


def test_a_type_that_nobody_knows_has_none() -> None:
    with Web() as web:
        assert "horoscope" not in Witnesses(None, web)


@pytest.mark.rig("osslsigncode")
@pytest.mark.rig("wixl")
def test_a_publisher_checks_an_installers_signature_as_a_host_does(tmp_path: Path) -> None:
    signer = code_signer(tmp_path)
    path = tmp_path / "acme.msi"
    path.write_bytes(signer.sign_installer(tmp_path))
    facts = {"type": "authenticode", "leaf_sha256": signer.leaf_sha256, "optional": "yes"}
    record = Record("acme", "stable", WINDOWS, "1.0.0", 1, 1, "a" * 64, path.name, "msi")
    with Web() as web:
        vouch = as_a_host({"authenticode": {"ca_file": str(signer.certificate)}}, web)
        vouch(replace(record, evidence=(Evidence("authenticode", facts),)), path)
        other = Evidence("authenticode", facts | {"leaf_sha256": "0" * 64})
        with pytest.raises(RejectedError) as caught:
            vouch(replace(record, evidence=(other,)), path)
    assert caught.value.reason is Reason.SIGNATURE_INVALID
