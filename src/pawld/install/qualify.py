"""The rehearsal before the swap: a build that cannot even answer here never becomes a slot."""

import errno
import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from pawld.errors import OperatorError, RejectedError, TransientError
from pawld.model import Slot
from pawld.reasons import Reason
from pawld.system import process, template

LIMIT = timedelta(seconds=60)
# A host that is out of these could start no program at all, so the build is not to blame.
_HOST_SHORTAGES = tuple(os.strerror(one) for one in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN))
# What is tried out must stay as it was signed, so Python writes no caches beside it.
_QUIET = {"PYTHONDONTWRITEBYTECODE": "1"}


def qualify(command: Sequence[str], root: Path, slot: Slot, *, limit: timedelta = LIMIT) -> None:
    """Run *command* for *slot*, which has no name yet; it has to end with 0 within *limit*.

    Raises:
        RejectedError: qualification_failed, with the program's last words.
        TransientError: io_failed, where this host could start no program.
        OperatorError: config_invalid, where the command is a program of this host that is not there.
    """
    words = template.filled(command, root, slot)
    finished = process.run(words, limit=limit, environment=_QUIET)
    if finished.ok:
        return
    if not finished.ran and finished.errors.endswith(_HOST_SHORTAGES):
        raise TransientError(Reason.IO_FAILED, f"The new build could not be tried out: {finished.story}.")
    if not finished.ran and not template.belongs_to_agent(words, root, slot):
        raise OperatorError(Reason.CONFIG_INVALID, f"The qualify command could not be run: {finished.story}.")
    raise RejectedError(Reason.QUALIFICATION_FAILED, f"The new build does not qualify: {finished.story}.")
