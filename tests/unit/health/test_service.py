from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pawld.errors import TransientError
from pawld.health.service import ServiceCheck
from pawld.model import Slot
from pawld.ports import Healthy, ServiceStatus, Sick, Unclear
from pawld.reasons import Reason

SLOT = Slot(Path("/opt/acme/versions/1.0.0-0123456789ab"), "1.0.0", "0" * 64)
GOOD = ServiceStatus(running=True, pid=7, enabled=True)


@dataclass
class Manager:
    """A service manager in memory: it answers what it was told to, in order, the last for ever."""

    answers: list[ServiceStatus | None] = field(default_factory=lambda: [GOOD])

    def status(self) -> ServiceStatus:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is None:
            raise TransientError(Reason.SERVICE_FAILED, "The manager does not answer.")
        return answer


def looked_at(*answers: ServiceStatus | None) -> list[object]:
    check = ServiceCheck(Manager(list(answers)))  # type: ignore[arg-type]  # the part that a check needs
    check.begin()
    return [type(check.check(SLOT)) for _ in answers[1:]]


def test_the_same_process_running_on_is_healthy() -> None:
    assert looked_at(GOOD, GOOD, GOOD) == [Healthy, Healthy]


def test_the_process_of_the_old_version_does_not_count() -> None:
    assert looked_at(ServiceStatus(running=True, pid=3), GOOD, GOOD) == [Healthy, Healthy]


@pytest.mark.parametrize(
    "later",
    [
        ServiceStatus(running=False, enabled=True),
        ServiceStatus(running=True, pid=8, enabled=True),
        ServiceStatus(running=True, pid=7, restarts=1, enabled=True),
        ServiceStatus(running=True, pid=7, enabled=False),
    ],
    ids=["stopped", "another process", "restarted", "disabled by the build"],
)
def test_what_got_worse_is_sick_and_stays_so(later: ServiceStatus) -> None:
    assert looked_at(GOOD, GOOD, later, later) == [Healthy, Sick, Sick]


def test_an_agent_that_came_back_by_itself_stays_sick_though_it_runs_now() -> None:
    back = ServiceStatus(running=True, pid=9, enabled=True)
    assert looked_at(GOOD, GOOD, back, back) == [Healthy, Sick, Sick]


def test_a_service_that_was_disabled_before_may_stay_so() -> None:
    disabled = ServiceStatus(running=True, pid=7, enabled=False)
    assert looked_at(disabled, disabled) == [Healthy]


def test_a_manager_that_does_not_answer_is_unclear() -> None:
    assert looked_at(None, None, GOOD) == [Unclear, Healthy]


def test_a_service_whose_manager_knows_no_process_is_judged_by_running_alone() -> None:
    assert looked_at(ServiceStatus(running=True), ServiceStatus(running=True)) == [Healthy]


def test_begin_forgets_the_process_of_an_earlier_probation() -> None:
    manager = Manager()
    check = ServiceCheck(manager)  # type: ignore[arg-type]  # the part that a check needs
    check.check(SLOT)
    manager.answers = [ServiceStatus(running=True, pid=99)]
    check.begin()
    assert isinstance(check.check(SLOT), Healthy)
