"""A bundle file carries a release over an air gap: the same trust, freshness, marks and journal, and no network."""

import io
import tarfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from support.fleet_host import FleetHost, code
from support.publishing import LINUX, StillClock, founded, take_in

from pawld.errors import OperatorError
from pawld.publish.export import export
from pawld.publish.publisher import Publisher
from pawld.publish.release import Conditions

Change = Callable[[str, bytes], bytes | None]
STATEMENT = "pawld-bundle.json"


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    publisher = founded(tmp_path / "publisher")
    take_in(publisher, "1.0.0")
    return publisher


@pytest.fixture
def host(publisher: Publisher, tmp_path: Path) -> FleetHost:
    return FleetHost(tmp_path / "host", publisher)


def bundle_of(publisher: Publisher, to: Path) -> Path:
    export(publisher, "acme-agent", "stable", LINUX, to)
    return to


def changed(bundle: Path, change: Change, *, add: dict[str, bytes] | None = None) -> Path:
    """Write the bundle anew, each member as *change* wants it."""
    to = bundle.with_name(f"changed-{bundle.name}")
    with tarfile.open(bundle) as old, tarfile.open(to, "w") as new:
        members = [(one.name, old.extractfile(one).read()) for one in old]  # type: ignore[union-attr]  # all are files
        for name, data in [*members, *(add or {}).items()]:
            kept = change(name, data)
            if kept is not None:
                member = tarfile.TarInfo(name)
                member.size = len(kept)
                new.addfile(member, io.BytesIO(kept))
    return to


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def test_two_bundles_install_and_update_a_host_without_network(
    host: FleetHost, publisher: Publisher, tmp_path: Path
) -> None:
    assert code(host.update_from(bundle_of(publisher, tmp_path / "one.tar"))) == "updated"
    assert host.installed == "1.0.0"
    take_in(publisher, "1.1.0")
    assert code(host.update_from(bundle_of(publisher, tmp_path / "two.tar"))) == "updated"
    assert host.installed == "1.1.0"
    assert code(host.update_from(tmp_path / "two.tar")) == "up_to_date"
    events = host.control.history((), 50)["events"]
    assert [one["version"] for one in events if one["reason"]["code"] == "updated"] == ["1.1.0", "1.0.0"]


def test_an_older_bundle_is_a_rollback_that_the_marks_refuse(
    host: FleetHost, publisher: Publisher, tmp_path: Path
) -> None:
    old = bundle_of(publisher, tmp_path / "one.tar")
    take_in(publisher, "1.1.0")
    host.update_from(bundle_of(publisher, tmp_path / "two.tar"))
    assert code(host.update_from(old)) == "rollback_suspected"
    assert host.installed == "1.1.0"


def test_a_host_below_a_barrier_goes_through_it_by_the_same_file(
    host: FleetHost, publisher: Publisher, tmp_path: Path
) -> None:
    host.update_from(bundle_of(publisher, tmp_path / "one.tar"))
    take_in(publisher, "2.0.0", conditions=Conditions(min_from="1.0.0"))
    take_in(publisher, "3.0.0", conditions=Conditions(min_from="2.0.0"))
    bundle = bundle_of(publisher, tmp_path / "three.tar")
    installed = []
    for _ in range(2):
        assert code(host.update_from(bundle)) == "updated"
        installed.append(host.installed)
    assert installed == ["2.0.0", "3.0.0"]
    assert code(host.update_from(bundle)) == "up_to_date"


def test_a_host_whose_way_is_not_in_the_bundle_is_told_which_version_is_missing(
    host: FleetHost, publisher: Publisher, tmp_path: Path
) -> None:
    host.update_from(bundle_of(publisher, tmp_path / "one.tar"))
    take_in(publisher, "3.0.0", conditions=Conditions(min_from="2.0.0"))  # which nobody ever published
    refused = host.update_from(bundle_of(publisher, tmp_path / "three.tar"))
    assert code(refused) == "intermediate_version_needed"
    assert "3.0.0 can only follow 2.0.0 or newer, and 1.0.0 is installed" in refused["reason"]["message"]
    assert host.installed == "1.0.0"


def test_a_wrong_byte_in_a_step_of_the_way_installs_nothing(
    host: FleetHost, publisher: Publisher, tmp_path: Path
) -> None:
    host.update_from(bundle_of(publisher, tmp_path / "one.tar"))
    take_in(publisher, "2.0.0")
    take_in(publisher, "3.0.0", conditions=Conditions(min_from="2.0.0"))
    bundle = bundle_of(publisher, tmp_path / "three.tar")
    bad = changed(bundle, lambda name, data: flipped(data) if "/archive/" in name else data)
    assert code(host.update_from(bad)) == "digest_mismatch"
    assert host.installed == "1.0.0"


def test_an_expired_bundle_is_frozen_metadata(tmp_path: Path) -> None:
    past = StillClock()
    past.at -= timedelta(days=40)
    publisher = founded(tmp_path / "publisher", clock=past)
    take_in(publisher, "1.0.0")
    host = FleetHost(tmp_path / "host", publisher)
    assert code(host.update_from(bundle_of(publisher, tmp_path / "one.tar"))) == "metadata_frozen"
    assert host.installed is None


