"""The digest of an unpacked tree: what a patched slot has to be, to the last byte, mode and name.

It covers what an archive becomes on a host, not the archive: regular files with size, mode and SHA-256, symbolic links
with their targets, and directories. The publisher computes it from the archive, the host from what it wrote.
"""

import hashlib
from collections.abc import Iterable

from pawld.formats.slot_manifest import FileEntry

FILE_MODE = 0o644  # the least that a file gets: whoever runs the agent may read it
EXECUTABLE = 0o111  # the bits that an archive may add; setuid, setgid, sticky and write for others never
_HEAD = b"pawld-tree-1\n"


def mode_of(stated: int) -> int:
    """Return the permission bits that a file gets whose archive states *stated*."""
    return FILE_MODE | stated & EXECUTABLE


def tree_sha256(files: Iterable[FileEntry], directories: Iterable[str]) -> str:
    """Return the SHA-256 over one line for each file, link and directory, sorted, in lower-case hexadecimal.

    No name and no target of an unpacked tree has a line break in it, so no two trees have the same lines.
    """
    lines = [_line(one) for one in files]
    lines += [f"d {path}\n" for path in directories]
    lines.sort()  # by code points, which is the order of their bytes in UTF-8 too
    return hashlib.sha256(_HEAD + "".join(lines).encode()).hexdigest()


def _line(entry: FileEntry) -> str:
    if entry.target is not None:
        return f"l {entry.path} > {entry.target}\n"
    return f"f {entry.path} {entry.mode:o} {entry.size} {entry.sha256}\n"
