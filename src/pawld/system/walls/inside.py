"""What a child does behind the walls before it looks at anything: it gives up all that it has, for good.

It keeps its memory, its standard input, and the socket that stands in place of its standard output. It cannot become
another user again, nor be looked into by others of the same user; it opens no further file, starts no program and no
thread, and makes no file longer. Where the kernel has Landlock (5.13 and newer, unless left out), it can also make,
remove and execute nothing at all; elsewhere it might leave an empty file in /tmp. A newer one keeps it from emptying
what it may write (6.2), and from signals to others of its user, the other children too (6.12). Linux alone: elsewhere
there are no walls.
"""

import codecs
import ctypes
import os
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pawld.system.walls.channel import READY, UNABLE, Channel

MEMORY = 256 * 1024 * 1024  # bytes beyond what the interpreter and its libraries have taken
_STDOUT = 1
_CODECS = ("ascii", "latin-1", "utf-8", "cp437", "idna")
_SET_DUMPABLE, _DROP_BOUND, _SET_NO_NEW_PRIVS, _AMBIENT, _CLEAR_ALL = 4, 24, 38, 47, 4  # linux/prctl.h
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446  # of every processor that Python 3.11 runs on
_VERSION = 1  # the flag that asks which Landlock this kernel has
# linux/landlock.h, each with the version that brought it
_ALL_BUT_READING = 0x1FFF & ~0b1100  # first: all that it handles, but READ_FILE and READ_DIR
_TRUNCATE = 3, 1 << 14
_OUT_OF_HERE = 6, 0b11  # to connect to abstract sockets, and to send signals, of those who are not behind these walls
_LAST_CAPABILITY = 63  # the kernel knows fewer, and says so


def enter(
    words: Sequence[str], *, descriptors: int, cpu: int | None = None, then: Callable[[Channel], None] | None = None
) -> Channel:
    """Give everything up, and return the channel to the parent, which is told; for the rest see ``give_up``."""
    channel = Channel(socket.socket(fileno=_STDOUT))
    try:
        give_up(words, descriptors=descriptors, cpu=cpu, then=None if then is None else lambda: then(channel))
    except OSError as error:
        channel.send(UNABLE, (error.strerror or type(error).__name__).encode())
        raise
    channel.send(READY)
    return channel


def give_up(
    words: Sequence[str], *, descriptors: int, cpu: int | None = None, then: Callable[[], None] | None = None
) -> None:
    """Become the user that *words* name (uid, gid), and keep nothing beyond what is open.

    *descriptors* is how many files and sockets may be open at a time; 0 lets nothing be opened any more, while what is
    open stays so. *cpu* is in seconds. *then* may start a thread: later there is none to be had. ``OSError`` where
    something cannot be given up.
    """
    uid, gid = (int(word) for word in words)
    os.chdir("/")
    for codec in _CODECS:  # Python may lie where the user who comes cannot read it
        codecs.lookup(codec)
    limit = _limits(descriptors, cpu)
    _become(uid, gid)
    if then is not None:
        then()
    limit()


def _become(uid: int, gid: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(_LAST_CAPABILITY + 1):
        # Without CAP_SETPCAP this fails; what is below is enough, for no_new_privs gives nothing back either.
        libc.prctl(_DROP_BOUND, capability, 0, 0, 0)
    libc.prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    for option, value in ((_SET_NO_NEW_PRIVS, 1), (_SET_DUMPABLE, 0)):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
    _touch_nothing(libc)


def _touch_nothing(libc: ctypes.CDLL) -> None:
    """Forbid to make, change, remove or execute any file, and to signal anybody, from this thread on.

    As far as the kernel can: it takes no right that its version does not know. A set of rules without a rule needs no
    path and no library; it takes ``no_new_privs``, which is set by now.
    """
    create = ctypes.c_long(_LANDLOCK_CREATE_RULESET)
    version = libc.syscall(create, None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION))
    handled = (ctypes.c_uint64 * 3)(*_rights(version))  # what an older kernel does not read is 0
    rules = libc.syscall(create, handled, ctypes.c_size_t(ctypes.sizeof(handled)), ctypes.c_uint(0))
    if rules >= 0:
        libc.syscall(ctypes.c_long(_LANDLOCK_RESTRICT_SELF), ctypes.c_int(rules), ctypes.c_uint(0))
        os.close(rules)


def _rights(version: int) -> tuple[int, int, int]:
    """Return what is forbidden of files, of the network, and towards others."""
    (truncating, truncate), (scoping, scoped) = _TRUNCATE, _OUT_OF_HERE
    files = _ALL_BUT_READING | (truncate if version >= truncating else 0)
    return files, 0, scoped if version >= scoping else 0


def _limits(descriptors: int, cpu: int | None) -> Callable[[], None]:
    """Return what sets the limits: all that this needs is loaded and read by now."""
    import resource  # noqa: PLC0415 - not on Windows

    limits = {
        resource.RLIMIT_AS: _taken() + MEMORY,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NPROC: 0,
        resource.RLIMIT_NOFILE: descriptors,
    }
    if cpu is not None:
        limits[resource.RLIMIT_CPU] = cpu

    def set_all() -> None:
        for which, most in limits.items():
            _, hard = resource.getrlimit(which)
            allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(which, (allowed, allowed))

    return set_all


def _taken() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


def leave(code: int) -> None:
    """End this process now: nothing that would still run at its end could do any good here."""
    sys.stderr.flush()
    os._exit(code)
