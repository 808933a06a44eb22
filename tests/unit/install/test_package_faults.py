import re
from datetime import timedelta

import pytest

from pawld.errors import PawldError, RejectedError, TransientError
from pawld.install.package_faults import Tool
from pawld.reasons import Reason
from pawld.system.process import Finished

RPM_FULL = "error: Transaction test error:\n\tinstalling package a needs at least 12MB more space on the / filesystem"
DPKG_FULL = """dpkg: error processing archive a.deb (--install):
 cannot copy extracted data for './opt/a' to '/opt/a.dpkg-new': failed to write (No space left on device)"""
DPKG_USER = "dpkg: error: requested operation requires superuser privilege"
RPM_USER = "error: can't create transaction lock on /var/lib/rpm/.rpm.lock (Permission denied)"
DPKG_BUSY = "dpkg: error: dpkg frontend lock was locked by another process with pid 712\nNote: removing the lock file"


@pytest.mark.parametrize(
    ("said", "code", "reason", "told"),
    [
        (RPM_FULL, 1, Reason.DISK_FULL, "needs at least 12MB"),
        (DPKG_FULL, 1, Reason.DISK_FULL, "No space left"),
        (DPKG_USER, 2, Reason.PERMISSION_DENIED, "superuser"),
        (RPM_USER, 1, Reason.PERMISSION_DENIED, "Permission denied"),
        (DPKG_BUSY, 2, Reason.PACKAGE_MANAGER_BUSY, "Another"),
        ("error: Failed dependencies:\n\tlibfuture is needed by a", 1, Reason.INSTALLER_FAILED, "libfuture is needed"),
        ("it took longer than 900 s", None, Reason.INSTALLER_FAILED, "longer than 900 s"),
        ("", 9, Reason.INSTALLER_FAILED, "ended with 9"),
    ],
)
def test_each_fault_is_its_owners(said: str, code: int | None, reason: Reason, told: str) -> None:
    tool = Tool(
        "the package manager",
        busy=re.compile("locked by another"),
        limit=timedelta(minutes=15),
        run=lambda command, **_: Finished(tuple(command), code, "", said),
    )
    with pytest.raises(PawldError, match=told) as raised:
        tool.must(["install"])
    assert raised.value.reason is reason
    assert isinstance(raised.value, RejectedError) == (reason is Reason.INSTALLER_FAILED)
    assert isinstance(raised.value, TransientError) == (reason is not Reason.INSTALLER_FAILED)
