"""What package managers have in common when they fail: which fault is whose, and the line that says it best."""

import re
from collections.abc import Callable, Sequence
from datetime import timedelta

from pawld.errors import RejectedError, TransientError
from pawld.model import Platform
from pawld.reasons import Reason
from pawld.system.faults import reason_of
from pawld.system.process import Finished
from pawld.system.process import run as run_here
from pawld.values import dataclass

_ASKING = timedelta(seconds=60)  # for what only reads
# Their words are matched, so they must speak English; and nobody is there to be asked.
QUIET = {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "DEBCONF_NONINTERACTIVE_SEEN": "true"}
_HOST_FAULTS = (
    ("No space left on device", Reason.DISK_FULL),
    ("needs at least", Reason.DISK_FULL),  # rpm: installing package … needs at least 12MB more space
    ("superuser privilege", Reason.PERMISSION_DENIED),
    ("Permission denied", Reason.PERMISSION_DENIED),
    ("Read-only file system", Reason.READ_ONLY),
)
_TELLING = re.compile(r"error|fail|cannot|depend|conflict", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tool:
    """One package manager's commands.

    Attributes:
        busy: what it says when another one of its kind is at work.
        limit: how long an installation may take.
        run: how programs are run; by default ``system.process.run``.
    """

    name: str
    busy: re.Pattern[str]
    limit: timedelta
    run: Callable[..., Finished] | None = None

    def ask(self, command: Sequence[str]) -> Finished:
        """Run a command that changes nothing; ``TransientError`` where this host kept it from an answer."""
        finished = (self.run or run_here)(command, limit=min(self.limit, _ASKING), environment=QUIET)
        if finished.shortage or (finished.ran and finished.code is None):
            reason = reason_of(OSError(finished.shortage, "")) if finished.shortage else Reason.IO_FAILED
            raise TransientError(reason, f"{self.name} gave no answer: {finished.story}.")
        return finished

    def must(self, command: Sequence[str]) -> Finished:
        """Run a command that installs; whatever keeps it from ending well is raised as whose fault it is."""
        finished = (self.run or run_here)(command, limit=self.limit, environment=QUIET)
        if finished.ok:
            return finished
        said = f"{finished.errors}\n{finished.output}"
        if self.busy.search(said):
            raise TransientError(Reason.PACKAGE_MANAGER_BUSY, f"Another {self.name} is at work on this host.")
        if not finished.ran:
            raise TransientError(Reason.IO_FAILED, f"{self.name} could not be run: {finished.errors}.")
        for words, reason in _HOST_FAULTS:
            if words in said:
                raise TransientError(reason, f"{self.name} could not install it: {_telling(finished)}.")
        raise RejectedError(Reason.INSTALLER_FAILED, f"{self.name} did not install it: {_telling(finished)}.")


def refuse_other(what: str, names: tuple[str, str], built: tuple[str | None, Platform], made_for: Platform) -> None:
    """Refuse a package with another name, or for another system or CPU: ``RejectedError`` (wrong_executable).

    Args:
        what: the kind of package, for the message.
        names: the package's own, and the expected one.
        built: the CPU that it is for (None for any), and the platform of this agent.
        made_for: the system that the package names.
    """
    name, expected = names
    arch, platform = built
    if name != expected:
        raise RejectedError(
            Reason.WRONG_EXECUTABLE, f"The build is the {what} {name!r}; this agent's package is {expected!r}."
        )
    if platform.os != made_for.os or (arch is not None and arch != platform.arch):
        raise RejectedError(
            Reason.WRONG_EXECUTABLE,
            f"The {what} {name!r} is for {made_for.os} on {arch or 'any CPU'}; this host is {platform}.",
        )


def _telling(finished: Finished) -> str:
    """The last line alone tells little: dpkg ends with a list of names. A line with a colon needs the next one."""
    if finished.code is None:
        return finished.story
    lines = [line.strip() for line in f"{finished.errors}\n{finished.output}".splitlines() if line.strip()]
    first = next((number for number, line in enumerate(lines) if _TELLING.search(line)), 0)
    count = 2 if lines and lines[first].endswith(":") else 1
    return " ".join(lines[first : first + count]).rstrip(".") or finished.story
