"""A second thread that inflates the next blocks while the first thread writes files and hashes them.

Decompression, writing and hashing release the interpreter's lock, so two cores are used. The blocks go round, and they
are few and large, for each time the threads meet costs as much as many small system calls. There is one between the
reader's and the writer's, for how long a block takes differs: two of half a MiB made an update of a tree 6 to 9 %
slower, four of a quarter too. To hash in this thread, or in a third, was measured to gain nothing.
"""

from queue import SimpleQueue
from threading import Thread
from typing import Protocol

from pawld.install.archive.limits import MiB

BLOCK = MiB  # bytes; three of 2 MiB were 3 % quicker, and took an update to 59 MB
BLOCKS = 3


class Inflating(Protocol):
    """Bytes after decompression, in order."""

    def readinto(self, into: memoryview, /) -> int:
        """Fill the beginning of *into*; 0 only at the proper end. ``RejectedError`` where the stream is broken."""


class Ahead:
    """Blocks of *source*, inflated ahead of need. ``close`` must be called."""

    def __init__(self, source: Inflating) -> None:
        self._source = source
        self._full: SimpleQueue[memoryview | BaseException] = SimpleQueue()
        self._free: SimpleQueue[memoryview | None] = SimpleQueue()
        for _ in range(BLOCKS):
            self._free.put(memoryview(bytearray(BLOCK)))
        self._thread = Thread(target=self._work, name="pawld-inflate", daemon=True)
        self._thread.start()

    def next(self, used: memoryview | None) -> memoryview:
        """Give back the block *used*, and return the next one; an empty one is the end, after which there is none."""
        if used is not None:
            self._free.put(used)
        block = self._full.get()
        if isinstance(block, BaseException):
            raise block
        return block

    def close(self) -> None:
        """End the thread, as soon as its source has answered."""
        while not self._free.empty():
            self._free.get()
        self._free.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (block := self._free.get()) is not None:
            try:
                filled = self._fill(block)
            except BaseException as error:  # noqa: BLE001 - it is raised again in the other thread
                self._full.put(error)
                return
            self._full.put(block[:filled])
            if not filled:
                return

    def _fill(self, block: memoryview) -> int:
        filled = 0
        while filled < len(block):
            got = self._source.readinto(block[filled:])
            if not got:
                break
            filled += got
        return filled
