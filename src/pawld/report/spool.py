"""Documents that are still to be sent, each a file of its own in a directory of the state, oldest first.

A document is durable before it is sent for the first time, and its file goes when it has arrived: whatever kills this
process in between, nothing is lost, and at worst the one that was on its way is sent again. Its bounds are told in
number and bytes; what does not fit is dropped oldest first, and counted. No fault of the disk leaves this module.
"""

import json
import logging
import re
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pawld.lifecycle.schedule import LONGEST_WAIT, retry_at
from pawld.report.letter import Letter
from pawld.report.spool_state import FILES, STATE, Loss, SpoolState
from pawld.system.files import make_directory, write_durably

MOST = 1000  # documents
_LARGEST = 64 * 1024  # bytes of one document
_NAME = re.compile(r"[0-9]{12}")  # as ``put`` writes it: a file of any other name could be sent, and never removed
_LAST, _UNREADABLE = "last", "unreadable"


class Spool:
    """The spool of one receiver; safe to use from the cycle's thread and from the one that sends.

    Args:
        directory: made when it is needed; nobody else writes there.
        size: bytes of documents that are kept at most.
        most: documents that are kept at most.
    """

    def __init__(self, directory: Path, *, size: int, most: int = MOST) -> None:
        self._directory = directory
        self._size = size
        self._most = most
        self._lock = threading.RLock()
        self._unwritten: deque[Letter] = deque()  # where the disk takes nothing: the history has them too
        self._skipped: set[int] = set()  # that can be neither read nor moved aside
        self._next = 1 + max(map(_number, self._files()), default=0)
        self._state = SpoolState.read(directory / STATE)

    def put(self, document: Mapping[str, Any]) -> None:
        """Keep the document, durably where the disk allows; older ones make room for it."""
        with self._lock:
            number, self._next = self._next, self._next + 1
            try:
                make_directory(self._directory, mode=0o700)
                write_durably(self._directory / f"{number:012d}.json", json.dumps(document).encode())
            except OSError as error:
                _log().warning("A report could not be spooled, and is sent only now: %s.", error.strerror)
                self._unwritten.append(Letter(number, document))
            self._make_room()

    def first(self) -> Letter | None:
        """Return the oldest document that can be read; one that cannot is set aside, and counted."""
        with self._lock:
            for file in self._files():
                if self._unwritten and self._unwritten[0].number < _number(file):
                    break
                if _number(file) in self._skipped:
                    continue
                document = _read(file)
                if document is not None:
                    return Letter(_number(file), document, self._state.lost)
                self._set_aside(file)
            return self._unwritten[0] if self._unwritten else None

    def delivered(self, letter: Letter) -> None:
        """Forget the letter, which has arrived."""
        with self._lock:
            self._remove(letter)
            self._save(self._state.after_delivery())

    def refuse(self, letter: Letter) -> None:
        """Drop the letter, which its receiver will never take, and count it."""
        with self._lock:
            self._remove(letter)
            self._save(self._state.with_loss(Loss.REFUSED))

    def hold(self, now: datetime, asked: timedelta | None) -> None:
        """Rest after a failure: longer with each one in a row, and as long as the receiver *asked*."""
        with self._lock:
            failures = self._state.failures + 1
            self._save(self._state.resting(failures, retry_at(now, failures, asked)))

    def is_resting(self, now: datetime) -> bool:
        """Say whether nothing is to be sent yet; a rest that a changed clock made endless is none."""
        until = self._state.retry_at
        return until is not None and now < until <= now + LONGEST_WAIT

    def newest(self) -> Mapping[str, Any] | None:
        """Return the document that was put last, arrived or not; None where none can be read."""
        with self._lock:
            files = self._files()
            return _read(files[-1]) if files else _read(self._directory / _LAST)

    def _files(self) -> list[Path]:
        try:
            return sorted(file for file in self._directory.glob(FILES) if _NAME.fullmatch(file.stem))
        except OSError:
            return []

    def _remove(self, letter: Letter) -> None:
        """Take the letter out; the last one's document stays, for the next look at the history."""
        if letter in self._unwritten:
            self._unwritten.remove(letter)
            return
        file = self._directory / f"{letter.number:012d}.json"
        try:
            file.replace(self._directory / _LAST)
        except FileNotFoundError:
            return  # it had to make room meanwhile
        except OSError as error:
            self._skipped.add(letter.number)
            _log().warning("A report that was sent stays spooled, and will be sent again: %s.", error.strerror)

    def _make_room(self) -> None:
        files = [(file, _size(file)) for file in self._files()]
        total = sum(size for _, size in files)
        while len(files) > 1 and (len(files) > self._most or total > self._size):
            file, size = files.pop(0)
            total -= size
            with suppress(OSError):
                file.unlink()
            self._save(self._state.with_loss(Loss.FULL))
        while len(self._unwritten) > self._most:
            self._unwritten.popleft()
            self._save(self._state.with_loss(Loss.FULL))

    def _set_aside(self, file: Path) -> None:
        _log().warning("A spooled report cannot be read; it is kept as %s.", self._directory / _UNREADABLE)
        try:
            file.replace(self._directory / _UNREADABLE)
        except OSError:
            self._skipped.add(_number(file))
        self._save(self._state.with_loss(Loss.UNREADABLE))

    def _save(self, state: SpoolState) -> None:
        if state == self._state:
            return
        self._state = state
        with suppress(OSError):  # the disk takes nothing: what is known holds for this process
            make_directory(self._directory, mode=0o700)
            write_durably(self._directory / STATE, state.encoded())


def _read(file: Path) -> dict[str, Any] | None:
    """Return the document in *file*; None where there is none, or nothing that can be read as one."""
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST + 1)
        document = json.loads(data) if len(data) <= _LARGEST else None
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and _is_letter(document) else None


def _is_letter(document: Mapping[str, Any]) -> bool:
    """Look for what others rely on."""
    try:
        moment, reason = datetime.fromisoformat(document["at"]), document["reason"]
        words = (document["id"], document["agent"], reason["code"], reason["message"])
    except (KeyError, TypeError, ValueError):
        return False
    return moment.tzinfo is not None and all(isinstance(one, str) for one in words)


def _number(file: Path) -> int:
    return int(file.stem)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _log() -> logging.Logger:
    return logging.getLogger("pawld")
