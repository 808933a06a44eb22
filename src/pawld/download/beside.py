"""A small file that is brought while a build comes: a help, which nobody waits for and nobody needs.

No place is at fault for not having it: no mirror rests for it, and nothing of it is kept on the disk.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING

from pawld.download.replies import refusal
from pawld.download.ways import Ways, place_of
from pawld.errors import PawldError, RejectedError
from pawld.model import Location

if TYPE_CHECKING:
    from pawld.system.http import Answer

DEADLINE = timedelta(seconds=30)  # for one place; by then the build is here, or its files are being hashed
_PARTING = 1.0  # seconds that a thread which is told to end is waited for
_OK = 200
_log = logging.getLogger("pawld.download")


class Beside:
    """Brings one file of at most *limit* bytes in a thread of its own, from the first place that has it.

    Args:
        accept: is handed the file in that thread; a ``PawldError`` of its is that place's.
    """

    def __init__(
        self,
        ways: Ways,
        places: Sequence[Location],
        limit: int,
        accept: Callable[[bytes], None],
        now: Callable[[], datetime],
    ) -> None:
        self._ways = ways
        self._places = places
        self._limit = limit
        self._accept = accept
        self._now = now
        self._stopped = Event()
        self._answer: Answer | None = None
        self._thread = Thread(target=self._work, name="pawld-beside", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Wake the thread from a read, and wait a moment for it; one that is still connecting ends by itself."""
        self._stopped.set()
        answer = self._answer
        if answer is not None:
            answer.abort()
        self._thread.join(_PARTING)

    def _work(self) -> None:
        for place in self._places:
            if self._stopped.is_set():
                return
            try:
                self._accept(self._brought(place))
            except PawldError as fault:
                told = logging.WARNING if isinstance(fault, RejectedError) else logging.DEBUG  # it may well have none
                _log.log(told, "Nothing is taken from %s: %s", place_of(place), fault.message)
            else:
                return

    def _brought(self, place: Location) -> bytes:
        with self._ways.get(place, headers={}, deadline=DEADLINE) as answer:
            self._answer = answer
            try:
                if answer.status != _OK:
                    raise refusal(answer, self._now())
                return answer.whole(self._limit)
            finally:
                self._answer = None
