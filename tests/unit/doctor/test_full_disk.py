"""A disk that is really full below the state: the doctor says so, and nothing is taken for damage."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pawld.doctor.finding import Level
from pawld.doctor.state import room
from pawld.errors import TransientError
from pawld.lifecycle.database import open_database
from pawld.reasons import Reason

pytestmark = pytest.mark.rig("mount")
NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    at = tmp_path / "disk"
    at.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", str(at)], check=True)
    with suppress(OSError), (at / "ballast").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    yield at
    subprocess.run(["umount", str(at)], check=True)


def test_no_room_for_the_state_is_a_problem(disk: Path, tmp_path: Path) -> None:
    finding = room(disk / "state")
    assert (finding.level, finding.reason) == (Level.PROBLEM, Reason.DISK_FULL)
    assert str(disk / "state") in finding.evidence
    assert room(tmp_path).level is Level.OK


def test_a_database_that_could_not_be_begun_is_not_set_aside_as_damaged(disk: Path) -> None:
    for _ in range(2):
        with pytest.raises(TransientError) as caught:
            open_database(disk / "pawld.db", NOW)
        assert caught.value.reason is Reason.DISK_FULL
    assert [one.name for one in disk.glob("*damaged*")] == []
    (disk / "ballast").unlink()
    opened = open_database(disk / "pawld.db", NOW)
    assert opened.set_aside is None
    opened.close()
