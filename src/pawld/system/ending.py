"""How a process of pawld is asked to finish or record its step and end: SIGTERM, and on Windows its input's end.

A person asks by Ctrl-C, or by a connection that breaks (SIGHUP): neither may leave an agent stopped.

Windows knows no such signal between processes without a common console, and a service has none. There the child reads
its standard input, which nothing ever stands in: its end is the question, and a daemon that dies asks it as well.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager, suppress

from pawld.system.apart import start_apart
from pawld.system.own_command import WITHIN, outside

ENDS_WITH_INPUT = "PAWLD_ENDS_WITH_INPUT"
"""Set in a process that is to end when its standard input does."""


# The second is the one that wakes a sleeper on Windows, which has no SIGHUP.
_ASKING = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]


class Leash:
    """What a child is started with, so that it can be asked; *by_input* where there are no signals.

    Attributes:
        let_go: nobody waits for the child any more, which goes on.
    """

    def __init__(self, *, by_input: bool = sys.platform == "win32") -> None:
        self._lock = threading.Lock()  # it is dropped by whoever watches the child, and by whoever asks it
        self._held: int | None = None
        self._by_input = by_input
        self.let_go = False

    def start(self, command: Sequence[str], environ: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """Start it, with a pipe for what it prints; ``OSError`` where it cannot be."""
        stdin, own = subprocess.DEVNULL, {WITHIN: "1"}
        if self._by_input:
            stdin, self._held = os.pipe()
            own[ENDS_WITH_INPUT] = "1"
        try:
            return subprocess.Popen(
                list(command),
                stdin=stdin,
                stdout=subprocess.PIPE,
                env={**environ, **own},
                start_new_session=True,  # Ctrl-C at a terminal is for the daemon, which passes it on in order
            )
        except OSError:
            self.drop()
            raise
        finally:
            if self._by_input:
                os.close(stdin)  # the child's own end, which it has by now, or never will

    def ask(self, process: "subprocess.Popen[bytes]") -> None:
        """Ask it to end; one that has ended already is no error."""
        if self._by_input:
            self.drop()
            return
        with suppress(ProcessLookupError):
            process.terminate()

    def drop(self) -> None:
        """Let go: it has ended, or is to."""
        with self._lock:
            if self._held is not None:
                os.close(self._held)
            self._held = None


class Apart(Leash):
    """For a child that stops our service, and so must outlive it, on Windows: asked to end, it is let go of."""

    def start(self, command: Sequence[str], environ: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """Start it where no stop of ours reaches it."""
        return start_apart(command, outside(environ), stdout=subprocess.PIPE)

    def ask(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait for it no longer."""
        del process
        self.let_go = True


@contextmanager
def asked_to_end(ask: Callable[[], None], environ: MutableMapping[str, str] = os.environ) -> Iterator[None]:
    """Have *ask* called when this process is asked to end; only the main thread may listen to signals.

    A person gets the answer of every program, ``KeyboardInterrupt``, once what is inside came to its end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    by_input = environ.pop(ENDS_WITH_INPUT, None) is not None  # it is not for the programs that this one starts
    before = {number: signal.getsignal(number) for number in _ASKING}
    heard = [number for number, handler in before.items() if handler is not signal.SIG_IGN]  # as under nohup
    asked: list[int] = []

    def hear(number: int, _frame: object) -> None:
        asked.append(number)
        ask()

    for number in heard:
        signal.signal(number, hear)
    if by_input:
        threading.Thread(target=_raise_at_end_of_input, args=[signal.SIGINT], name="leash", daemon=True).start()
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])
    if not by_input and {*asked} - {signal.SIGTERM}:
        raise KeyboardInterrupt


def _raise_at_end_of_input(number: signal.Signals) -> None:
    with suppress(OSError):
        while os.read(0, 1):
            pass
    signal.raise_signal(number)
