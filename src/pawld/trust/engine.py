"""What every trust engine answers: the signed record, and how high the marks stand that speak for it.

An engine proves signatures and freshness of what it fetched. It keeps no marks and binds nothing to the question: that
is ``policy``'s, once for all of them.
"""

from typing import Protocol

from pawld.model import NoBuild, Question, Record
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class RoleMark:
    """The version of one metadata role, which may fall only when its keys were replaced.

    Attributes:
        name: of the mark, such as ``tuf.timestamp``.
        version: what was seen and proven now.
        keys: a number that stands for the role's keys and threshold; 0 where they cannot be replaced.
        authority: the mark of the role that names those keys; only a higher version of it may replace them.
    """

    name: str
    version: int
    keys: int = 0
    authority: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """What an engine found.

    Attributes:
        record: the signed record, or that there is none for this platform.
        roles: versions to hold against the marks, those that name other roles' keys first.
        path: what the record's sequence counts for: a TUF target path, or what stands for one.
        archived: a pin reached it under a path of its own, where releases of another channel may stand as well.
    """

    record: Record | NoBuild
    path: str
    roles: tuple[RoleMark, ...] = ()
    archived: bool = False


class Engine(Protocol):
    """One way to a proven record."""

    name: str

    def state(self, question: Question) -> Statement:
        """Fetch, prove and read the record.

        Raises:
            RejectedError: what was fetched is not proven, not fresh or not valid.
            TransientError: it could not be fetched.
        """


def sequence_path(question: Question) -> str:
    """Return what a sequence counts for where no target path says so; an archived version counts apart."""
    if question.pinned and question.version is not None:
        return f"{question.product}/archive/{question.version}/{question.platform}"
    return f"{question.product}/{question.channel}/{question.platform}"
