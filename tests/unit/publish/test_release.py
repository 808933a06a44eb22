"""Builds move from channel to channel with new sequences, ramps, floors and a way for pins."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from support.publishing import ARM, LINUX, StillClock, reopened, take_in, tar_gz

from pawld.errors import OperatorError
from pawld.formats.record import read_custom
from pawld.model import RampStep, Record
from pawld.publish.publication import publish
from pawld.publish.publisher import Publisher
from pawld.publish.ramp import parse_ramp
from pawld.publish.records import current
from pawld.publish.release import PLAIN, Conditions, promote
from pawld.reasons import Reason

if TYPE_CHECKING:
    from conftest import Site

STABLE = "acme-agent/stable/linux-x86_64"


def stable(publisher: Publisher) -> Record:
    record = current(publisher, "acme-agent", "stable", LINUX)
    assert record is not None
    return record


def promoted(site: "Site", version: str, conditions: Conditions = PLAIN) -> Record:
    publisher = site.publisher
    promote(publisher, "acme-agent", version, "stable", conditions=conditions)
    publish(publisher)
    return stable(publisher)


def test_a_beta_build_becomes_stable_without_being_measured_again(site: "Site") -> None:
    take_in(site.publisher, "1.0.0")
    take_in(site.publisher, "1.1.0", "beta")
    assert site.client().fetch(STABLE) == tar_gz("1.0.0")
    record = promoted(site, "1.1.0")
    assert (record.channel, record.sequence, record.version) == ("stable", 2, "1.1.0")
    host = site.client()
    assert host.fetch(STABLE) == tar_gz("1.1.0")
    assert host.fetch("acme-agent/beta/linux-x86_64") == tar_gz("1.1.0")


def test_a_ramp_starts_now_and_is_signed(site: "Site") -> None:
    take_in(site.publisher, "1.0.0", "beta")
    promoted(site, "1.0.0", Conditions(ramp=parse_ramp("1% 1h, 10% 6h, 100%")))
    target = site.client().ask(STABLE)
    assert target is not None
    rollout = read_custom(target.custom, target.length, target.hashes["sha256"]).rollout
    assert rollout.steps == (
        RampStep(0.01, timedelta(hours=1)),
        RampStep(0.1, timedelta(hours=6)),
        RampStep(1.0, timedelta(0)),
    )
    assert rollout.start is not None
    assert abs(rollout.start - StillClock().now()) < timedelta(minutes=1)


def test_another_ramp_for_the_same_release_keeps_its_sequence(site: "Site") -> None:
    take_in(site.publisher, "1.0.0", "beta")
    first = promoted(site, "1.0.0", Conditions(ramp=parse_ramp("1% 1h, 100%")))
    second = promoted(site, "1.0.0", Conditions(ramp=parse_ramp("50% 1h, 100%")))
    assert (first.sequence, second.sequence) == (1, 1)
    assert second.rollout.steps[0].fraction == 0.5
    assert promoted(site, "1.0.0") == second


def test_an_old_release_stays_in_the_archive_for_pins_alone(site: "Site") -> None:
    take_in(site.publisher, "1.0.0")
    take_in(site.publisher, "1.1.0", conditions=Conditions(security_floor="1.0.5"))
    host = site.client()
    assert host.fetch("acme-agent/archive/1.0.0/linux-x86_64") == tar_gz("1.0.0")
    target = host.ask("acme-agent/archive/1.0.0/linux-x86_64")
    assert target is not None
    old = read_custom(target.custom, target.length, target.hashes["sha256"])
    assert (old.version, old.sequence, old.chunks, old.security_floor) == ("1.0.0", 1, None, "1.0.5")
    assert host.ask("acme-agent/archive/0.9.0/linux-x86_64") is None


def test_beta_feeds_no_archive(site: "Site") -> None:
    take_in(site.publisher, "1.0.0", "beta")
    assert site.client().ask("acme-agent/archive/1.0.0/linux-x86_64") is None


def test_a_release_goes_to_the_platforms_that_are_named(site: "Site") -> None:
    take_in(site.publisher, "1.0.0", "beta")
    take_in(site.publisher, "1.0.0", "beta", platform=ARM)
    publisher = site.publisher
    records = promote(publisher, "acme-agent", "1.0.0", "stable", platforms=(ARM,))
    assert [record.platform for record in records] == [ARM]
    assert current(publisher, "acme-agent", "stable", LINUX) is None


def test_what_was_never_ingested_cannot_be_promoted(site: "Site") -> None:
    take_in(site.publisher, "1.0.0", "beta")
    for version, platforms in (("2.0.0", ()), ("1.0.0", (ARM,))):
        with pytest.raises(OperatorError, match="never ingested") as caught:
            promote(site.publisher, "acme-agent", version, "stable", platforms=platforms)
        assert caught.value.reason is Reason.USAGE


def test_going_back_must_be_meant_and_reaches_hosts_on_the_newer_one(site: "Site") -> None:
    take_in(site.publisher, "1.0.0")
    take_in(site.publisher, "1.1.0")
    with pytest.raises(OperatorError, match="older") as caught:
        promoted(site, "1.0.0")
    assert caught.value.reason is Reason.USAGE
    assert stable(site.publisher).version == "1.1.0"
    back = promoted(site, "1.0.0", Conditions(older_meant=True))
    assert (back.version, back.sequence, back.allow_downgrade_from) == ("1.0.0", 3, ("1.1.0",))


def test_the_security_floor_is_inherited_and_never_falls(site: "Site") -> None:
    take_in(site.publisher, "1.2.0", conditions=Conditions(security_floor="1.1.0"))
    take_in(site.publisher, "1.3.0")
    assert stable(site.publisher).security_floor == "1.1.0"
    for floor in ("1.0.0", "1.5.0"):
        with pytest.raises(OperatorError, match="floor") as caught:
            take_in(site.publisher, "1.4.0", conditions=Conditions(security_floor=floor))
        assert caught.value.reason is Reason.USAGE


def test_every_condition_reaches_the_record(site: "Site") -> None:
    soon = StillClock().now() + timedelta(days=1)
    conditions = Conditions(min_from="1.0.0", min_updater="0.3.0", not_before=soon, start=soon)
    take_in(site.publisher, "1.2.0", conditions=conditions)
    record = stable(site.publisher)
    assert (record.min_from_version, record.min_updater, record.not_before) == ("1.0.0", "0.3.0", soon)
    assert record.rollout.start == soon
    take_in(site.publisher, "1.3.0")
    assert stable(site.publisher).min_from_version is None


def test_an_unknown_channel_names_the_known_ones(site: "Site") -> None:
    with pytest.raises(OperatorError, match="stable, beta") as caught:
        take_in(site.publisher, "1.0.0", "nightly")
    assert caught.value.reason is Reason.USAGE


def test_a_damaged_ledger_is_not_signed(site: "Site") -> None:
    take_in(site.publisher, "1.0.0", "beta")
    path = site.home / "builds/acme-agent/1.0.0/linux-x86_64.json"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(OperatorError) as caught:
        promote(reopened(site.home), "acme-agent", "1.0.0", "stable")
    assert caught.value.reason is Reason.CONFIG_INVALID


def test_a_promotion_keeps_what_was_measured(site: "Site") -> None:
    take_in(site.publisher, "1.0.0", "beta")
    beta = current(site.publisher, "acme-agent", "beta", LINUX)
    assert beta is not None
    assert promoted(site, "1.0.0") == replace(beta, channel="stable")
