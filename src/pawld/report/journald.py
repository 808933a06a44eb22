"""journald's own protocol: one datagram an entry, so that each fact is a field (systemd.io/JOURNAL_NATIVE_PROTOCOL).

``journalctl PAWLD_REASON=rolled_back`` then finds what it should. Elsewhere, and for an entry that is too large for a
datagram, the lines of ``logs`` with their ``<priority>`` do.
"""

import logging
import os
import socket
import struct
from pathlib import Path

from pawld.report.redaction import redacted

SOCKET = Path("/run/systemd/journal/socket")
LIMIT = 64 * 1024  # bytes of one entry; larger ones would need a sealed file
PRIORITY = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


def reads_us(environ: "os._Environ[str] | dict[str, str]", descriptor: int = 2) -> bool:
    """Say whether *descriptor* leads to journald, by the device and inode that systemd named in the environment."""
    named = environ.get("JOURNAL_STREAM", "")
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return named == f"{found.st_dev}:{found.st_ino}"


class JournalHandler(logging.Handler):
    """Sends records to journald, each through ``redacted``; what cannot be sent goes to *instead*."""

    def __init__(self, instead: logging.Handler, path: Path = SOCKET) -> None:
        super().__init__()
        self._instead = instead
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | getattr(socket, "SOCK_CLOEXEC", 0))
        self._path = str(path)

    def emit(self, record: logging.LogRecord) -> None:
        """Send one entry."""
        entry = b"".join(_field(name, value) for name, value in _fields(record).items())
        if not self._sent(entry):
            self._instead.handle(record)

    def _sent(self, entry: bytes) -> bool:
        if len(entry) > LIMIT:
            return False
        try:
            self._socket.sendto(entry, self._path)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
        super().close()


def _fields(record: logging.LogRecord) -> dict[str, str]:
    message = record.getMessage()
    if record.exc_info and record.exc_info[0] is not None:
        message = f"{message}\n{logging.Formatter().formatException(record.exc_info)}"
    own = {f"PAWLD_{name.upper()}": str(value) for name, value in getattr(record, "pawld", {}).items() if value}
    return {
        "MESSAGE": redacted(message),
        "PRIORITY": str(PRIORITY.get(record.levelno, 6)),
        "SYSLOG_IDENTIFIER": "pawld",
        "LOGGER": record.name,
        **{name: redacted(value) for name, value in own.items()},
    }


def _field(name: str, value: str) -> bytes:
    """A value with a line break is written by its length; any other as NAME=value."""
    data = value.encode("utf-8", "replace")
    if b"\n" not in data:
        return b"%s=%s\n" % (name.encode(), data)
    return b"%s\n%s%s\n" % (name.encode(), struct.pack("<Q", len(data)), data)
