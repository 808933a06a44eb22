"""What a package manager that outlived pawld means for whoever comes next."""

import errno
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from pawld.errors import TransientError
from pawld.install.package_faults import Tool
from pawld.install.packages import PackageInstaller
from pawld.reasons import Reason
from pawld.system.process import Finished

HOLD = "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.lockf(file, fcntl.LOCK_EX); print(flush=True); input()"


def test_a_package_manager_that_holds_its_lock_is_at_work_and_named(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    installer = PackageInstaller(None, None, lambda: [tmp_path / "none", lock])  # type: ignore[arg-type]  # asked for neither
    command = [sys.executable, "-c", HOLD, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        told = installer.at_work()
        holder.communicate("\n")
    assert told is not None
    assert told.startswith(f"process {holder.pid} (python")
    assert installer.at_work() is None


@pytest.mark.parametrize(
    ("finished", "reason"),
    [
        (Finished(("dpkg-deb",), None, "", "Too many open files", ran=False, shortage=errno.EMFILE), Reason.IO_FAILED),
        (
            Finished(("dpkg-deb",), None, "", "No space left on device", ran=False, shortage=errno.ENOSPC),
            Reason.DISK_FULL,
        ),
        (Finished(("dpkg-deb",), None, "", "it took longer than 60 s"), Reason.IO_FAILED),
    ],
)
def test_a_host_that_cannot_even_ask_blames_no_build(finished: Finished, reason: Reason) -> None:
    tool = Tool("dpkg", busy=re.compile("busy"), limit=timedelta(minutes=1), run=lambda *_, **__: finished)
    with pytest.raises(TransientError) as raised:
        tool.ask(["dpkg-deb", "--show", "package.deb"])
    assert raised.value.reason is reason
