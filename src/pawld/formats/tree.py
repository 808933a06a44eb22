"""The digest of an unpacked tree: what a patched slot has to be, to the last byte, mode and name.

It covers what an archive becomes on a host, not the archive: regular files with size, mode and SHA-256, symbolic links
with their targets, and directories. The publisher computes it from the archive, the host from what it wrote.

The text that it is taken of is the list of the build's files. It may be handed out beside the build: its own SHA-256 is
the one that the record states, so it is proven by that alone, and the two can't disagree.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
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
    digest = hashlib.sha256()
    for line in _sorted_lines(files, directories):  # never all of the text at once: a host has no other use for it
        digest.update(line)
    return digest.hexdigest()


def tree_text(files: Iterable[FileEntry], directories: Iterable[str]) -> bytes:
    """Return one line for each file, link and directory, sorted, after a head that names this form.

    No name and no target of an unpacked tree has a line break in it, so no two trees have the same lines.
    """
    return b"".join(_sorted_lines(files, directories))


class TreeLines(Sequence[FileEntry]):
    """The files and links of a tree, each kept as its line of the text: half of what its entry takes in memory."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []

    def add_file(self, path: str, size: int, mode: int, sha256: str) -> None:
        """Add a regular file; the arguments are those of its entry."""
        self._lines.append(f"{_start(path, size, mode)} {sha256}\n".encode())

    def add_link(self, path: str, target: str) -> None:
        """Add a symbolic link, whose path has no ``>`` in it, as no member of an archive has."""
        self._lines.append(f"l {path} > {target}\n".encode())

    def lines(self) -> list[bytes]:
        """Return the lines, in the order in which they were added."""
        return self._lines.copy()

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, index: int) -> FileEntry:  # type: ignore[override]  # nobody takes a slice of it
        return _entry(self._lines[index])

    def __iter__(self) -> Iterator[FileEntry]:
        return map(_entry, self._lines)


class ListedFiles:
    """The digests of a tree's regular files, out of its text.

    It answers for files that are there anyway, and says nothing of those that are not: whether a tree is all of its
    text, and nothing else, ``tree_sha256`` tells. So no name in it leads anywhere, and none needs to be judged.
    """

    def __init__(self, text: bytes) -> None:
        """Read the text; ``ValueError`` where it is none of this form, or has a digest that no file can have."""
        if not text.startswith(_HEAD.encode()):
            raise ValueError("it does not begin as a list of files does")
        lines = (one for one in BytesIO(text) if one.startswith(b"f "))
        self._digests = {one[:_SPACE].decode(): one[_SPACE + 1 : -1].decode() for one in lines}
        together = "".join(self._digests.values())
        if len(together) != _HEX * text.count(b"\nf ") or together.strip("0123456789abcdef"):
            raise ValueError("a line of it ends in no SHA-256, or stands there twice")

    def take(self, path: str, size: int, mode: int) -> str | None:
        """Return the digest of the file *path* of *size* bytes and *mode*, once; None where no such file is listed."""
        return self._digests.pop(_start(path, size, mode), None)


def _sorted_lines(files: Iterable[FileEntry], directories: Iterable[str]) -> list[bytes]:
    lines = (files if isinstance(files, TreeLines) else _kept(files)).lines()
    lines += [f"d {path}\n".encode() for path in directories]
    lines.sort()  # by bytes, which is the order of their code points too
    return [_HEAD.encode(), *lines]


def _kept(files: Iterable[FileEntry]) -> TreeLines:
    kept = TreeLines()
    for one in files:
        if one.target is None:
            kept.add_file(one.path, one.size, one.mode, one.sha256)
        else:
            kept.add_link(one.path, one.target)
    return kept


def _entry(line: bytes) -> FileEntry:
    text = line[2:-1].decode()
    if line.startswith(b"l "):
        path, _, target = text.partition(" > ")
        return FileEntry(path, 0, 0, "", target)
    path, mode, size, sha256 = text.rsplit(" ", 3)
    return FileEntry(path, int(size), int(mode, 8), sha256)


def _start(path: str, size: int, mode: int) -> str:
    return f"f {path} {mode:o} {size}"
