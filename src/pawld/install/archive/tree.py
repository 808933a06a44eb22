"""The names of an archive's members: each once, each below the root, none below anything but a directory.

The tree is kept in memory and decides; ``place`` acts. Two names are one if a file system that ignores case or Unicode
normal form would take them for one.
"""

from pawld.formats.slot_manifest import FILENAME
from pawld.install.archive.limits import named, refused
from pawld.install.archive.names import MAX_DEPTH, key_of

# What pawld writes beside a build, last of all: a member of that name would be replaced by it, or stand in its way.
_OURS = frozenset({FILENAME, f".{FILENAME}.new"})


class Folder:
    """A directory of the tree, and the names that are taken in it.

    Attributes:
        lineage: the directories from below the root down to this one; empty for the root.
        taken: what each name's key stands for.
        stated: the archive had a member of its own for it.
    """

    __slots__ = ("leaf", "lineage", "stated", "taken")

    def __init__(self, leaf: str = "", above: "Folder | None" = None) -> None:
        self.leaf = leaf
        self.lineage: tuple[Folder, ...] = () if above is None else (*above.lineage, self)
        self.taken: dict[str, Taken] = {}
        self.stated = False


class Link:
    """A symbolic link that waits to be made: where it stands, and what it says."""

    __slots__ = ("folder", "leaf", "path", "target")

    def __init__(self, folder: Folder, leaf: str, path: str, target: str) -> None:
        self.folder = folder
        self.leaf = leaf
        self.path = path
        self.target = target


Taken = Folder | Link | str
"""A directory, a link, or the spelling of a regular file."""


class Tree:
    """Every name that an archive has claimed so far."""

    def __init__(self) -> None:
        self.root = Folder()
        self._by_path = {"": self.root}

    def folder(self, path: str) -> list[Folder]:
        """Claim the directory *path* for a member of its own; return those that have to be made, outermost first."""
        made = self._grown(path)
        folder = self._by_path[path]
        if folder.stated:
            raise refused(f"The archive has the directory {named(path)} twice.")
        folder.stated = True
        return made

    def parent(self, path: str) -> tuple[Folder, str, list[Folder]]:
        """Return the directory that *path* lies in, its last component, and the directories that have to be made."""
        above, _, leaf = path.rpartition("/")
        folder = self._by_path.get(above)
        if folder is not None:
            return folder, leaf, []
        made = self._grown(above)
        return self._by_path[above], leaf, made

    def directories(self) -> tuple[str, ...]:
        """Return every directory but the root, sorted."""
        return tuple(sorted(path for path in self._by_path if path))

    def claim(self, folder: Folder, leaf: str, taken: Taken) -> None:
        """Take the name *leaf* in *folder*; ``RejectedError`` where it, or a twin of it, is taken."""
        key = key_of(leaf)
        if folder is self.root and key in _OURS:
            raise refused(f"The archive's member {named(leaf)} has a name that a slot needs for itself.")
        if key in folder.taken:
            raise _twins(folder, leaf, folder.taken[key])
        folder.taken[key] = taken

    def _grown(self, path: str) -> list[Folder]:
        parts = path.split("/") if path else []
        if len(parts) > MAX_DEPTH:
            raise refused(f"The archive's member {named(path)} lies deeper than {MAX_DEPTH} directories.")
        made: list[Folder] = []
        folder = self.root
        for number, part in enumerate(parts, 1):
            there = folder.taken.get(key_of(part))
            if there is None:
                there = Folder(part, folder)
                self.claim(folder, part, there)
                self._by_path["/".join(parts[:number])] = there
                made.append(there)
            elif not isinstance(there, Folder) or there.leaf != part:
                raise _twins(folder, part, there)
            folder = there
        return made


def _twins(folder: Folder, leaf: str, there: Taken) -> Exception:
    """Two members want one name, or a member lies below what is no directory."""
    first = there if isinstance(there, str) else there.leaf
    where = "/".join(one.leaf for one in folder.lineage) or "its root"
    return refused(f"The archive has both {named(first)} and {named(leaf)} in {named(where)}; they are one name.")
