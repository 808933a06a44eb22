"""Both ends of the reader behind walls, the child's in this process: what goes in comes out as without walls."""

import ctypes
import errno
import fcntl
import hashlib
import io
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from support.archives import END, PACKERS, Untold, ZipMember, everything_below, member, unpacked, zipped
from support.liars import USER

from pawld.errors import RejectedError, TransientError
from pawld.formats.tree import ListedFiles
from pawld.install.archive import Limits, Links, behind_walls, unpack
from pawld.install.archive.behind_walls import ASK, request, request_of, serve
from pawld.install.archive.walled import WalledUnpack, _given
from pawld.model import Unpacked
from pawld.reasons import Reason
from pawld.system.walls import BrokenChannelError, Channel, Walls, bare_environment, walls_for
from pawld.system.walls.channel import document_of
from pawld.system.walls.plain import decoded, encoded

FILES = member("bin/agent", b"code" * 100_000, mode=b"0000755\0") + member("lib/data", b"x")
GOOD = FILES + member("lib/link", b"", kind=b"2", link="data") + member("empty/", b"", kind=b"5") + END
INSIDE = Limits(links=Links.INSIDE)


class Beside:
    """Walls that are none: the child is a thread of this process."""

    @contextmanager
    def child(self, *module_and_what_and_stdin: Any) -> Iterator["Beside"]:
        stdin = module_and_what_and_stdin[-1]
        ours, theirs = socket.socketpair()
        self.channel, other = Channel(ours), Channel(theirs)
        file = os.fdopen(os.dup(stdin), "rb")
        thread = threading.Thread(target=self._serve, args=(file, other))
        thread.start()
        try:
            yield self
        finally:
            self.channel.close()
            thread.join()

    @staticmethod
    def _serve(file: BinaryIO, channel: Channel) -> None:
        with file, closing(channel), suppress(BrokenChannelError):
            serve(file, channel)


def beside(silence: timedelta = timedelta(seconds=20)) -> WalledUnpack:
    return WalledUnpack(Beside(), silence)  # type: ignore[arg-type]  # of the same form


@contextmanager
def on_disk(data: bytes) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as file:
        file.write(b"before" + data)
        file.seek(len(b"before"))
        yield file


@pytest.mark.parametrize("form", [*PACKERS, "zip"])
def test_a_build_becomes_the_same_files_as_without_walls(form: str, tmp_path: Path) -> None:
    data = zipped([ZipMember(b"bin/agent", b"code" * 100_000)]) if form == "zip" else GOOD
    packed = data if form == "zip" else PACKERS[form](data)
    limits = Limits() if form == "zip" else INSIDE
    (tmp_path / "walled").mkdir()
    with tempfile.TemporaryFile() as file:
        file.write(packed)
        file.seek(0)
        written = beside()(file, form, tmp_path / "walled", limits, Untold())
    plain = unpacked(packed, form, tmp_path / "plain", limits)
    assert (list(written.entries), written.directories) == (list(plain.entries), plain.directories)
    assert everything_below(tmp_path / "walled") == everything_below(tmp_path / "plain")


