"""The state database: opened, or set aside and begun anew; unreadable state never stops the agent.

SQLite in ``TRUNCATE`` mode with ``synchronous=FULL`` makes each commit durable before it returns
(sqlite.org/pragma.html).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pawld.errors import OperatorError, TransientError
from pawld.reasons import Reason
from pawld.system.files import fsync_directory, make_directory

_SCHEMA = """
CREATE TABLE IF NOT EXISTS states (agent TEXT PRIMARY KEY, document TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS facts (agent TEXT, name TEXT, value TEXT NOT NULL, PRIMARY KEY (agent, name)) STRICT;
CREATE TABLE IF NOT EXISTS marks (agent TEXT, name TEXT, value INTEGER NOT NULL, PRIMARY KEY (agent, name)) STRICT;
CREATE TABLE IF NOT EXISTS attempts (
  agent TEXT, sha256 TEXT, count INTEGER NOT NULL, PRIMARY KEY (agent, sha256)) STRICT;
CREATE TABLE IF NOT EXISTS blocked (
  agent TEXT, sha256 TEXT, version TEXT NOT NULL, cause TEXT NOT NULL, until TEXT, lifted_by TEXT NOT NULL,
  message TEXT NOT NULL, times INTEGER NOT NULL, environment TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (agent, version, sha256)) STRICT;
CREATE TABLE IF NOT EXISTS history (
  id INTEGER PRIMARY KEY, at TEXT NOT NULL, agent TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
  message TEXT NOT NULL, version TEXT, sha256 TEXT) STRICT;
PRAGMA user_version = 2;
"""
_BUSY_TIMEOUT = 10  # seconds that a reader waits for a commit
_KNOWN_SCHEMA = 2
# What the schema of each version added to tables that were there before.
_ADDED = {1: "ALTER TABLE blocked ADD COLUMN environment TEXT NOT NULL DEFAULT '';"}


class Database:
    """An open state database.

    Attributes:
        set_aside: where an unreadable predecessor was moved, or None.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, set_aside: Path | None) -> None:
        self.path = path
        self.set_aside = set_aside
        self._connection = connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit all that is done inside, durably, or nothing of it; within another one, the outer one commits."""
        if self._connection.in_transaction:
            yield self._connection
            return
        with _host_faults(self.path), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection

    def rows(self, query: str, *values: object) -> list[tuple[str, ...]]:
        """Return what *query* finds."""
        with _host_faults(self.path):
            return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Close it; a second time is no error."""
        self._connection.close()


def open_database(path: Path, now: datetime) -> Database:
    """Open *path* for writing, creating it; an unreadable one is set aside under a name with the time in it."""
    with _host_faults(path):
        make_directory(path.parent, mode=0o700)
        try:
            return Database(path, _connected(path), None)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and path.exists() and _looks_whole(path):
                raise
        aside = _moved_aside(path, now)
        return Database(path, _connected(path), aside)


def open_for_reading(path: Path) -> Database | None:
    """Open *path* without changing anything; None where it is missing or damaged.

    ``OperatorError`` (permission_denied) where it is there, and is not for us: that is not the same as nothing.
    """
    _refuse_what_is_not_ours(path)
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_BUSY_TIMEOUT)
    except sqlite3.OperationalError:
        return None
    try:
        connection.execute("SELECT count(*) FROM states").fetchall()
    except sqlite3.DatabaseError:
        connection.close()
        return None
    return Database(path, connection, None)


def _refuse_what_is_not_ours(path: Path) -> None:
    try:
        with path.open("rb"):
            return
    except PermissionError as error:
        raise OperatorError(
            Reason.PERMISSION_DENIED, f"The state database {path} cannot be read: {error.strerror}."
        ) from error
    except OSError:
        return


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT)
    try:
        connection.execute("PRAGMA journal_mode = TRUNCATE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA fullfsync = ON")  # macOS: through the drive's cache as well
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        # A newer schema only ever adds to this one: pawld itself may have been rolled back.
        if version < _KNOWN_SCHEMA:
            connection.executescript(f"BEGIN IMMEDIATE; {_ADDED.get(version, '')} {_SCHEMA} COMMIT;")
            path.chmod(0o600)
            fsync_directory(path.parent)
        _check_for_damage(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_for_damage(connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise sqlite3.DatabaseError("quick_check found damage")


def _looks_whole(path: Path) -> bool:
    """A file with SQLite's magic is locked, or on a sick disk, rather than rubbish: it must not be thrown away.

    An empty one was begun on a full disk; nothing in it is damaged.
    """
    with path.open("rb") as file:
        return file.read(16) in (b"SQLite format 3\0", b"")


def _moved_aside(path: Path, now: datetime) -> Path:
    aside = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%SZ}")
    path.replace(aside)
    path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
    fsync_directory(path.parent)
    return aside


@contextmanager
def _host_faults(path: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise OperatorError(
            Reason.PERMISSION_DENIED, f"The state directory {path.parent} cannot be written: {error.strerror}."
        ) from error
    except sqlite3.OperationalError as error:
        reason = Reason.DISK_FULL if "full" in str(error) else Reason.IO_FAILED
        raise TransientError(reason, f"The state database {path} cannot be used now: {error}.") from error
