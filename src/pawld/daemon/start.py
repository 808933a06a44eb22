"""Puts the daemon together and runs it: configuration, logs, line, signals, metrics."""

import gc
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from pawld.daemon.child import Child, Ending
from pawld.daemon.kept import keep
from pawld.daemon.loop import Daemon
from pawld.daemon.messages import Asked, Order
from pawld.daemon.work import Verb, Work
from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.report.journald import reads_us
from pawld.report.logs import format_for, log_to
from pawld.system import local_line
from pawld.system.clock import SystemClock
from pawld.system.notify import Notifier, ServiceManager

_JUDGED_WITHIN = timedelta(minutes=2)


class Endpoint(Protocol):
    """Something that is to be closed at the end."""

    def close(self) -> None:
        """Close it."""


def run(
    path: Path | None, named: Sequence[str], metrics: Callable[[Path], str], manager: ServiceManager | None = None
) -> int:
    """Be the daemon until told to stop; *metrics* renders a page for the configuration file that it is given.

    *manager* is who started it; by default systemd, or nobody.

    Raises:
        OperatorError: the configuration is bad; a service manager must not try it again and again.
    """
    _judge(path)
    kept = keep(path, os.environ)
    report = kept.outline.report
    log_to(None, format_for(report.log_format, journal=reads_us(os.environ)), report.log_level)
    manager = manager or Notifier()
    daemon = Daemon(path, kept, named, SystemClock(), manager)
    manager.listen(lambda: daemon.inbox.put(Order.STOP), lambda: daemon.inbox.put(Order.RELOAD))
    with ExitStack() as stack:
        line = kept.outline.state_dir / local_line.FILENAME
        stack.callback(local_line.Line(line, lambda caller: daemon.inbox.put(Asked(caller))).close)
        if report.metrics_listen:
            stack.callback(_metrics_at(report.metrics_listen, lambda: metrics(kept.file)).close)
        stack.enter_context(_signals(daemon))
        gc.collect()
        gc.freeze()  # what is here now stays; the collector need not walk it again
        return daemon.run()


def _judge(path: Path | None) -> None:
    """Have the whole configuration judged, in a process that may load what that takes."""
    ended: list[Ending] = []
    words = Work(Verb.JUDGE).words(str(path) if path else None, None)
    Child(words, ended.append, limit=_JUDGED_WITHIN).wait()
    reason = (ended[0].document or {}).get("reason")
    if ended[0].code != 0 and reason:
        raise OperatorError(Reason.of(reason["code"]), reason["message"])
    if ended[0].code != 0:
        raise OperatorError(Reason.UNEXPECTED, "The configuration could not be judged.")


def _metrics_at(listen: str, page: Callable[[], str]) -> Endpoint:
    from pawld.report.metrics_endpoint import serve  # noqa: PLC0415 - costs memory, and is off by default

    return serve(listen, page)


@contextmanager
def _signals(daemon: Daemon) -> Iterator[None]:
    """Turn signals into messages; the put of a SimpleQueue is made to be called from a handler."""
    orders = {"SIGTERM": Order.STOP, "SIGINT": Order.STOP, "SIGHUP": Order.RELOAD}  # Windows has no SIGHUP
    known = [(getattr(signal, name), order) for name, order in orders.items() if hasattr(signal, name)]
    before = [(number, signal.signal(number, _putting(daemon, order))) for number, order in known]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _putting(daemon: Daemon, order: Order) -> Callable[[int, object], None]:
    return lambda _number, _frame: daemon.inbox.put(order)
