"""Fetching a whole build: from nothing, on from where it ended, and from one location after another."""

import json
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.moving import HandClock, Told, cut_after, partial_in, record_of, serving
from support.raw_server import Asked, Wire, raw_server

from pawld.download.mover import HttpMover
from pawld.errors import OperatorError, PawldError, RejectedError, TransientError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.http import Web

DATA = os.urandom(300_000)
RECORD = record_of(DATA)


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(stall=timedelta(seconds=1)) as client:
        yield client


@pytest.fixture
def mover(web: Web) -> HttpMover:
    return HttpMover(web, HandClock(), reserve=0)


def fetched(mover: HttpMover, directory: Path, *urls: str) -> bytes:
    downloaded = mover.fetch(RECORD, [Location(url) for url in urls], partial_in(directory, RECORD), Told())
    with downloaded.file as file:
        return file.read()


def refused(mover: HttpMover, directory: Path, *urls: str) -> PawldError:
    with pytest.raises(PawldError) as caught:
        fetched(mover, directory, *urls)
    return caught.value


def left(directory: Path) -> bytes:
    return partial_in(directory, RECORD).read_bytes()


def begun(directory: Path, url: str, count: int, *, etag: str = '"one"', **changes: object) -> None:
    """Leave behind what an earlier process had of the build."""
    path = partial_in(directory, RECORD)
    path.parent.mkdir()
    path.write_bytes(DATA[:count])
    boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    note = {"etag": etag, "place": url, "origin": url, "synced": 0, "boot": boot, **changes}
    path.with_suffix(".resume").write_text(json.dumps(note))


def test_a_build_is_brought_whole_and_stays_open(mover: HttpMover, tmp_path: Path) -> None:
    told = Told()
    with raw_server(serving(DATA)) as server:
        path = partial_in(tmp_path, RECORD)
        downloaded = mover.fetch(RECORD, [Location(server.url)], path, told)
        with downloaded.file as file:
            assert file.read() == DATA
        assert downloaded.origin == server.url
        assert downloaded.path == path
    assert path.stat().st_mode & 0o777 == 0o600
    assert (told.starts, told.count, told.finished) == ([("download", len(DATA), 0)], len(DATA), 1)


def test_what_is_there_is_not_fetched_again(mover: HttpMover, tmp_path: Path) -> None:
    with raw_server(serving(DATA)) as server:
        begun(tmp_path, f"{server.url}/build", 100_000)
        assert fetched(mover, tmp_path, f"{server.url}/build?signed=1") == DATA
        assert server.asked[0].headers["range"] == "bytes=100000-"
        assert server.asked[0].headers["if-range"] == '"one"'


def test_a_build_that_is_there_whole_needs_no_network(mover: HttpMover, tmp_path: Path) -> None:
    begun(tmp_path, "https://gone.example/build", len(DATA))
    assert fetched(mover, tmp_path, "https://gone.invalid/build") == DATA


def test_after_a_reboot_only_what_was_synced_counts(mover: HttpMover, tmp_path: Path) -> None:
    with raw_server(serving(DATA)) as server:
        begun(tmp_path, f"{server.url}/build", 100_000, synced=40_000, boot="another")
        assert fetched(mover, tmp_path, f"{server.url}/build") == DATA
        assert server.asked[0].range_start == 40_000


def test_a_changed_object_starts_anew(mover: HttpMover, tmp_path: Path) -> None:
    with raw_server(serving(DATA, etag='"two"')) as server:
        begun(tmp_path, f"{server.url}/build", 100_000)
        assert fetched(mover, tmp_path, f"{server.url}/build") == DATA
        assert len(server.asked) == 1


def test_a_range_of_another_object_is_not_joined_to_what_is_here(mover: HttpMover, tmp_path: Path) -> None:
    """The server minds no If-Range: what is here is of an object that it has no more."""
    other = serving(DATA, etag='"two"')

    def careless(asked: Asked, wire: Wire) -> None:
        asked.headers.pop("if-range", None)
        other(asked, wire)

    with raw_server(careless) as server:
        begun(tmp_path, f"{server.url}/build", 100_000)
        partial_in(tmp_path, RECORD).write_bytes(bytes(100_000))
        assert fetched(mover, tmp_path, f"{server.url}/build") == DATA
        assert [one.range_start for one in server.asked] == [100_000, None]


def test_another_location_does_not_go_on_with_the_bytes_of_the_first(mover: HttpMover, tmp_path: Path) -> None:
    with raw_server(serving(DATA)) as server:
        begun(tmp_path, "https://first.example/build", 100_000)
        assert fetched(mover, tmp_path, f"{server.url}/build") == DATA
        assert server.asked[0].range_start is None


