"""A download whose process is killed goes on in the next one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from support.moving import HandClock, Told, partial_in, proof_of, record_of, serving
from support.raw_server import Asked, Wire, raw_server

from pawld.download.mover import HttpMover
from pawld.model import Location
from pawld.system.http import Web

CHUNK = 64 * 1024
DATA = bytes(range(256)) * 4096  # 1 MiB
RECORD = record_of(DATA, chunk=CHUNK)

_DOWNLOADS = """
import sys
from pathlib import Path
from support.moving import Told, proof_of, record_of
from pawld.download.mover import HttpMover
from pawld.model import Location
from pawld.system.clock import SystemClock
from pawld.system.http import Web
record = record_of(bytes(range(256)) * 4096, chunk=64 * 1024)
mover = HttpMover(Web(), SystemClock(), reserve=0)
arguments = record, [Location(sys.argv[2])], Path(sys.argv[1]), Told()
if sys.argv[3] == "fetch":
    mover.fetch(*arguments)
else:
    list(mover.chunks(*arguments, proof_of(record)))
"""


def halting(asked: Asked, wire: Wire) -> None:
    """Send half of the build, and then nothing."""
    wire.send(
        f'HTTP/1.1 200 OK\r\nETag: "one"\r\nContent-Length: {len(DATA)}\r\n\r\n'.encode() + DATA[: len(DATA) // 2]
    )
    wire.wait_for_the_end()


@contextmanager
def downloading(path: Path, url: str, way: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen([sys.executable, "-c", _DOWNLOADS, str(path), url, way], env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("way", ["fetch", "chunks"])
def test_a_killed_download_goes_on_where_it_ended(tmp_path: Path, way: str) -> None:
    path = partial_in(tmp_path, RECORD)
    answering = [halting]
    with raw_server(lambda asked, wire: answering[-1](asked, wire)) as server:  # noqa: PLW0108 - looked up anew
        with downloading(path, f"{server.url}/build", way) as process:
            _wait_until(lambda: path.exists() and path.stat().st_size == len(DATA) // 2)
            process.send_signal(signal.SIGKILL)
            assert process.wait(60) == -signal.SIGKILL
        assert path.read_bytes() == DATA[: len(DATA) // 2]
        answering.append(serving(DATA))
        assert _finished(path, f"{server.url}/build", way) == DATA
        assert [one.range_start for one in server.asked] == [None, len(DATA) // 2]


def _finished(path: Path, url: str, way: str) -> bytes:
    with Web(stall=timedelta(seconds=2)) as web:
        mover = HttpMover(web, HandClock(), reserve=0)
        if way == "chunks":
            views = mover.chunks(RECORD, [Location(url)], path, Told(), proof_of(RECORD))
            return b"".join(bytes(view) for view in views)
        with mover.fetch(RECORD, [Location(url)], path, Told()).file as file:
            return file.read()


def _wait_until(holds) -> None:  # noqa: ANN001 - a condition
    limit = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < limit
        time.sleep(0.02)
