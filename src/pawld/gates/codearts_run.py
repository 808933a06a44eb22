"""Gate ``codearts_run``: closed while a watched run of CodeArts Pipeline works, waits, or cannot be judged.

``batch-runs/result`` tells how a run *started*: only START_FAILED means that it does not run; START_SUCCESS asks for
its detail. There is no lock: a run may begin a moment after the answer, which the gate ``busy`` sees on the host.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from pawld.errors import OperatorError
from pawld.gates.remote import ASK_AGAIN, answered
from pawld.ports import Answer, Open
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.vendors.api import Auth, Now
from pawld.vendors.codearts_pipeline import PipelineApi, RunForm, StartForm, Watched, checked_id
from pawld.vendors.codearts_status import START_FAILED, START_SUCCESS, Activity, activity, run_activity
from pawld.vendors.faults import plain

_Finding = tuple[Activity, str]


class CodeartsRunGate:
    """Watches runs, and pipelines with whichever runs they have.

    Args:
        runs: pairs of a pipeline's id and a run's; None as the latter watches every run of the pipeline.
        ask_again: how long after a closed answer.
    """

    def __init__(
        self,
        web: Web,
        base_url: str,
        auth: Auth,
        now: Now,
        *,
        project_id: str,
        runs: Sequence[tuple[str, str | None]],
        name: str = "codearts_run",
        max_deferral: timedelta = timedelta(days=14),
        ask_again: timedelta = ASK_AGAIN,
    ) -> None:
        self.name = name
        self.max_deferral = max_deferral
        self._ask_again = ask_again
        self._api = PipelineApi(web, base_url, project_id, auth, now)
        watched = [
            Watched(checked_id(pipeline, "pipeline_id"), None if run is None else checked_id(run, "pipeline_run_id"))
            for pipeline, run in runs
        ]
        if not watched:
            raise OperatorError(Reason.CONFIG_INVALID, f"The gate {name} watches nothing: runs is empty.")
        self._runs = [one for one in watched if one.run_id]
        self._pipelines = [one for one in watched if not one.run_id]

    def check(self, now: datetime) -> Answer:
        """Ask about everything that is watched; the first that is not over closes the gate."""
        return answered(self._judged, now, self._ask_again)

    def release(self) -> None:
        """Nothing was taken."""

    def _judged(self) -> Open | tuple[Reason, str]:
        facts = []
        for watched, (seen, told) in self._findings():
            sentence = f"{watched}: {told}"
            if seen is not Activity.OVER:
                unknown = seen is Activity.UNKNOWN
                return Reason.RUN_UNKNOWN if unknown else Reason.RUN_IN_PROGRESS, f"CodeArts Pipeline, {sentence}."
            facts.append(sentence)
        return Open(tuple(facts))

    def _findings(self) -> Iterator[tuple[Watched, _Finding]]:
        starts = self._api.starts(self._runs)
        for watched in self._runs:
            yield watched, self._of_run(watched, starts)
        for watched in self._pipelines:
            yield watched, self._of_pipeline(watched.pipeline_id)

    def _of_run(self, watched: Watched, starts: Mapping[str, Sequence[StartForm]]) -> _Finding:
        rows = starts.get(watched.run_id or "", [])
        if not rows or any(row.pipeline_id not in (None, watched.pipeline_id) for row in rows):
            return Activity.UNKNOWN, "the answer does not tell of it"
        status = {(row.status or "").strip().upper() for row in rows}
        if status == {START_FAILED}:
            return Activity.OVER, f"it never started ({plain(rows[0].reason or 'no reason is given', 160)})"
        if status == {START_SUCCESS}:
            return run_activity(self._api.detail(watched.pipeline_id, watched.run_id or ""))
        return Activity.UNKNOWN, f"its start is {plain(', '.join(sorted(status)) or 'untold', 64)}"

    def _of_pipeline(self, pipeline_id: str) -> _Finding:
        """No queue is asked for: a run queues only behind another one of the pipeline, which is seen."""
        newest = self._api.newest(pipeline_id)
        if not newest:  # a caller who may not see them gets none either
            return Activity.UNKNOWN, "no run of it is listed, which may be for want of membership in the project"
        for run in (*newest, *self._api.unended(pipeline_id)):
            seen = activity(run.status)
            if seen is not Activity.OVER:
                return seen, f"{_named(run)} is {plain(run.status or 'without a status', 64)}"
        return Activity.OVER, f"{_named(newest[0])}, the newest, is {newest[0].status}"


def _named(run: RunForm) -> str:
    return f"run {plain(run.pipeline_run_id or run.id or '(unnamed)', 64)}"
