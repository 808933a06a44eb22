"""A spool on a disk that is really full, or really read-only: the report goes out all the same."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.letters import AT, HOST, FakeReceiver, outcome

from pawld.lifecycle.database import Database, open_database
from pawld.report.outbox import Box, Outbox
from pawld.report.spool import Spool

pytestmark = pytest.mark.rig("mount")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    at = tmp_path / "disk"
    at.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", str(at)], check=True)
    yield at
    subprocess.run(["umount", str(at)], check=True)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "pawld.db", AT)
    yield opened
    opened.close()


def told(disk: Path, database: Database, number: int) -> list[str]:
    receiver = FakeReceiver()
    box = Box("webhook", receiver, Spool(disk / "webhook", size=1 << 20))
    with Outbox([box], database, HOST, lambda _event: {}, lambda: AT) as outbox:
        outbox.report(outcome(number))
    return receiver.versions


def fill(disk: Path) -> Path:
    ballast = disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1024))
    return ballast


def test_a_full_disk_stops_no_report(disk: Path, database: Database) -> None:
    Spool(disk / "webhook", size=1 << 20).put({"version": "no letter"})
    ballast = fill(disk)
    assert told(disk, database, 1) == ["1.1.0"]
    ballast.unlink()
    assert told(disk, database, 2) == ["1.2.0"]
    assert list((disk / "webhook").glob("*.json")) == []


def test_a_read_only_disk_stops_no_report(disk: Path, database: Database) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert told(disk, database, 1) == ["1.1.0"]
    assert list(disk.iterdir()) == []
