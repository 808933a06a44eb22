"""What the host did wrong, in our words: one ``OSError`` becomes one reason.

A fault of the host says nothing of a build, so it is always a ``TransientError`` and never blocks one.
"""

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from pawld.errors import TransientError
from pawld.reasons import Reason

_SHARING_VIOLATION = (32, 33)  # ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION of <winerror.h>
_PERHAPS_HELD = (5, *_SHARING_VIOLATION)  # ERROR_ACCESS_DENIED: what a rename over an open file gets

_REASONS = {
    errno.ENOSPC: Reason.DISK_FULL,
    errno.EDQUOT: Reason.DISK_FULL,
    errno.EFBIG: Reason.DISK_FULL,
    errno.EROFS: Reason.READ_ONLY,
    errno.EACCES: Reason.PERMISSION_DENIED,
    errno.EPERM: Reason.PERMISSION_DENIED,
    errno.ETXTBSY: Reason.FILE_IN_USE,
    errno.EBUSY: Reason.FILE_IN_USE,
}


def reason_of(error: OSError) -> Reason:
    """Return the reason that *error* stands for; ``io_failed`` where it says nothing better."""
    if getattr(error, "winerror", None) in _SHARING_VIOLATION:
        return Reason.FILE_IN_USE
    return _REASONS.get(error.errno or 0, Reason.IO_FAILED)


def _holders(paths: Sequence[str]) -> Sequence[str]:
    from pawld.system.file_holders import holders  # noqa: PLC0415 - after a failure on Windows alone

    return holders(paths)


@contextmanager
def host_faults(what: str, held_by: Callable[[Sequence[str]], Sequence[str]] = _holders) -> Iterator[None]:
    """Turn an ``OSError`` inside into a ``TransientError`` that begins with *what*, such as "Unpacking the build".

    Of a file that others hold on Windows it says who, by the word of *held_by*, where that is known.
    ``InterruptedError`` and the like never come here: Python retries those calls by itself (PEP 475).
    """
    try:
        yield
    except OSError as error:
        where = f" on {str(error.filename)!r}" if error.filename is not None else ""
        reason, who = _blamed(error, held_by)
        raise TransientError(reason, f"{what} failed{where}: {error.strerror or type(error).__name__}{who}.") from error


def _blamed(error: OSError, held_by: Callable[[Sequence[str]], Sequence[str]]) -> tuple[Reason, str]:
    """Return the reason, and who holds the file as the end of the sentence; whoever is known to hold it is at fault."""
    paths = [str(one) for one in (error.filename, error.filename2) if one is not None]
    if not paths or getattr(error, "winerror", None) not in _PERHAPS_HELD:
        return reason_of(error), ""
    names = held_by(paths)
    if not names:
        return reason_of(error), ""
    from pawld.system.file_holders import told  # noqa: PLC0415 - as above

    return Reason.FILE_IN_USE, f"; held by {told(names)}"
