"""The real msiexec, of Windows or of Wine, on packages that ``wixl`` made; PAWLD_MSI_PACKAGES says where they lie."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.verified import Quiet, build

from pawld.errors import PawldError, RejectedError
from pawld.install.msi import WindowsInstaller
from pawld.install.packages import PackageContents, PackageInstaller
from pawld.install.pointer import FilePointer
from pawld.install.slots import SlotInstaller
from pawld.model import Platform, Slot
from pawld.system.clock import SystemClock
from pawld.system.windows_installer import HostProducts

PACKAGES = os.environ.get("PAWLD_MSI_PACKAGES", "")
pytestmark = pytest.mark.skipif(sys.platform != "win32" or not PACKAGES, reason="this is not Windows with packages")

WINDOWS = Platform("windows", "x86_64")
INSTALLED = Path(r"C:\Program Files\AcmeAgent\acme.txt")


@pytest.fixture
def installer(tmp_path: Path) -> Iterator[PackageInstaller]:
    root = tmp_path / "root"

    def kept() -> list[Path]:
        return [slot.path / "package.msi" for slot in shelf.slots()]

    manager = WindowsInstaller(WINDOWS, HostProducts(), kept, log=tmp_path / "logs/msi.log")
    shelf = SlotInstaller(root, PackageContents(manager), FilePointer(root), SystemClock())
    yield PackageInstaller(shelf, manager)
    for package in kept():
        for product in HostProducts().related(HostProducts().facts(package).upgrade_code):
            manager._remove(product)


def staged(installer: PackageInstaller, version: str, kind: str = "acme") -> Slot:
    data = (Path(PACKAGES) / f"{kind}-{version}.msi").read_bytes()
    return installer.stage(build(data, version, sequence=int(version[0]), form="msi", platform=WINDOWS), Quiet())


def test_a_package_is_updated_and_taken_back(installer: PackageInstaller) -> None:
    old, new = staged(installer, "1.0.0"), staged(installer, "2.0.0")
    assert installer.current() is None
    for slot in (old, new, old):
        installer.activate(slot)
        assert INSTALLED.read_text().strip() == slot.version
        assert installer.current() == slot
        assert installer.reboot_needed() is None


def test_a_package_that_refuses_this_host_leaves_the_old_one_where_it_is(installer: PackageInstaller) -> None:
    old = staged(installer, "1.0.0")
    installer.activate(old)
    with pytest.raises(PawldError) as refused:
        installer.activate(staged(installer, "3.0.0", "failing"))
    assert isinstance(refused.value, RejectedError)
    assert "1603" in refused.value.message
    assert (INSTALLED.read_text().strip(), installer.current()) == ("1.0.0", old)


def test_bytes_that_are_no_package_never_become_a_slot(installer: PackageInstaller) -> None:
    with pytest.raises(RejectedError, match="no Windows Installer package"):
        installer.stage(build(b"MZ" * 4000, form="msi", platform=WINDOWS), Quiet())
    assert installer.slots() == []
