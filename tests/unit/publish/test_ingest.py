"""What ``release ingest`` measures, signs, keeps and refuses."""

import errno
import hashlib
from collections.abc import Iterator
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from support.publishing import ARM, LINUX, incoming, take_in, tar_gz

from pawld.errors import OperatorError, RejectedError, TransientError
from pawld.formats.record import read_custom
from pawld.formats.tree import ListedFiles
from pawld.model import Location
from pawld.publish import artifacts
from pawld.publish.artifacts import blocks_from_web
from pawld.publish.ingest import ingest
from pawld.publish.publication import publish
from pawld.publish.records import current
from pawld.reasons import Reason

if TYPE_CHECKING:
    from conftest import Site

STABLE = "acme-agent/stable/linux-x86_64"


def test_a_host_gets_the_build_and_the_record_that_were_published(site: "Site") -> None:
    take_in(site.publisher, "1.0.0")
    client = site.client()
    assert client.fetch(STABLE) == tar_gz("1.0.0")
    target = client.ask(STABLE)
    assert target is not None
    record = read_custom(target.custom, target.length, target.hashes["sha256"])
    assert record == current(site.publisher, "acme-agent", "stable", LINUX)
    assert (record.version, record.sequence, record.format) == ("1.0.0", 1, "tar.gz")
    assert record.sha256 == hashlib.sha256(tar_gz("1.0.0")).hexdigest()
    assert target.hashes["sha512"] == hashlib.sha512(tar_gz("1.0.0")).hexdigest()
    assert record.chunks is not None
    assert record.chunks.sha256 == (record.sha256,)


def test_the_sequence_rises_with_every_release(site: "Site") -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        take_in(site.publisher, version)
    record = current(site.publisher, "acme-agent", "stable", LINUX)
    assert record is not None
    assert record.sequence == 3


def test_the_same_build_again_changes_nothing(site: "Site") -> None:
    take_in(site.publisher, "1.0.0")
    before = sorted((site.home / "public").rglob("*"))
    published = take_in(site.publisher, "1.0.0")
    assert published.versions == {}
    assert sorted((site.home / "public").rglob("*")) == before


def test_other_bytes_under_a_published_version_are_refused(site: "Site") -> None:
    take_in(site.publisher, "1.0.0")
    with pytest.raises(OperatorError, match="other bytes") as caught:
        ingest(site.publisher, incoming("1.0.0"), [tar_gz("forged")], "stable")
    assert caught.value.reason is Reason.USAGE
    assert site.client().fetch(STABLE) == tar_gz("1.0.0")
    assert not list((site.home / "incoming").iterdir())


def test_a_digest_that_the_vendor_published_must_match(site: "Site") -> None:
    with pytest.raises(RejectedError) as caught:
        take_in(site.publisher, "1.0.0", sha256="0" * 64)
    assert caught.value.reason is Reason.DIGEST_MISMATCH
    assert site.publisher.staging.roles() == ()


def test_an_empty_build_is_refused(site: "Site") -> None:
    with pytest.raises(RejectedError) as caught:
        ingest(site.publisher, incoming("1.0.0"), [], "stable")
    assert caught.value.reason is Reason.LENGTH_MISMATCH


def test_the_bytes_are_kept_once_under_all_their_names(site: "Site") -> None:
    take_in(site.publisher, "1.0.0")
    digest = hashlib.sha256(tar_gz("1.0.0")).hexdigest()
    targets = site.home / "public/targets"
    places = [
        targets / "sha256" / digest,
        targets / "acme-agent/stable" / f"{digest}.linux-x86_64",
        targets / "acme-agent/archive/1.0.0" / f"{digest}.linux-x86_64",
    ]
    assert len({place.stat().st_ino for place in places}) == 1