@pytest.mark.parametrize("etag", [None, 'W/"weak"', "bare", '"a"b"'])
def test_without_a_strong_etag_nothing_is_resumed(mover: HttpMover, tmp_path: Path, etag: str | None) -> None:
    with raw_server(cut_after(DATA, 100_000, etag)) as server:
        assert refused(mover, tmp_path, server.url).reason is Reason.TRANSFER_CUT
        assert len(server.asked) == 1
    with raw_server(serving(DATA, etag)) as server:
        assert fetched(mover, tmp_path, server.url) == DATA
        assert server.asked[0].range_start is None


def test_a_cut_transfer_goes_on_at_once_and_at_most_three_times(mover: HttpMover, tmp_path: Path) -> None:
    with raw_server(cut_after(DATA, 50_000)) as server:
        error = refused(mover, tmp_path, f"{server.url}/build")
        assert isinstance(error, TransientError)
        assert error.reason is Reason.TRANSFER_CUT
        assert [one.range_start for one in server.asked] == [None, 50_000, 100_000]
    assert left(tmp_path) == DATA[:150_000]
    note = json.loads(partial_in(tmp_path, RECORD).with_suffix(".resume").read_text())
    assert (note["etag"], note["synced"]) == ('"one"', 150_000)


@pytest.mark.parametrize("note", ["", "[]", "{}", '{"etag": 1}', "\x00", '{"etag": "W/\\"x\\""}'])
def test_a_note_that_cannot_be_read_is_set_aside(mover: HttpMover, tmp_path: Path, note: str) -> None:
    with raw_server(serving(DATA)) as server:
        begun(tmp_path, f"{server.url}/build", 100_000)
        path = partial_in(tmp_path, RECORD).with_suffix(".resume")
        path.write_text(note)
        assert fetched(mover, tmp_path, f"{server.url}/build") == DATA
        assert server.asked[0].range_start is None
        assert path.with_suffix(".resume.damaged").read_text() == note


def test_notes_of_vanished_downloads_are_swept(mover: HttpMover, tmp_path: Path) -> None:
    orphan = tmp_path / ".pawld" / f"{'0' * 64}.resume"
    orphan.parent.mkdir()
    orphan.write_text("{}")
    with raw_server(serving(DATA)) as server:
        assert fetched(mover, tmp_path, server.url) == DATA
    assert not orphan.exists()


def test_a_server_that_has_nothing_beyond_is_asked_for_the_whole(mover: HttpMover, tmp_path: Path) -> None:
    def handler(asked: Asked, wire: Wire) -> None:
        wire.answer(416) if asked.range_start else serving(DATA)(asked, wire)

    with raw_server(handler) as server:
        begun(tmp_path, f"{server.url}/build", 100_000)
        assert fetched(mover, tmp_path, f"{server.url}/build") == DATA
        assert [one.range_start for one in server.asked] == [100_000, None]


def test_a_partial_beyond_the_signed_length_is_worth_nothing(mover: HttpMover, tmp_path: Path) -> None:
    with raw_server(serving(DATA)) as server:
        begun(tmp_path, f"{server.url}/build", 0)
        partial_in(tmp_path, RECORD).write_bytes(DATA + b"more")
        assert fetched(mover, tmp_path, f"{server.url}/build") == DATA


def test_a_longer_body_is_refused_and_the_partial_deleted(mover: HttpMover, tmp_path: Path) -> None:
    def endless(asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        wire.drip(0, b"10000\r\n" + b"x" * 65536 + b"\r\n")

    with raw_server(endless) as server:
        error = refused(mover, tmp_path, server.url)
    assert isinstance(error, RejectedError)
    assert error.reason is Reason.LENGTH_MISMATCH
    assert not partial_in(tmp_path, RECORD).exists()


@pytest.mark.parametrize("body", [b"<html>Please log in</html>", DATA + b"!"])
def test_another_announced_length_is_refused_before_a_byte_is_written(
    mover: HttpMover, tmp_path: Path, body: bytes
) -> None:
    with raw_server(lambda _, wire: wire.answer(200, {"Content-Type": "text/html"}, body)) as server:
        begun(tmp_path, "https://first.example/build", 1000)
        error = refused(mover, tmp_path, server.url)
    assert isinstance(error, RejectedError)
    assert error.reason is Reason.LENGTH_MISMATCH
    assert left(tmp_path) == DATA[:1000]


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (400, OperatorError, Reason.BAD_REQUEST),
        (401, OperatorError, Reason.UNAUTHORIZED),
        (403, OperatorError, Reason.FORBIDDEN),
        (404, TransientError, Reason.NOT_FOUND),
        (408, TransientError, Reason.TIMED_OUT),
        (410, TransientError, Reason.NOT_FOUND),
        (416, OperatorError, Reason.BAD_REQUEST),
        (429, TransientError, Reason.RATE_LIMITED),
        (500, TransientError, Reason.SERVER_ERROR),
        (503, TransientError, Reason.SERVER_ERROR),
        (204, TransientError, Reason.ANSWER_NOT_UNDERSTOOD),
        (206, TransientError, Reason.ANSWER_NOT_UNDERSTOOD),
        (304, TransientError, Reason.ANSWER_NOT_UNDERSTOOD),
    ],
)
def test_a_status_has_its_reason(
    mover: HttpMover, tmp_path: Path, status: int, kind: type[PawldError], reason: Reason
) -> None:
    def handler(asked: Asked, wire: Wire) -> None:
        wire.answer(status, {"Retry-After": "90"})

    with raw_server(handler) as server:
        error = refused(mover, tmp_path, f"{server.url}/build?token=secret")
    assert (type(error), error.reason) == (kind, reason)
    assert error.retry_after == timedelta(seconds=90)
    assert "secret" not in error.message


