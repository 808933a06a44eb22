"""Two trees have one digest only where every name, mode, size, content, link and directory is the same."""

import pytest

from pawld.formats.slot_manifest import FileEntry
from pawld.formats.tree import ListedFiles, mode_of, tree_sha256, tree_text

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
