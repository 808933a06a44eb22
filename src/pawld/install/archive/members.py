"""What the readers of archives tell of: members, one after the other, to whoever writes them down."""

from collections.abc import Iterable
from typing import Protocol

from pawld.install.archive.limits import Limits


class Members(Protocol):
    """Takes the members of an archive in its order: ``Writer`` does, and the relay that leads to one."""

    limits: Limits

    def folder(self, name: str, /) -> None:
        """Take the directory *name*."""

    def file(self, name: str, size: int, mode: int, pieces: Iterable[memoryview], /) -> object:
        """Take the regular file *name* of *size* bytes, which *pieces* yields in full."""

    def link(self, name: str, target: str, /) -> None:
        """Take the symbolic link *name*."""

    def count_other(self) -> None:
        """Count something that is no file and yet costs: a directory, a link, an extension header."""
