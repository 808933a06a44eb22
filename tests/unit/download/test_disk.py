"""Room on the disk, and what its failures are called."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.moving import HandClock, Told, partial_in, record_of, serving
from support.raw_server import raw_server

from pawld.download.disk import disk_errors, preflight, preflight_all
from pawld.download.mover import HttpMover
from pawld.errors import OperatorError, PawldError, TransientError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.http import Web

MiB = 1024 * 1024


def test_enough_room_is_enough(tmp_path: Path) -> None:
    preflight(tmp_path / "not" / "yet", 10 * MiB, reserve=MiB, free=lambda _: 11 * MiB)


def test_too_little_room_names_the_path_and_the_figures(tmp_path: Path) -> None:
    with pytest.raises(TransientError) as caught:
        preflight(tmp_path / "not" / "yet", 10 * MiB, reserve=MiB, free=lambda _: 11 * MiB - 1)
    assert caught.value.reason is Reason.DISK_FULL
    assert f"{tmp_path}/not/yet needs 10.0 MiB (10485760 bytes)" in caught.value.message
    assert "(11534335 bytes) are free" in caught.value.message


def test_what_goes_to_one_filesystem_is_added_up(tmp_path: Path) -> None:
    needs = {tmp_path / "download": 6 * MiB, tmp_path / "versions": 6 * MiB}
    preflight_all(needs, reserve=0, free=lambda _: 12 * MiB)
    with pytest.raises(TransientError, match="needs 12"):
        preflight_all(needs, reserve=0, free=lambda _: 11 * MiB)


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no second filesystem to look at")
def test_each_filesystem_is_looked_at(tmp_path: Path) -> None:
    asked: list[Path] = []

    def free(path: Path) -> int:
        asked.append(path)
        return MiB if str(path).startswith("/dev/shm") else 1000 * MiB

    with pytest.raises(TransientError, match="/dev/shm/x needs"):
        preflight_all({tmp_path: 5 * MiB, Path("/dev/shm/x"): 5 * MiB}, reserve=0, free=free)
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("number", "kind", "reason"),
    [
        (errno.ENOSPC, TransientError, Reason.DISK_FULL),
        (errno.EDQUOT, TransientError, Reason.DISK_FULL),
        (errno.EROFS, TransientError, Reason.READ_ONLY),
        (errno.EACCES, OperatorError, Reason.PERMISSION_DENIED),
        (errno.ELOOP, OperatorError, Reason.PERMISSION_DENIED),
        (errno.EIO, TransientError, Reason.IO_FAILED),
    ],
)
def test_what_the_disk_refuses_has_its_reason(
    tmp_path: Path, number: int, kind: type[PawldError], reason: Reason
) -> None:
    with pytest.raises(kind) as caught, disk_errors(tmp_path / "build.unverified"):
        raise OSError(number, os.strerror(number))
    assert caught.value.reason is reason
    assert "build.unverified" in caught.value.message


def test_a_full_disk_ends_the_download_at_once_and_asks_no_other_location(tmp_path: Path) -> None:
    record = record_of(b"x" * 1000)
    with raw_server(serving(b"x" * 1000)) as server, Web() as web:
        mover = HttpMover(web, HandClock(), reserve=100, free=lambda _: 1000)
        with pytest.raises(TransientError) as caught:
            mover.fetch(record, [Location(server.url)], partial_in(tmp_path, record), Told())
        assert caught.value.reason is Reason.DISK_FULL
        assert server.asked == []


_FILLS = """
import resource, signal, sys
from pathlib import Path
from support.moving import HandClock, Told, record_of
from pawld.download.mover import HttpMover
from pawld.errors import PawldError
from pawld.model import Location
from pawld.system.http import Web
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
record = record_of(b"x" * 1_000_000)
try:
    HttpMover(Web(), HandClock(), reserve=0).fetch(
        record, [Location(one) for one in sys.argv[2:]], Path(sys.argv[1]), Told())
except PawldError as error:
    print(error.reason.code)
"""


def test_a_write_that_fails_midway_keeps_what_came(tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: the kernel refuses the write, midway."""
    record = record_of(b"x" * 1_000_000)
    path = partial_in(tmp_path, record)
    with raw_server(serving(b"x" * 1_000_000)) as server:
        command = [sys.executable, "-c", _FILLS, str(path), server.url, f"{server.url}/other"]
        tests = Path(__file__).parents[2]
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(tests)}
        )
        assert done.stdout.strip() == Reason.IO_FAILED.code
        assert server.targets == ["/"]
    assert path.stat().st_size == 300_000


@pytest.mark.parametrize("kind", ["symlink", "hardlink", "directory", "fifo"])
def test_what_is_no_file_of_its_own_is_not_written_to(tmp_path: Path, kind: str) -> None:
    record = record_of(b"x" * 10)
    path = partial_in(tmp_path, record)
    path.parent.mkdir()
    precious = tmp_path / "precious"
    precious.write_bytes(b"keep")
    match kind:
        case "symlink":
            path.symlink_to(precious)
        case "hardlink":
            path.hardlink_to(precious)
        case "fifo":
            os.mkfifo(path)
        case _:
            path.mkdir()
    with raw_server(serving(b"x" * 10)) as server, Web() as web, pytest.raises(PawldError):
        HttpMover(web, HandClock(), reserve=0).fetch(record, [Location(server.url)], path, Told())
    assert precious.read_bytes() == b"keep"


@pytest.mark.skipif(sys.platform == "win32", reason="modes and owners as Unix has them")
@pytest.mark.parametrize("kind", ["link", "open", "foreign"])
def test_a_directory_that_another_user_planted_is_refused_and_nothing_is_written_there(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = record_of(b"x" * 10)
    path = partial_in(tmp_path, record)
    planted = tmp_path / "planted"
    planted.mkdir(mode=0o700)
    if kind == "link":
        path.parent.symlink_to(planted)
    else:
        planted.rename(path.parent)
    if kind == "open":
        path.parent.chmod(0o777)
    if kind == "foreign":
        monkeypatch.setattr("pawld.download.partial._ours", lambda: (os.geteuid() + 1,))
    with raw_server(serving(b"x" * 10)) as server, Web() as web, pytest.raises(OperatorError) as caught:
        HttpMover(web, HandClock(), reserve=0).fetch(record, [Location(server.url)], path, Told())
    assert caught.value.reason is Reason.PERMISSION_DENIED
    assert str(path.parent) in caught.value.message
    assert list(path.parent.iterdir()) == []
