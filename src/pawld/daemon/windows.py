"""The daemon as a service of Windows: its manager is answered before anything else, and what it says goes to a file."""

import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from pawld.daemon.start import run
from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.settings.glance import outline
from pawld.settings.places import configuration_file, state_directory
from pawld.system.faults import host_faults
from pawld.system.files import make_directory
from pawld.system.notify import ServiceManager

LOG = "pawld.log"
_LOOK_EVERY = timedelta(seconds=15)  # for a configuration, where there is none yet
_LARGEST = 4 << 20  # bytes; at a start a larger log makes way, and one such is kept


def run_as_service(path: Path | None, named: Sequence[str], metrics: Callable[[Path], str]) -> int:
    """Be the daemon until Windows stops the service.

    A bad configuration ends the service with its exit code, which is no crash, so that Windows does not try it again
    and again. Whatever was not foreseen ends the process without a word: Windows takes that for a crash, and its
    recovery settings start pawld again.

    Raises:
        OperatorError: the configuration is bad, or this process was not started as a service.
    """
    if sys.platform != "win32":
        raise OperatorError(Reason.USAGE, "`pawld run --service` is for the service manager of Windows to start.")
    from pawld.service.registration_windows import settle  # noqa: PLC0415 - as the next one
    from pawld.system.windows_process import WindowsManager  # noqa: PLC0415 - Windows alone has it

    manager = WindowsManager()
    manager.begin()
    state = _state_directory(path)
    write_to(state / LOG)
    settle(state, manager.name)
    if not there(path or configuration_file(sys.platform), manager):
        manager.end(0)
        return 0
    try:
        code = run(path, named, metrics, manager)
    except OperatorError as error:
        manager.end(int(error.reason.exit))
        raise
    manager.end(code)
    return code


def there(configuration: Path, manager: ServiceManager, every: timedelta = _LOOK_EVERY) -> bool:
    """Wait until there is a configuration; False where the end was asked for before.

    A package starts the service as soon as it is installed, and a service that ends then is a failed installation.
    """
    over = threading.Event()
    manager.listen(over.set, lambda: None)
    if not configuration.exists():
        sys.stderr.write(f"pawld: there is no {configuration} yet; it is waited for\n")
        manager.ready("waits for its configuration")
    while not configuration.exists():
        if over.wait(every.total_seconds()):
            return False
    return True


def write_to(log: Path) -> None:
    """Have what this process and its children say on their standard error stand in *log*: a service has no console."""
    with host_faults(f"Writing the log {log}"):
        make_directory(log.parent, mode=0o700)
        if log.exists() and log.stat().st_size > _LARGEST:
            with suppress(PermissionError):  # another of ours writes to it still, such as a swap of pawld
                log.replace(log.with_suffix(".1.log"))
        _become(0, os.open(os.devnull, os.O_RDONLY))
        _become(1, os.open(os.devnull, os.O_WRONLY))
        _become(2, os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    sys.stdout, sys.stderr = (
        open(number, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115 - descriptors, to the end
        for number in (1, 2)
    )


def _become(number: int, descriptor: int) -> None:
    os.dup2(descriptor, number)
    os.close(descriptor)


def _state_directory(path: Path | None) -> Path:
    """Return where the configuration has the state, or where it would be without one."""
    try:
        return outline(path, os.environ).state_dir
    except (OperatorError, OSError):
        return Path(state_directory(sys.platform))
