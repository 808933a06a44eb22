"""The one place through which other programs are run: never a shell, always a limit."""

import errno
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from pawld.values import dataclass

OUTPUT_LIMIT = 64 * 1024  # bytes of each stream that are kept; the last ones tell most

# What pawld itself was given and no other program needs: its settings may hold secrets, and the others belong to the
# service manager's talk with pawld alone.
_PRIVATE = (
    "PAWLD_",
    "NOTIFY_SOCKET",
    "WATCHDOG_",
    "CREDENTIALS_DIRECTORY",
    "LISTEN_",
    "INVOCATION_ID",
    "JOURNAL_STREAM",
)
_SHORTAGES = {
    *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN),
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO),
}


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended.

    Attributes:
        code: the exit code; negative is the signal that ended it; None where the limit or a missing program did.
        output: stdout, the last of it.
        errors: stderr, the last of it; or the sentence that says why it never ran.
        ran: it was there and began; with a *code* of None it then took longer than the limit.
        shortage: the ``errno`` where this host could have started no program at all, whosever it is; else 0.
    """

    command: tuple[str, ...]
    code: int | None
    output: str
    errors: str
    ran: bool = True
    shortage: int = 0

    @property
    def ok(self) -> bool:
        """It ran and ended with 0."""
        return self.code == 0

    @property
    def story(self) -> str:
        """A sentence for a person: what ran, how it ended, and its last words."""
        words = (self.errors.strip() or self.output.strip()).splitlines()
        ending = "did not end" if self.code is None else f"ended with {self.code}"
        return f"{self.command[0]} {ending}" + (f": {words[-1]}" if words else "")


def run(
    command: Sequence[str],
    *,
    limit: timedelta = timedelta(seconds=60),
    environment: Mapping[str, str] | None = None,
    stdin: bytes | BinaryIO | None = None,
) -> Finished:
    """Run *command* to its end, or kill its whole process group at *limit*. It raises nothing.

    Its environment is pawld's without the private part; *environment* is added to it. An open file as *stdin* is
    read by the command itself, from where the file stands.
    """
    given = stdin if isinstance(stdin, bytes) else None
    try:
        process = subprocess.Popen(
            list(command),
            stdin=_standard_input(stdin),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=inherited(environment),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return _never_ran(command, error)
    with process:
        try:
            output, errors = process.communicate(given, timeout=limit.total_seconds())
        except subprocess.TimeoutExpired as expired:
            return _late(process, command, limit, expired.stdout or b"")
        except BaseException:
            _end(process)  # whoever cuts the wait short must not be held up by the command
            raise
    return Finished(tuple(command), process.returncode, _text(output), _text(errors))


def launch(command: Sequence[str], *, limit: timedelta, log: Path | None = None, line: str | None = None) -> Finished:
    """Run a *command* that leaves something running, and wait for the command alone.

    No pipe is held, so that what it leaves may keep its output open: that goes to *log*, emptied first, or nowhere.
    Where the command does not end within *limit*, it and all it started are killed. On Windows *line* may be the whole
    command line, for a program that reads quotes in a way of its own.
    """
    try:
        with _output_of(log) as output:
            process = subprocess.Popen(
                line or list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=inherited(),
                start_new_session=True,
            )
    except (OSError, ValueError) as error:
        return _never_ran(command, error)
    try:
        code: int | None = process.wait(limit.total_seconds())
    except subprocess.TimeoutExpired:
        _end(process)
        process.wait()
        return Finished(tuple(command), None, "", f"it took longer than {limit.total_seconds():g} s")
    return Finished(tuple(command), code, tail(log) if log else "", "")


def _output_of(log: Path | None) -> BinaryIO:
    """Open the log; a disk that is full is no reason not to start the command."""
    try:
        return Path(log or os.devnull).open("wb")
    except OSError:
        return Path(os.devnull).open("wb")


def tail(log: Path) -> str:
    """Return the last of a log file; nothing where it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - OUTPUT_LIMIT))
            return _text(file.read(OUTPUT_LIMIT))
    except OSError:
        return ""


def inherited(added: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for another program: ours without the private part, and what is *added*.

    A frozen pawld has its own libraries first on ``LD_LIBRARY_PATH``; the path that was there before is restored.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_PRIVATE)}
    if getattr(sys, "frozen", False):
        before = environment.pop("LD_LIBRARY_PATH_ORIG", None)
        environment.pop("LD_LIBRARY_PATH", None)
        environment |= {"LD_LIBRARY_PATH": before} if before else {}
    return environment | dict(added or {})


def _never_ran(command: Sequence[str], error: OSError | ValueError) -> Finished:
    cause, number = getattr(error, "strerror", None) or error, getattr(error, "errno", 0)
    shortage = number if number in _SHORTAGES else 0
    return Finished(tuple(command), None, "", f"{command[0]}: {cause}", ran=False, shortage=shortage)


def _late(process: "subprocess.Popen[bytes]", command: Sequence[str], limit: timedelta, output: bytes) -> Finished:
    """Kill what took too long. One that did end, and left something that holds its output open, is left alone."""
    code = process.poll()
    if code is not None:
        return Finished(tuple(command), code, _text(output), "")
    _end(process)
    return Finished(tuple(command), None, _text(output), f"it took longer than {limit.total_seconds():g} s")


def _standard_input(stdin: bytes | BinaryIO | None) -> int | BinaryIO:
    if stdin is None:
        return subprocess.DEVNULL
    return subprocess.PIPE if isinstance(stdin, bytes) else stdin


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill the command and what it started; on Windows the command alone."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
    else:
        process.kill()


def _text(data: bytes) -> str:
    return data[-OUTPUT_LIMIT:].decode("utf-8", "replace")
