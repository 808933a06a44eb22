"""Two trees have one digest only where every name, mode, size, content, link and directory is the same."""

import tracemalloc

import pytest

from pawld.formats.slot_manifest import FileEntry
from pawld.formats.tree import ListedFiles, TreeLines, mode_of, tree_sha256, tree_text

FILE = FileEntry("bin/acme", 5, 0o755, "a" * 64)
LINK = FileEntry("lib", 0, 0, "", "bin/acme")
WHOLE = tree_sha256([FILE, LINK], ["bin", "empty"])


def test_the_order_says_nothing() -> None:
    assert tree_sha256([LINK, FILE], ["empty", "bin"]) == WHOLE


@pytest.mark.parametrize(
    ("files", "directories"),
    [
        ([FILE], ["bin", "empty"]),
        ([FILE, LINK], ["bin"]),
        ([FILE._replace(mode=0o644), LINK], ["bin", "empty"]),
        ([FILE._replace(size=6), LINK], ["bin", "empty"]),
        ([FILE._replace(sha256="b" * 64), LINK], ["bin", "empty"]),
        ([FILE._replace(path="bin/acmf"), LINK], ["bin", "empty"]),
        ([FILE, LINK._replace(target="bin")], ["bin", "empty"]),
        ([FILE, FILE, LINK], ["bin", "empty"]),
    ],
)
def test_any_difference_shows(files: list[FileEntry], directories: list[str]) -> None:
    assert tree_sha256(files, directories) != WHOLE


def test_what_is_kept_as_lines_is_what_was_added() -> None:
    odd = FileEntry("lib/f é 644 1", 12, 0o644, "b" * 64)
    kept = TreeLines()
    for one in (FILE, odd):
        kept.add_file(one.path, one.size, one.mode, one.sha256)
    kept.add_link("lib/a link", "../bin/ac me")

    assert list(kept) == [FILE, odd, FileEntry("lib/a link", 0, 0, "", "../bin/ac me")]
    assert (kept[1], len(kept)) == (odd, 3)
    assert tree_sha256(kept, ["bin", "lib"]) == tree_sha256(list(kept), ["lib", "bin"])


def test_a_file_of_a_tree_takes_no_more_memory_than_its_line_and_a_few_words() -> None:
    kept = TreeLines()
    tracemalloc.start()
    for number in range(1000):
        kept.add_file(f"bin/acme-{number}", 1000, 0o644, "a" * 64)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert taken / 1000 < len(tree_text([kept[999]], [])) + 60


@pytest.mark.parametrize(("stated", "made"), [(0o4777, 0o755), (0o600, 0o644), (0, 0o644), (0o100, 0o744)])
def test_a_mode_is_what_a_host_gives(stated: int, made: int) -> None:
    assert mode_of(stated) == made


def test_a_list_answers_for_exactly_the_file_that_is_there_and_once() -> None:
    listed = ListedFiles(tree_text([FILE, LINK, FileEntry("f x 644 1", 0, 0o644, "c" * 64)], ["f dir"]))

    assert listed.take("bin/acme", 6, 0o755) is None
    assert listed.take("bin/acme", 5, 0o644) is None
    assert listed.take("bin/acm", 5, 0o755) is None
    assert listed.take("lib", 0, 0) is None
    assert listed.take("bin/acme", 5, 0o755) == "a" * 64
    assert listed.take("bin/acme", 5, 0o755) is None
    assert listed.take("f x 644 1", 0, 0o644) == "c" * 64


def test_a_list_of_links_alone_has_no_file() -> None:
    assert ListedFiles(tree_text([LINK], [])).take("lib", 0, 0) is None
