"""Checksum files and manifests that were signed once, by somebody, about something: signed is not enough."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.signing import Minisign, Vendor, comment
from support.static_web import StaticWeb
from support.trusting import LINUX, Host
from support.tuf_repository import custom

from pawld.errors import PawldError, RejectedError
from pawld.model import NoBuild, Platform, Question, Record
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.trust.policy import Policy
from pawld.trust.signatures import Keyring
from pawld.trust.signed_checksums import SignedChecksumsEngine
from pawld.trust.signed_manifest import SignedManifestEngine

FILE = "acme-1.8.3-linux-x86_64.tar.gz"
DIGEST = hashlib.sha256(b"build").hexdigest()
SUMS = f"{DIGEST}  {FILE}\n{'1' * 64} *acme-1.8.3-windows-amd64.zip\n".encode()
QUESTION = Question("acme", "stable", LINUX, version="1.8.3", filename=FILE)


def publish(server: StaticWeb, sums: bytes, signature: bytes, version: str = "1.8.3") -> None:
    server.files[f"{version}/SHA256SUMS"] = sums
    server.files[f"{version}/SHA256SUMS.minisig"] = signature


def checksums(host: Host, server: StaticWeb, *keys: str, threshold: int = 1, **options: str) -> Policy:
    url = f"{server.url}/{{version}}/SHA256SUMS"
    return host.policy(SignedChecksumsEngine(url, Keyring(keys, threshold), web=host.web, **options))


def refusal(policy: Policy, question: Question = QUESTION) -> PawldError:
    with pytest.raises(PawldError) as refused:
        policy.record(question)
    return refused.value


@pytest.fixture
def vendor() -> Vendor:
    return Vendor.new()


@pytest.mark.rig("minisign")
@pytest.mark.parametrize("sums", [SUMS, SUMS.replace(b"\n", b"\r\n"), SUMS.rstrip(b"\n")])
def test_what_minisign_itself_signed_is_believed(sums: bytes, tmp_path: Path, host: Host, server: StaticWeb) -> None:
    minisign = Minisign(tmp_path)
    publish(server, sums, minisign.sign(sums, comment(), "-H"))

    record = checksums(host, server, minisign.public_key).record(QUESTION)

    assert isinstance(record, Record)
    assert (record.version, record.sequence, record.sha256) == ("1.8.3", 1042, DIGEST)
    assert record.expires == datetime(2099, 1, 1, tzinfo=UTC)
    assert not record.length_signed


@pytest.mark.rig("minisign")
def test_the_legacy_form_of_minisign_is_refused(tmp_path: Path, host: Host, server: StaticWeb) -> None:
    minisign = Minisign(tmp_path)
    publish(server, SUMS, minisign.sign(SUMS, comment(), "-l"))

    error = refusal(checksums(host, server, minisign.public_key))

    assert error.reason is Reason.SIGNATURE_INVALID
    assert "legacy" in error.message


def test_a_key_that_is_not_this_publishers_is_named_with_the_address_as_it_is(host: Host, server: StaticWeb) -> None:
    signer, other = Vendor.new(), Vendor.new()
    publish(server, SUMS, signer.sign(SUMS, comment()))

    error = refusal(checksums(host, server, other.public_key))

    assert error.message.startswith(f"{server.url}/1.8.3/SHA256SUMS is signed by key {signer.key_id}")
    assert error.reason.next_step.startswith("See that the configured")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"product": "other"}, Reason.RECORD_MISMATCH),
        ({"channel": "beta"}, Reason.RECORD_MISMATCH),
        ({"version": "1.8.2"}, Reason.SOURCE_DISAGREES),
        ({"expires": "2026-01-01T00:00:00Z"}, Reason.METADATA_FROZEN),
        ({"serial": "0"}, Reason.RECORD_INVALID),
        ({"serial": "-1"}, Reason.RECORD_INVALID),
        ({"expires": "2099-02-31T00:00:00Z"}, Reason.RECORD_INVALID),
        ({"expires": "never"}, Reason.RECORD_INVALID),
        ({"extra": "1"}, Reason.RECORD_INVALID),
    ],
)
def test_a_signature_bound_to_something_else_is_refused(
    changes: dict[str, str], reason: Reason, host: Host, server: StaticWeb, vendor: Vendor
) -> None:
    publish(server, SUMS, vendor.sign(SUMS, comment(**changes)))

    assert refusal(checksums(host, server, vendor.public_key)).reason is reason
    assert host.marks.values == {}


def test_a_signature_bound_to_nothing_is_refused(host: Host, server: StaticWeb, vendor: Vendor) -> None:
    publish(server, SUMS, vendor.sign(SUMS, "timestamp:1700000000\tfile:SHA256SUMS"))

    assert refusal(checksums(host, server, vendor.public_key)).reason is Reason.RECORD_INVALID


@pytest.mark.parametrize("fault", ["stranger", "changed", "no signature", "garbage", "long", "comment"])
def test_what_no_pinned_key_signed_is_refused(fault: str, host: Host, server: StaticWeb, vendor: Vendor) -> None:
    good = vendor.sign(SUMS, comment())
    publish(server, SUMS, good)
    signature = "1.8.3/SHA256SUMS.minisig"
    if fault == "stranger":
        server.files[signature] = Vendor.new().sign(SUMS, comment())
    elif fault == "changed":
        server.files["1.8.3/SHA256SUMS"] = SUMS.replace(b"1111", b"2222")
    elif fault == "no signature":
        del server.files[signature]
    elif fault == "garbage":
        server.files[signature] = b"<html>"
    elif fault == "comment":
        server.files[signature] = good.replace(b"serial=1042", b"serial=9999")
    else:
        server.files[signature] = good + b" " * 20_000

    error = refusal(checksums(host, server, vendor.public_key))

    assert error.reason is (Reason.METADATA_UNTRUSTED if fault == "long" else Reason.SIGNATURE_INVALID)


@pytest.mark.parametrize(
    "sums",
    [
        SUMS + SUMS,
        SUMS.upper(),
        SUMS.replace(b"  ", b" "),
        SUMS + b"\n",
        SUMS + b"0" * 64 + b"  ../../etc/passwd\n",
        b"\\" + SUMS,
        SUMS + "ü".encode(),
        b"",
    ],
)
def test_a_signed_checksum_file_that_is_not_strict_is_refused(
    sums: bytes, host: Host, server: StaticWeb, vendor: Vendor
) -> None:
    publish(server, sums, vendor.sign(sums, comment()))

    assert refusal(checksums(host, server, vendor.public_key)).reason is Reason.RECORD_INVALID


def test_a_checksum_file_without_end_is_cut(host: Host, server: StaticWeb, vendor: Vendor) -> None:
    publish(server, SUMS * 1000, vendor.sign(SUMS, comment()))

    assert refusal(checksums(host, server, vendor.public_key)).reason is Reason.METADATA_UNTRUSTED


@pytest.mark.parametrize(
    "filename", ["acme-1.8.3-windows-amd64.zip", "acme.tar.gz", "acme-linux-arm64.tgz", "acme-x86_64-linux-musl.tgz"]
)
def test_a_source_cannot_name_another_platforms_file(
    filename: str, host: Host, server: StaticWeb, vendor: Vendor
) -> None:
    sums = f"{DIGEST}  {filename}\n".encode()
    publish(server, sums, vendor.sign(sums, comment()))

    error = refusal(checksums(host, server, vendor.public_key), Question("acme", "stable", LINUX, "1.8.3", filename))

    assert error.reason is Reason.RECORD_MISMATCH


def test_an_older_signed_release_is_refused_by_its_serial_where_the_api_steers_there(
    host: Host, server: StaticWeb, vendor: Vendor
) -> None:
    publish(server, SUMS, vendor.sign(SUMS, comment()))
    old = f"{'2' * 64}  acme-1.8.2-linux-x86_64.tar.gz\n".encode()
    publish(server, old, vendor.sign(old, comment(version="1.8.2", serial="1041")), "1.8.2")
    policy = checksums(host, server, vendor.public_key)
    policy.record(QUESTION)
    steered = Question("acme", "stable", LINUX, "1.8.2", "acme-1.8.2-linux-x86_64.tar.gz")

    assert refusal(policy, steered).reason is Reason.ROLLBACK_SUSPECTED
    assert host.mark("sequence.acme/stable/linux-x86_64") == 1042

    pinned = policy.record(Question("acme", "stable", LINUX, "1.8.2", "acme-1.8.2-linux-x86_64.tar.gz", pinned=True))
    assert isinstance(pinned, Record)
    assert pinned.version == "1.8.2"


def test_a_platform_without_a_line_has_no_build(host: Host, server: StaticWeb, vendor: Vendor) -> None:
    publish(server, SUMS, vendor.sign(SUMS, comment()))
    policy = checksums(host, server, vendor.public_key, filename="acme-{version}-{platform}.tar.gz")

    assert isinstance(policy.record(QUESTION), Record)
    arm = policy.record(Question("acme", "stable", Platform("linux", "arm64"), "1.8.3"))
    assert isinstance(arm, NoBuild)
    assert isinstance(policy.record(Question("acme", "stable", LINUX, "9.9.9")), NoBuild)


@pytest.mark.parametrize(
    ("signers", "reason"), [(2, None), (1, Reason.THRESHOLD_NOT_MET), (0, Reason.THRESHOLD_NOT_MET)]
)
def test_a_threshold_counts_different_keys(signers: int, reason: Reason | None, host: Host, server: StaticWeb) -> None:
    vendors = [Vendor.new() for _ in range(3)]
    server.files["1.8.3/SHA256SUMS"] = SUMS
    for number, one in enumerate(vendors[:2]):
        signer = one if number < signers else vendors[0]
        server.files[f"1.8.3/SHA256SUMS.{one.key_id}.minisig"] = signer.sign(SUMS, comment()) if signers else b"nothing"
    policy = checksums(host, server, *(one.public_key for one in vendors), threshold=2)

    if reason is None:
        assert isinstance(policy.record(QUESTION), Record)
    else:
        assert refusal(policy).reason is reason


def test_signers_that_bind_it_to_different_things_are_refused(host: Host, server: StaticWeb) -> None:
    vendors = [Vendor.new(), Vendor.new()]
    server.files["1.8.3/SHA256SUMS"] = SUMS
    for number, one in enumerate(vendors):
        signature = one.sign(SUMS, comment(serial=str(1042 + number)))
        server.files[f"1.8.3/SHA256SUMS.{one.key_id}.minisig"] = signature
    policy = checksums(host, server, *(one.public_key for one in vendors), threshold=2)

    assert refusal(policy).reason is Reason.SIGNATURE_INVALID


def manifest(version: str = "1.8.3", sequence: int = 1042, **changes: object) -> bytes:
    expires = (datetime.now(UTC) + timedelta(days=7)).isoformat()
    document = custom(version, sequence) | {"length": 5, "sha256": DIGEST, "expires": expires} | changes
    return json.dumps(document).encode()


@pytest.fixture
def manifests(host: Host, server: StaticWeb, vendor: Vendor) -> Policy:
    url = f"{server.url}/{{channel}}/{{platform}}.json"
    return host.policy(SignedManifestEngine(url, Keyring([vendor.public_key]), web=host.web))


def serve(server: StaticWeb, vendor: Vendor, data: bytes) -> None:
    server.files["stable/linux-x86_64.json"] = data
    server.files["stable/linux-x86_64.json.minisig"] = vendor.sign(data, "whatever")


def test_a_signed_manifest_is_believed(manifests: Policy, server: StaticWeb, vendor: Vendor) -> None:
    serve(server, vendor, manifest())

    record = manifests.record(QUESTION)

    assert isinstance(record, Record)
    assert (record.version, record.length, record.length_signed) == ("1.8.3", 5, True)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (manifest(product="other"), Reason.RECORD_MISMATCH),
        (manifest(arch="arm64"), Reason.RECORD_MISMATCH),
        (manifest(expires="2026-01-01T00:00:00Z"), Reason.METADATA_FROZEN),
        (manifest(schema=2), Reason.RECORD_INVALID),
        (manifest(surprise=1), Reason.RECORD_INVALID),
        (manifest().replace(b"{", b'{"version": "9.9.9", ', 1), Reason.RECORD_INVALID),
        (b"[" * 100_000, Reason.RECORD_INVALID),
        (b"[]", Reason.RECORD_INVALID),
    ],
)
def test_a_signed_manifest_about_something_else_is_refused(
    data: bytes, reason: Reason, manifests: Policy, server: StaticWeb, vendor: Vendor
) -> None:
    serve(server, vendor, data)

    assert refusal(manifests).reason is reason


def test_an_older_manifest_is_refused(manifests: Policy, server: StaticWeb, vendor: Vendor) -> None:
    serve(server, vendor, manifest())
    manifests.record(QUESTION)

    serve(server, vendor, manifest(sequence=1041))

    assert refusal(manifests).reason is Reason.ROLLBACK_SUSPECTED


def test_two_engines_must_state_the_same_bytes(
    web: Web, host: Host, server: StaticWeb, vendor: Vendor, manifests: Policy
) -> None:
    publish(server, SUMS, vendor.sign(SUMS, comment()))
    serve(server, vendor, manifest())
    keys = Keyring([vendor.public_key])
    first = SignedChecksumsEngine(f"{server.url}/{{version}}/SHA256SUMS", keys, web=web)
    second = SignedManifestEngine(f"{server.url}/{{channel}}/{{platform}}.json", keys, web=web)
    both = host.policy(first, second)

    agreed = both.record(QUESTION)
    assert isinstance(agreed, Record)
    assert agreed.length_signed

    serve(server, vendor, manifest(sha256="3" * 64))
    error = refusal(both)
    assert isinstance(error, RejectedError)
    assert error.reason is Reason.RECORD_MISMATCH