BAD: dict[str, tuple[Change, str]] = {
    "byte": (lambda name, data: flipped(data) if name.startswith("targets/") else data, "digest_mismatch"),
    "short build": (lambda name, data: data[:-1] if name.startswith("targets/") else data, "length_mismatch"),
    "no build": (lambda name, data: None if name.startswith("targets/") else data, "not_found"),
    "no timestamp": (lambda name, data: None if name.endswith("timestamp.json") else data, "not_found"),
    "snapshot": (lambda name, data: flipped(data) if "snapshot" in name else data, "metadata_untrusted"),
    "empty timestamp": (lambda name, data: b"{}" if name.endswith("timestamp.json") else data, "metadata_untrusted"),
    "no statement": (lambda name, data: None if name == STATEMENT else data, "usage"),
    "other platform": (
        lambda name, data: data.replace(b"linux-x86_64", b"macos-arm64") if name == STATEMENT else data,
        "usage",
    ),
    "list": (lambda name, data: b"[1]" if name == STATEMENT else data, "archive_refused"),
    "other schema": (
        lambda name, data: data.replace(b'"schema": 1', b'"schema": 2') if name == STATEMENT else data,
        "archive_refused",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bundle_that_was_changed_on_its_way_installs_nothing(
    host: FleetHost, publisher: Publisher, tmp_path: Path, kind: str
) -> None:
    change, reason = BAD[kind]
    bad = changed(bundle_of(publisher, tmp_path / "one.tar"), change)
    assert code(host.update_from(bad)) == reason
    assert host.installed is None


@pytest.mark.parametrize("name", ["../outside", "metadata/../../x", "/etc/passwd", "metadata/timestamp.json", "else"])
def test_a_member_that_no_bundle_has_is_refused(
    host: FleetHost, publisher: Publisher, tmp_path: Path, name: str
) -> None:
    bad = changed(bundle_of(publisher, tmp_path / "one.tar"), lambda _, data: data, add={name: b"x"})
    assert code(host.update_from(bad)) == "archive_refused"


def test_a_link_in_a_bundle_is_refused(host: FleetHost, publisher: Publisher, tmp_path: Path) -> None:
    bundle = bundle_of(publisher, tmp_path / "one.tar")
    with tarfile.open(bundle, "a") as tar:
        link = tarfile.TarInfo("metadata/link.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    assert code(host.update_from(bundle)) == "archive_refused"


@pytest.mark.parametrize("data", [b"", b"not a tar at all" * 100, b"\x1f\x8b" + b"\0" * 2000])
def test_a_file_that_is_no_tar_is_refused(host: FleetHost, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "file").write_bytes(data)
    assert code(host.update_from(tmp_path / "file")) in ("archive_refused", "usage")


def test_a_bundle_that_was_cut_installs_nothing(host: FleetHost, publisher: Publisher, tmp_path: Path) -> None:
    bundle = bundle_of(publisher, tmp_path / "one.tar")
    whole = bundle.read_bytes()
    for size in (100, 600, len(whole) // 3, len(whole) // 2):
        bundle.write_bytes(whole[:size])
        assert code(host.update_from(bundle)) in ("archive_refused", "usage", "not_found")
        assert host.installed is None


def test_a_file_that_is_not_there_is_told(host: FleetHost, tmp_path: Path) -> None:
    assert "missing.tar" in host.update_from(tmp_path / "missing.tar")["reason"]["message"]


def test_mirrors_are_not_asked_behind_an_air_gap(publisher: Publisher, tmp_path: Path) -> None:
    host = FleetHost(tmp_path / "host", publisher, updater='mirrors = ["http://127.0.0.1:1"]')
    assert code(host.update_from(bundle_of(publisher, tmp_path / "one.tar"))) == "updated"


def test_a_bundle_is_for_one_agent(publisher: Publisher, tmp_path: Path) -> None:
    host = FleetHost(tmp_path / "host", publisher)
    text = host.config.read_text()
    second = text[text.index("[agents.acme]") :].replace("[agents.acme]", "[agents.other]")
    host.config.write_text(text + second.replace('/acme"', '/other"'))
    with pytest.raises(OperatorError) as caught:
        host.update_from(tmp_path / "one.tar")
    assert caught.value.reason.code == "usage"


def test_without_tuf_there_is_no_bundle(publisher: Publisher, tmp_path: Path) -> None:
    host = FleetHost(tmp_path / "host", publisher)
    text = host.config.read_text()
    start = text.index("trust = ")
    end = text.index("\n", start)
    pinned = f'trust = {{ type = "pinned_sha256", sha256 = {{ "linux-x86_64" = "{"0" * 64}" }} }}'
    url = "https://downloads.example.invalid/{filename}"
    manifest = f'source = {{ type = "manifest", url = "{url}" }}'
    host.config.write_text((text[:start] + pinned + text[end:]).replace('source = { type = "tuf" }', manifest))
    assert code(host.update_from(bundle_of(publisher, tmp_path / "one.tar"))) == "config_invalid"
