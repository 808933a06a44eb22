"""The one place through which other programs are run: never a shell, always a limit."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

OUTPUT_LIMIT = 64 * 1024  # bytes of each stream that are kept; the last ones tell most


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended.

    Attributes:
        code: the exit code; negative is the signal that ended it; None where the limit or a missing program did.
        output: stdout, the last of it.
        errors: stderr, the last of it; or the sentence that says why it never ran.
    """

    command: tuple[str, ...]
    code: int | None
    output: str
    errors: str

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
    stdin: bytes | None = None,
) -> Finished:
    """Run *command* to its end, or kill its whole process group at *limit*. It raises nothing."""
    try:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=None if environment is None else {**os.environ, **environment},
            start_new_session=True,
        )
    except OSError as error:
        return Finished(tuple(command), None, "", f"{command[0]}: {error.strerror or error}")
    with process:
        try:
            output, errors = process.communicate(stdin, timeout=limit.total_seconds())
        except subprocess.TimeoutExpired:
            _end(process)
            output, errors = process.communicate()
            return Finished(tuple(command), None, _text(output), f"it took longer than {limit.total_seconds():g} s")
    return Finished(tuple(command), process.returncode, _text(output), _text(errors))


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill the command and what it started; on Windows the command alone."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, 9)
    else:
        process.kill()


def _text(data: bytes) -> str:
    return data[-OUTPUT_LIMIT:].decode("utf-8", "replace")
