"""A new pawld is healthy once it answers with its version and has reached its first good cycle, and sick without."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.world import FakeClock

from pawld.health.updater import UpdaterCheck
from pawld.model import Slot
from pawld.ports import Finding, Healthy, Sick, Unclear
from pawld.system.local_line import Line

SLOT = Slot(Path("/opt/pawld/versions/1.1.0-0123456789ab"), "1.1.0", "0" * 64)
PATIENCE = timedelta(minutes=2)


class Host:
    def __init__(self, directory: Path) -> None:
        self.clock = FakeClock()
        self.hello: dict[str, Any] = {"version": "1.1.0", "good": {"pawld": "2026-01-01T00:00:00+00:00"}}
        path = directory / "line"
        self.line = Line(path, lambda caller: caller.answer(self.hello))
        self.check = UpdaterCheck(
            path, "pawld", self.clock, patience=PATIENCE, every=timedelta(seconds=1), limit=timedelta(seconds=5)
        )
        self.check.begin()

    def look(self) -> Finding:
        return self.check.check(SLOT)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    host = Host(tmp_path)
    yield host
    host.line.close()


def test_one_that_took_over_is_healthy(host: Host) -> None:
    assert host.look() == Healthy()


@pytest.mark.parametrize(
    ("hello", "fault"),
    [
        ({"version": "1.0.0", "good": {"pawld": "x"}}, "The daemon that answers is pawld 1.0.0."),
        ({"version": "1.1.0", "good": {"acme": "x"}}, "The new daemon has not reached its first good cycle."),
        ({}, "The daemon that answers is pawld None."),
    ],
)
def test_one_that_has_not_taken_over_is_given_a_while_and_is_sick_then(
    host: Host, hello: dict[str, Any], fault: str
) -> None:
    host.hello = hello
    assert host.look() == Unclear(fault)
    host.clock.sleep(PATIENCE)
    assert host.look() == Sick(fault)


def test_one_that_does_not_answer_is_not_there(host: Host) -> None:
    host.line.close()
    assert host.look() == Unclear("No daemon answers.")
