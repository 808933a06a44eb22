"""What the service manager is told, seen at the other end of the socket."""

import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pawld.system.notify import Notifier

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets")


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(5)
        yield heard


def notifier(manager: socket.socket, **environ: str) -> Notifier:
    return Notifier({"NOTIFY_SOCKET": manager.getsockname(), **environ})


def test_each_word_arrives_as_systemd_reads_it(manager: socket.socket) -> None:
    speaker = notifier(manager)
    speaker.ready("up\nand more")
    assert manager.recv(999) == b"READY=1\nSTATUS=up and more"
    speaker.status("idle")
    assert manager.recv(999) == b"STATUS=idle"
    speaker.alive()
    assert manager.recv(999) == b"WATCHDOG=1"
    speaker.stopping("ending")
    assert manager.recv(999) == b"STOPPING=1\nSTATUS=ending"
    speaker.reloading()
    assert manager.recv(999).startswith(b"RELOADING=1\nMONOTONIC_USEC=")


@pytest.mark.skipif(os.name != "posix" or not Path("/proc").exists(), reason="abstract names are Linux's")
def test_an_abstract_name_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind("\0pawld-test-notify")
        heard.settimeout(5)
        Notifier({"NOTIFY_SOCKET": "@pawld-test-notify"}).alive()
        assert heard.recv(99) == b"WATCHDOG=1"


def test_without_a_manager_nothing_is_said_and_a_gone_one_is_no_error(tmp_path: Path) -> None:
    Notifier({}).ready("up")
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready("up")


@pytest.mark.parametrize(
    ("environ", "watchdog"),
    [
        ({"WATCHDOG_USEC": "3000000"}, timedelta(seconds=3)),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, timedelta(seconds=3)),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "often"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_the_managers_and_for_this_process_alone(environ: dict[str, str], watchdog: object) -> None:
    assert Notifier(environ).watchdog == watchdog
