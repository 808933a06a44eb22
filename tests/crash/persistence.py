"""Every state that a weak file system may leave on disk when the power goes, after ALICE (Pillai et al., OSDI 2014).

The rules: data and mode are durable after fsync of their inode, a name after fsync of its directory, everything after
syncfs; a rename is atomic. Whatever was not made durable may be there or not, in any combination, and an unsynced write
may have left its length and zeros for bytes. No file system is that cruel everywhere, and each is somewhere.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from crash.trace import Inode, Operation, Recording


class LostWrite(Enum):
    """What is where an unsynced write should be."""

    ZEROS = "zeros"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class State:
    """A crash after *upto* operations, of which only *kept* reached the disk."""

    upto: int
    kept: frozenset[int]
    lost_write: LostWrite
    committed: bool
    lost: tuple[str, ...]


@dataclass(slots=True)
class Image:
    """A tree as the next boot finds it."""

    inodes: dict[int, Inode]

    def fingerprint(self) -> int:
        """Return the same number for the same tree, and in this process another one for another tree."""
        return self._fingerprint(self.inodes[0])

    def _fingerprint(self, inode: Inode) -> int:
        # Bytes keep their hash: what no operation wrote to is hashed once for all images.
        below = frozenset((name, self._fingerprint(self.inodes[child])) for name, child in inode.entries.items())
        return hash((inode.kind, inode.mode, inode.target, inode.data, below))

    def write_to(self, root: Path) -> None:
        """Make the tree at *root*, which must not be there."""
        for path, inode in self._walk(0, ""):
            place = root / path if path else root
            if inode.kind == "link":
                place.symlink_to(inode.target)
                continue
            if inode.kind == "directory":
                place.mkdir()
            else:
                place.write_bytes(inode.data)
            place.chmod(inode.mode | (0o700 if inode.kind == "directory" else 0))

    def _walk(self, number: int, path: str) -> Iterator[tuple[str, Inode]]:
        inode = self.inodes[number]
        yield path, inode
        for name, child in sorted(inode.entries.items()):
            yield from self._walk(child, f"{path}/{name}" if path else name)


def durable(operations: list[Operation], upto: int) -> frozenset[int]:
    """Return the operations that must be on disk when the power goes after *upto* of them."""
    must: set[int] = set()
    waiting = {  # what each operation still needs synced
        index: {directory for directory, _, _ in one.entries} | ({one.inode} - {None})
        for index, one in enumerate(operations[:upto])
        if one.syncs is None and not one.committed
    }
    for moment, sync in enumerate(operations[:upto]):
        if sync.syncs is None:
            continue
        for index in [one for one in waiting if one < moment]:
            waiting[index] -= waiting[index] if sync.syncs == -1 else {sync.syncs}
            if not waiting[index]:
                must.add(index)
                del waiting[index]
    return frozenset(must)


def states(recording: Recording, *, seed: int, subsets: int, begin: str = "") -> Iterator[State]:
    """Yield, for each crash point: all kept, none kept, each one lost, each one kept, and *subsets* random ones."""
    chance = random.Random(seed)
    operations = recording.operations
    first = next((index for index, one in enumerate(operations) if begin in one.text), 0) if begin else 0
    for upto in range(first, len(operations) + 1):
        must = durable(operations, upto)
        free = [
            index
            for index, one in enumerate(operations[:upto])
            if index not in must and one.syncs is None and not one.committed
        ]
        committed = any(one.committed for one in operations[:upto])
        everything = frozenset(free)
        chosen = {everything, frozenset[int]()}
        chosen |= {everything - {one} for one in free} | {frozenset({one}) for one in free}
        chosen |= {frozenset(one for one in free if chance.random() < 0.5) for _ in range(subsets)}
        for kept in sorted(chosen, key=sorted):
            lost = tuple(operations[index].text for index in free if index not in kept)
            for lost_write in LostWrite:
                yield State(upto, must | kept, lost_write, committed, lost)


def distinct(recording: Recording, *, seed: int, subsets: int, begin: str = "") -> Iterator[tuple[State, bool]]:
    """Yield each state, and whether its image and its promise were not there before.

    Where *begin* is given, the crash points are only those from the first operation on with this text in it.
    """
    seen: set[tuple[int, bool]] = set()
    for state in states(recording, seed=seed, subsets=subsets, begin=begin):
        key = (image_of(recording, state).fingerprint(), state.committed)
        yield state, key not in seen
        seen.add(key)


def image_of(recording: Recording, state: State) -> Image:
    """Return what the disk holds in *state*."""
    image = _Growing(recording.inodes)
    for index, one in enumerate(recording.operations[: state.upto]):
        if one.data:
            _write(image.own(one.inode or 0), one, index in state.kept, state.lost_write)
        if index not in state.kept:
            continue
        if one.cut is not None:
            inode = image.own(one.inode or 0)
            inode.data = inode.data[: one.cut].ljust(one.cut, b"\0")
        if one.mode is not None:
            image.own(one.inode or 0).mode = one.mode
        for directory, name, to in one.entries:
            if to is None:
                image.own(directory).entries.pop(name, None)
            else:
                image.own(directory).entries[name] = to
    return Image(image.inodes)


class _Growing:
    """The inodes of a recording, each copied when it first changes."""

    def __init__(self, before: dict[int, Inode]) -> None:
        self._before = before
        self.inodes = dict(before)

    def own(self, number: int) -> Inode:
        one = self.inodes[number]
        if one is self._before[number]:
            one = self.inodes[number] = Inode(one.kind, one.mode, one.data, one.target, dict(one.entries))
        return one


def _write(inode: Inode, one: Operation, kept: bool, lost_write: LostWrite) -> None:
    if not kept and lost_write is LostWrite.NOTHING:
        return
    end = one.offset + len(one.data)
    # What was there and is written over keeps its old bytes; only new length may hold zeros.
    data = one.data if kept else inode.data[one.offset : end].ljust(len(one.data), b"\0")
    inode.data = inode.data[: one.offset].ljust(one.offset, b"\0") + data + inode.data[end:]
