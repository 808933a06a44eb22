import errno
import os
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pawld.system import files

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="a call of Linux")


def test_a_durable_write_replaces_the_whole_file_with_the_asked_mode(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"a longer old content")
    before = os.umask(0o077)
    try:
        files.write_durably(path, b"new", mode=0o644)
    finally:
        os.umask(before)

    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [one.name for one in tmp_path.iterdir()] == ["state"]


def test_a_write_that_was_cut_short_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / ".state.new").write_bytes(b"half")

    files.write_durably(tmp_path / "state", b"whole")

    assert (tmp_path / "state").read_bytes() == b"whole"
    assert not (tmp_path / ".state.new").exists()


def test_missing_directories_are_made_and_present_ones_keep_their_mode(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o700)

    files.make_directory(tmp_path / "there" / "a" / "b", mode=0o750)

    assert stat.S_IMODE((tmp_path / "there").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "there/a/b").stat().st_mode) == 0o750


def test_a_link_in_the_place_of_a_directory_is_not_synced_through(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)

    with pytest.raises(OSError, match=r"Not a directory|symbolic"):
        files.fsync_directory(tmp_path / "link")


def test_windows_has_no_directory_to_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_WINDOWS", True)

    files.fsync_directory(tmp_path / "not even there")


@pytest.mark.skipif(sys.platform == "win32", reason="fcntl is not on Windows")
def test_macos_syncs_through_the_cache_of_the_drive(monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl  # noqa: PLC0415 - not on Windows

    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(files, "_MACOS", True)
    monkeypatch.setattr(fcntl, "fcntl", lambda descriptor, command: asked.append((descriptor, command)))

    files.fsync(7)

    assert asked == [(7, 51)]


def test_a_new_name_is_never_one_that_is_taken(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "dangling").symlink_to("nowhere")

    for taken in ("empty", "dangling"):
        with pytest.raises(FileExistsError):
            files.rename_new(tmp_path / "source", tmp_path / taken)
    files.rename_new(tmp_path / "source", tmp_path / "target")

    assert sorted(one.name for one in tmp_path.iterdir()) == ["dangling", "empty", "target"]


@linux_only
def test_two_directories_change_places_in_one_step(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()

    assert files.exchange(tmp_path / "one", tmp_path / "two")

    assert (tmp_path / "one" / "two").exists()
    assert (tmp_path / "two" / "one").exists()


@linux_only
def test_an_exchange_with_nothing_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()

    with pytest.raises(FileNotFoundError):
        files.exchange(tmp_path / "one", tmp_path / "two")


def test_a_file_system_that_cannot_exchange_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_libc", lambda: SimpleNamespace(renameat2=lambda *_: -1))
    monkeypatch.setattr(files, "_last_errno", lambda: errno.EINVAL)

    assert not files.exchange(tmp_path / "one", tmp_path / "two")


def test_a_system_without_the_call_cannot_exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_libc", lambda: None)

    assert not files.exchange(tmp_path / "one", tmp_path / "two")


@linux_only
def test_the_file_system_of_a_directory_is_synced(tmp_path: Path) -> None:
    files.sync_filesystem(tmp_path)


def test_a_write_that_failed_in_the_background_is_reported_by_the_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_libc", lambda: SimpleNamespace(syncfs=lambda _: -1))
    monkeypatch.setattr(files, "_last_errno", lambda: errno.EIO)

    with pytest.raises(OSError, match="Input/output error"):
        files.sync_filesystem(tmp_path)


def test_a_c_library_without_syncfs_syncs_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(files, "_libc", SimpleNamespace)
    monkeypatch.setattr(os, "sync", lambda: synced.append("all"))

    files.sync_filesystem(tmp_path)

    assert synced == ["all"]


def _watched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    monkeypatch.setattr(files, "_fsync_path", lambda path: seen.append(path.name))
    monkeypatch.setattr(files, "fsync_directory", lambda path: seen.append(f"{path.name}/"))
    monkeypatch.setattr(files, "sync_filesystem", lambda path: seen.append(f"all of {path.name}"))
    return seen


def _tree(root: Path) -> Path:
    (root / "tree/inner").mkdir(parents=True)
    (root / "tree/inner/file").touch()
    (root / "tree/link").symlink_to("inner/file")
    return root / "tree"


def test_a_few_files_are_synced_one_by_one_and_each_directory_after_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = _watched(monkeypatch)

    files.sync_tree(_tree(tmp_path))

    assert seen == ["file", "inner/", "tree/"]


@linux_only
def test_many_files_share_one_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _watched(monkeypatch)

    files.sync_tree(_tree(tmp_path), each_up_to=1)

    assert seen == ["all of tree"]


def test_many_files_are_still_synced_one_by_one_where_one_sync_promises_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = _watched(monkeypatch)
    monkeypatch.setattr(files, "_LINUX", False)

    files.sync_tree(_tree(tmp_path), each_up_to=0)

    assert seen == ["file", "inner/", "tree/"]
    assert files._libc.__wrapped__() is None


def test_a_tree_is_synced_for_real(tmp_path: Path) -> None:
    files.sync_tree(_tree(tmp_path))
    files.sync_tree(tmp_path / "tree", each_up_to=0)
