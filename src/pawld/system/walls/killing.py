"""Kills a process of another user for a root that may not (without CAP_KILL), as a process of its own.

It takes that user's right to kill, and stays root by its real and its saved user: nobody of that user, who may be the
very one to be killed, can stop or kill it first.
"""

import os
import signal
import sys
from collections.abc import Sequence


def main(words: Sequence[str]) -> None:
    """Kill the process that *words* name (uid, pid)."""
    uid, pid = (int(word) for word in words)
    os.setresuid(-1, uid, -1)
    os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
