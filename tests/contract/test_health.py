"""One suite for every health check: what the watch over a slot relies on."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from pawld.health.command import CommandCheck
from pawld.health.http import HttpCheck
from pawld.health.service import ServiceCheck
from pawld.health.version import VersionCheck
from pawld.model import Slot
from pawld.ports import HealthCheck, Healthy, ServiceStatus, Sick
from pawld.system.http import Web

EVERY = timedelta(seconds=3)
PYTHON = [sys.executable, "-I", "-S", "-c"]  # every system has it
IS_THERE = "import os, sys; sys.exit(os.path.exists(sys.argv[1]))"
SAY = "import sys; print(open(sys.argv[1]).read())"


@dataclass
class Patient:
    """A check, and how to make the agent that it looks at well or sick."""

    check: HealthCheck
    make_well: Callable[[], object]
    make_sick: Callable[[], object]


@dataclass
class Manager:
    """A service manager in memory."""

    state: ServiceStatus

    def status(self) -> ServiceStatus:
        return self.state

    def stop(self) -> None: ...

    def start(self, slot: Slot) -> None: ...

    def arm(self, deadline: timedelta, rollback: object) -> None: ...

    def disarm(self) -> None: ...

    def evidence(self, since: datetime) -> str:  # noqa: ARG002 - the port's form
        return ""


@pytest.fixture
def slot(tmp_path: Path) -> Slot:
    return Slot(tmp_path / "versions" / "1.0.0-0123456789ab", "1.0.0", "0" * 64)


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as made:
        yield made


def service(tmp_path: Path, web: Web, httpserver: HTTPServer) -> Patient:
    running, stopped = ServiceStatus(running=True, pid=7), ServiceStatus(running=False)
    manager = Manager(running)
    return Patient(
        ServiceCheck(manager, every=EVERY),
        lambda: setattr(manager, "state", running),
        lambda: setattr(manager, "state", stopped),
    )


def command(tmp_path: Path, web: Web, httpserver: HTTPServer) -> Patient:
    sign = tmp_path / "sick"
    check = CommandCheck([*PYTHON, IS_THERE, "{root}/sick"], root=tmp_path, every=EVERY)
    return Patient(check, lambda: sign.unlink(missing_ok=True), sign.touch)


def version(tmp_path: Path, web: Web, httpserver: HTTPServer) -> Patient:
    told = tmp_path / "version"
    check = VersionCheck([*PYTHON, SAY, "{root}/version"], root=tmp_path, every=EVERY)
    return Patient(check, lambda: told.write_text("acme 1.0.0\n"), lambda: told.write_text("acme 0.9.0\n"))


def http(tmp_path: Path, web: Web, httpserver: HTTPServer) -> Patient:
    def answer(status: int) -> None:
        httpserver.clear()
        httpserver.expect_request("/health").respond_with_data("", status=status)

    check = HttpCheck(httpserver.url_for("/health"), web, every=EVERY)
    return Patient(check, lambda: answer(200), lambda: answer(500))


@pytest.fixture(params=[service, command, version, http])
def patient(request: pytest.FixtureRequest, tmp_path: Path, web: Web, httpserver: HTTPServer) -> Patient:
    made: Patient = request.param(tmp_path, web, httpserver)
    made.make_well()
    return made


def test_a_check_has_a_name_for_the_evidence_and_the_pace_that_it_was_given(patient: Patient) -> None:
    assert patient.check.name
    assert patient.check.every == EVERY


def test_an_agent_that_is_well_is_healthy_time_and_again(patient: Patient, slot: Slot) -> None:
    patient.check.begin()
    assert [type(patient.check.check(slot)) for _ in range(3)] == [Healthy] * 3


def test_an_agent_that_falls_sick_is_sick_with_a_sentence(patient: Patient, slot: Slot) -> None:
    patient.check.begin()
    patient.check.check(slot)
    patient.make_sick()
    finding = patient.check.check(slot)
    assert isinstance(finding, Sick)
    assert finding.detail.endswith(".")


def test_one_bad_look_is_not_held_against_an_agent_that_is_well_again(patient: Patient, slot: Slot) -> None:
    patient.check.begin()
    patient.make_sick()
    patient.check.check(slot)
    patient.make_well()
    assert isinstance(patient.check.check(slot), Healthy)


def test_a_check_that_began_while_the_old_version_was_sick_still_judges_the_new_one(
    patient: Patient, slot: Slot
) -> None:
    patient.make_sick()
    patient.check.begin()
    assert isinstance(patient.check.check(slot), Sick)
    patient.make_well()
    assert isinstance(patient.check.check(slot), Healthy)
