"""A thread that works ahead into a ring of buffers, while the consumer is busy with the one before."""

import threading
from collections.abc import Callable, Generator
from queue import SimpleQueue

BUFFERS = 3  # one with the consumer, one being filled, one between: bounded memory, and no lockstep

MEMORY = 2 * 1024 * 1024  # bytes; chunks of a megabyte and more take turns in two buffers, which is the least


class StoppedError(Exception):
    """The consumer left; the producer unwinds."""


class Ring:
    """Two to *BUFFERS* reused buffers of *size* bytes between one producer thread and one consumer.

    ``run`` is the consumer's side, ``free`` and ``ready`` the producer's.
    """

    def __init__(self, size: int) -> None:
        self._free: SimpleQueue[memoryview | None] = SimpleQueue()
        self._ready: SimpleQueue[tuple[memoryview, memoryview] | BaseException | None] = SimpleQueue()
        self._stopped = threading.Event()
        for _ in range(max(2, min(BUFFERS, MEMORY // max(size, 1)))):
            self._free.put(memoryview(bytearray(size)))

    def free(self) -> memoryview:
        """Return a buffer to fill, waiting for one; ``StoppedError`` where nobody wants it any more."""
        buffer = self._free.get()
        if buffer is None or self._stopped.is_set():
            raise StoppedError
        return buffer

    def ready(self, buffer: memoryview, filled: int) -> None:
        """Hand the first *filled* bytes of *buffer* to the consumer."""
        self._ready.put((buffer, buffer[:filled]))

    def check(self) -> None:
        """``StoppedError`` where the consumer has left."""
        if self._stopped.is_set():
            raise StoppedError

    def run(self, produce: Callable[[], None], interrupt: Callable[[], None]) -> Generator[memoryview]:
        """Run *produce* in a thread and yield what it made ready; its failure is raised here, in order.

        Whatever ends the iteration, the thread is gone afterwards; *interrupt* wakes it from a read.
        """
        thread = threading.Thread(target=self._produce, args=(produce,), name="pawld-download", daemon=True)
        thread.start()
        try:
            while (item := self._ready.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                buffer, view = item
                yield view
                self._free.put(buffer)
        finally:
            self._stopped.set()
            self._free.put(None)
            if thread.is_alive():
                interrupt()
            thread.join()

    def _produce(self, produce: Callable[[], None]) -> None:
        try:
            produce()
        except StoppedError:
            pass
        except BaseException as error:  # noqa: BLE001 - it is raised again, in the consumer's thread
            self._ready.put(error)
        else:
            self._ready.put(None)
