"""`pawld release vendor-keys` names the keys, and hosts that take the vendor's own checksums follow them."""

import hashlib
from pathlib import Path

import pytest
from support.agent_host import agent_host
from support.publishing import PASSPHRASE
from support.signing import Vendor, comment
from support.static_web import static_web

from pawld.cli.main import main
from pawld.demo.program import Release

TRUST = """
[agents.acme.source]
type = "manifest"
url = "{url}/agent/{{filename}}"

[agents.acme.trust]
type = "signed_checksums"
checksums_url = "{url}/SHA256SUMS"
filename = "acme-agent-{{version}}-{{os}}-{{arch}}.tar.zst"
keys_from = {{ metadata_url = "{url}/metadata", root_file = "{root}", target = "vendor-keys/acme.json" }}
"""


def release(home: Path, *words: str) -> int:
    return main(["release", *words, "--repository", str(home)])


def key_file(directory: Path, vendor: Vendor) -> str:
    path = directory / f"{vendor.key_id}.pub"
    path.write_text(f"untrusted comment: minisign public key\n{vendor.public_key}\n")
    return str(path)


def test_a_vendors_key_is_replaced_without_a_hand_on_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAWLD_PASSPHRASE", PASSPHRASE)
    home, old, new = tmp_path / "repo", Vendor.new(), Vendor.new()
    assert main(["release", "init", str(home), "--product", "acme", "--unsafe-single-key"]) == 0
    assert release(home, "vendor-keys", key_file(tmp_path, old)) == 0
    assert "vendor-keys/acme.json: 1 of 1 keys must sign" in capsys.readouterr().out
    with static_web({}) as web:

        def publish(version: str, serial: int, vendor: Vendor) -> None:
            build, filename = Release(version).packed(b"x" * 1000), f"acme-agent-{version}-linux-x86_64.tar.zst"
            sums = f"{hashlib.sha256(build).hexdigest()}  {filename}\n".encode()
            told = comment(product="acme-agent", version=version, serial=str(serial))
            web.files |= {f"agent/{filename}": build, "SHA256SUMS": sums, "SHA256SUMS.minisig": vendor.sign(sums, told)}
            for path in (home / "public" / "metadata").iterdir():
                web.files[f"metadata/{path.name}"] = path.read_bytes()

        publish("1.0.0", 1, old)
        with agent_host(tmp_path, TRUST.format(url=web.url, root=home / "public/metadata/1.root.json")) as host:
            first = host.pawld("update")
            assert first.reason["code"] == "updated", first.reason["message"]
            assert release(home, "vendor-keys", key_file(tmp_path, new)) == 0
            publish("1.1.0", 2, old)
            assert host.pawld("update").reason["code"] == "signature_invalid"
            publish("1.1.0", 2, new)
            assert host.pawld("update").reason["code"] == "updated"
            assert host.running().endswith("acme-agent 1.1.0")


def test_the_signers_of_a_ceremony_see_whose_keys_they_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PAWLD_PASSPHRASE", PASSPHRASE)
    home, vendor = tmp_path / "repo", Vendor.new()
    assert main(["release", "init", str(home), "--product", "acme"]) == 0
    key = home / "keys" / "targets-2.pem"
    key.rename(tmp_path / key.name)
    (home / "keys" / "targets-3.pem").unlink()
    assert release(home, "vendor-keys", key_file(tmp_path, vendor)) == 75
    assert "targets waits for 1 more signature" in capsys.readouterr().out
    assert release(home, "stage") == 0
    assert f"vendor-keys/acme.json: 1 of {vendor.public_key}" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, "no key", "RWx\n", "RWx\nRWy\n"])
def test_what_is_no_key_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    monkeypatch.setenv("PAWLD_PASSPHRASE", PASSPHRASE)
    home, key = tmp_path / "repo", tmp_path / "key.pub"
    assert main(["release", "init", str(home), "--product", "acme", "--unsafe-single-key"]) == 0
    if content is not None:
        key.write_text(content)
    assert release(home, "vendor-keys", str(key)) == 2
    assert "key" in capsys.readouterr().err
