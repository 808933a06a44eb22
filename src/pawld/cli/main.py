"""The entry point: one command in, one exit code out, and no traceback for anybody who did not ask for one.

Nothing is imported before it is needed: ``--version`` takes little more than Python's own start.
"""

import atexit
import gc
import os
import sys
from collections.abc import Sequence

from pawld import __version__

TYPE_CHECKING = False  # as typing has it, without the 10 ms of importing it
if TYPE_CHECKING:
    from pawld.cli.output import Manner

_SILENT = frozenset({"status", "history", "config", "run"})  # no library speaks there; run sets its logs up itself
_FROZEN = "--behind-walls"  # as in system.walls.child
_CHILDREN = (
    "pawld.install.archive.behind_walls",
    "pawld.system.http.behind_walls",
    "pawld.system.walls.killing",
    "pawld.wiring.way_back",
)
_OBJECTS = 1_000_000  # between two looks for garbage that refers to itself; a command makes fewer
_OBJECTS_OF_DAEMON = 50_000
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
PIPE_CLOSED = 141  # 128 + SIGPIPE


def script() -> None:
    """Run the command line of this process, and end it."""
    daemon = "run" in sys.argv
    # Importing makes hundreds of thousands of objects that all stay: looking through them costs a fifth of a start.
    gc.set_threshold(_OBJECTS_OF_DAEMON if daemon else _OBJECTS, 50, 100)
    if sys.platform == "win32":
        _speak_utf8()
    code = main()
    gc.freeze()  # nor does the interpreter have to look through them on its way out
    if not daemon:
        _leave(code)
    sys.exit(code)


def _leave(code: int) -> None:
    """End this process at once: Python would take its objects apart first, for 15 ms, a sixth of ``status``.

    A command has joined its threads by then. It returns where what was printed could not be written: Python tells so.
    """
    try:
        atexit._run_exitfuncs()  # noqa: SLF001 - it has no public name
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return
    os._exit(code)


def _speak_utf8() -> None:
    """Write what JSON is read as; pipes and files of Windows have an alphabet of the host's country else."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # None in a service, before its log is open
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command (*argv* without the program's name; default: this process's) and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == [_FROZEN] and words[1:2] and words[1] in _CHILDREN:
        from importlib import import_module

        import_module(words[1]).main(words[2:])
        return 0
    if words in (["--version"], ["-V"]):
        print(f"pawld {__version__}")
        return 0
    try:
        return _run(words)
    except KeyboardInterrupt:
        print("pawld: interrupted; `pawld status` tells where it stands", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        _let_go_of_stdout()
        return PIPE_CLOSED


def _run(words: list[str]) -> int:
    from pawld.cli import arguments, output
    from pawld.errors import PawldError

    manner = output.manner_of(words)
    try:
        given = arguments.parse(words)
        _set_logs_up(given.command, manner)
        code = int(given.handler(given))
        sys.stdout.flush()
    except arguments.Shown:
        return 0
    except PawldError as error:
        return output.fail(error, manner)
    except BrokenPipeError:
        raise
    except OSError as error:
        if _nobody_reads():  # Windows has no error of its own for it
            raise BrokenPipeError from error
        return output.fail_unexpectedly(error, manner)
    except Exception as error:  # noqa: BLE001 - the last place where one can be told in a sentence
        return output.fail_unexpectedly(error, manner)
    return code


def _set_logs_up(command: str, manner: "Manner") -> None:
    """Let nothing onto stderr that did not pass our redaction, and little at all where nobody asked for more."""
    if command in _SILENT and not manner.verbose:
        return
    from pawld.report.logs import LogFormat, log_to

    log_to(None, LogFormat.TEXT, "debug" if manner.verbose else "critical")


def _nobody_reads() -> bool:
    """Say whether what was printed cannot be got rid of."""
    try:
        sys.stdout.flush()
    except OSError:
        return True
    return False


def _let_go_of_stdout() -> None:
    """Nobody reads any more; without this Python would complain again when it closes the stream."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
