"""Record what a process did to one directory, by strace, as a list of operations on inodes.

Names are resolved while the recording is read, so that an operation is about an inode and a directory entry, as it is
for a file system, and a later rename changes nothing of what came before. What the reader does not know is an error:
a model that leaves something out proves nothing.
"""

import os
import re
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crash.children import environment

# Whatever can change a directory tree, and what makes it durable. getppid is the mark where recording begins.
SYSCALLS = (
    "getppid,write,writev,pwrite64,pwritev,sendfile,copy_file_range,fsync,fdatasync,syncfs,sync,sync_file_range,"
    "rename,renameat,renameat2,symlink,symlinkat,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,truncate,ftruncate,"
    "fallocate,chmod,fchmod,fchmodat,open,openat,creat"
)
COMMITTED = b"COMMITTED"
_LINE = re.compile(r"(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_DESCRIPTOR = re.compile(r"(?:\d+|AT_FDCWD)<((?:\\x[0-9a-f]{2})*)>")


@dataclass(slots=True)
class Inode:
    """A directory, file or link; *entries*, *data* and *target* are what it had before the recording."""

    kind: str
    mode: int = 0
    data: bytes = b""
    target: str = ""
    entries: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Operation:
    """One step, atomic in itself.

    Attributes:
        entries: names that it sets in a directory, (directory, name, inode), or clears where the inode is None.
        inode: whose data or mode it changes.
        offset: where *data* goes.
        cut: the length that the file is cut or grown to.
        syncs: the inode that is made durable; -1 for all of the file system.
        committed: the promise was given.
    """

    text: str
    entries: tuple[tuple[int, str, int | None], ...] = ()
    inode: int | None = None
    offset: int = 0
    data: bytes = b""
    cut: int | None = None
    mode: int | None = None
    syncs: int | None = None
    committed: bool = False


@dataclass(slots=True)
class Recording:
    """The tree before, and what happened to it; inode 0 is the root."""

    inodes: dict[int, Inode]
    operations: list[Operation]


def record(
    command: Sequence[str], root: Path, log: Path, *, promise: bytes = COMMITTED, begun: bool = False
) -> Recording:
    """Run *command*, which has to end well, and return what it did below *root*.

    Only its first thread is seen. A write with *promise* in it, to somewhere else, is the commit; where the command is
    *begun* from the start, no mark is waited for.
    """
    recording = Recording({}, [])
    _read_tree(recording, root)
    watch = ["strace", "-qq", "-y", "-xx", "-s", "4000000", "-o", str(log), "-e", f"trace={SYSCALLS}"]
    subprocess.run([*watch, *command], check=True, capture_output=True, env=environment())
    _Reader(recording, root, promise).read(log, begun=begun)
    return recording


def _read_tree(recording: Recording, path: Path) -> int:
    number = len(recording.inodes)
    found = path.lstat()
    recording.inodes[number] = inode = Inode("file", stat.S_IMODE(found.st_mode))
    if stat.S_ISLNK(found.st_mode):
        inode.kind, inode.target = "link", str(path.readlink())
    elif stat.S_ISDIR(found.st_mode):
        inode.kind = "directory"
        inode.entries = {one.name: _read_tree(recording, one) for one in sorted(path.iterdir())}
    else:
        inode.data = path.read_bytes()
    return number


class _Reader:
    def __init__(self, recording: Recording, root: Path, promise: bytes) -> None:
        self._recording = recording
        self._promise = promise
        self._root = os.path.realpath(root)
        self._now = {number: dict(inode.entries) for number, inode in recording.inodes.items()}
        self._sizes = {number: len(inode.data) for number, inode in recording.inodes.items()}

    def read(self, log: Path, *, begun: bool) -> None:
        with log.open(encoding="ascii") as lines:
            for line in lines:
                assert "unfinished" not in line, "threads cannot be put in one order"
                match = _LINE.match(line)
                if match is None or int(match[3]) < 0:
                    continue
                if match[1] == "getppid":
                    begun = True
                elif begun:
                    self._take(match[1], match[2])

    def _take(self, call: str, arguments: str) -> None:
        texts = [bytes.fromhex(one.replace("\\x", "")) for one in _TEXT.findall(arguments)]
        places = [bytes.fromhex(one.replace("\\x", "")).decode() for one in _DESCRIPTOR.findall(arguments)]
        if call == "write" and not self._inside(places[0]):
            if self._promise in texts[0]:
                self._note(Operation("committed", committed=True))
        elif call == "write":
            self._write(self._path(places[0]), texts[0])
        elif call in {"fsync", "fdatasync"}:
            if self._inside(places[0]):
                self._note(Operation(f"fsync {self._path(places[0])}", syncs=self._look(self._path(places[0]))))
        elif call in {"syncfs", "sync"}:
            self._note(Operation(call, syncs=-1))
        elif call == "pwrite64" and self._inside(places[0]):
            self._write_at(self._path(places[0]), int(arguments.rsplit(",", 1)[1]), texts[0])
        elif call in {"pwrite64", "pwritev", "writev", "sendfile", "copy_file_range"}:
            assert not any(self._inside(one) for one in places), f"{call} is not modelled"
        else:
            self._names(call, arguments, [one.decode() for one in texts], places)

    def _names(self, call: str, arguments: str, texts: list[str], places: list[str]) -> None:
        if call.startswith("symlink"):
            path = self._joined(places, texts[1], 0)
            if path is not None:
                self._make(path, Inode("link", target=texts[0]), call)
            return
        path = self._joined(places, texts[0], 0) if texts else self._path_or_none(places[0])
        if path is None:
            return
        if call in {"open", "openat", "creat"}:
            assert "O_TRUNC" not in arguments or not self._there(path), "truncation on opening is not modelled"
            if "O_CREAT" in arguments and not self._there(path):
                self._make(path, Inode("file", mode=_mode(arguments)), call)
        elif call in {"mkdir", "mkdirat"}:
            self._make(path, Inode("directory", mode=_mode(arguments)), call)
        elif call in {"unlink", "unlinkat", "rmdir"}:
            self._rebind(call, path, ((path, None),))
        elif call.startswith("rename"):
            self._rename(arguments, path, self._joined(places, texts[1], 1))
        elif call in {"chmod", "fchmod", "fchmodat"}:
            self._note(Operation(f"{call} {path}", inode=self._look(path), mode=_mode(arguments)))
        else:
            assert call == "ftruncate", f"{call}({arguments[:80]}) is not modelled"
            self._cut(path, int(arguments.rsplit(",", 1)[1]))

    def _cut(self, path: str, size: int) -> None:
        inode = self._look(path)
        self._note(Operation(f"truncate {path} to {size}", inode=inode, cut=size))
        self._sizes[inode] = size

    def _write_at(self, path: str, offset: int, data: bytes) -> None:
        inode = self._look(path)
        self._note(Operation(f"write {path} at {offset}", inode=inode, offset=offset, data=data))
        self._sizes[inode] = max(self._sizes[inode], offset + len(data))

    def _write(self, path: str, data: bytes) -> None:
        inode = self._look(path)
        self._note(Operation(f"write {path}", inode=inode, offset=self._sizes[inode], data=data))
        self._sizes[inode] += len(data)

    def _make(self, path: str, inode: Inode, call: str) -> None:
        number = len(self._recording.inodes)
        self._recording.inodes[number] = inode
        self._now[number], self._sizes[number] = {}, 0
        self._rebind(call, path, ((path, number),))

    def _rename(self, arguments: str, source: str, target: str | None) -> None:
        assert target is not None, "nothing is renamed out of the root"
        other = self._look(target) if "RENAME_EXCHANGE" in arguments else None
        self._rebind("rename", f"{source} {target}", ((source, other), (target, self._look(source))))

    def _rebind(self, call: str, text: str, changes: tuple[tuple[str, int | None], ...]) -> None:
        entries = tuple((self._look(path.rpartition("/")[0]), path.rpartition("/")[2], to) for path, to in changes)
        for directory, name, to in entries:
            if to is None:
                self._now[directory].pop(name)
            else:
                self._now[directory][name] = to
        self._note(Operation(f"{call} {text}", entries=entries))

    def _note(self, operation: Operation) -> None:
        self._recording.operations.append(operation)

    def _inside(self, path: str) -> bool:
        return path == self._root or path.startswith(self._root + "/")

    def _path(self, path: str) -> str:
        return path[len(self._root) :].strip("/")

    def _path_or_none(self, path: str) -> str | None:
        return self._path(path) if self._inside(path) else None

    def _joined(self, places: list[str], text: str, which: int) -> str | None:
        """Join a name to the directory that it is relative to; without one it is absolute."""
        base = places[min(which, len(places) - 1)] if places else "/"
        return self._path_or_none(os.path.normpath(Path(base) / text))

    def _there(self, path: str) -> bool:
        try:
            self._look(path)
        except KeyError:
            return False
        return True

    def _look(self, path: str) -> int:
        number = 0
        for part in (one for one in path.split("/") if one):
            number = self._now[number][part]
        return number


def _mode(arguments: str) -> int:
    """The last argument of every call that has one; openat without O_CREAT has none and is not asked."""
    return int(arguments.rsplit(",", 1)[1], 8)
