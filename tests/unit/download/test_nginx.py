"""The mover against a real nginx: ranges, a changed file, and no compression."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.moving import HandClock, Told, partial_in, proof_of, record_of
from support.nginx_site import nginx_site

from pawld.download.mover import HttpMover
from pawld.errors import TransientError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.http import Web

DATA = os.urandom(2_000_000)
RECORD = record_of(DATA, chunk=256 * 1024)

pytestmark = pytest.mark.rig("nginx")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    root, run = tmp_path / "site", tmp_path / "run"
    root.mkdir()
    run.mkdir()
    (root / "build").write_bytes(DATA)
    cut = "location = /cut { alias %s/build; limit_rate 1; limit_rate_after 300k; }" % root  # noqa: UP031 - braces
    with nginx_site(root, run, locations=cut) as url:
        yield url


@pytest.fixture
def mover() -> Iterator[HttpMover]:
    with Web() as web:
        yield HttpMover(web, HandClock(), reserve=0)


def fetched(mover: HttpMover, directory: Path, url: str) -> bytes:
    with mover.fetch(RECORD, [Location(url)], partial_in(directory, RECORD), Told()).file as file:
        return file.read()


def cut_to(directory: Path, size: int) -> None:
    os.truncate(partial_in(directory, RECORD), size)


def requests(directory: Path) -> list[tuple[str, int]]:
    """What nginx logged: path and status of each request."""
    lines = (directory / "run" / "access.log").read_text().splitlines()
    return [(line.split()[6], int(line.split()[8])) for line in lines]


def test_a_build_comes_through_the_redirect_and_is_resumed_there(mover: HttpMover, tmp_path: Path, site: str) -> None:
    assert fetched(mover, tmp_path, f"{site}/api") == DATA
    cut_to(tmp_path, 1_234_567)
    assert fetched(mover, tmp_path, f"{site}/api") == DATA
    assert requests(tmp_path) == [("/api", 302), ("/build", 200), ("/api", 302), ("/build", 206)]


def test_a_file_that_changed_is_fetched_anew(mover: HttpMover, tmp_path: Path, site: str) -> None:
    assert fetched(mover, tmp_path, f"{site}/build") == DATA
    cut_to(tmp_path, 1_000_000)
    os.utime(tmp_path / "site" / "build", (1, 1))
    assert fetched(mover, tmp_path, f"{site}/build") == DATA
    assert requests(tmp_path) == [("/build", 200), ("/build", 200)]


def test_chunks_go_on_from_the_last_good_one(mover: HttpMover, tmp_path: Path, site: str) -> None:
    path = partial_in(tmp_path, RECORD)
    for _ in range(2):
        views = mover.chunks(RECORD, [Location(f"{site}/build")], path, Told(), proof_of(RECORD))
        assert b"".join(bytes(view) for view in views) == DATA
        cut_to(tmp_path, 1_000_000)
    assert requests(tmp_path) == [("/build", 200), ("/build", 206)]


def test_a_server_that_nearly_stands_still_is_left(tmp_path: Path, site: str) -> None:

    with Web(stall=timedelta(seconds=0.3)) as web:
        mover = HttpMover(web, HandClock(), reserve=0)
        with pytest.raises(TransientError) as caught:
            fetched(mover, tmp_path, f"{site}/cut")
    assert caught.value.reason is Reason.TRANSFER_STALLED
    kept = partial_in(tmp_path, RECORD).stat().st_size
    assert 0 < kept < len(DATA)
    assert partial_in(tmp_path, RECORD).read_bytes() == DATA[:kept]
