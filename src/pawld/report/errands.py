"""Work that is done beside the cycle: a move never waits for it, and the end of the process only for a while."""

import threading
from collections.abc import Callable
from datetime import timedelta
from queue import SimpleQueue

PATIENCE = timedelta(seconds=10)  # for what is still to be done when the cycle is over

Errand = Callable[[], None]


class Errands:
    """Does one errand after the other in a thread of its own."""

    def __init__(self, patience: timedelta = PATIENCE) -> None:
        self._patience = patience
        self._bag: SimpleQueue[Errand | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def do(self, errand: Errand) -> None:
        """Take the errand, which raises nothing; the first one starts the thread."""
        if self._thread is None:
            # A daemon thread: a server that never answers must not keep the process from ending.
            self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
            self._thread.start()
        self._bag.put(errand)

    def close(self) -> None:
        """Wait for what is on its way, for so long as there is patience."""
        if self._thread is not None:
            self._bag.put(None)
            self._thread.join(self._patience.total_seconds())

    def _run(self) -> None:
        while (errand := self._bag.get()) is not None:
            errand()
