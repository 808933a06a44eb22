"""What is the same in two trees, and what a patch has to bring."""

from pawld.formats.patch import Moved, NewFile, PatchHeader
from pawld.formats.slot_manifest import FileEntry
from pawld.publish.contents import Tree
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two trees, side by side."""

    old: Tree
    new: Tree

    def header(self) -> PatchHeader:
        """Return the header of the patch from one to the other, without its segments."""
        before, after = _regular(self.old), _regular(self.new)
        sources = {one.sha256: path for path, one in sorted(before.items(), reverse=True)}
        moved, new = [], []
        for path, one in sorted(after.items()):
            there = before.get(path)
            if one.sha256 not in sources:
                new.append(NewFile(path, one.mode, one.size))
            elif there is None or there.sha256 != one.sha256:
                moved.append(Moved(path, one.mode, sources[one.sha256]))
            elif there.mode != one.mode:
                moved.append(Moved(path, one.mode, path))
        return PatchHeader(
            base_tree=self.old.sha256,
            old=self._material(before, after, new),
            new=tuple(new),
            segments=(),
            moved=tuple(moved),
            removed=tuple(sorted({one.path for one in self.old.files} - {one.path for one in self.new.files})),
            made=tuple(sorted(set(self.new.directories) - set(self.old.directories))),
            unmade=tuple(sorted(set(self.old.directories) - set(self.new.directories))),
            links=tuple(sorted(_links(self.new) - _links(self.old))),
        )

    @staticmethod
    def _material(before: dict[str, FileEntry], after: dict[str, FileEntry], new: list[NewFile]) -> tuple[str, ...]:
        """The files of the base that the new ones are probably made from: those in their place, and those gone."""
        if not new:
            return ()
        replaced = {one.path for one in new} & set(before)
        return tuple(sorted(replaced | (set(before) - set(after))))


def _regular(tree: Tree) -> dict[str, FileEntry]:
    return {one.path: one for one in tree.files if one.target is None}


def _links(tree: Tree) -> set[tuple[str, str]]:
    return {(one.path, one.target) for one in tree.files if one.target is not None}
