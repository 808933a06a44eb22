"""Root's side of the reader behind walls: takes members out of frames, and writes them by the rules of every archive.

What comes is no better than an archive from a stranger. Every name, size, mode, link and cap is judged by the same
``Writer`` that judges archives; its digests are taken here, of what is written here.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any, BinaryIO

from pawld.install.archive import behind_walls as reader
from pawld.install.archive.limits import KiB, Limits, refused
from pawld.install.archive.writer import Writer, Written, unlisted
from pawld.ports import Listed, Progress
from pawld.system.drip import WINDOW, Drip
from pawld.system.faults import host_faults
from pawld.system.walls import BrokenChannelError, Channel, Walls, reader_failed
from pawld.system.walls.channel import document_of
from pawld.system.words import printable

MODULE = "pawld.install.archive.behind_walls"
WHAT = "reads archives"
SILENCE = timedelta(minutes=5)  # a reader that has input and tells nothing for so long hangs
DEADLINE = timedelta(hours=12)  # of waiting for it, as for a download; while it waits for input itself, nothing counts
_BLOCK = 256 * KiB  # bytes
_PIPE = 1024 * KiB  # bytes; the most that Linux gives unless told otherwise
_SAID = 1000  # characters of a refusal


class WalledUnpack:
    """Does what ``unpack`` does, with the reading of the archive behind *walls*."""

    def __init__(
        self, walls: Walls, silence: timedelta = SILENCE, *, window: timedelta = WINDOW, deadline: timedelta = DEADLINE
    ) -> None:
        self._walls = walls
        self._silence = silence
        self._window = window
        self._deadline = deadline

    def __call__(
        self, stream: BinaryIO, form: str, into: Path, limits: Limits, progress: Progress, listed: Listed = unlisted
    ) -> Written:
        """Unpack as ``unpack`` does; ``TransientError`` (reader_failed) too, where the child does not do its work.

        No list is sent for: what another process hands over is as good as a stranger's, so it is hashed here.
        """
        del listed
        with host_faults("Unpacking the build"), ExitStack() as stack:
            writer = stack.enter_context(closing(Writer(into, limits, progress)))
            given = stack.enter_context(_given(stream))
            child = stack.enter_context(self._walls.child(MODULE, WHAT, given.descriptor))
            given.hand_over()
            drip = Drip(window=self._window, whole=self._deadline)
            child.channel.wait_for(self._silence, given.is_awaited, drip=drip)
            child.channel.tell(reader.ASK, reader.request(form, limits))
            child.channel.flush()
            writer.start()
            _take(child.channel, writer)
            return writer.finish()


def _take(channel: Channel, writer: Writer) -> None:
    """Write every member that is told of, up to the end; ``RejectedError`` where the reader refuses the archive."""
    while True:
        kind, content = channel.receive()
        match kind:
            case reader.FILE:
                name, size, mode = _told(content, str, int, int)
                writer.file(name, size, mode, _pieces(channel, size))
            case reader.FOLDER:
                writer.folder(*_told(content, str))
            case reader.LINK:
                writer.link(*_told(content, str, str))
            case reader.OTHER:
                writer.count_other()
            case reader.END:
                return
            case _:
                raise _ended(kind, content)


def _pieces(channel: Channel, size: int) -> Iterator[memoryview]:
    """Yield what a file holds: exactly *size* bytes."""
    while size > 0:
        kind, content = channel.receive()
        if kind != reader.DATA:
            raise _ended(kind, content)
        if not 0 < len(content) <= size:
            raise BrokenChannelError("it sent a file of another length than it said")
        size -= len(content)
        yield content


def _told(content: memoryview, *kinds: type) -> list[Any]:
    document = document_of(content)
    parts = document if isinstance(document, list) else [document]
    if [type(one) for one in parts] != list(kinds) or any(isinstance(one, int) and one < 0 for one in parts):
        raise BrokenChannelError("it told of a member in another form than it should")
    return parts


def _ended(kind: bytes, content: memoryview) -> Exception:
    """What it means that something else comes than the next member."""
    said = bytes(content[:_SAID]).decode("utf-8", "replace")
    if kind == reader.REFUSED:
        return refused(printable(said, _SAID))
    if kind == reader.FAILED:
        return reader_failed(WHAT, f"it came to its limits ({said!a})")
    return BrokenChannelError("it said what is no part of an archive")


class _Given:
    """What the child reads: a descriptor of its own, handed over once."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._handed_over = False

    def hand_over(self) -> None:
        """Keep no hold on it: the child alone has it now."""
        if not self._handed_over:
            self._handed_over = True
            os.close(self.descriptor)

    def is_awaited(self) -> bool:
        """Whether the child may be waiting for input that is not there yet."""
        return False


class _Fed(_Given):
    """A pipe, and the thread that fills it from a stream which proves its bytes as they pass."""

    def __init__(self, stream: BinaryIO) -> None:
        reading, self._writing = os.pipe()
        _widen(self._writing)
        super().__init__(reading)
        self._stream = stream
        self._waiting = False
        self._fault: BaseException | None = None
        self._thread = Thread(target=self._feed, name="pawld-feed", daemon=True)
        self._thread.start()

    def is_awaited(self) -> bool:
        return self._waiting

    def end(self) -> None:
        """Wait for the thread, as soon as its stream has answered; raise what the stream raised."""
        self._thread.join()
        if self._fault is not None:
            raise self._fault

    def _feed(self) -> None:
        try:
            while block := self._next():
                view = memoryview(block)
                while view:
                    view = view[os.write(self._writing, view) :]
        except BrokenPipeError:
            pass  # the child is gone; why is for the other thread to find out
        except BaseException as error:  # noqa: BLE001 - it is raised again in the other thread
            self._fault = error
        finally:
            os.close(self._writing)

    def _next(self) -> bytes:
        self._waiting = True
        try:
            return self._stream.read(_BLOCK)
        finally:
            self._waiting = False


def _widen(pipe: int) -> None:
    """Let a whole chunk fit, where the system does: with the usual 64 KiB both ends wait for each other."""
    import fcntl  # noqa: PLC0415 - not on Windows

    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)


@contextmanager
def _given(stream: BinaryIO) -> Iterator[_Given]:
    """Lend *stream* to a child: a file by a descriptor that can only be read, anything else through a pipe."""
    own = _opened_to_read(stream)
    given = _Given(own) if own is not None else _Fed(stream)
    try:
        yield given
    finally:
        given.hand_over()
        if isinstance(given, _Fed):
            given.end()


def _opened_to_read(stream: BinaryIO) -> int | None:
    """Open the very file once more, for reading alone: the descriptor that is held may write."""
    try:
        held = stream.fileno()
    except (OSError, AttributeError):
        return None
    place = stream.tell()
    descriptor = os.open(f"/proc/self/fd/{held}", os.O_RDONLY | os.O_CLOEXEC)
    os.lseek(descriptor, place, os.SEEK_SET)
    return descriptor
