"""Each check by itself, on what it looks at."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.raw_server import Asked, Wire, raw_server
from support.static_web import StaticWeb, static_web

from pawld.doctor import network, place, trust
from pawld.doctor.finding import Level
from pawld.doctor.place import Owner
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.system.windows_access import REPLACE

NOW = datetime(2026, 6, 1, tzinfo=UTC)
_MOUNTS = """\
/dev/sda1 / ext4 rw,relatime 0 0
/dev/sdb1 /opt ext4 {options} 0 0
tmpfs /opt/with\\040space tmpfs rw 0 0
"""


@pytest.mark.parametrize(
    ("options", "level", "reason"),
    [
        ("rw,relatime", Level.OK, None),
        ("ro,relatime", Level.PROBLEM, Reason.READ_ONLY),
        ("rw,noexec", Level.PROBLEM, Reason.PERMISSION_DENIED),
    ],
)
def test_a_read_only_or_noexec_mount_is_found(
    options: str, level: Level, reason: Reason | None, tmp_path: Path
) -> None:
    (tmp_path / "mounts").write_text(_MOUNTS.format(options=options))

    finding = place.mount(Path("/opt/acme"), tmp_path / "mounts")

    assert (finding.level, finding.reason) == (level, reason)
    assert "/opt" in finding.evidence
    assert place.mount(Path("/opt/with space/acme"), tmp_path / "mounts").level is Level.OK


def test_a_package_managers_files_are_found_with_its_own_words(tmp_path: Path) -> None:
    finding = place.owner(tmp_path, [Owner("dpkg", ("echo", "acme-agent:"))])

    assert finding.reason is Reason.OWNED_BY_OTHERS
    assert "acme-agent" in finding.evidence
    assert place.owner(tmp_path, [Owner("rpm", ("false",)), Owner("none", ("no-such-program",))]).level is Level.OK


@pytest.mark.rig("dpkg")
def test_a_directory_of_a_real_debian_package_is_owned_by_others() -> None:
    assert place.owner(Path("/usr/share/doc/dpkg")).reason is Reason.OWNED_BY_OTHERS


def test_a_directory_that_others_may_write_above_the_root_is_a_problem(tmp_path: Path) -> None:
    root = tmp_path / "open" / "acme"
    root.mkdir(parents=True)
    (tmp_path / "open").chmod(0o777)

    (finding,) = place.permissions([root])

    assert finding.reason is Reason.PERMISSION_DENIED
    assert finding.mend == f"Run `chmod go-w {tmp_path / 'open'}`."
    (tmp_path / "open").chmod(0o755)
    assert [one.level for one in place.permissions([root, tmp_path / "later"])] == [Level.OK, Level.OK]


def test_on_windows_a_right_to_replace_what_lies_above_the_root_is_a_problem(tmp_path: Path) -> None:
    def who(path: Path, rights: int) -> str | None:
        return "every user" if path == tmp_path and rights == REPLACE else None

    root = tmp_path / "acme"
    root.mkdir()
    (finding,) = place.permissions([root], who)
    assert finding.reason is Reason.PERMISSION_DENIED
    assert finding.evidence == f"{tmp_path} may be changed by every user, and so what runs from {root}."


def test_what_may_forbid_programs_to_start_is_named(tmp_path: Path) -> None:
    (tmp_path / "enforce").write_text("1")
    (tmp_path / "pid").write_text("77")

    assert [one.name for one in place.guards(tmp_path / "enforce", tmp_path / "pid")] == ["selinux", "fapolicyd"]
    assert list(place.guards(tmp_path / "absent", tmp_path / "absent")) == []


def test_a_container_is_told_from_a_host(tmp_path: Path) -> None:
    (tmp_path / "mark").touch()
    assert place.container([tmp_path / "mark"]).level is Level.WARNING
    assert place.container([tmp_path / "absent"]).level is Level.OK


def test_too_little_room_for_an_update_is_a_problem(tmp_path: Path) -> None:
    assert place.disk(tmp_path / "not yet there", 1).level is Level.OK
    assert place.disk(tmp_path, 1 << 60).reason is Reason.DISK_FULL


@pytest.mark.parametrize(
    ("seconds", "level", "word"),
    [(0, Level.OK, "behind"), (-300, Level.WARNING, "behind"), (3600, Level.PROBLEM, "ahead of")],
)
def test_the_clock_is_held_beside_that_of_the_server(seconds: int, level: Level, word: str) -> None:
    date = "Mon, 01 Jun 2026 00:00:00 GMT"

    finding = network.clock_beside(date, NOW + timedelta(seconds=seconds), "https://e.example/x?token=1")

    assert finding is not None
    assert finding.level is level
    assert word in finding.evidence
    assert "token" not in finding.evidence
    assert network.clock_beside("no date", NOW, "https://e.example") is None


@pytest.mark.parametrize(
    ("role", "days", "level"),
    [
        ("timestamp", 1, Level.OK),
        ("timestamp", -1, Level.PROBLEM),
        ("targets", 5, Level.WARNING),
        ("root", 20, Level.WARNING),
        ("root", 40, Level.OK),
    ],
)
def test_the_days_to_each_expiry_are_told(role: str, days: int, level: Level, tmp_path: Path) -> None:
    expires = f"{NOW + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
    (tmp_path / f"{role}.json").write_text(json.dumps({"signed": {"expires": expires, "version": 3}}))

    (finding,) = trust.expiries(tmp_path, NOW)

    assert finding.level is level
    assert f"{role}, version 3" in finding.evidence


def test_metadata_that_cannot_be_read_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "root.json").write_bytes(b"\0" * 10)
    (finding,) = trust.expiries(tmp_path, NOW)
    assert (finding.level, "recover" in finding.mend) == (Level.WARNING, True)


def test_a_redirect_is_followed_to_its_end_and_no_query_is_shown() -> None:
    with static_web({"end": b""}) as web, Web() as client:
        web.instead["start"] = lambda handler: _redirect(handler, web)
        way = network.Way("source.url", f"{web.url}/start?secret=1")
        reply = client.call("HEAD", way.url)

        finding = network._walked(client, way, reply.status, reply.headers, "")

    assert finding.level is Level.OK
    assert f"answers 302 and leads to {web.url}/end, which ends at {web.url}/end with 200" in finding.evidence
    assert "secret" not in finding.evidence


@pytest.mark.parametrize("location", ["https://[broken/", "/" + "../" * 20_000])
def test_a_redirect_to_no_address_is_a_finding(location: str) -> None:
    def redirect(_: Asked, wire: Wire) -> None:
        wire.redirect(location)

    with raw_server(redirect) as server, Web() as client:
        finding = network._walked(client, network.Way("source.url", server.url), 302, {"Location": location}, "")
    assert (finding.level, finding.reason) == (Level.PROBLEM, Reason.REDIRECT_REFUSED)


def test_the_doctor_does_not_send_anybody_to_the_doctor() -> None:
    assert "pawld doctor" not in network.mend_of(Reason.UNREACHABLE)
    assert network.mend_of(Reason.TLS_FAILED) == Reason.TLS_FAILED.next_step


def _redirect(handler: object, web: StaticWeb) -> None:
    handler.send_response(302)  # type: ignore[attr-defined]  # of http.server
    handler.send_header("Location", f"{web.url}/end?secret=2")  # type: ignore[attr-defined]  # the same
    handler.send_header("Content-Length", "0")  # type: ignore[attr-defined]  # the same
    handler.end_headers()  # type: ignore[attr-defined]  # the same
