"""Somebody holds the repository still, or turns the host's clock back."""

from datetime import timedelta

import pytest
from support.static_web import StaticWeb
from support.trusting import QUESTION, Host
from support.tuf_repository import TufRepository, custom, soon

from pawld.errors import RejectedError
from pawld.model import Record
from pawld.reasons import Reason
from pawld.trust.freshness import BUILT
from pawld.trust.policy import Policy

TARGET = "acme/stable/linux-x86_64"


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets", "stable"])
def test_an_expired_role_at_each_level_is_told_as_frozen_with_its_date(
    role: str, policy: Policy, repository: TufRepository, host: Host
) -> None:
    expiring = repository.delegated.get(role) or getattr(repository, role)
    expiring.expires = soon(-1)
    if role == "root":
        repository.publish_root()
    repository.publish()

    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)

    assert refused.value.reason is Reason.METADATA_FROZEN
    assert role in refused.value.message
    assert f"{expiring.expires:%Y-%m-%d %H:%M}" in refused.value.message
    assert host.mark("sequence." + TARGET) is None


def test_a_freeze_shows_when_the_timestamp_that_is_replayed_expires(policy: Policy, host: Host) -> None:
    assert isinstance(policy.record(QUESTION), Record)

    host.clock.sleep(timedelta(days=4))

    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)
    assert refused.value.reason is Reason.METADATA_FROZEN


def test_a_stale_mirror_is_refused_by_a_host_that_saw_more(
    policy: Policy, repository: TufRepository, server: StaticWeb, host: Host
) -> None:
    stale = repository.frozen()
    repository.publish_timestamp()
    policy.record(QUESTION)

    server.files = stale

    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)
    assert refused.value.reason is Reason.ROLLBACK_SUSPECTED


def test_a_clock_set_back_a_year_refuses_before_anything_is_fetched(
    policy: Policy, server: StaticWeb, host: Host
) -> None:
    policy.record(QUESTION)
    asked = len(server.asked)

    host.clock.wall -= timedelta(days=365)

    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)
    assert refused.value.reason is Reason.CLOCK_SUSPECT
    assert len(server.asked) == asked


def test_a_fresh_host_whose_clock_is_before_this_build_refuses_too(policy: Policy, host: Host) -> None:
    host.clock.wall = BUILT - timedelta(days=2)

    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)

    assert refused.value.reason is Reason.CLOCK_SUSPECT
    assert not host.cache.exists()


def test_a_clock_set_back_below_the_last_good_refresh_refuses(policy: Policy, host: Host) -> None:
    host.clock.wall = BUILT + timedelta(days=10)
    policy.record(QUESTION)

    host.clock.wall -= timedelta(days=2)

    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)
    assert refused.value.reason is Reason.CLOCK_SUSPECT


def test_a_clock_some_hours_back_is_tolerated(policy: Policy, host: Host) -> None:
    policy.record(QUESTION)

    host.clock.wall -= timedelta(hours=23)

    assert isinstance(policy.record(QUESTION), Record)


def test_a_release_sequence_below_the_mark_is_refused_though_every_version_rose(
    policy: Policy, repository: TufRepository
) -> None:
    repository.add(TARGET, b"newer", custom("1.1.0", 7), "stable")
    repository.publish()
    policy.record(QUESTION)

    repository.add(TARGET, b"older", custom("1.0.0", 6), "stable")
    repository.publish()

    with pytest.raises(RejectedError) as refused:
        policy.record(QUESTION)
    assert refused.value.reason is Reason.ROLLBACK_SUSPECTED
    assert "6" in refused.value.message
    assert "7" in refused.value.message
