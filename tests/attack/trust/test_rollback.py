"""Somebody serves an older, validly signed repository: nothing of it is believed, whatever became of the cache."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.static_web import StaticWeb
from support.trusting import QUESTION, Host
from support.tuf_repository import TufRepository, custom

from pawld.errors import RejectedError
from pawld.model import Record
from pawld.reasons import Reason
from pawld.trust.policy import Policy

TARGET = "acme/stable/linux-x86_64"


def nothing(cache: Path) -> None: ...


def deleted(cache: Path) -> None:
    shutil.rmtree(cache)


def truncated(cache: Path) -> None:
    for file in cache.glob("*.json"):
        if file.name != "root.json":
            file.write_bytes(b"")


def half_deleted(cache: Path) -> None:
    (cache / "timestamp.json").unlink()
    (cache / "snapshot.json").unlink()


@pytest.mark.parametrize("damage", [nothing, deleted, truncated, half_deleted])
def test_an_older_repository_is_refused_though_the_cache_be_lost(
    damage: Callable[[Path], None], policy: Policy, repository: TufRepository, server: StaticWeb, host: Host
) -> None:
    old = repository.frozen()
    repository.add(TARGET, b"newer", custom("1.1.0", 2), "stable")
    repository.publish()
    assert isinstance(policy.record(QUESTION), Record)
    marks = dict(host.marks.values)

    damage(host.cache)
    server.files = old

    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)
    assert refused.value.reason is Reason.ROLLBACK_SUSPECTED
    assert host.marks.values == marks


@pytest.mark.parametrize("behind", ["timestamp", "snapshot", "targets", "stable"])
def test_a_role_that_fell_is_refused_though_it_states_the_same_release(
    behind: str, policy: Policy, repository: TufRepository, server: StaticWeb, host: Host
) -> None:
    repository.publish()
    policy.record(QUESTION)
    shutil.rmtree(host.cache)
    for name in ("timestamp", "snapshot", "targets", "stable"):
        signed = repository.delegated.get(name) or getattr(repository, name)
        signed.version = 0 if name == behind else 7
    repository.publish()

    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)

    assert refused.value.reason is Reason.ROLLBACK_SUSPECTED
    assert f"{behind} is 1, but 2" in refused.value.message


def test_the_true_repository_is_believed_again_after_a_rollback_was_refused(
    policy: Policy, repository: TufRepository, server: StaticWeb, host: Host
) -> None:
    old = repository.frozen()
    repository.add(TARGET, b"newer", custom("1.1.0", 2), "stable")
    repository.publish()
    policy.record(QUESTION)
    shutil.rmtree(host.cache)
    server.files = old
    with pytest.raises(RejectedError):
        policy.record(QUESTION)

    server.files = repository.files

    found = policy.record(QUESTION)
    assert isinstance(found, Record)
    assert found.version == "1.1.0"


def test_a_root_planted_in_the_cache_is_not_believed(policy: Policy, server: StaticWeb, host: Host) -> None:
    policy.record(QUESTION)
    foreign = TufRepository()
    foreign.add("acme/stable/linux-x86_64", b"evil", custom())
    foreign.publish()
    (host.cache / "root.json").unlink()
    (host.cache / "root.json").write_bytes(foreign.first_root)
    server.files = foreign.files

    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)

    assert refused.value.reason is Reason.THRESHOLD_NOT_MET
    assert (host.cache / "root.json").read_bytes() != foreign.first_root
