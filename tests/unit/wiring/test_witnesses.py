"""Which checkers a configuration wires, and what is said where one is not to be had."""

import sys
from pathlib import Path
from typing import Any

import pytest
from support.signing import Vendor

from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.settings.evidence import EvidenceDemand
from pawld.system.http import Web
from pawld.wiring.witnesses import KNOWN, Witnesses


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