def test_any_fault_leads_to_the_next_location(mover: HttpMover, tmp_path: Path) -> None:
    with raw_server(lambda _, wire: wire.answer(500)) as bad, raw_server(serving(DATA)) as good:
        assert fetched(mover, tmp_path, bad.url, "https://nowhere.invalid/x", good.url) == DATA


def test_where_all_fail_the_error_names_them_and_the_hopeful_one_counts(mover: HttpMover, tmp_path: Path) -> None:
    with (
        raw_server(lambda _, wire: wire.answer(503, {"Retry-After": "5"})) as busy,
        raw_server(lambda _, wire: wire.answer(200, {}, b"html")) as wrong,
        raw_server(lambda _, wire: wire.answer(401)) as strange,
    ):
        error = refused(mover, tmp_path, busy.url, wrong.url, strange.url)
    assert isinstance(error, TransientError)
    assert error.reason is Reason.SERVER_ERROR
    assert error.retry_after == timedelta(seconds=5)
    assert f"127.0.0.1:{wrong.port}: length_mismatch" in error.message
    assert f"127.0.0.1:{strange.port}: unauthorized" in error.message


def test_no_location_at_all_is_said(mover: HttpMover, tmp_path: Path) -> None:
    assert refused(mover, tmp_path).reason is Reason.NO_ADDRESS


def test_an_expired_redirect_goes_back_to_the_interface(mover: HttpMover, tmp_path: Path) -> None:
    def cdn_handler(asked: Asked, wire: Wire) -> None:
        wire.answer(403) if asked.target == "/old" else serving(DATA)(asked, wire)

    def api_handler(asked: Asked, wire: Wire) -> None:
        wire.redirect(f"{cdn.url}/{'new' if len(api.asked) > 1 else 'old'}")

    with raw_server(cdn_handler) as cdn, raw_server(api_handler) as api:
        begun(tmp_path, f"{api.url}/build", 100_000)
        assert fetched(mover, tmp_path, f"{api.url}/build") == DATA
        assert cdn.targets == ["/old", "/new"]
        assert cdn.asked[1].range_start == 100_000


def test_a_redirect_that_stays_expired_is_given_up(mover: HttpMover, tmp_path: Path) -> None:
    with raw_server(lambda _, wire: wire.answer(403)) as cdn, raw_server(lambda _, wire: wire.redirect(cdn.url)) as api:
        error = refused(mover, tmp_path, api.url)
    assert isinstance(error, TransientError)
    assert error.reason is Reason.FORBIDDEN
    assert len(cdn.asked) == 2


def test_a_body_without_length_that_ends_early_is_cut_and_kept(mover: HttpMover, tmp_path: Path) -> None:
    def handler(asked: Asked, wire: Wire) -> None:
        wire.send(b'HTTP/1.1 200 OK\r\nETag: "one"\r\n\r\n' + DATA[:5000])
        wire.hang_up()

    with raw_server(handler) as server:
        assert refused(mover, tmp_path, server.url).reason is Reason.TRANSFER_CUT
    assert left(tmp_path) == DATA[:5000]


def test_a_long_download_is_made_durable_from_time_to_time(web: Web, tmp_path: Path) -> None:
    class Watching(Told):
        """Let time pass with each block, and look at what is noted."""

        def advance(self, count: int) -> None:
            super().advance(count)
            clock.seconds += 20
            synced.append(json.loads(partial_in(tmp_path, RECORD).with_suffix(".resume").read_text())["synced"])

    def slowly(asked: Asked, wire: Wire) -> None:
        wire.send(f'HTTP/1.1 200 OK\r\nETag: "one"\r\nContent-Length: {len(DATA)}\r\n\r\n'.encode())
        for at in range(0, len(DATA), 50_000):
            wire.send(DATA[at : at + 50_000])
            time.sleep(0.01)

    clock, synced = HandClock(), list[int]()
    with raw_server(slowly) as server:
        mover = HttpMover(web, clock, reserve=0)
        mover.fetch(RECORD, [Location(server.url)], partial_in(tmp_path, RECORD), Watching()).file.close()
    assert synced[0] == 0
    assert 0 < synced[-1] < len(DATA)


def test_a_download_that_is_whole_needs_no_room(web: Web, tmp_path: Path) -> None:
    begun(tmp_path, "https://gone.example/build", len(DATA))
    assert fetched(HttpMover(web, HandClock(), free=lambda _: 0), tmp_path) == DATA
