"""The entry point: one command in, one exit code out, and no traceback for anybody who did not ask for one.

Nothing is imported before it is needed: ``--version`` takes little more than Python's own start.
"""

import sys
from collections.abc import Sequence

from pawld import __version__

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
PIPE_CLOSED = 141  # 128 + SIGPIPE


def script() -> None:
    """Run the command line of this process, and end it."""
    sys.exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command (*argv* without the program's name; default: this process's) and return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words in (["--version"], ["-V"]):
        print(f"pawld {__version__}")
        return 0
    try:
        return _run(words)
    except KeyboardInterrupt:
        print("pawld: interrupted", file=sys.stderr)
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
        code = int(given.handler(given))
        sys.stdout.flush()
    except arguments.Shown:
        return 0
    except PawldError as error:
        return output.fail(error, manner)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the last place where one can be told in a sentence
        return output.fail_unexpectedly(error, manner)
    return code


def _let_go_of_stdout() -> None:
    """Nobody reads any more; without this Python would complain again when it closes the stream."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
