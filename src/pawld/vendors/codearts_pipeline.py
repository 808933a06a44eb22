"""Huawei CodeArts Pipeline, version 5: the four calls that pawld makes, all of them reads.

The service refuses inside HTTP 200 as well; ``faults`` sees to that. A caller without membership in the project gets
empty lists instead of a refusal, so an empty answer proves nothing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import Field

from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.values import dataclass
from pawld.vendors.api import Api, Auth, Now, misunderstood
from pawld.vendors.forms import Form, read

VENDOR = "CodeArts Pipeline"
BATCH = 20  # runs in one question; the documents name no limit
NEWEST = 100  # runs of one pipeline that are looked at
IN_PROGRESS = ("RUNNING", "PAUSED", "SUSPEND")  # what the list of runs can be asked for, of those that have not ended
_ID = re.compile(r"[0-9A-Za-z]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Watched:
    """A run of a pipeline; None as *run_id* means all of its runs."""

    pipeline_id: str
    run_id: str | None = None

    def __str__(self) -> str:
        return f"run {self.run_id} of pipeline {self.pipeline_id}" if self.run_id else f"pipeline {self.pipeline_id}"


class StartForm(Form):
    """One row of ``batch-runs/result``: how the *start* of a run went, not the run."""

    pipeline_id: str | None = None
    pipeline_run_id: str
    status: str | None = None
    reason: str | None = None


class StepForm(Form):
    """A step, or a job or stage without its parts."""

    name: str | None = None
    status: str | None = None


class JobForm(StepForm):
    """A job with its steps."""

    steps: list[StepForm] | None = None


class StageForm(StepForm):
    """A stage with its jobs."""

    jobs: list[JobForm] | None = None


class RunForm(Form):
    """A run: the whole tree in its detail, its own status alone in a list."""

    id: str | None = None
    pipeline_run_id: str | None = None
    status: str | None = None
    stages: list[StageForm] | None = None

    @property
    def parts(self) -> Iterator[StepForm]:
        """Every stage, job and step of it."""
        for stage in self.stages or []:
            yield stage
            for job in stage.jobs or []:
                yield job
                yield from job.steps or []


class _StartsForm(Form):
    result: list[StartForm]


class _RunsForm(Form):
    total: int | None = None
    pipeline_runs: list[RunForm] = Field(default_factory=list)


class PipelineApi:
    """The calls within one CodeArts project (not the IAM project). Refusals are raised as ``faults`` reads them."""

    def __init__(self, web: Web, base_url: str, project_id: str, auth: Auth, now: Now) -> None:
        self._api = Api(web, VENDOR, base_url, auth, now)
        self._project = f"/v5/{checked_id(project_id, 'project_id')}"

    def agent_address(self, pipeline_id: str, run_id: str, job_run_id: str, arch: str, version: str) -> dict[str, Any]:
        """Ask ``AgentDownloadURL``; return the whole answer, of which only ``status`` is documented well."""
        path = f"{self._project}/pipelines/{pipeline_id}/{run_id}/{job_run_id}/agent-runs/agent/download"
        return self._api.get(path, {"arch": arch, "version": version})

    def starts(self, watched: Sequence[Watched]) -> Mapping[str, list[StartForm]]:
        """Ask ``ShowBatchRunResult``; return the rows by run id, whatever their order; some may be missing."""
        rows: dict[str, list[StartForm]] = {}
        for begin in range(0, len(watched), BATCH):
            query = [
                {"pipeline_id": one.pipeline_id, "pipeline_run_id": one.run_id}
                for one in watched[begin : begin + BATCH]
            ]
            answer = self._api.post(f"{self._project}/api/pipelines/batch-runs/result", {"query": query})
            for row in read(_StartsForm, answer, VENDOR, "the batch result").result:
                rows.setdefault(row.pipeline_run_id, []).append(row)
        return rows

    def detail(self, pipeline_id: str, run_id: str) -> RunForm:
        """Ask ``ShowPipelineRunDetail``; return the run with its stages, jobs and steps."""
        path = f"{self._project}/api/pipelines/{pipeline_id}/pipeline-runs/detail"
        run = read(RunForm, self._api.get(path, {"pipeline_run_id": run_id}), VENDOR, "the run's detail")
        if run.id not in (None, run_id):
            raise misunderstood(VENDOR, f"it tells of another run than {run_id}")
        return run

    def unended(self, pipeline_id: str) -> list[RunForm]:
        """Ask ``ListPipelineRuns`` for those of a pipeline that run or pause, however old they are."""
        return self._runs(pipeline_id, {"status": list(IN_PROGRESS)})

    def newest(self, pipeline_id: str) -> list[RunForm]:
        """Ask ``ListPipelineRuns`` for the newest of a pipeline, whatever their status."""
        return self._runs(pipeline_id, {"sort_key": "start_time", "sort_dir": "desc"})

    def _runs(self, pipeline_id: str, query: Mapping[str, Any]) -> list[RunForm]:
        path = f"{self._project}/api/pipelines/{pipeline_id}/pipeline-runs/list"
        answer = self._api.post(path, {**query, "offset": 0, "limit": NEWEST})
        return read(_RunsForm, answer, VENDOR, "the list of runs").pipeline_runs


def checked_id(text: str, name: str) -> str:
    """Return *text* where it is an id of CodeArts; ``OperatorError`` (config_invalid) naming *name* otherwise."""
    if not _ID.fullmatch(text):
        raise OperatorError(
            Reason.CONFIG_INVALID, f"{name} must have 32 letters and digits, and {text[:64]!r} has not."
        )
    return text
