"""The alarm clock: one moment for each agent. The only module that knows APScheduler.

APScheduler takes one function from asyncio, which brings ssl along: 3 of the 30 MB that an idle daemon may hold
(``tests/benchmarks/idle.py``). While it is imported, that function stands there alone.
"""

import inspect
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import ModuleType


@contextmanager
def _asyncio_left_out() -> Iterator[None]:
    if "asyncio" in sys.modules:
        yield
        return
    alone = ModuleType("asyncio")
    vars(alone)["iscoroutinefunction"] = inspect.iscoroutinefunction
    sys.modules["asyncio"] = alone
    try:
        yield
    finally:
        del sys.modules["asyncio"]


with _asyncio_left_out():
    from apscheduler.executors.debug import DebugExecutor
    from apscheduler.jobstores.memory import MemoryJobStore
    from apscheduler.schedulers.background import BackgroundScheduler
    from apscheduler.triggers.date import DateTrigger

logging.getLogger("apscheduler").setLevel(logging.WARNING)  # that a job was added is nobody's news


class Timer:
    """Calls *due* with an agent's name at its moment, however late, and once."""

    def __init__(self, due: Callable[[str], None]) -> None:
        self._due = due
        # Jobs run in the scheduler's own thread: all that they do is put a message into an inbox.
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": DebugExecutor()},
            jobstores={"default": MemoryJobStore()},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._moments: dict[str, datetime] = {}

    def start(self) -> None:
        """Begin to call."""
        self._scheduler.start()

    def stop(self) -> None:
        """Call nobody any more."""
        self._scheduler.shutdown(wait=False)

    def wake(self, name: str, moment: datetime) -> None:
        """Call at *moment*, in place of the moment that was set before."""
        self._moments[name] = moment
        self._scheduler.add_job(
            self._due, DateTrigger(run_date=moment), args=[name], id=name, name=name, replace_existing=True
        )

    def keep_only(self, names: set[str]) -> None:
        """Forget whoever is not among *names*."""
        for name in self._moments.keys() - names:
            del self._moments[name]
            if self._scheduler.get_job(name) is not None:
                self._scheduler.remove_job(name)

    @property
    def moments(self) -> dict[str, datetime]:
        """What was set, past moments included."""
        return dict(self._moments)

    def hangs(self, latest: datetime) -> bool:
        """Say whether the scheduler still holds a job that was due before *latest*: its thread is stuck or gone."""
        moments = [getattr(job, "next_run_time", None) for job in self._scheduler.get_jobs()]
        return any(moment is not None and moment < latest for moment in moments)
