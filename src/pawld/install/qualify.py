"""The rehearsal before the swap: a build that cannot even answer here never becomes a slot."""

import errno
import os
from collections.abc import Mapping, Sequence
from datetime import timedelta

from pawld.errors import RejectedError, TransientError
from pawld.reasons import Reason
from pawld.system import process

LIMIT = timedelta(seconds=60)
# A host that is out of these could start no program at all, so the build is not to blame.
_HOST_SHORTAGES = tuple(os.strerror(one) for one in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN))


def qualify(command: Sequence[str], words: Mapping[str, str], *, limit: timedelta = LIMIT) -> None:
    """Run *command* with each ``{name}`` of *words* filled in; it has to end with 0 within *limit*.

    Raises:
        RejectedError: qualification_failed, with the program's last words.
        TransientError: io_failed, where this host could not start any program.
    """
    if not command:
        return
    finished = process.run([filled(part, words) for part in command], limit=limit, environment=_QUIET)
    if finished.ok:
        return
    if finished.code is None and finished.errors.endswith(_HOST_SHORTAGES):
        raise TransientError(Reason.IO_FAILED, f"The new build could not be tried out: {finished.story}.")
    raise RejectedError(Reason.QUALIFICATION_FAILED, f"The new build does not qualify: {finished.story}.")


# What is tried out must stay as it was signed, so Python writes no caches beside it.
_QUIET = {"PYTHONDONTWRITEBYTECODE": "1"}


def filled(part: str, words: Mapping[str, str]) -> str:
    """Return *part* with ``{root}``, ``{current}``, ``{slot}`` and ``{version}`` filled in; other braces stay."""
    for name, value in words.items():
        part = part.replace("{" + name + "}", value)
    return part
