"""A vendor's keys that a TUF repository names: they rotate without a hand on a host, and never back."""

import hashlib
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from support.signing import Vendor, comment
from support.static_web import StaticWeb
from support.trusting import LINUX, Host
from support.tuf_repository import TufRepository

from pawld.errors import PawldError, RejectedError
from pawld.model import Question, Record
from pawld.reasons import Reason
from pawld.trust.policy import Policy
from pawld.trust.signed_checksums import SignedChecksumsEngine
from pawld.trust.vendor_keys import CarriedKeys

TARGET = "vendor-keys/acme.json"
FILE = "acme-1.8.3-linux-x86_64.tar.gz"
SUMS = f"{hashlib.sha256(b'build').hexdigest()}  {FILE}\n".encode()
QUESTION = Question("acme", "stable", LINUX, version="1.8.3", filename=FILE)
Name = Callable[..., None]


@pytest.fixture
def name(repository: TufRepository) -> Name:
    def named(*vendors: Vendor, **more: Any) -> None:
        custom = {"schema": 1, "public_keys": [one.public_key for one in vendors]} | more
        repository.add(TARGET, b"keys", custom)
        repository.publish()

    return named


@pytest.fixture
def policy(host: Host, server: StaticWeb, repository: TufRepository) -> Policy:
    keys = CarriedKeys(host.tuf(server.url, repository.first_root), "vendor-keys/{product}.json")
    return host.policy(SignedChecksumsEngine(f"{server.url}/SHA256SUMS", keys, web=host.web))


def publish(server: StaticWeb, *vendors: Vendor, serial: int = 1042) -> None:
    server.files["SHA256SUMS"] = SUMS
    told = comment(serial=str(serial))
    server.files["SHA256SUMS.minisig"] = vendors[0].sign(SUMS, told)
    for one in vendors:
        server.files[f"SHA256SUMS.{one.key_id}.minisig"] = one.sign(SUMS, told)


def refusal(policy: Policy) -> PawldError:
    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)
    return refused.value


def test_a_new_key_counts_and_the_old_one_no_more_without_a_hand_on_the_host(
    policy: Policy, server: StaticWeb, name: Name
) -> None:
    old, new = Vendor.new(), Vendor.new()
    name(old)
    publish(server, old)
    assert isinstance(policy.record(QUESTION), Record)

    name(new)
    assert refusal(policy).reason is Reason.SIGNATURE_INVALID
    publish(server, new)
    assert isinstance(policy.record(QUESTION), Record)


def test_keys_that_were_replaced_do_not_come_back_though_the_cache_be_lost(
    policy: Policy, server: StaticWeb, repository: TufRepository, host: Host, name: Name
) -> None:
    stolen, new = Vendor.new(), Vendor.new()
    name(stolen)
    old = repository.frozen()
    name(new)
    publish(server, new)
    policy.record(QUESTION)

    server.files.clear()
    server.files.update(old)
    publish(server, stolen, serial=2000)
    shutil.rmtree(host.cache)

    assert refusal(policy).reason is Reason.ROLLBACK_SUSPECTED
    assert host.mark("sequence.acme/stable/linux-x86_64") == 1042


def test_the_threshold_that_the_repository_names_holds(policy: Policy, server: StaticWeb, name: Name) -> None:
    one, two, three = Vendor.new(), Vendor.new(), Vendor.new()
    name(one, two, three, threshold=2)
    publish(server, one)
    assert refusal(policy).reason is Reason.THRESHOLD_NOT_MET
    publish(server, one, three)
    assert isinstance(policy.record(QUESTION), Record)


def test_a_key_that_nobody_named_signs_nothing(policy: Policy, server: StaticWeb, name: Name) -> None:
    name(Vendor.new())
    publish(server, Vendor.new())
    assert refusal(policy).reason is Reason.SIGNATURE_INVALID


def test_a_channels_key_cannot_name_a_vendors_keys(
    policy: Policy, server: StaticWeb, repository: TufRepository
) -> None:
    mallory = Vendor.new()
    repository.add(TARGET, b"keys", {"schema": 1, "public_keys": [mallory.public_key]}, "stable")
    repository.publish()
    publish(server, mallory)
    error = refusal(policy)
    assert (error.reason, TARGET in error.message) == (Reason.RECORD_INVALID, True)


@pytest.mark.parametrize(
    "custom",
    [
        {},
        {"schema": 2},
        {"public_keys": []},
        {"public_keys": ["RWshort"]},
        {"threshold": 2},
        {"threshold": 0},
        {"more": 1},
    ],
)
def test_what_names_no_keys_in_full_is_refused(
    policy: Policy, server: StaticWeb, repository: TufRepository, custom: dict[str, Any]
) -> None:
    vendor = Vendor.new()
    whole = {"schema": 1, "public_keys": [vendor.public_key]} | custom if custom else None
    repository.add(TARGET, b"keys", whole)
    repository.publish()
    publish(server, vendor)
    assert refusal(policy).reason is Reason.RECORD_INVALID


def test_one_key_twice_is_refused(policy: Policy, server: StaticWeb, name: Name) -> None:
    vendor = Vendor.new()
    name(vendor, vendor, threshold=2)
    publish(server, vendor)
    assert refusal(policy).reason is Reason.RECORD_INVALID
