"""The bundle that ``release export`` writes, as a host behind an air gap reads it.

A tar that holds a TUF repository name by name (``metadata/…``, ``targets/…``) after a short statement of what is in it.
Nothing here is trusted: names are looked up and bytes handed on, and the same signatures, expiries and marks judge them
as if a web server had sent them.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pawld.errors import OperatorError, RejectedError
from pawld.formats.tar import BLOCK, EXTENSIONS, ZEROS, Extensions, Header, read_header
from pawld.formats.tar.refusal import named, refused
from pawld.reasons import Reason
from pawld.system.faults import host_faults
from pawld.values import dataclass

CONTENTS = "pawld-bundle.json"
_MOST_MEMBERS = 10_000  # a root for each year of a long life, and a handful of other documents
_HANDED_ON = 256 * 1024  # bytes at a time
_LONGEST_EXTENSION = 1024  # bytes; it holds a name
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
            while left > 0 and (block := file.read(min(_HANDED_ON, left))):
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
    with host_faults(f"Opening {path}"), path.open("rb", buffering=0) as file:
        members = dict(_spans(file))
    return Bundle(path, _contents(path, members), members)


def _spans(file: IO[bytes]) -> Iterator[tuple[str, Span]]:
    """Read header by header, and nothing between them."""
    extensions, seen, size = Extensions(), set[str](), os.fstat(file.fileno()).st_size
    while (block := file.read(BLOCK)) != ZEROS:
        if len(block) < BLOCK:
            raise refused("The bundle is cut, or no tar at all.")
        header, place = read_header(memoryview(block)), file.tell()
        if place + header.size > size:
            raise refused(f"The bundle ends within {named(header.name)}.")
        if header.kind in EXTENSIONS:
            extensions.add(header, _extension(file, header))
        else:
            header = extensions.applied(header)
            yield header.name, _span(header, place, seen)
        file.seek(place + header.size + -header.size % BLOCK)


def _extension(file: IO[bytes], header: Header) -> bytes:
    if header.size > _LONGEST_EXTENSION:
        raise refused(f"The bundle has an extension header of {header.size} bytes.")
    return file.read(header.size)


def _span(header: Header, place: int, seen: set[str]) -> Span:
    """Return where a member lies; ``RejectedError`` unless it is one that a bundle has."""
    if header.kind != "0" or not _NAME.fullmatch(header.name) or header.name in seen:
        raise refused(f"The bundle has a member {named(header.name)}, which is none of its own.")
    if len(seen) >= _MOST_MEMBERS:
        raise refused(f"The bundle has more than {_MOST_MEMBERS} members.")
    seen.add(header.name)
    return Span(place, header.size)


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
