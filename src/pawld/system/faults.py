"""What the host did wrong, in our words: one ``OSError`` becomes one reason.

A fault of the host says nothing of a build, so it is always a ``TransientError`` and never blocks one.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from pawld.errors import TransientError
from pawld.reasons import Reason

_SHARING_VIOLATION = (32, 33)  # ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION of <winerror.h>

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


@contextmanager
def host_faults(what: str) -> Iterator[None]:
    """Turn an ``OSError`` inside into a ``TransientError`` that begins with *what*, such as "Unpacking the build".

    ``InterruptedError`` and the like never come here: Python retries those calls by itself (PEP 475).
    """
    try:
        yield
    except OSError as error:
        where = f" on {str(error.filename)!r}" if error.filename is not None else ""
        raise TransientError(
            reason_of(error), f"{what} failed{where}: {error.strerror or type(error).__name__}."
        ) from error
