"""Every status word of the three vocabularies, by name."""

import pytest

from pawld.vendors.codearts_pipeline import JobForm, RunForm, StageForm, StepForm
from pawld.vendors.codearts_status import Activity, activity, run_activity

OVER, GOING, WAITING, UNKNOWN = Activity.OVER, Activity.GOING, Activity.WAITING, Activity.UNKNOWN

RUNS = {
    "COMPLETED": OVER,
    "RUNNING": GOING,
    "FAILED": OVER,
    "CANCELED": OVER,
    "PAUSED": WAITING,
    "SUSPEND": WAITING,
    "IGNORED": OVER,
    "INIT": WAITING,
}
PARTS = RUNS | {
    "QUEUED": WAITING,
    "SKIPPED": OVER,
    "ASYNC_RUNNING": GOING,
    "ASYNC_FAILED": OVER,
    "UNSELECTED": OVER,
    "REDISPATCH": GOING,
}
LEGACY = {
    "waiting": WAITING,
    "running": GOING,
    "verifying": GOING,
    "suspending": WAITING,
    "completed": OVER,
    "success": OVER,
    "error": OVER,
    "aborted": OVER,
}
STRANGE = dict.fromkeys(["START_SUCCESS", "START_FAILED", "RESTING", "", " ", None], UNKNOWN)


@pytest.mark.parametrize(("status", "expected"), [*RUNS.items(), *PARTS.items(), *LEGACY.items(), *STRANGE.items()])
def test_each_status_of_each_vocabulary(status: str | None, expected: Activity) -> None:
    assert activity(status) is expected
    assert activity(status and status.swapcase()) is expected


@pytest.mark.parametrize("status", RUNS)
def test_a_run_alone_is_judged_by_its_own_status(status: str) -> None:
    assert run_activity(RunForm(status=status))[0] is RUNS[status]


@pytest.mark.parametrize("status", PARTS)
@pytest.mark.parametrize("level", ["stage", "job", "step"])
def test_in_a_run_that_is_over_a_part_that_works_counts(level: str, status: str) -> None:
    step = StepForm(name="s", status=status if level == "step" else "COMPLETED")
    job = JobForm(name="j", status=status if level == "job" else "COMPLETED", steps=[step])
    stage = StageForm(name="st", status=status if level == "stage" else "COMPLETED", jobs=[job])
    seen, told = run_activity(RunForm(status="FAILED", stages=[stage]))
    assert seen is (GOING if PARTS[status] is GOING else OVER)
    assert ("but its part" in told) == (seen is GOING)


def test_a_part_of_unknown_status_makes_the_run_unknown() -> None:
    seen, told = run_activity(RunForm(status="COMPLETED", stages=[StageForm(status="LINGERING")]))
    assert seen is UNKNOWN
    assert told == "it is COMPLETED, but its part (unnamed) is LINGERING"


def test_a_part_without_a_status_says_nothing() -> None:
    assert run_activity(RunForm(status="COMPLETED", stages=[StageForm(jobs=[JobForm()])]))[0] is OVER


def test_a_run_without_a_status_is_unknown() -> None:
    assert run_activity(RunForm()) == (UNKNOWN, "it is without a status")
