"""What others signed with their own tools, through the command line, onto a host where the agent then runs.

Debian's minisign signs checksums and manifests; python-tuf's own repository class keeps a TUF repository.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.agent_host import AgentHost, agent_host
from support.signing import Minisign, comment
from support.static_web import StaticWeb, static_web
from support.tuf_editor import TufEditor

from pawld.demo.program import Release

CHECKSUMS = """
[agents.acme.source]
type = "manifest"
url = "{url}/agent/{{filename}}"

[agents.acme.trust]
type = "signed_checksums"
public_keys = ["{key}"]
checksums_url = "{url}/{{channel}}/SHA256SUMS"
filename = "acme-agent-{{version}}-{{os}}-{{arch}}.tar.zst"
"""
MANIFEST = """
[agents.acme.source]
type = "manifest"

[agents.acme.trust]
type = "signed_manifest"
public_keys = ["{key}"]
manifest_url = "{url}/{{channel}}/{{platform}}.json"
"""
TUF = """
[agents.acme.source]
type = "tuf"

[agents.acme.trust]
type = "tuf"
metadata_url = "{url}/metadata"
root_file = "{home}/root.json"
"""


@pytest.fixture
def web() -> Iterator[StaticWeb]:
    with static_web({}) as served:
        yield served


@pytest.fixture
def minisign(tmp_path: Path) -> Minisign:
    (tmp_path / "vendor").mkdir()
    return Minisign(tmp_path / "vendor")


def build_of(version: str) -> tuple[str, bytes]:
    return f"acme-agent-{version}-linux-x86_64.tar.zst", Release(version).packed(os.urandom(10_000))


def custom(version: str, sequence: int, filename: str, **more: Any) -> dict[str, Any]:
    words = {"schema": 1, "product": "acme-agent", "channel": "stable", "platform": "linux", "arch": "x86_64"}
    facts = {"version": version, "release_seq": sequence, "filename": filename, "entrypoint": "bin/acme-agent"}
    return words | facts | more


def install_two_and_replay(host: AgentHost, release: Callable[[str, int], None], web: StaticWeb) -> None:
    """The story of each signer: install, update, and refuse what was signed before."""
    release("1.0.0", 1)
    first = host.pawld("update")
    assert (first.exit, first.reason["code"]) == (0, "updated"), first.reason["message"]
    old = dict(web.files)
    release("1.1.0", 2)
    assert host.pawld("check").exit == 100
    second = host.pawld("update")
    assert (second.exit, second.reason["code"]) == (0, "updated"), second.reason["message"]
    assert host.running().endswith("acme-agent 1.1.0")
    assert host.pawld("update").reason["code"] == "up_to_date"
    web.files.clear()
    web.files.update(old)
    replayed = host.pawld("update")
    assert (replayed.exit, replayed.reason["code"]) == (65, "rollback_suspected")
    assert host.running().endswith("acme-agent 1.1.0")


@pytest.mark.rig("minisign")
def test_checksums_that_minisign_signed_install_update_and_cannot_be_replayed(
    tmp_path: Path, web: StaticWeb, minisign: Minisign
) -> None:
    def release(version: str, serial: int) -> None:
        filename, build = build_of(version)
        sums = f"{hashlib.sha256(build).hexdigest()}  {filename}\n".encode()
        told = comment(product="acme-agent", version=version, serial=str(serial))
        web.files[f"agent/{filename}"] = build
        web.files["stable/SHA256SUMS"] = sums
        web.files["stable/SHA256SUMS.minisig"] = minisign.sign(sums, told, "-H")

    with agent_host(tmp_path, CHECKSUMS.format(url=web.url, key=minisign.public_key)) as host:
        install_two_and_replay(host, release, web)


@pytest.mark.rig("minisign")
@pytest.mark.parametrize(
    ("options", "told", "reason"),
    [
        (("-l",), comment(product="acme-agent", version="1.0.0", serial="1"), "signature_invalid"),
        (("-H",), comment(product="another-agent", version="1.0.0", serial="1"), "record_mismatch"),
        (("-H",), comment(product="acme-agent", channel="beta", version="1.0.0", serial="1"), "record_mismatch"),
        (("-H",), comment(product="acme-agent", version="1.0.0", expires="2026-01-01T00:00:00Z"), "metadata_frozen"),
        (("-H",), "timestamp:1700000000 file:SHA256SUMS hashed", "record_invalid"),
    ],
    ids=["the legacy form", "another product", "another channel", "expired", "minisign's own comment"],
)
def test_checksums_signed_otherwise_are_refused_and_nothing_is_installed(
    tmp_path: Path, web: StaticWeb, minisign: Minisign, options: Any, told: str, reason: str
) -> None:
    filename, build = build_of("1.0.0")
    sums = f"{hashlib.sha256(build).hexdigest()}  {filename}\n".encode()
    web.files[f"agent/{filename}"] = build
    web.files["stable/SHA256SUMS"] = sums
    web.files["stable/SHA256SUMS.minisig"] = minisign.sign(sums, told, *options)
    with agent_host(tmp_path, CHECKSUMS.format(url=web.url, key=minisign.public_key)) as host:
        said = host.pawld("update")
        assert (said.exit, said.reason["code"]) == (65, reason), said.reason["message"]
        assert not (host.root / "current").exists()


@pytest.mark.rig("minisign")
def test_a_manifest_that_minisign_signed_installs_updates_and_cannot_be_replayed(
    tmp_path: Path, web: StaticWeb, minisign: Minisign
) -> None:
    def release(version: str, sequence: int) -> None:
        filename, build = build_of(version)
        digest = hashlib.sha256(build).hexdigest()
        facts = {"length": len(build), "sha256": digest, "expires": "2099-01-01T00:00:00Z"}
        manifest = json.dumps(custom(version, sequence, filename, **facts)).encode()
        web.files[f"stable/{filename}"] = build
        web.files["stable/linux-x86_64.json"] = manifest
        web.files["stable/linux-x86_64.json.minisig"] = minisign.sign(manifest, "acme-agent", "-H")

    with agent_host(tmp_path, MANIFEST.format(url=web.url, key=minisign.public_key)) as host:
        install_two_and_replay(host, release, web)


def test_a_repository_that_python_tuf_itself_kept_installs_updates_and_cannot_be_replayed(
    tmp_path: Path, web: StaticWeb
) -> None:
    repository = TufEditor()
    (tmp_path / "root.json").write_bytes(repository.root_bytes)

    def release(version: str, sequence: int) -> None:
        filename, build = build_of(version)
        repository.publish("acme-agent/stable/linux-x86_64", build, custom(version, sequence, filename))
        web.files.update(repository.files)

    with agent_host(tmp_path, TUF.format(url=web.url, home=tmp_path)) as host:
        install_two_and_replay(host, release, web)
