import errno

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
