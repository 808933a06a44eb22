"""The digest of an unpacked tree: what a patched slot has to be, to the last byte, mode and name.

It covers what an archive becomes on a host, not the archive: regular files with size, mode and SHA-256, symbolic links
with their targets, and directories. The publisher computes it from the archive, the host from what it wrote.

The text that it is taken of is the list of the build's files. It may be handed out beside the build: its own SHA-256 is
the one that the record states, so it is proven by that alone, and the two can't disagree.
"""

import hashlib
from collections.abc import Iterable
from io import BytesIO

from pawld.formats.slot_manifest import FileEntry

FILE_MODE = 0o644  # the least that a file gets: whoever runs the agent may read it
EXECUTABLE = 0o111  # the bits that an archive may add; setuid, setgid, sticky and write for others never
MOST_LISTED = 4 * 1024 * 1024  # bytes of a list that is handed out: some 35,000 files, in 15 MB of a host's memory
_HEAD = "pawld-tree-1\n"
_HEX = 64  # digits of a SHA-256
_SPACE = -_HEX - 2  # where in a file's line the one before its digest stands; a line break ends it


def mode_of(stated: int) -> int:
    """Return the permission bits that a file gets whose archive states *stated*."""
    return FILE_MODE | stated & EXECUTABLE


def tree_sha256(files: Iterable[FileEntry], directories: Iterable[str]) -> str:
    """Return the SHA-256 of ``tree_text``, in lower-case hexadecimal."""
    return hashlib.sha256(tree_text(files, directories)).hexdigest()


def tree_text(files: Iterable[FileEntry], directories: Iterable[str]) -> bytes:
    """Return one line for each file, link and directory, sorted, after a head that names this form.

    No name and no target of an unpacked tree has a line break in it, so no two trees have the same lines.
    """
    lines = [_line(one) for one in files]
    lines += [f"d {path}\n" for path in directories]
    lines.sort()  # by code points, which is the order of their bytes in UTF-8 too
    return (_HEAD + "".join(lines)).encode()


class ListedFiles:
    """The digests of a tree's regular files, out of its text.

    It answers for files that are there anyway, and says nothing of those that are not: whether a tree is all of its
    text, and nothing else, ``tree_sha256`` tells. So no name in it leads anywhere, and none needs to be judged.
    """

    def __init__(self, text: bytes) -> None:
        """Read the text; ``ValueError`` where it is none of this form, or has a digest that no file can have."""
        if not text.startswith(_HEAD.encode()):
            raise ValueError("it does not begin as a list of files does")
        lines = [one for one in BytesIO(text) if one.startswith(b"f ")]
        self._digests = {one[:_SPACE].decode(): one[_SPACE + 1 : -1].decode() for one in lines}
        together = "".join(self._digests.values())
        if len(together) != _HEX * len(lines) or together.strip("0123456789abcdef"):
            raise ValueError("a line of it ends in no SHA-256, or stands there twice")

    def take(self, path: str, size: int, mode: int) -> str | None:
        """Return the digest of the file *path* of *size* bytes and *mode*, once; None where no such file is listed."""
        return self._digests.pop(_start(path, size, mode), None)


def _line(entry: FileEntry) -> str:
    if entry.target is not None:
        return f"l {entry.path} > {entry.target}\n"
    return f"{_start(entry.path, entry.size, entry.mode)} {entry.sha256}\n"


def _start(path: str, size: int, mode: int) -> str:
    return f"f {path} {mode:o} {size}"
