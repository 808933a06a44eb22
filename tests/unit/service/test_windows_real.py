"""The real service control manager, of Windows or of Wine; services are made by ``sc.exe``, as a person would."""

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path, PureWindowsPath

import pytest

from pawld.errors import OperatorError
from pawld.model import Slot
from pawld.service.windows import WindowsService
from pawld.system.liveness import lives
from pawld.system.windows_services import HostServices

pytestmark = pytest.mark.skipif(sys.platform != "win32", reason="this is not Windows")

NAME = f"PawldTest{uuid.uuid4().hex[:8]}"  # a deleted one lingers while anybody holds it open
AGENT = """
import sys, servicemanager, win32event, win32service, win32serviceutil

class Agent(win32serviceutil.ServiceFramework):
    _svc_name_ = "PawldTestAgent"

    def __init__(self, arguments):
        super().__init__(arguments)
        self.asked = win32event.CreateEvent(None, 0, 0, None)

    def SvcStop(self):
        self.ReportServiceStatus(win32service.SERVICE_STOP_PENDING)
        win32event.SetEvent(self.asked)

    def SvcDoRun(self):
        self.ReportServiceStatus(win32service.SERVICE_RUNNING)
        open(__file__ + ".ran", "w").close()
        win32event.WaitForSingleObject(self.asked, -1)

servicemanager.Initialize()
servicemanager.PrepareToHostSingle(Agent)
servicemanager.StartServiceCtrlDispatcher()
"""


def sc(*arguments: str) -> int:
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.run(["sc.exe", *arguments], check=False, **quiet).returncode  # type: ignore[call-overload]  # streams


def slot_in(root: Path, version: str) -> Slot:
    path = root / "versions" / f"{version}-0123456789ab"
    path.mkdir(parents=True)
    (path / "agent.py").write_text(AGENT)
    return Slot(path, version, "0" * 64)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[WindowsService]:
    old = slot_in(tmp_path, "1.0.0")
    line = f'"{sys.executable}" "{old.path}\\agent.py" --service'
    assert sc("create", NAME, "binPath=", line, "start=", "auto") == 0
    made = WindowsService(NAME, root=PureWindowsPath(tmp_path), patience=timedelta(seconds=30))
    yield made
    made.stop()
    sc("delete", NAME)


def test_a_service_is_pointed_to_a_newer_slot_started_and_stopped(service: WindowsService, tmp_path: Path) -> None:
    newer = slot_in(tmp_path, "2.0.0")
    assert not service.status().running
    service.start(newer)
    status = service.status()
    assert (status.running, status.enabled) == (True, True)
    assert status.pid is not None
    assert lives(status.pid)
    end = time.monotonic() + 10
    while not (newer.path / "agent.py.ran").exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert (newer.path / "agent.py.ran").exists(), "the new slot's own program ran"
    assert str(newer.path) in HostServices().query(NAME).command_line
    service.start(newer)
    service.stop()
    assert not service.status().running
    service.stop()


def test_a_disabled_service_is_left_alone(tmp_path: Path) -> None:
    name = f"{NAME}Off"
    assert sc("create", name, "binPath=", sys.executable, "start=", "disabled") == 0
    disabled = WindowsService(name, root=PureWindowsPath(tmp_path))
    assert disabled.status().enabled is False
    with pytest.raises(OperatorError, match="disabled"):
        disabled.start(slot_in(tmp_path, "2.0.0"))
    assert sc("delete", name) == 0


def test_a_service_that_nobody_installed_is_told_apart() -> None:
    nobody = WindowsService("PawldNobody", root=PureWindowsPath("C:\\nowhere"))
    assert nobody.status().detail == "there is no service PawldNobody"
    nobody.stop()
