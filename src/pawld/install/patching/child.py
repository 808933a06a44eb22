"""The program that applies differences: old bytes and a difference come in by a pipe, new bytes go out by another.

It opens no file and no socket. Beyond what it has taken when it starts, it may take a fixed amount of memory, so that
a difference which lies about its lengths ends this process and no other. It ends when its input does.
"""

import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from pawld.system.walls.channel import READY

REQUEST = struct.Struct(">III")  # bytes of the old window, of the difference, and that have to come out
DONE = b"\0"
MEMORY = 64 * 1024 * 1024  # bytes beyond what the interpreter and the engine have taken
CPU = 600  # seconds
_UNMEASURED = 512 * 1024 * 1024  # bytes in all, on a system that does not tell what is taken


def serve(requests: BinaryIO, answers: BinaryIO, words: Sequence[str] = ()) -> None:
    """Apply one difference after the other; ``ValueError`` or the engine's own error ends the process.

    Where *words* name a user (uid, gid), it is done as that user, behind walls, and said that it is.
    """
    from hdiffpatch import apply  # noqa: PLC0415 - what it takes is not counted

    _limit()
    if words:
        from pawld.system.walls.inside import give_up  # noqa: PLC0415 - where there are walls

        give_up(words, descriptors=0)
        answers.write(READY)
        answers.flush()
    while head := requests.read(REQUEST.size):
        window, length, expected = REQUEST.unpack(head)
        old, difference = requests.read(window), requests.read(length)
        if stated_length(difference) != expected:
            raise ValueError("the difference would make another number of bytes")
        new = apply(old, difference)
        answers.write(DONE)
        answers.write(new)
        answers.flush()
        del old, difference, new


def stated_length(difference: bytes) -> int:
    """Return what a difference of HDiffPatch says that it makes: after its type, seven bits a byte, highest first."""
    _, end, numbers = difference[:64].partition(b"\0")
    value = 0
    for byte in numbers[:9]:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            return value
    raise ValueError("the difference has no length" if end else "the difference has no type")


def _limit() -> None:
    """Take away what it does not need; Windows has no such limits, and the parent's bounds hold alone there."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return
    limits = {resource.RLIMIT_AS: _taken() + MEMORY, resource.RLIMIT_CPU: CPU, resource.RLIMIT_CORE: 0}
    for which, most in limits.items():
        _, hard = resource.getrlimit(which)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(which, (allowed, allowed))


def _taken() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return _UNMEASURED
    import resource  # noqa: PLC0415 - as above

    return pages * resource.getpagesize()


if __name__ == "__main__":
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer, sys.argv[1:])
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent wants one line of it
        sys.exit(f"{type(error).__name__}: {error}")