def test_the_list_of_an_archives_files_lies_under_the_digest_that_its_record_states(site: "Site") -> None:
    take_in(site.publisher, "1.0.0")
    record = current(site.publisher, "acme-agent", "stable", LINUX)
    assert record is not None
    place = site.home / "public/targets/sha256" / str(record.tree_sha256)
    assert hashlib.sha256(place.read_bytes()).hexdigest() == record.tree_sha256
    assert ListedFiles(place.read_bytes()).take("share/readme", 6, 0o755) == hashlib.sha256(b"hello\n").hexdigest()
    assert place.stat().st_mode & 0o777 == 0o644


def test_a_list_that_no_host_reads_is_not_kept(site: "Site", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "MOST_LISTED", 100)
    take_in(site.publisher, "1.0.0")
    record = current(site.publisher, "acme-agent", "stable", LINUX)
    assert record is not None
    assert [path.name for path in (site.home / "public/targets/sha256").iterdir()] == [record.sha256]


def test_bytes_that_stay_at_the_vendor_leave_only_their_address(site: "Site") -> None:
    location = Location("https://vendor.example/acme.tar.gz", {"X-Api-Key": "secret"}, ("cdn.example",))
    take_in(site.publisher, "1.0.0", kept=False, locations=(location,))
    target = site.client().ask(STABLE)
    assert target is not None
    assert target.custom["sources"] == [
        {"type": "redirect-api", "url": "https://vendor.example/acme.tar.gz", "final_hosts": ["cdn.example"]}
    ]
    record = read_custom(target.custom, target.length, target.hashes["sha256"])
    kept = [path for path in (site.home / "public/targets").rglob("*") if path.is_file()]
    assert kept == [site.home / "public/targets/sha256" / str(record.tree_sha256)]  # the names and digests of its files
    assert "secret" not in (site.home / "builds/acme-agent/1.0.0/linux-x86_64.json").read_text()


def test_each_platform_has_its_own_record_and_sequence(site: "Site") -> None:
    take_in(site.publisher, "1.0.0")
    take_in(site.publisher, "1.1.0")
    take_in(site.publisher, "1.1.0", platform=ARM)
    arm = current(site.publisher, "acme-agent", "stable", ARM)
    assert arm is not None
    assert arm.sequence == 1
    assert site.client().fetch("acme-agent/stable/linux-arm64") == tar_gz("1.1.0")


def test_a_version_that_the_record_cannot_carry_is_refused_before_anything_is_signed(site: "Site") -> None:
    with pytest.raises(OperatorError) as caught:
        take_in(site.publisher, "1.0.0", filename="a b.tar.gz")
    assert caught.value.reason is Reason.USAGE
    assert site.publisher.staging.roles() == ()


def test_a_host_without_a_build_is_told_so(site: "Site") -> None:
    take_in(site.publisher, "1.0.0")
    assert site.client().ask("acme-agent/stable/windows-x86_64") is None


class _Download:
    """An answer of the vendor's server."""

    def __init__(self, status: int) -> None:
        self.status = status

    def blocks(self) -> Iterator[bytes]:
        yield tar_gz("1.0.0")


def test_a_download_is_taken_in_and_an_error_page_is_not(site: "Site") -> None:
    location = Location("https://vendor.example/acme.tar.gz")

    def blocks(status: int) -> Iterator[bytes]:
        return blocks_from_web(lambda _location: nullcontext(_Download(status)), location)

    with pytest.raises(TransientError) as caught:
        ingest(site.publisher, incoming("1.0.0"), blocks(404), "stable")
    assert caught.value.reason is Reason.NOT_FOUND
    ingest(site.publisher, incoming("1.0.0"), blocks(200), "stable")
    publish(site.publisher)
    assert site.client().fetch(STABLE) == tar_gz("1.0.0")


def test_bytes_are_copied_where_the_file_system_has_no_links(site: "Site", monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_paths: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    take_in(site.publisher, "1.0.0")
    assert site.client().fetch(STABLE) == tar_gz("1.0.0")


def test_what_an_ingest_that_was_cut_left_over_is_swept(site: "Site") -> None:
    left = site.home / "incoming" / "build.unverified"
    left.parent.mkdir()
    left.write_bytes(b"half")
    take_in(site.publisher, "1.0.0")
    assert not left.exists()
    assert publish(site.publisher).versions == {}
