"""Keys change hands, and hosts that trust the first root follow."""

from typing import TYPE_CHECKING

import pytest
from support.publishing import PASSPHRASE, take_in, tar_gz

from pawld.errors import OperatorError
from pawld.publish import keys
from pawld.publish.publication import publish
from pawld.publish.rotate import rotate
from pawld.reasons import Reason

if TYPE_CHECKING:
    from conftest import Site

STABLE = "acme-agent/stable/linux-x86_64"
ROLES = ("root", "targets", "stable", "beta", "snapshot", "timestamp")


def turn(site: "Site", role: str, name: str) -> None:
    publisher = site.publisher
    rotate(publisher, role, [publisher.keyring.named(name)], [publisher.keyring.new(role)])
    assert publish(publisher).waiting == ()


@pytest.mark.parametrize("role", ROLES)
def test_an_old_and_a_new_host_follow_each_rotation(site: "Site", role: str) -> None:
    take_in(site.publisher, "1.0.0")
    old_host = site.client()
    old_host.fetch(STABLE)
    turn(site, role, f"{role}-1")
    (site.home / f"keys/{role}-1.pem").unlink()
    take_in(site.publisher, "1.1.0")
    for host in (old_host, site.client()):
        assert host.fetch(STABLE) == tar_gz("1.1.0")


def test_every_role_after_every_other_under_thresholds(guarded: "Site") -> None:
    take_in(guarded.publisher, "1.0.0")
    old_host = guarded.client()
    old_host.fetch(STABLE)
    for role in ROLES:
        turn(guarded, role, f"{role}-1")
    assert guarded.publisher.repository.version("root") == 5
    for host in (old_host, guarded.client()):
        assert host.fetch(STABLE) == tar_gz("1.0.0")


def test_the_archive_follows_the_channel_that_feeds_it(site: "Site") -> None:
    take_in(site.publisher, "1.0.0")
    turn(site, "stable", "stable-1")
    publisher = site.publisher
    assert publisher.keys_of("archive").keys() == publisher.keys_of("stable").keys()
    assert [publisher.keyring.name_of(keyid) for keyid in publisher.keys_of("stable")] == ["stable-2"]
    assert site.client().fetch("acme-agent/archive/1.0.0/linux-x86_64") == tar_gz("1.0.0")
    with pytest.raises(OperatorError) as caught:
        turn(site, "archive", "stable-2")
    assert caught.value.reason is Reason.USAGE


def test_a_lost_root_key_is_replaced_by_the_two_that_are_left(guarded: "Site") -> None:
    (guarded.home / "keys/root-3.pem").unlink()
    turn(guarded, "root", "root-3")
    take_in(guarded.publisher, "1.0.0")
    assert guarded.client().fetch(STABLE) == tar_gz("1.0.0")


def test_one_root_key_of_three_changes_nothing(guarded: "Site") -> None:
    for name in ("root-2", "root-3"):
        (guarded.home / f"keys/{name}.pem").unlink()
    publisher = guarded.publisher
    rotate(publisher, "root", [publisher.keyring.named("root-2")], [publisher.keyring.new("root")])
    waiting = publish(publisher).waiting
    assert [(need.role, need.count, need.by) for need in waiting] == [("root", 1, ("root-2", "root-3"))]
    assert publisher.repository.version("root") == 1


def test_a_single_key_grows_into_a_quorum(site: "Site") -> None:
    publisher = site.publisher
    more = [keys.generate(site.tmp / name, f"stable-{name}", PASSPHRASE) for name in ("ann", "bob")]
    rotate(publisher, "stable", [], [publisher.keyring.add(named) for named in more], threshold=2)
    need = {one.role: one for one in publish(publisher).waiting}
    assert need.keys() == {"archive", "stable"}
    assert publisher.repository.version("targets") == 1
    for role in ("archive", "stable"):
        metadata = publisher.latest(role)
        metadata.sign(keys.load_file(site.tmp / "ann/stable-ann.pem", PASSPHRASE), append=True)
        publisher.staging.put(role, metadata)
    assert publish(publisher).waiting == ()
    assert publisher.repository.version("targets") == 2


@pytest.mark.parametrize(("out", "threshold"), [(["beta-1"], None), (["stable-1"], None), ([], 2), ([], 0)])
def test_a_rotation_that_cannot_be_is_refused(site: "Site", out: list[str], threshold: int | None) -> None:
    publisher = site.publisher
    with pytest.raises(OperatorError) as caught:
        rotate(publisher, "stable", [publisher.keyring.named(name) for name in out], [], threshold)
    assert caught.value.reason is Reason.USAGE
    assert publisher.staging.roles() == ()
