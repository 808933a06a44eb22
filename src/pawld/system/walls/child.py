"""A child behind walls, as its parent holds it."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from pawld.errors import TransientError
from pawld.reasons import Reason
from pawld.system.walls.channel import READY, UNABLE, BrokenChannelError, Channel

STARTED = timedelta(seconds=60)  # for an interpreter to start on a busy host
FROZEN = "--behind-walls"  # a frozen pawld starts its own children by this word
_KILLING = "pawld.system.walls.killing"
_KEPT = ("PYTHONPATH", "PYTHONHOME", "SSL_CERT_FILE", "SSL_CERT_DIR")
_SELF = timedelta(seconds=2)  # for it to end by itself
_LAST = timedelta(seconds=20)  # for a process to be gone that was killed; one that waits for a dead disk is left
_SAID = 200  # bytes of what it says
_BUFFER = 512 * 1024  # bytes that it may be ahead
_NONE = "0000000000000000"


def command_of(module: str) -> list[str]:
    """Return the words that run *module* of this very pawld; user and group follow."""
    if getattr(sys, "frozen", False):
        return [sys.executable, FROZEN, module]
    return [sys.executable, "-P", "-B", "-m", module]


def bare_environment() -> dict[str, str]:
    """Return what a child needs of the environment; ours holds secrets."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8"} | kept


def reader_failed(what: str, why: str) -> TransientError:
    """Return the error for a child that did not do its work: what it read may be the cause, or the host."""
    return TransientError(Reason.READER_FAILED, f"The process without privileges that {what} failed: {why}.")


def kill(process: "subprocess.Popen[bytes]", uid: int, grace: timedelta = timedelta(0)) -> None:
    """Kill a child that is the user *uid* by now.

    Where root may not (without CAP_KILL, as in pawld's own unit), the child has *grace* to end by itself, for it may
    see that nobody listens any more; then it is killed by its own user's right.
    """
    try:
        process.kill()
    except PermissionError:
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace.total_seconds())
            return
        _kill_as(uid, process.pid)


def _kill_as(uid: int, pid: int) -> None:
    """Have it killed by one whom it cannot stop: of one that is its user alone, root would wait for ever."""
    with suppress(OSError, subprocess.TimeoutExpired):  # it is left, and so is whoever waits for it, after a while
        subprocess.run(
            [*command_of(_KILLING), str(uid), str(pid)],
            env=bare_environment(),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_LAST.total_seconds(),
            check=False,
        )


class Child:
    """A child on its way behind walls. Before it is sent anything, ``look`` at it; ``TransientError`` as that says.

    Args:
        command: what it runs, to which user and group are added.
        what: what it does, for sentences, such as ``unpacks builds``.
        stdin: an open descriptor that it reads from; None for nothing.
    """

    def __init__(self, command: Sequence[str], uid: int, gid: int, what: str, stdin: int | None = None) -> None:
        self.what = what
        self._uid, self._gid = uid, gid
        ours, theirs = socket.socketpair()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
        self.channel = Channel(ours, STARTED)
        try:
            with theirs:
                self._process = self._started([*command, str(uid), str(gid)], theirs, stdin)
        except OSError as error:
            ours.close()
            raise reader_failed(what, f"it does not start: {error.strerror or error}") from error

    def look(self) -> None:
        """Wait until it says that it has given everything up, and see whether that is so; else it is ended."""
        try:
            with self.faults():
                self._check()
        except BaseException:
            self.end()
            raise

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def end(self) -> None:
        """End it, whatever it is at; it has nothing that it could leave behind."""
        self.channel.close()
        kill(self._process, self._uid, _SELF)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_LAST.total_seconds())

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Translate what is wrong with the talk."""
        try:
            yield
        except BrokenChannelError as error:
            raise reader_failed(self.what, str(error)) from error

    @staticmethod
    def _started(command: list[str], theirs: socket.socket, stdin: int | None) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL,
            env=bare_environment(),
            start_new_session=True,
        )

    def _check(self) -> None:
        kind, words = self.channel.receive()
        if kind == UNABLE:
            raise BrokenChannelError(f"it cannot give up what it has ({bytes(words[:_SAID])!a})")
        if kind != READY:
            raise BrokenChannelError("it began with something else than that it is ready")
        wrong = still_held(Path(f"/proc/{self.pid}/status"), self._uid, self._gid)
        if wrong:
            raise BrokenChannelError(f"it still has {wrong}")


def still_held(status: Path, uid: int, gid: int) -> str:
    """Return what a process still has that it was to give up; nothing where it has given up everything."""
    try:
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return "a status that cannot be read"
    found = {name: value.split() for name, _, value in (line.partition(":") for line in lines)}
    holds: dict[str, Callable[[list[str]], bool]] = {
        "Uid": lambda words: set(words) == {str(uid)},
        "Gid": lambda words: set(words) == {str(gid)},
        "Groups": lambda words: not words,
        "NoNewPrivs": lambda words: words == ["1"],
        **dict.fromkeys(("CapInh", "CapPrm", "CapEff", "CapAmb"), lambda words: words == [_NONE]),
    }
    return ", ".join(
        f"{name} {' '.join(found.get(name, ['?']))}" for name in holds if not holds[name](found.get(name, ["?"]))
    )
