"""Cut the power, or make the disk fail, at each mutating call of a piece of code, inside this very process.

After a cut nothing may change the disk any more: ``finally`` blocks and ``except`` clauses run, as Python has it, and
each of their writes is refused too, since a host without power writes nothing. ``PowerCut`` is a ``BaseException`` so
that no handler under test can swallow it.
"""

import errno
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pawld.system import files

# Every function of os through which a name, a mode, a byte or its durability changes.
OS_CALLS = (
    "open",
    "close",
    "write",
    "writev",
    "pwrite",
    "sendfile",
    "copy_file_range",
    "fsync",
    "fdatasync",
    "sync",
    "rename",
    "replace",
    "renames",
    "link",
    "symlink",
    "unlink",
    "remove",
    "mkdir",
    "rmdir",
    "truncate",
    "ftruncate",
    "posix_fallocate",
    "chmod",
    "fchmod",
    "utime",
)
# What Python has no function for, and files.py calls in the C library.
FILES_CALLS = ("exchange", "sync_filesystem")
LOOK = "open to read"
# Code asks these which calls take descriptors; a watched call takes what the original took.
_ABILITIES = (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks)


class PowerCut(BaseException):
    """The host lost power here."""


def commit() -> None:
    """Stand for a commit of SQLite, which calls no function of os; ``WatchedConnection`` calls it."""


class WatchedConnection(sqlite3.Connection):
    """A connection whose commits are watched; give it to ``sqlite3.connect`` as its factory."""

    def __exit__(self, kind: Any, error: Any, trace: Any) -> Any:  # noqa: PYI036 - as typeshed has it
        """Commit, unless the power is cut or the disk fails before; then nothing of it is there."""
        if kind is None:
            try:
                commit()
            except OSError as fault:
                super().__exit__(type(fault), fault, None)
                full = fault.errno in (errno.ENOSPC, errno.EDQUOT)
                raise sqlite3.OperationalError("database or disk is full" if full else "disk I/O error") from fault
            except BaseException as cut:
                super().__exit__(type(cut), cut, None)
                raise
        return super().__exit__(kind, error, trace)


@dataclass(slots=True)
class Calls:
    """What was called, in order; ``names[k - 1]`` is the k-th."""

    names: list[str] = field(default_factory=list)


Before = Callable[[int, str], None]


@contextmanager
def watching(before: Before) -> Iterator[Calls]:
    """Call *before* with number and name ahead of every mutating call; what it raises, the call raises."""
    calls = Calls()
    places = [(os, name) for name in OS_CALLS if hasattr(os, name)] + [(files, name) for name in FILES_CALLS]
    places.append((sys.modules[__name__], "commit"))
    originals = [(place, name, getattr(place, name)) for place, name in places]

    def watched(original: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if arguments[:1] == (os.devnull,):
                return original(*arguments, **options)  # a sick disk has it as well; it is how programs are started
            calls.names.append(LOOK if name == "open" and _only_reads(*arguments[1:2]) else name)
            before(len(calls.names), calls.names[-1])
            return original(*arguments, **options)

        return call

    wrapped = [(place, name, original, watched(original, name)) for place, name, original in originals]
    able = [(ability, call) for ability in _ABILITIES for _, _, original, call in wrapped if original in ability]
    try:
        for place, name, _, call in wrapped:
            setattr(place, name, call)
        for ability, call in able:
            ability.add(call)
        yield calls
    finally:
        for ability, call in able:
            ability.discard(call)
        for place, name, original in originals:
            setattr(place, name, original)


@contextmanager
def power_cut(at: int) -> Iterator[Calls]:
    """Raise ``PowerCut`` instead of the call number *at*, and instead of every later one."""

    def cut(number: int, name: str) -> None:
        if number >= at:
            raise PowerCut(name)

    with watching(cut) as calls:
        yield calls


@contextmanager
def fault(at: int, number: int, *, lasting: bool) -> Iterator[Calls]:
    """Raise ``OSError`` *number* instead of the call *at*; where it is *lasting*, instead of every later one too.

    Closing always works: a descriptor that leaked for an injected fault would be the test's own fault. And what lasts
    is that nothing can be written, not that nothing can be read.
    """

    def fail(position: int, name: str) -> None:
        if name != "close" and (position == at or (lasting and position > at and name != LOOK)):
            raise OSError(number, os.strerror(number))

    with watching(fail) as calls:
        yield calls


def _only_reads(flags: int = os.O_RDONLY) -> bool:
    return not flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR)


def calls_of(act: Callable[[], object]) -> list[str]:
    """Return the names of every mutating call of one whole run."""
    with watching(lambda _number, _name: None) as calls:
        act()
    return calls.names
