"""Signatures that Windows and macOS check by themselves, from what their tools answer."""

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.trusting import LINUX

from pawld.errors import OperatorError, PawldError, RejectedError
from pawld.model import Evidence, Record
from pawld.ports import Downloaded
from pawld.reasons import Reason
from pawld.system.process import Finished
from pawld.trust.evidence.pkgutil import PkgutilEvidence
from pawld.trust.evidence.windows import COMMAND, PATH, SCRIPT, WindowsAuthenticodeEvidence

CERTIFICATE = b"the DER of a certificate"
LEAF = hashlib.sha256(CERTIFICATE).hexdigest()
RECORD = Record("acme", "stable", LINUX, "1.0.0", 1, 5, "a" * 64, "acme.msi", "msi")
TEAM = "ABCDE12345"
SIGNED = """Package "acme.pkg":
   Status: signed by a developer certificate issued by Apple for distribution
   Notarization: trusted by the Apple notary service
   Certificate Chain:
    1. Developer ID Installer: Example Inc. (ABCDE12345)
       Expires: 2027-02-01 22:12:15 +0000
    2. Developer ID Certification Authority
"""
UNSIGNED = 'Package "acme.pkg":\n   Status: no signature\n'
SELF_SIGNED = SIGNED.replace(
    "signed by a developer certificate issued by Apple for distribution", "signed by untrusted certificate"
)


class Tool:
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self, output: str, code: int | None = 0, *, ran: bool = True) -> None:
        self._finished = (code, output, "" if ran else "there is no such file", ran)
        self.command: list[str] = []
        self.options: dict[str, Any] = {}

    def __call__(self, command: list[str], **options: Any) -> Finished:
        self.command, self.options = list(command), options
        return Finished(tuple(command), *self._finished)


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Downloaded]:
    path = tmp_path / "a 'build'; $(x).unverified"
    path.write_bytes(b"bytes")
    with path.open("rb") as file:
        yield Downloaded(file, path, "https://cdn.example")


def windows(status: str = "Valid", leaf: bytes = CERTIFICATE) -> Tool:
    return Tool(
        json.dumps({"status": status, "leaf": base64.b64encode(leaf).decode(), "message": "Signature verified."})
    )


def refused(checker: Any, build: Downloaded, **facts: str) -> PawldError:
    with pytest.raises(PawldError) as caught:
        checker.check(RECORD, Evidence("x", facts), build)
    return caught.value


def test_windows_is_asked_for_the_file_through_its_environment(build: Downloaded) -> None:
    tool = windows()
    assert (
        WindowsAuthenticodeEvidence(run=tool).check(RECORD, Evidence("x", {"leaf_sha256": LEAF.upper()}), build) == LEAF
    )
    assert tool.command == list(COMMAND)
    assert tool.options["environment"] == {PATH: str(build.path)}
    assert f"-LiteralPath $env:{PATH}" in SCRIPT


@pytest.mark.parametrize(
    "tool",
    [
        windows("NotSigned", b""),
        windows("HashMismatch"),
        windows("UnknownError"),
        windows(leaf=b"another certificate"),
        Tool("", 1),
        Tool("[]"),
        Tool('{"status": "Valid", "leaf": 7, "message": ""}'),
    ],
    ids=["unsigned", "touched", "untrusted", "another leaf", "failed", "no answer", "no leaf"],
)
def test_what_windows_does_not_call_valid_is_refused(build: Downloaded, tool: Tool) -> None:
    error = refused(WindowsAuthenticodeEvidence(LEAF, tool), build)
    assert (type(error), error.reason) == (RejectedError, Reason.SIGNATURE_INVALID)


def test_a_leaf_must_be_pinned_somewhere(build: Downloaded) -> None:
    assert refused(WindowsAuthenticodeEvidence(run=windows()), build).reason is Reason.EVIDENCE_MISSING


def test_a_package_that_the_pinned_team_signed_is_vouched_for(build: Downloaded) -> None:
    tool = Tool(SIGNED)
    assert PkgutilEvidence(run=tool).check(RECORD, Evidence("pkgutil", {"team_id": TEAM}), build) == TEAM
    assert tool.command == ["pkgutil", "--check-signature", str(build.path)]


@pytest.mark.parametrize(
    "tool",
    [Tool(UNSIGNED, 1), Tool(SELF_SIGNED), Tool(SIGNED, 1), Tool(SIGNED.replace(TEAM, "ZZZZZ12345"))],
    ids=["unsigned", "self-signed", "failed", "another team"],
)
def test_a_package_of_anybody_else_is_refused(build: Downloaded, tool: Tool) -> None:
    error = refused(PkgutilEvidence(TEAM, tool), build)
    assert (type(error), error.reason) == (RejectedError, Reason.SIGNATURE_INVALID)


def test_a_team_must_be_pinned_somewhere(build: Downloaded) -> None:
    assert refused(PkgutilEvidence(run=Tool(SIGNED)), build).reason is Reason.EVIDENCE_MISSING
    assert refused(PkgutilEvidence(run=Tool(SIGNED)), build, team_id="a team").reason is Reason.EVIDENCE_MISSING


@pytest.mark.parametrize(
    "checker",
    [WindowsAuthenticodeEvidence(LEAF, Tool("", None, ran=False)), PkgutilEvidence(TEAM, Tool("", None, ran=False))],
)
def test_a_tool_that_is_not_there_is_no_fault_of_the_build(build: Downloaded, checker: Any) -> None:
    error = refused(checker, build)
    assert (type(error), error.reason) == (OperatorError, Reason.EVIDENCE_NOT_CHECKED)
    assert "cannot be checked on this host" in error.message
