"""Make reading fail: each look at what lies below a directory, a file's bytes, a link, a name or a row of the database.

What is called through the C library or in other processes is not met; ``cuts`` does the calls that write.
"""

import builtins
import io
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crash.cuts import WatchedConnection

# Through these Python reads: pathlib takes io.open, others builtins.open.
_LOOKS = ((builtins, "open"), (io, "open"), (os, "readlink"), (os, "scandir"), (os, "listdir"), (os, "open"))


def look(path: object) -> None:
    """Stand for a look at *path*; ``failing`` replaces it."""


class ReadConnection(WatchedConnection):
    """A connection whose questions are looks at its database."""

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        """Ask, unless the disk fails."""
        if sql.lstrip().startswith("SELECT"):
            try:
                look(None)
            except OSError as fault:
                raise sqlite3.OperationalError("disk I/O error") from fault
        return super().execute(sql, *values)


@contextmanager
def failing(at: int, number: int, below: Path, *, lasting: bool) -> Iterator[list[str]]:
    """Raise ``OSError`` *number* at the look number *at*, and where it is *lasting* at each later one of the same."""
    seen: list[str] = []
    bad: list[str] = []

    def fail(path: object) -> None:
        name = "rows of the database" if path is None else os.fspath(path) if isinstance(path, str | Path) else ""
        if path is not None and not str(name).startswith(str(below)):
            return
        seen.append(str(name))
        if len(seen) == at:
            bad.append(str(name))
        if bad and (len(seen) == at or (lasting and name in bad)):
            raise OSError(number, os.strerror(number), str(name))

    with _watching(fail):
        yield seen


@contextmanager
def _watching(fail: Callable[[object], None]) -> Iterator[None]:
    originals = [(place, name, getattr(place, name)) for place, name in _LOOKS]

    def watched(original: Callable[..., Any]) -> Callable[..., Any]:
        def call(path: Any = ".", *arguments: Any, **options: Any) -> Any:
            if _reads(original, arguments, options):
                fail(path)
            return original(path, *arguments, **options)

        return call

    global look  # noqa: PLW0603 - the connection asks by this name
    before, look = look, fail
    try:
        for place, name, original in originals:
            setattr(place, name, watched(original))
        yield
    finally:
        look = before
        for place, name, original in originals:
            setattr(place, name, original)


def _reads(original: object, arguments: tuple[Any, ...], options: dict[str, Any]) -> bool:
    """Whether the call opens to read; what is opened to write is for ``cuts``."""
    given = arguments[0] if arguments else options.get("mode", options.get("flags", "r"))
    if isinstance(given, int) and original is os.open:
        return not given & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    return not isinstance(given, str) or not set(given) & set("wax+")
