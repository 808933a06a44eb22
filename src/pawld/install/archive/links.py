"""Symbolic links, where the policy allows them: relative, and proven to lead to another member.

A target may climb with leading ``..`` only. The directories that it climbs through are real ones (nothing can be
unpacked below a link), so climbing cannot be led astray; after that it only descends, and every link on its way is
resolved by the same rule. What resolves here is therefore what the system resolves.
"""

from pawld.install.archive.limits import named, refused
from pawld.install.archive.names import MAX_PATH, key_of
from pawld.install.archive.tree import Folder, Link, Taken, Tree

MAX_HOPS = 8  # links in a row; libfoo.so → libfoo.so.1 → libfoo.so.1.2 has two


def check_links(tree: Tree, links: list[Link]) -> None:
    """Raise ``RejectedError`` unless every link leads to a file or directory of the same archive."""
    for link in links:
        _resolved(tree, link, link, MAX_HOPS)


def _resolved(tree: Tree, link: Link, first: Link, hops: int) -> Folder | str:
    if hops == 0:
        raise refused(f"The link {named(first.path)} in the archive leads through more than {MAX_HOPS} links.")
    at: Taken = link.folder
    for number, part in enumerate(parts := _parts(link)):
        if isinstance(at, Link):
            at = _resolved(tree, at, first, hops - 1)
        if not isinstance(at, Folder):
            raise _nowhere(first)
        at = _climbed(tree, at, link, parts[:number]) if part == ".." else _below(at, part, first)
    if isinstance(at, Link):
        return _resolved(tree, at, first, hops - 1)
    if at is tree.root:
        raise _outside(link)
    return at


def _parts(link: Link) -> list[str]:
    target = link.target
    if target.startswith("/") or "\\" in target or "\0" in target or len(target) > MAX_PATH:
        raise _outside(link)
    return target.split("/")


def _climbed(tree: Tree, folder: Folder, link: Link, before: list[str]) -> Folder:
    if any(part != ".." for part in before) or folder is tree.root:
        raise _outside(link)
    return folder.lineage[-2] if len(folder.lineage) > 1 else tree.root


def _below(folder: Folder, part: str, first: Link) -> Taken:
    there = folder.taken.get(key_of(part))
    spelled = there if isinstance(there, str) else getattr(there, "leaf", None)
    if there is None or spelled != part:  # a case twin is found on some file systems only
        raise _nowhere(first)
    return there


def _outside(link: Link) -> Exception:
    return refused(f"The link {named(link.path)} in the archive points outside of it, to {named(link.target)}.")


def _nowhere(link: Link) -> Exception:
    return refused(f"The link {named(link.path)} in the archive points to no member of it, {named(link.target)}.")
