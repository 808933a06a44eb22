"""sd_notify(3) by hand: what the service manager is told of this process. Without a manager nothing is said.

The socket is opened for each message: pawld speaks a few times an hour.
"""

import os
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

_ABSTRACT = "@"


class ServiceManager(Protocol):
    """Whoever started the daemon, and is told how it is."""

    watchdog: timedelta | None
    """After this long without a sign of life the manager kills this process; None where it does not watch."""

    def listen(self, stop: Callable[[], None], reload: Callable[[], None]) -> None:
        """Have the manager's orders carried out by these, from any thread, where it does not send signals."""

    def ready(self, status: str) -> None:
        """The service is up, or has reloaded."""

    def status(self, status: str) -> None:
        """What it is at, in one line."""

    def alive(self) -> None:
        """A sign of life."""

    def reloading(self) -> None:
        """The configuration is being read again."""

    def stopping(self, status: str) -> None:
        """The end has begun."""


class Notifier:
    """Tells systemd how this process is."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + address[1:] if address.startswith(_ABSTRACT) else address
        meant = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        microseconds = environ.get("WATCHDOG_USEC", "") if meant else ""
        self.watchdog = timedelta(microseconds=int(microseconds)) if microseconds.isdigit() else None

    def listen(self, stop: Callable[[], None], reload: Callable[[], None]) -> None:
        """Nothing to listen to: systemd sends signals."""

    def ready(self, status: str) -> None:
        """The service is up, or has reloaded."""
        self._tell("READY=1", f"STATUS={status}")

    def status(self, status: str) -> None:
        """One line for ``systemctl status``."""
        self._tell(f"STATUS={status}")

    def alive(self) -> None:
        """A sign of life."""
        self._tell("WATCHDOG=1")

    def reloading(self) -> None:
        """The configuration is being read again."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self, status: str) -> None:
        """The end has begun."""
        self._tell("STOPPING=1", f"STATUS={status}")

    def _tell(self, *lines: str) -> None:
        if not self._address or not hasattr(socket, "AF_UNIX"):
            return
        message = "\n".join(line.replace("\n", " ") for line in lines)
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker:
            speaker.sendto(message.encode(), self._address)
