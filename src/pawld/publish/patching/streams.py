"""The streams that a patch is made from, gathered out of two builds."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from pawld.publish.contents import members, readable
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Archived:
    """An archive on this disk."""

    path: Path
    name: str
    format: str


def gathered(archive: Archived, wanted: Sequence[tuple[str, int]], to: Path) -> None:
    """Write the *wanted* files (path, size) of the archive to *to*, one after the other in that order."""
    places, end = {}, 0
    for path, size in wanted:
        places[path], end = end, end + size
    with to.open("xb") as file, readable(archive.name, archive.format):
        for member in members(archive.path, archive.name, archive.format):
            if member.content is not None and member.name in places:
                file.seek(places[member.name])
                shutil.copyfileobj(member.content, file)
