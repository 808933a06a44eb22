import errno
from collections.abc import Sequence

import pytest

from pawld.errors import TransientError
from pawld.reasons import Reason
from pawld.system.faults import host_faults


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, Reason.DISK_FULL),
        (errno.EDQUOT, Reason.DISK_FULL),
        (errno.EROFS, Reason.READ_ONLY),
        (errno.EACCES, Reason.PERMISSION_DENIED),
        (errno.EPERM, Reason.PERMISSION_DENIED),
        (errno.ETXTBSY, Reason.FILE_IN_USE),
        (errno.EIO, Reason.IO_FAILED),
    ],
)
def test_each_fault_of_the_host_has_its_reason(number: int, reason: Reason) -> None:
    with pytest.raises(TransientError) as caught, host_faults("Writing the report"):
        raise OSError(number, "so it is", "/a/path")

    assert caught.value.reason is reason
    assert caught.value.message == "Writing the report failed on '/a/path': so it is."


def test_a_sharing_violation_of_windows_is_a_file_in_use() -> None:
    class SharingViolationError(OSError):
        winerror = 32

    with pytest.raises(TransientError) as caught, host_faults("Moving the pointer"):
        raise SharingViolationError(errno.EACCES, "in use")

    assert caught.value.reason is Reason.FILE_IN_USE


def test_a_fault_without_words_still_makes_a_sentence() -> None:
    with pytest.raises(TransientError) as caught, host_faults("Reading the slot"):
        raise OSError

    assert caught.value.reason is Reason.IO_FAILED
    assert caught.value.message == "Reading the slot failed: OSError."


def test_other_errors_pass_through() -> None:
    with pytest.raises(ZeroDivisionError), host_faults("Counting"):
        raise ZeroDivisionError


class HeldError(PermissionError):
    """What Windows answers; a rename over an open file is "access denied" there."""

    def __init__(self, winerror: int, *names: str) -> None:
        super().__init__(errno.EACCES, "in use", *names)
        self.winerror = winerror


@pytest.mark.parametrize("number", [5, 32, 33])
def test_a_file_that_others_hold_on_windows_is_named_with_who_holds_it(number: int) -> None:
    asked: list[str] = []

    def held_by(paths: Sequence[str]) -> Sequence[str]:
        asked.extend(paths)
        return ["Scanner (service ScanSvc, process 412)"]

    error = HeldError(number, "C:\\new")
    error.filename2 = "C:\\current.json"
    with pytest.raises(TransientError) as caught, host_faults("Moving the pointer", held_by):
        raise error

    assert caught.value.reason is Reason.FILE_IN_USE
    assert asked == ["C:\\new", "C:\\current.json"]
    assert caught.value.message.endswith(": in use; held by Scanner (service ScanSvc, process 412).")


@pytest.mark.parametrize(("number", "reason"), [(5, Reason.PERMISSION_DENIED), (32, Reason.FILE_IN_USE)])
def test_where_windows_does_not_tell_who_holds_it_the_sentence_is_as_before(number: int, reason: Reason) -> None:
    with pytest.raises(TransientError) as caught, host_faults("Moving the pointer"):
        raise HeldError(number, "C:\\current.json")

    assert caught.value.reason is reason
    assert caught.value.message == "Moving the pointer failed on 'C:\\\\current.json': in use."


def test_of_a_fault_without_a_file_nobody_is_asked() -> None:
    def held_by(paths: Sequence[str]) -> Sequence[str]:
        raise AssertionError(paths)

    with pytest.raises(TransientError, match="failed: in use"), host_faults("Moving the pointer", held_by):
        raise HeldError(32)
