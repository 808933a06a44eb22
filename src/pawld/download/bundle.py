"""The bundle that ``release export`` writes, as a host behind an air gap reads it.

A tar that holds a TUF repository name by name (``metadata/…``, ``targets/…``) after a short statement of what is in it.
Nothing here is trusted: names are looked up and bytes handed on, and the same signatures, expiries and marks judge them
as if a web server had sent them.
"""

import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pawld.errors import OperatorError, RejectedError
from pawld.reasons import Reason
from pawld.system.faults import host_faults

CONTENTS = "pawld-bundle.json"
BLOCK = 256 * 1024  # bytes handed on at a time
_MOST_MEMBERS = 10_000  # a root for each year of a long life, and a handful of other documents
_LONGEST_CONTENTS = 64 * 1024  # bytes
_NAME = re.compile(r"(metadata|targets)(/[A-Za-z0-9][A-Za-z0-9._+-]*)+|pawld-bundle\.json")


class Contents(BaseModel):
    """What the bundle says that it is for; unsigned, and only used to tell a wrong file from a bad one."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)

    schema_: int = Field(alias="schema")
    product: str
    channel: str
    platform: str


@dataclass(frozen=True, slots=True)
class Span:
    """Where a member lies in the file."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened bundle: its index is read, its bytes are not."""

    path: Path
    contents: Contents
    members: Mapping[str, Span]

    def size(self, name: str) -> int | None:
        """Return a member's length; None where there is none of that name."""
        span = self.members.get(name)
        return None if span is None else span.size

    def blocks(self, name: str) -> Iterator[bytes]:
        """Yield a member's bytes; ``KeyError`` where there is none of that name."""
        span = self.members[name]
        with host_faults(f"Reading {self.path.name}"), self.path.open("rb") as file:
            file.seek(span.offset)
            left = span.size
            while left > 0 and (block := file.read(min(BLOCK, left))):
                yield block
                left -= len(block)


def open_bundle(path: Path) -> Bundle:
    """Read the index of the bundle at *path*.

    Raises:
        OperatorError: usage, where it is not there, or no bundle of ours.
        RejectedError: archive_refused, where it is damaged or holds what no bundle holds.
    """
    if not path.is_file():
        raise OperatorError(Reason.USAGE, f"There is no bundle {path}.")
    with host_faults(f"Opening {path}"):
        size = path.stat().st_size
        try:
            with tarfile.open(path, "r:") as tar:
                members = dict(_spans(tar, size))
        except (tarfile.TarError, EOFError, ValueError, OverflowError, UnicodeError) as error:
            raise _refused(path, f"it cannot be read as a tar: {error}") from error
    return Bundle(path, _contents(path, members), members)


def _spans(tar: tarfile.TarFile, size: int) -> Iterator[tuple[str, Span]]:
    seen: set[str] = set()
    for member in tar:
        name = member.name
        plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.issparse()
        if not plain or not _NAME.fullmatch(name) or name in seen:
            raise tarfile.TarError(f"{name[:128]!r} is none of its members")
        if len(seen) >= _MOST_MEMBERS:
            raise tarfile.TarError(f"it has more than {_MOST_MEMBERS} members")
        if member.offset_data + member.size > size:
            raise tarfile.TarError(f"it ends within {name}")
        seen.add(name)
        yield name, Span(member.offset_data, member.size)


def _contents(path: Path, members: Mapping[str, Span]) -> Contents:
    span = members.get(CONTENTS)
    if span is None or span.size > _LONGEST_CONTENTS:
        raise OperatorError(
            Reason.USAGE, f"{path} is no bundle: it has no {CONTENTS}. `pawld release export` makes one."
        )
    with host_faults(f"Reading {path.name}"), path.open("rb") as file:
        file.seek(span.offset)
        data = file.read(span.size)
    try:
        contents = Contents.model_validate(json.loads(data))
    except (ValueError, ValidationError, RecursionError) as error:
        raise _refused(path, f"its {CONTENTS} is not valid") from error
    if contents.schema_ != 1:
        raise _refused(path, f"it has schema {contents.schema_}; this pawld reads schema 1")
    return contents


def _refused(path: Path, why: str) -> RejectedError:
    return RejectedError(Reason.ARCHIVE_REFUSED, f"The bundle {path} is refused: {why}.")
