"""Which roles speak for a record, and which of their marks and dates count."""

from datetime import timedelta

import pytest
from support.static_web import StaticWeb
from support.trusting import QUESTION, Host
from support.tuf_repository import TufRepository, custom, new_key, soon, unpublished
from tuf.api.metadata import Delegations, MetaFile, SuccinctRoles, Targets

from pawld.errors import TransientError
from pawld.model import Record
from pawld.reasons import Reason
from pawld.trust.tuf_chain import read_chain

TARGET = "acme/stable/linux-x86_64"


@pytest.fixture
def repository(server: StaticWeb) -> TufRepository:
    made = TufRepository()
    made.files = server.files
    made.publish_root(bump=False)
    return made


def test_a_delegation_of_a_delegation_is_part_of_the_chain(
    host: Host, server: StaticWeb, repository: TufRepository
) -> None:
    repository.delegate("acme", ["acme/*/*"])
    repository.delegate("stable", ["acme/stable/*"], parent="acme")
    repository.add(TARGET, b"build", custom(), "stable")
    repository.delegated["stable"].expires = soon(1)
    repository.publish()

    record = host.policy(host.tuf(server.url, repository.first_root)).record(QUESTION)

    assert isinstance(record, Record)
    assert record.expires == repository.delegated["stable"].expires
    roles = read_chain(host.cache, TARGET).roles
    assert [(one.name, one.authority) for one in roles] == [
        ("tuf.root", ""),
        ("tuf.timestamp", "tuf.root"),
        ("tuf.snapshot", "tuf.root"),
        ("tuf.targets", "tuf.root"),
        ("tuf.role.acme", "tuf.targets"),
        ("tuf.role.stable", "tuf.role.acme"),
    ]


def test_delegations_that_go_round_end(host: Host, server: StaticWeb, repository: TufRepository) -> None:
    repository.delegate("first", ["acme/*/*"], terminating=False)
    repository.delegate("second", ["acme/*/*"], parent="first", terminating=False)
    owner, again = repository.delegated["second"], repository.targets.delegations
    assert again is not None
    assert again.roles is not None
    owner.delegations = Delegations(dict(again.keys), {"first": again.roles["first"]})
    repository.delegate("third", ["acme/stable/*"], terminating=False)
    repository.add(TARGET, b"build", custom(), "third")
    repository.publish()

    assert isinstance(host.policy(host.tuf(server.url, repository.first_root)).record(QUESTION), Record)
    names = [one.name for one in read_chain(host.cache, TARGET).roles][4:]
    assert names == ["tuf.role.first", "tuf.role.second", "tuf.role.third"]


def test_a_target_in_hashed_bins_is_found(host: Host, server: StaticWeb, repository: TufRepository) -> None:
    key = new_key()
    bins = SuccinctRoles([key.public_key.keyid], 1, 1, "bin")
    repository.targets.delegations = Delegations({key.public_key.keyid: key.public_key}, succinct_roles=bins)
    for name in bins.get_roles():
        repository.delegated[name] = unpublished(Targets(expires=soon(9)))
        repository.signers[name] = [key]
        repository.snapshot.meta[f"{name}.json"] = MetaFile(1)
    repository.add(TARGET, b"build", custom(), bins.get_role_for_target(TARGET))
    repository.publish()

    record = host.policy(host.tuf(server.url, repository.first_root)).record(QUESTION)

    assert isinstance(record, Record)
    assert host.mark(f"tuf.role.{bins.get_role_for_target(TARGET)}") == 1


def test_a_cache_that_vanished_is_a_fault_of_the_host(host: Host, server: StaticWeb, repository: TufRepository) -> None:
    repository.publish()
    host.policy(host.tuf(server.url, repository.first_root)).record(QUESTION)
    (host.cache / "snapshot.json").write_bytes((host.cache / "targets.json").read_bytes())

    with pytest.raises(TransientError) as lost:
        read_chain(host.cache, TARGET)
    assert lost.value.reason is Reason.IO_FAILED


def test_a_refresh_without_time_left_is_late(host: Host, server: StaticWeb, repository: TufRepository) -> None:
    policy = host.policy(host.tuf(server.url, repository.first_root, deadline=timedelta(0)))

    with pytest.raises(TransientError) as late:
        policy.record(QUESTION)
    assert late.value.reason is Reason.TIMED_OUT


def test_a_server_that_is_not_there_is_unreachable(host: Host, repository: TufRepository) -> None:
    with pytest.raises(TransientError) as gone:
        host.policy(host.tuf("http://127.0.0.1:9", repository.first_root)).record(QUESTION)

    assert gone.value.reason is Reason.UNREACHABLE
