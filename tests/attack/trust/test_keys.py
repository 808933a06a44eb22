"""Keys are stolen, lost and replaced: below a threshold nothing moves, and each role can be mended."""

import pytest
from support.static_web import StaticWeb, static_web
from support.trusting import QUESTION, Host
from support.tuf_repository import TufRepository, custom, new_key

from pawld.errors import RejectedError
from pawld.model import Record
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.trust.policy import Policy

TARGET = "acme/stable/linux-x86_64"


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets", "stable"])
def test_a_document_signed_by_a_strangers_key_is_refused(role: str, policy: Policy, repository: TufRepository) -> None:
    repository.signers[role] = [new_key()]
    repository.publish()

    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)

    assert refused.value.reason is Reason.THRESHOLD_NOT_MET


def test_one_stolen_key_of_two_moves_nothing(policy: Policy, repository: TufRepository, host: Host) -> None:
    second = new_key()
    repository.targets.add_key(second.public_key, "stable")
    assert repository.targets.delegations is not None
    assert repository.targets.delegations.roles is not None
    repository.targets.delegations.roles["stable"].threshold = 2
    repository.signers["stable"].append(second)
    repository.publish()
    policy.record(QUESTION)

    repository.signers["stable"] = [second]
    repository.add(TARGET, b"the thief's", custom("6.6.6", 666), "stable")
    repository.publish()

    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)
    assert refused.value.reason is Reason.THRESHOLD_NOT_MET
    assert host.mark("sequence." + TARGET) == 1


def test_keys_at_the_threshold_are_obeyed_until_the_role_is_rotated(
    policy: Policy, repository: TufRepository, host: Host
) -> None:
    thief = repository.signers["stable"]
    repository.rotate_delegated("stable")
    repository.publish()
    assert isinstance(policy.record(QUESTION), Record)

    repository.signers["stable"] = thief
    repository.publish()

    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)
    assert refused.value.reason is Reason.THRESHOLD_NOT_MET


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets"])
def test_each_top_level_role_can_be_rotated(role: str, policy: Policy, repository: TufRepository, host: Host) -> None:
    policy.record(QUESTION)

    repository.rotate(role)
    repository.publish()

    assert isinstance(policy.record(QUESTION), Record)
    assert host.mark("tuf.root") == 2


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_the_old_key_of_a_rotated_role_signs_nothing_any_more(
    role: str, policy: Policy, repository: TufRepository
) -> None:
    old = repository.rotate(role)
    repository.signers[role] = old
    repository.publish()

    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)

    assert refused.value.reason is Reason.THRESHOLD_NOT_MET


def test_a_lost_root_key_is_replaced_by_the_others(host: Host, web: Web) -> None:
    repository = TufRepository(root_keys=3, root_threshold=2)
    repository.add(TARGET, b"build", custom())
    repository.publish()
    with static_web(repository.files) as server:
        policy = host.policy(host.tuf(server.url, repository.first_root))
        policy.record(QUESTION)
        lost = repository.signers["root"].pop()
        repository.root.revoke_key(lost.public_key.keyid, "root")
        fresh = new_key()
        repository.root.add_key(fresh.public_key, "root")
        repository.signers["root"].append(fresh)

        repository.publish_root()

        assert isinstance(policy.record(QUESTION), Record)
        assert host.mark("tuf.root") == 2


def test_a_root_signed_by_new_keys_alone_is_refused(policy: Policy, repository: TufRepository, host: Host) -> None:
    policy.record(QUESTION)
    for signer in repository.signers["root"]:
        repository.root.revoke_key(signer.public_key.keyid, "root")
    repository.signers["root"] = [new_key()]
    repository.root.add_key(repository.signers["root"][0].public_key, "root")
    repository.publish_root()

    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)

    assert refused.value.reason is Reason.THRESHOLD_NOT_MET
    assert not (host.cache / "root_history" / "2.root.json").exists()


@pytest.mark.parametrize("rotated", [["timestamp", "snapshot"], ["targets", "timestamp", "snapshot"]])
def test_a_fast_forward_is_mended_by_new_keys_and_by_nothing_else(
    rotated: list[str], policy: Policy, repository: TufRepository, server: StaticWeb, host: Host
) -> None:
    for forwarded in (repository.timestamp, repository.snapshot, repository.targets):
        if forwarded.type in rotated:
            forwarded.version = 1_000_000
    repository.publish()
    policy.record(QUESTION)
    for forwarded in (repository.timestamp, repository.snapshot, repository.targets):
        if forwarded.type in rotated:
            forwarded.version = 10
    repository.publish()
    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)
    assert refused.value.reason is Reason.ROLLBACK_SUSPECTED

    for role in rotated:
        repository.rotate(role)
    repository.publish()

    assert isinstance(policy.record(QUESTION), Record)
    assert host.mark("tuf.timestamp") == 12
    assert host.mark("tuf.snapshot") == 12


def test_a_fast_forward_of_a_delegated_role_is_mended_by_a_new_key_of_its_delegator(
    policy: Policy, repository: TufRepository, server: StaticWeb, host: Host
) -> None:
    repository.delegated["stable"].version = 1_000_000
    repository.publish()
    policy.record(QUESTION)
    repository.delegated["stable"].version = 3
    for role in ("timestamp", "snapshot"):
        repository.rotate(role)
    repository.rotate_delegated("stable")
    repository.publish()

    assert isinstance(policy.record(QUESTION), Record)
    assert host.mark("tuf.role.stable") == 4
