"""Bytes that come otherwise than they should, on real connections: cut, changed midway, for another CPU, too many."""

import os
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from support.publishing import tar
from support.standing_host import NEW, OLD, StandingHost, send

from pawld.demo.program import Release
from pawld.reasons import Reason

ARM = struct.pack("<4sBBBB8xHH", b"\x7fELF", 2, 1, 1, 0, 2, 183) + bytes(44)


@pytest.mark.parametrize("absolute", [False, True], ids=["relative", "absolute"])
def test_a_relative_and_an_absolute_download_url_both_work(own_host: StandingHost, absolute: bool) -> None:
    path = f"/v2/agent-releases/{NEW}/download?platform=linux&arch=x86_64"
    own_host.offer(own_host.metadata(NEW, download_url=own_host.web.url + path if absolute else path))
    said = own_host.pawld("update")
    assert (said.exit, said.reason["code"]) == (0, "updated")
    assert own_host.running().endswith(f"acme-agent {NEW}")
    assert f"GET /v2/agent-releases/{NEW}/download" in own_host.web.asked


class Changing:
    """A content network that hangs up in the middle, and has another file under the address when it is asked again."""

    def __init__(self, first: bytes, then: bytes, *, honest: bool) -> None:
        self.first, self.then, self.honest = first, then, honest
        self.ranges: list[str | None] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        self.ranges.append(handler.headers.get("Range"))
        asked = handler.headers.get("Range") or "bytes=0-"
        start = int(asked.removeprefix("bytes=").partition("-")[0])
        if len(self.ranges) == 1:
            self._send(handler, self.first, start, '"first"', len(self.first) // 2)
        elif self.honest and handler.headers.get("If-Range") == '"first"':
            self._send(handler, self.then, 0, '"then"', len(self.then))
        else:
            self._send(handler, self.then, start, '"then"', len(self.then))

    @staticmethod
    def _send(handler: BaseHTTPRequestHandler, data: bytes, start: int, etag: str, until: int) -> None:
        handler.send_response(206 if start else 200)
        handler.send_header("ETag", etag)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        handler.send_header("Content-Length", str(len(data) - start))
        handler.end_headers()
        handler.wfile.write(data[start:until])
        handler.close_connection = True


@pytest.mark.parametrize("honest", [True, False], ids=["by If-Range", "with the old range"])
def test_a_file_that_changes_under_its_address_is_fetched_anew(own_host: StandingHost, honest: bool) -> None:
    genuine = large(own_host, "1.2.0")
    content = Changing(genuine, genuine, honest=honest)
    own_host.web.instead["agent/1.2.0"] = content
    said = own_host.pawld("update")
    assert (said.exit, said.reason["code"]) == (0, "updated")
    assert own_host.running().endswith("acme-agent 1.2.0")
    assert content.ranges[0] is None
    assert content.ranges[1] is not None
    assert len(content.ranges) == 2


def test_a_file_that_changes_into_other_bytes_is_refused(own_host: StandingHost) -> None:
    genuine = large(own_host, "1.2.0")
    own_host.web.instead["agent/1.2.0"] = Changing(genuine, os.urandom(len(genuine)), honest=True)
    said = own_host.pawld("update")
    assert (said.exit, said.reason["code"]) == (65, "digest_mismatch")
    assert list(own_host.downloads.glob("*.unverified")) == []
    assert own_host.running().endswith(f"acme-agent {OLD}")


def large(host: StandingHost, version: str) -> bytes:
    """Release a build of several chunks."""
    host.release(version, Release(version).packed(os.urandom(5_000_000)))
    return host.builds[version]


def test_a_build_for_another_cpu_is_refused_before_anything_is_stopped(own_host: StandingHost) -> None:
    before = own_host.current(), own_host.running()
    own_host.release("1.2.0", tar({"bin/acme-agent": ARM}, "w:gz"), filename="acme-agent-1.2.0.tar.gz")
    said = own_host.pawld("update")
    assert (said.exit, said.reason["code"]) == (65, "wrong_executable")
    assert "arm64" in said.reason["message"]
    assert "x86_64" in said.reason["message"]
    assert [one["cause"] for one in said.document["agents"][0]["blocked"]] == ["wrong_executable"]
    again = own_host.pawld("update")
    assert (again.exit, again.reason["code"]) == (0, "build_blocked")
    assert (own_host.current(), own_host.running()) == before


@contextmanager
def small_disk(at: Path, size: str) -> Iterator[None]:
    at.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(at)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


@pytest.mark.rig("root")
def test_a_full_disk_is_seen_before_the_download_begins(host: StandingHost) -> None:
    with small_disk(host.downloads, "100k"):
        asked = len(host.web.asked)
        said = host.pawld("update")
    assert (said.exit, said.reason["code"]) == (75, "disk_full")
    assert "102400 bytes" in said.reason["message"]
    assert said.reason["retry_at"] is not None
    assert f"GET /agent/{NEW}" not in host.web.asked[asked:]
    assert said.document["agents"][0]["blocked"] == []


@pytest.mark.rig("root")
def test_a_disk_that_others_fill_meanwhile_loses_nothing_and_blocks_nothing(own_host: StandingHost) -> None:
    own_host.config = own_host.config.replace('reserve = "1MiB"', 'reserve = "0B"')
    build = Release("1.2.0").packed(os.urandom(3_000_000))
    own_host.release("1.2.0", build)
    with small_disk(own_host.downloads, "12m"):

        def filling(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(build)))
            handler.end_headers()
            handler.wfile.write(build[:100_000])
            with (own_host.downloads / "others.log").open("wb", buffering=0) as log:
                fill(log.fileno())
            handler.wfile.write(build[100_000:])

        own_host.web.instead["agent/1.2.0"] = filling
        said = own_host.pawld("update")
        assert (said.exit, said.reason["code"]) == (75, "disk_full")
        assert own_host.running().endswith(f"acme-agent {OLD}")
        (own_host.downloads / "others.log").unlink()
        del own_host.web.instead["agent/1.2.0"]
        again = own_host.pawld("update")
    assert (again.exit, again.reason["code"]) == (0, "updated")
    assert own_host.running().endswith("acme-agent 1.2.0")


def fill(descriptor: int) -> None:
    block = bytes(1 << 16)
    try:
        while os.write(descriptor, block):
            pass
    except OSError:
        return


def test_a_server_that_sends_less_than_it_announces_is_a_cut_line(host: StandingHost) -> None:
    def stopping(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(host.builds[NEW])))
        handler.end_headers()
        handler.wfile.write(host.builds[NEW][:1000])
        handler.close_connection = True

    host.content(stopping)
    said = host.pawld("update")
    assert (said.exit, said.reason["code"]) == (75, "transfer_cut")
    assert said.document["agents"][0]["blocked"] == []


def test_a_content_network_that_refuses_is_tried_later(host: StandingHost) -> None:
    host.content(lambda handler: send(handler, 403, b"expired"))
    said = host.pawld("update")
    assert (said.exit, said.reason["code"]) == (int(Reason.FORBIDDEN.exit), "forbidden")
    assert said.reason["retry_at"] is not None
