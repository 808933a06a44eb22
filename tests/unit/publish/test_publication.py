"""A publication that is cut anywhere leaves a repository that every client accepts, and is finished by the next one."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.publishing import Client, reopened, take_in, tar_gz

from pawld.errors import OperatorError, TransientError
from pawld.publish.publication import publish, renew
from pawld.publish.publisher import Publisher, locked
from pawld.publish.repository import write_public
from pawld.publish.rotate import rotate
from pawld.reasons import Reason

if TYPE_CHECKING:
    from conftest import Site

STABLE = "acme-agent/stable/linux-x86_64"


class PowerCut(BaseException):
    """The power goes; no handler may catch it."""


def cutting(at: int, *, after: bool) -> Callable[[Path, bytes], None]:
    """Write public files until the one of number *at*, and lose power before or after it."""
    counter = iter(range(1_000))

    def write(path: Path, data: bytes) -> None:
        number = next(counter)
        if number == at and not after:
            raise PowerCut
        write_public(path, data)
        if number == at:
            raise PowerCut

    return write


CUTS = [(at, after) for at in range(5) for after in (False, True)]


@pytest.mark.parametrize(("at", "after"), CUTS)
def test_a_cut_release_is_seen_whole_or_not_at_all(site: "Site", at: int, after: bool) -> None:
    take_in(site.publisher, "1.0.0")
    old_host = site.client()
    assert old_host.fetch(STABLE) == tar_gz("1.0.0")

    with suppress(PowerCut):
        take_in(reopened(site.home, write=cutting(at, after=after)), "1.1.0")
    for host in (old_host, site.client()):
        assert host.fetch(STABLE) in (tar_gz("1.0.0"), tar_gz("1.1.0"))

    take_in(site.publisher, "1.1.0")
    assert site.publisher.staging.roles() == ()
    for host in (old_host, site.client()):
        assert host.fetch(STABLE) == tar_gz("1.1.0")


def turned(publisher: Publisher, role: str) -> None:
    out = [publisher.keyring.named(keyid) for keyid in publisher.keys_of(role)]
    rotate(publisher, role, out, [publisher.keyring.new(role)])
    publish(publisher)


@pytest.mark.parametrize("role", ["root", "targets", "stable", "snapshot", "timestamp"])
@pytest.mark.parametrize(("at", "after"), CUTS)
def test_a_cut_rotation_never_shuts_a_client_out(site: "Site", role: str, at: int, after: bool) -> None:
    take_in(site.publisher, "1.0.0")
    old_host = site.client()
    old_host.fetch(STABLE)

    with suppress(PowerCut):
        turned(reopened(site.home, write=cutting(at, after=after)), role)
    for host in (old_host, site.client()):
        assert host.fetch(STABLE) == tar_gz("1.0.0")

    publish(site.publisher)
    take_in(site.publisher, "1.1.0")
    assert site.publisher.staging.roles() == ()
    for host in (old_host, site.client()):
        assert host.fetch(STABLE) == tar_gz("1.1.0")


@pytest.mark.parametrize("lost", ["snapshot", "timestamp"])
def test_a_lost_online_key_is_replaced_though_a_cut_comes_right_after_the_root(site: "Site", lost: str) -> None:
    take_in(site.publisher, "1.0.0")
    host: Client = site.client()
    host.fetch(STABLE)
    (site.home / f"keys/{lost}-1.pem").unlink()

    with pytest.raises(PowerCut):
        turned(reopened(site.home, write=cutting(0, after=True)), lost)
    assert publish(site.publisher).versions.keys() >= {"timestamp"}
    for one in (host, site.client()):
        assert one.fetch(STABLE) == tar_gz("1.0.0")


def test_nothing_is_published_without_the_online_keys(site: "Site") -> None:
    (site.home / "keys/timestamp-1.pem").unlink()
    with pytest.raises(OperatorError) as caught:
        take_in(site.publisher, "1.0.0")
    assert caught.value.reason is Reason.SECRET_MISSING
    assert site.publisher.staging.roles() == ("archive", "stable")
    assert site.client().ask(STABLE) is None


def test_nothing_new_is_published_over_nothing_staged(site: "Site") -> None:
    before = {path.name: path.read_bytes() for path in (site.home / "public/metadata").iterdir()}
    assert publish(site.publisher).versions == {}
    assert {path.name: path.read_bytes() for path in (site.home / "public/metadata").iterdir()} == before


def test_a_repository_that_does_not_verify_is_not_signed_over(site: "Site") -> None:
    path = site.home / "public/metadata/1.targets.json"
    path.write_bytes(path.read_bytes().replace(b'"sig":"', b'"sig":"00'))
    with pytest.raises(OperatorError) as caught:
        renew(site.publisher)
    assert caught.value.reason is Reason.CONFIG_INVALID
    assert site.publisher.repository.version("timestamp") == 1


def test_a_second_publisher_at_the_same_time_is_turned_away(site: "Site") -> None:
    with locked(site.home), pytest.raises(TransientError) as caught, locked(site.home):
        pass
    assert caught.value.reason is Reason.UPDATER_BUSY