def test_a_file_is_read_from_where_it_stands_by_a_descriptor_that_cannot_write(tmp_path: Path) -> None:
    with on_disk(PACKERS["tar.zst"](GOOD)) as file:
        written = beside()(file, "tar.zst", tmp_path, INSIDE, Untold())
        assert file.tell() == len(b"before")
    assert [one.path for one in written.entries] == ["bin/agent", "lib/data", "lib/link"]
    with on_disk(b"") as file, _given(file) as given:
        assert fcntl.fcntl(given.descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY


def test_no_list_speaks_for_what_another_process_hands_over(tmp_path: Path) -> None:
    def listed() -> ListedFiles:
        raise AssertionError("the list was asked for")

    with on_disk(PACKERS["tar.zst"](GOOD)) as file:
        written = beside()(file, "tar.zst", tmp_path, INSIDE, Untold(), listed)
    assert [one.sha256 for one in written.entries if one.target is None] == [
        hashlib.sha256(one).hexdigest() for one in (b"code" * 100_000, b"x")
    ]


def test_a_stream_that_is_no_file_is_fed_through_a_pipe(tmp_path: Path) -> None:
    written = beside()(io.BytesIO(PACKERS["tar.xz"](GOOD)), "tar.xz", tmp_path, INSIDE, Untold())
    assert written.totals == Unpacked(400_001, 2)


@pytest.mark.parametrize(
    ("form", "data", "words"),
    [
        ("tar.gz", PACKERS["tar.gz"](GOOD)[:-20], "cut off"),
        ("tar.gz", PACKERS["tar.gz"](GOOD), "symbolic link"),
        ("tar.lz4", b"x", "no reader for builds in the format 'tar.lz4'"),
    ],
)
def test_a_refusal_is_the_same_sentence(form: str, data: bytes, words: str, tmp_path: Path) -> None:
    sentences = []
    for number, reader in enumerate((beside(), unpack)):
        (tmp_path / str(number)).mkdir()
        with pytest.raises(RejectedError, match=words) as caught:
            reader(io.BytesIO(data), form, tmp_path / str(number), Limits(), Untold())
        sentences.append(caught.value.message)
    assert sentences[0] == sentences[1]


class Failing(io.RawIOBase):
    """A stream whose owner raises in the middle."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error
        self._parts = [PACKERS["tar.gz"](GOOD)[:50]]

    def read(self, _size: int = -1, /) -> bytes:
        if not self._parts:
            raise self._error
        return self._parts.pop()


def test_what_the_stream_raises_comes_out_and_not_what_the_child_makes_of_it(tmp_path: Path) -> None:
    cut = TransientError(Reason.TRANSFER_CUT, "The server closed the connection.")
    threads = threading.active_count()
    with pytest.raises(TransientError) as caught:
        beside()(Failing(cut), "tar.gz", tmp_path, Limits(), Untold())  # type: ignore[arg-type]  # it is only read
    assert caught.value is cut
    assert threading.active_count() == threads


def test_a_disk_that_fails_while_reading_is_a_fault_of_the_host(tmp_path: Path) -> None:
    stream = Failing(OSError(errno.EIO, "Input/output error"))
    with pytest.raises(TransientError) as caught:
        beside()(stream, "tar.gz", tmp_path, Limits(), Untold())  # type: ignore[arg-type]  # it is only read
    assert caught.value.reason is Reason.IO_FAILED


def test_a_slow_stream_is_waited_for_longer_than_a_silent_child(tmp_path: Path) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            time.sleep(0.4)
            return super().read(size)

    written = beside(timedelta(milliseconds=150))(Slow(PACKERS["tar.gz"](GOOD)), "tar.gz", tmp_path, INSIDE, Untold())
    assert written.totals.files == 2


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.EMFILE, "Too many open files")])
def test_a_child_at_its_limits_says_nothing_against_the_build(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise error

    monkeypatch.setattr(behind_walls, "read_tar", read)
    with pytest.raises(TransientError) as caught:
        beside()(io.BytesIO(PACKERS["tar.gz"](GOOD)), "tar.gz", tmp_path, Limits(), Untold())
    assert caught.value.reason is Reason.READER_FAILED
    assert "came to its limits" in caught.value.message


def test_a_child_that_is_asked_nothing_leaves() -> None:
    one, other = (Channel(end) for end in socket.socketpair())
    with closing(one), closing(other):
        one.send(b"x", b"[]")
        with pytest.raises(BrokenChannelError):
            serve(io.BytesIO(), other)


def test_the_program_loads_goes_behind_the_walls_serves_and_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (Channel(end) for end in socket.socketpair())
    (tmp_path / "build").write_bytes(PACKERS["tar.gz"](member("small", b"x") + END))
    entered: list[object] = []
    left: list[int] = []
    monkeypatch.setattr(behind_walls, "enter", lambda words, **limits: entered.append((words, limits)) or other)
    monkeypatch.setattr(behind_walls, "leave", left.append)
    with closing(one), closing(other), (tmp_path / "build").open() as build:
        monkeypatch.setattr("sys.stdin", build)
        one.tell(ASK, request("tar.gz", Limits()))
        one.flush()
        behind_walls.main(["1", "2"])
        assert one.receive()[0] == behind_walls.FILE
    assert entered == [(["1", "2"], {"descriptors": 0, "cpu": behind_walls.CPU})]
    assert left == [0]


@pytest.mark.parametrize("stated", [None, Unpacked(5, 1)])
def test_a_request_reads_back_as_it_was_made(stated: Unpacked | None) -> None:
    limits = Limits.of(stated, Links.INSIDE)
    assert request_of(decoded(encoded(request("tar.gz", limits)))) == ("tar.gz", limits)
    assert ASK


@pytest.mark.rig("root")
def test_a_real_child_can_open_nothing_and_start_nothing(tmp_path: Path) -> None:
    script = tmp_path / "curious.py"
    script.write_text(CURIOUS + TELLING)
    walls = walls_for(USER)
    assert isinstance(walls, Walls)
    command = [sys.executable, "-P", "-B", str(script)]
    with Walls(USER, walls.uid, walls.gid, lambda _: command).child("curious", "tries") as child:
        kind, found = child.channel.receive()
    assert (kind, document_of(found)) == (b"r", ["EMFILE", "EMFILE", "EAGAIN", "EPERM", "EPERM", "EFBIG"])


def has_landlock(version: int = 1) -> bool:
    version_alone = 1  # LANDLOCK_CREATE_RULESET_VERSION
    return int(ctypes.CDLL(None).syscall(444, None, 0, version_alone)) >= version


@pytest.mark.rig("root")
def test_a_real_child_leaves_nothing_in_the_file_system(tmp_path: Path) -> None:
    """Not even an empty file, which the limits would let it make."""
    if not has_landlock():
        pytest.skip("this kernel has no Landlock")
    script = tmp_path / "curious.py"
    script.write_text(MAKING + TELLING)
    walls = walls_for(USER)
    assert isinstance(walls, Walls)
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        Path(place).chmod(0o777)
        (Path(place) / "there").write_bytes(b"x")
        (Path(place) / "there").chmod(0o666)
        command = [sys.executable, "-P", "-B", str(script), place]
        with Walls(USER, walls.uid, walls.gid, lambda _: command).child("curious", "tries") as child:
            kind, found = child.channel.receive()
        assert (kind, document_of(found)) == (b"r", ["EACCES"] * 9 + ["EACCES" if has_landlock(3) else "done"])
        assert everything_below(Path(place)).keys() == {"there"}


@pytest.mark.rig("root")
def test_a_real_child_reaches_no_other_process_of_its_user(tmp_path: Path) -> None:
    """Not another child either, which it could stop."""
    if not has_landlock(6):
        pytest.skip("this kernel's Landlock keeps no signal in")
    script = tmp_path / "curious.py"
    script.write_text(REACHING + TELLING)
    walls = walls_for(USER)
    assert isinstance(walls, Walls)
    name = f"pawld-{os.getpid()}"
    with (
        socket.socket(socket.AF_UNIX) as abstract,
        subprocess.Popen(["sleep", "60"], user=walls.uid, env=bare_environment()) as other,
    ):
        abstract.bind(f"\0{name}")
        abstract.listen()
        command = [sys.executable, "-P", "-B", str(script), name, str(other.pid)]
        with Walls(USER, walls.uid, walls.gid, lambda _: command).child("curious", "tries") as child:
            kind, found = child.channel.receive()
        other.kill()
    assert (kind, document_of(found)) == (b"r", ["EPERM", "EPERM", "done"])


TELLING = """
import errno
found = []
for attempt in attempts:
    try:
        attempt()
        found.append("done")
    except OSError as error:
        found.append(errno.errorcode[error.errno])
channel.tell(b"r", found)
channel.flush()
"""


REACHING = """
import os, signal, socket, sys
from pawld.system.walls.inside import enter
name, other = sys.argv[1:3]
channel = enter(sys.argv[3:], descriptors=64)
attempts = (
    lambda: os.kill(int(other), signal.SIGSTOP),
    lambda: socket.socket(socket.AF_UNIX).connect(f"\\0{name}"),
    lambda: os.kill(os.getpid(), signal.SIGCONT),
)
"""


MAKING = """
import os, sys
from pawld.system.walls.inside import enter
place = sys.argv[1]
channel = enter(sys.argv[2:], descriptors=64)
os.close(os.open("/etc/passwd", os.O_RDONLY))
os.listdir("/")
attempts = (
    lambda: os.open(f"{place}/file", os.O_WRONLY | os.O_CREAT),
    lambda: os.open(f"{place}/there", os.O_WRONLY),
    lambda: os.mkdir(f"{place}/folder"),
    lambda: os.symlink("x", f"{place}/link"),
    lambda: os.link(f"{place}/there", f"{place}/twin"),
    lambda: os.mkfifo(f"{place}/fifo"),
    lambda: os.rename(f"{place}/there", f"{place}/moved"),
    lambda: os.unlink(f"{place}/there"),
    lambda: os.execv("/bin/true", ["true"]),
    lambda: os.truncate(f"{place}/there", 0),
)
"""


CURIOUS = """
import os, socket, sys, tempfile
from pawld.system.walls.inside import enter
file = tempfile.TemporaryFile(buffering=0)
channel = enter(sys.argv[1:], descriptors=0)
attempts = (
    lambda: os.open("/etc/passwd", os.O_RDONLY),
    socket.socket,
    os.fork,
    lambda: os.setresuid(0, 0, 0),
    lambda: os.kill(os.getppid(), 0),
    lambda: file.write(b"x"),
)
"""
