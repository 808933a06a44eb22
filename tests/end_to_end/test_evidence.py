"""Evidence beside the record: checked where it is published, and demanded by a host, which takes nothing without it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.agent_host import AgentHost, agent_host
from support.publishing import PASSPHRASE, served
from support.signing import Minisign, Vendor

from pawld.cli.main import main
from pawld.demo.program import Release

TRUST = """
[agents.acme.source]
type = "tuf"

[agents.acme.trust]
type = "tuf"
metadata_url = "{url}/metadata"
root_file = "{root}"

[agents.acme.trust.evidence]
of = ["minisign"]
need = {need}
minisign = {{ public_keys = [{keys}] }}
"""
SIGSTORE = Path(__file__).parents[1] / "unit" / "trust" / "sigstore"
SIGNED_BY = "identity=william@yossarian.net issuer=https://github.com/login/oauth"
Ingest = Callable[..., tuple[int, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PAWLD_PASSPHRASE", PASSPHRASE)
    home = tmp_path / "repo"
    assert main(["release", "init", str(home), "--product", "acme-agent", "--unsafe-single-key"]) == 0
    return home


@pytest.fixture
def ingest(home: Path, capsys: pytest.CaptureFixture[str]) -> Ingest:
    def ingested(build: Path, version: str, *more: str) -> tuple[int, str]:
        capsys.readouterr()
        place = ["--version", version, "--channel", "stable", "--platform", "linux-x86_64", "--repository", str(home)]
        code = main(["release", "ingest", str(build), *place, *more])
        return code, capsys.readouterr().err

    return ingested


def build_of(directory: Path, version: str) -> Path:
    path = directory / f"acme-agent-{version}-linux-x86_64.tar.zst"
    path.write_bytes(Release(version).packed(os.urandom(1000)))
    return path


def signed(build: Path, vendor: Vendor, *more: str) -> tuple[str, str]:
    signature, key = build.with_suffix(f".{vendor.key_id}.minisig"), build.with_name(f"{vendor.key_id}.pub")
    signature.write_bytes(vendor.sign(build.read_bytes(), "acme"))
    key.write_text(f"untrusted comment: minisign public key\n{vendor.public_key}\n")
    return "--evidence", " ".join(["minisign", f"public_key=@{key}", f"signature=@{signature}", *more])


def running(host: AgentHost, *expected: Any) -> None:
    said = host.pawld("update")
    assert (said.exit, said.reason["code"]) == expected, said.reason["message"]


def test_a_host_takes_what_two_of_three_vendors_signed_and_nothing_less(
    tmp_path: Path, home: Path, ingest: Ingest
) -> None:
    one, two, three = (Vendor.new() for _ in range(3))
    entry = ("--entrypoint", "bin/acme-agent")
    first = build_of(tmp_path, "1.0.0")
    assert ingest(first, "1.0.0", *entry, *signed(first, one), *signed(first, two, "optional=yes"))[0] == 0
    keys = ", ".join(f'"{vendor.public_key}"' for vendor in (one, two, three))
    with served(home / "public") as url:
        trust = TRUST.format(url=url, root=home / "public/metadata/1.root.json", need=2, keys=keys)
        with agent_host(tmp_path, trust) as host:
            running(host, 0, "updated")
            second = build_of(tmp_path, "1.1.0")
            assert ingest(second, "1.1.0", *entry, *signed(second, three))[0] == 0
            running(host, 65, "evidence_missing")
            assert host.running().endswith("acme-agent 1.0.0")


def test_nobody_publishes_a_build_whose_evidence_does_not_hold(tmp_path: Path, home: Path, ingest: Ingest) -> None:
    build, other = build_of(tmp_path, "1.0.0"), build_of(tmp_path, "2.0.0")
    flag, words = signed(other, Vendor.new(), "optional=yes")
    code, said = ingest(build, "1.0.0", "--entrypoint", "bin/acme-agent", flag, words)
    assert (code, "signature_invalid" in said) == (65, True), said
    assert not list((home / "public" / "targets").rglob("*.linux-x86_64"))
    assert not list((home / "builds").rglob("*.json"))


def test_a_sigstore_bundle_is_checked_before_it_is_published(home: Path, ingest: Ingest) -> None:
    build, bundle = SIGSTORE / "bundle_v3.txt", SIGSTORE / "bundle_v3.txt.sigstore.json"
    words = ("--format", "file", "--evidence", f"sigstore {SIGNED_BY} bundle=@{bundle}")
    code, said = ingest(build, "1.0.0", *words)
    assert (code, "evidence_not_checked" in said, "trusted_root" in said) == (78, True, True), said
    root = ("--trusted-root", str(SIGSTORE / "trusted_root.json"))
    assert ingest(build, "1.0.0", *words, *root)[0] == 0
    mallory = words[-1].replace("william", "mallory")
    code, said = ingest(build, "1.0.1", "--format", "file", "--evidence", mallory, *root)
    assert (code, "signature_invalid" in said) == (65, True), said


def test_evidence_may_be_added_to_a_build_that_is_published(tmp_path: Path, ingest: Ingest, home: Path) -> None:
    build, entry = build_of(tmp_path, "1.0.0"), ("--entrypoint", "bin/acme-agent")
    assert ingest(build, "1.0.0", *entry)[0] == 0
    assert ingest(build, "1.0.0", *entry, *signed(build, Vendor.new()))[0] == 0
    assert b'"minisign"' in (home / "public" / "metadata" / "3.stable.json").read_bytes()


@pytest.mark.rig("minisign")
def test_the_files_of_minisign_itself_are_taken(tmp_path: Path, ingest: Ingest) -> None:
    minisign, build = Minisign(tmp_path), build_of(tmp_path, "1.0.0")
    signature = tmp_path / "build.minisig"
    signature.write_bytes(minisign.sign(build.read_bytes(), "acme", "-H"))
    words = f"minisign public_key=@{tmp_path / 'key.pub'} signature=@{signature}"
    assert ingest(build, "1.0.0", "--entrypoint", "bin/acme-agent", "--evidence", words)[0] == 0


@pytest.mark.parametrize("words", ["", "minisign signature", "minisign signature=@/nowhere", "minisign 'x"])
def test_what_is_no_evidence_is_told_as_such(
    tmp_path: Path, ingest: Ingest, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    code, said = ingest(build_of(tmp_path, "1.0.0"), "1.0.0", "--evidence", words)
    assert (code, "evidence" in said) == (2, True), said


def test_a_file_that_no_record_could_carry_is_refused(tmp_path: Path, ingest: Ingest) -> None:
    (tmp_path / "long").write_bytes(b"x" * 200_000)
    code, said = ingest(build_of(tmp_path, "1.0.0"), "1.0.0", "--evidence", f"minisign signature=@{tmp_path / 'long'}")
    assert (code, "longer than" in said) == (2, True), said
