"""A publication that is cut anywhere leaves a repository that every client accepts, and is finished by the next one."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.publishing import LINUX, Client, founded, reopened, served, take_in, tar_gz

from pawld.cli.release_talk import outcome
from pawld.errors import OperatorError, TransientError
from pawld.formats.metadata import MOST_METADATA
from pawld.publish.publication import publish, renew
from pawld.publish.publisher import Publisher, locked
from pawld.publish.records import current
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


@contextmanager
def cut_at_rename(at: int) -> Iterator[None]:
    """Lose power right before the rename of number *at*: every durable step of ours ends in one."""
    counter, real = iter(range(1_000)), Path.replace

    def replace(path: Path, target: Path) -> Path:
        if next(counter) == at:
            raise PowerCut
        return real(path, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "replace", replace)
        yield


@pytest.mark.parametrize("at", range(12))
def test_an_ingest_that_is_cut_at_any_step_is_finished_by_the_same_command(site: "Site", at: int) -> None:
    take_in(site.publisher, "1.0.0")
    with suppress(PowerCut), cut_at_rename(at):
        take_in(site.publisher, "1.1.0")
    assert site.client().fetch(STABLE) in (tar_gz("1.0.0"), tar_gz("1.1.0"))
    take_in(site.publisher, "1.1.0")
    assert site.client().fetch(STABLE) == tar_gz("1.1.0")
    record = current(site.publisher, "acme-agent", "stable", LINUX)
    assert record is not None
    assert record.sequence == 2
    assert site.publisher.staging.roles() == ()


@pytest.mark.parametrize("at", range(32))
def test_an_init_that_is_cut_at_any_step_is_finished_by_the_same_command(tmp_path: Path, at: int) -> None:
    with suppress(PowerCut), cut_at_rename(at):
        founded(tmp_path / "home")
    with suppress(OperatorError):  # it was whole already
        founded(tmp_path / "home")
    publisher = reopened(tmp_path / "home")
    take_in(publisher, "1.0.0")
    assert len(publisher.keyring.known()) == 6
    root = (publisher.layout.metadata / "1.root.json").read_bytes()
    with served(publisher.layout.public) as url:
        assert Client(tmp_path / "host", url, root).fetch(STABLE) == tar_gz("1.0.0")


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


@pytest.mark.parametrize("at", range(4))
def test_a_rotation_that_is_cut_while_it_is_staged_leaves_nothing_that_waits_for_keys(site: "Site", at: int) -> None:
    take_in(site.publisher, "1.0.0")
    with suppress(PowerCut), cut_at_rename(at):
        turned(reopened(site.home), "targets")

    publish(site.publisher)

    assert site.publisher.staging.roles() == ()
    assert site.client().fetch(STABLE) == tar_gz("1.0.0")


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


def test_a_document_that_hosts_do_not_read_by_default_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publisher = founded(tmp_path / "home")
    metadata = publisher.edited("targets")
    metadata.signed.unrecognized_fields["x"] = "a" * MOST_METADATA
    publisher.stage("targets", metadata)

    published = publish(publisher)

    assert set(published.large) == {"targets"}
    outcome(Namespace(json=True), (), published)
    assert "hosts read it only with a larger trust.max_metadata" in capsys.readouterr().err
