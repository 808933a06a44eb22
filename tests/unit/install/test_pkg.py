"""A pkgutil and an installer in memory, with the words that Apple's have in public reports; none ran on a Mac yet."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.verified import Quiet, build

from pawld.errors import OperatorError, RejectedError, TransientError
from pawld.install.packages import PackageContents, PackageInstaller
from pawld.install.pkg import MacInstaller
from pawld.install.pointer import LinkPointer
from pawld.install.slots import SlotInstaller
from pawld.model import Platform, Slot
from pawld.reasons import Reason
from pawld.system.clock import SystemClock
from pawld.system.process import Finished

MAC = Platform("macos", "arm64")
TEAM = "ABCDE12345"
SIGNED = """Package "acme.pkg":
   Status: signed by a developer certificate issued by Apple for distribution
   Notarization: trusted by the Apple notary service
   Signed with a trusted timestamp on: 2026-01-14 10:00:00 +0000
   Certificate Chain:
    1. Developer ID Installer: Example Inc. ({team})
       Expires: 2027-02-01 22:12:15 +0000
       SHA256 Fingerprint:
           00 11 22
       ------------------------------------------------------------------------
    2. Developer ID Certification Authority
"""
PACKAGE_INFO = """<?xml version="1.0" encoding="utf-8"?>
<pkg-info overwrite-permissions="true" relocatable="false" identifier="{name}"
 postinstall-action="none" version="{version}" format-version="2" generator-version="InstallCmds-834" auth="root">
    <payload numberOfFiles="3" installKBytes="10"/>
</pkg-info>
"""


@dataclass
class FakeMac:
    """What ``pkgutil`` and ``installer`` do; a package is its name and version here."""

    receipts: dict[str, str] = field(default_factory=dict)
    signature: str = SIGNED.format(team=TEAM)
    refusal: str = ""
    there: bool = True
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, command: Sequence[str], **_: Any) -> Finished:
        self.asked.append(tuple(command[:2]))
        if not self.there:
            return Finished(tuple(command), None, "", f"{command[0]}: No such file or directory", ran=False)
        code, output, errors = self._did(list(command))
        return Finished(tuple(command), code, output, errors)

    def _did(self, command: list[str]) -> tuple[int, str, str]:  # noqa: PLR0911 - one answer a command
        match command:
            case ["pkgutil", "--expand", package, place]:
                name, _, version = Path(package).read_text().partition(" ")
                if not version:
                    return 1, "", f"Could not open package for expansion: {package}"
                (Path(place) / "acme.pkg").mkdir(parents=True)
                (Path(place) / "acme.pkg/PackageInfo").write_text(PACKAGE_INFO.format(name=name, version=version))
                return 0, "", ""
            case ["pkgutil", "--check-signature", _]:
                return (0 if "1." in self.signature else 1), self.signature, ""
            case ["pkgutil", "--pkg-info", name]:
                if name not in self.receipts:
                    return 1, "", f"No receipt for '{name}' found at '/'."
                told = f"package-id: {name}\nversion: {self.receipts[name]}\nvolume: /\nlocation: /\ninstall-time: 1"
                return 0, told + "\n", ""
            case ["pkgutil", "--forget", name]:
                del self.receipts[name]
                return 0, f"Forgot package '{name}' on '/'.\n", ""
            case ["installer", "-pkg", package, "-target", "/"]:
                if self.refusal:
                    return 1, "installer: Package name is Acme\n", self.refusal
                name, _, version = Path(package).read_text().partition(" ")
                self.receipts[name] = version
                return 0, "installer: The upgrade was successful.\n", ""
        raise AssertionError(command)


@pytest.fixture
def mac() -> FakeMac:
    return FakeMac()


@pytest.fixture
def installer(mac: FakeMac, tmp_path: Path) -> PackageInstaller:
    manager = MacInstaller("com.example.acme", MAC, team_id=TEAM, run=mac.run)
    root = tmp_path / "root"
    return PackageInstaller(SlotInstaller(root, PackageContents(manager), LinkPointer(root), SystemClock()), manager)


def stage(installer: PackageInstaller, version: str, name: str = "com.example.acme") -> Slot:
    data = f"{name} {version}".encode()
    return installer.stage(build(data, version, sequence=int(version[0]), form="pkg", platform=MAC), Quiet())


def test_a_package_is_updated_and_taken_back_with_the_kept_one(installer: PackageInstaller, mac: FakeMac) -> None:
    old, new = stage(installer, "1.0.0"), stage(installer, "2.0.0")
    assert installer.current() is None
    for slot in (old, new, old):
        installer.activate(slot)
        assert mac.receipts == {"com.example.acme": slot.version}
        assert installer.current() == slot
    assert installer.reboot_needed() is None
    assert "( pkgutil --forget com.example.acme || true ) && installer -pkg" in installer.pointing_command(old)[2]


@pytest.mark.parametrize(
    ("signature", "told"),
    [
        (SIGNED.format(team="ZZZZZ99999"), "Team ZZZZZ99999 signed the package; this agent's is ABCDE12345"),
        ('Package "acme.pkg":\n   Status: no signature\n', "No Developer ID signed"),
        (SIGNED.format(team=TEAM).replace("developer certificate issued by Apple", "untrusted certificate"), "No Dev"),
        (f"   Status: no signature\n    1. Developer ID Installer: Eve ({TEAM})\n", "No Developer ID signed"),
    ],
)
def test_a_package_that_another_team_or_nobody_signed_never_becomes_a_slot(
    installer: PackageInstaller, mac: FakeMac, signature: str, told: str
) -> None:
    mac.signature = signature
    with pytest.raises(RejectedError, match=told) as refused:
        stage(installer, "1.0.0")
    assert refused.value.reason is Reason.SIGNATURE_INVALID
    assert installer.slots() == []


def test_a_package_without_the_agents_component_or_no_package_at_all_is_refused(installer: PackageInstaller) -> None:
    with pytest.raises(RejectedError, match=r"no component 'com\.example\.acme'"):
        stage(installer, "1.0.0", "com.example.other")
    with pytest.raises(RejectedError, match="no installer package"):
        installer.stage(build(b"xar!", form="pkg", platform=MAC), Quiet())


def test_a_package_is_for_a_mac_alone(mac: FakeMac, tmp_path: Path) -> None:
    with pytest.raises(RejectedError, match="is for macos"):
        MacInstaller("com.example.acme", Platform("linux", "x86_64"), run=mac.run).check(tmp_path)


@pytest.mark.parametrize(
    ("refusal", "error", "reason"),
    [
        ("installer: Error - another installation is in progress.", TransientError, Reason.PACKAGE_MANAGER_BUSY),
        ("installer: The install failed. (An error occurred while running scripts)", RejectedError, None),
    ],
)
def test_a_refusal_of_the_installer_leaves_the_pointer_and_can_be_taken_back(
    installer: PackageInstaller, mac: FakeMac, refusal: str, error: type[Exception], reason: Reason | None
) -> None:
    old, new = stage(installer, "1.0.0"), stage(installer, "2.0.0")
    installer.activate(old)
    mac.refusal = refusal
    with pytest.raises(error) as raised:
        installer.activate(new)
    assert raised.value.reason is (reason or Reason.INSTALLER_FAILED)  # type: ignore[attr-defined]  # both have one
    assert installer.shelf.current() == old
    mac.refusal = ""
    installer.activate(old)
    assert installer.current() == old


def test_a_host_without_apples_tools_is_told(installer: PackageInstaller, mac: FakeMac) -> None:
    mac.there = False
    with pytest.raises(OperatorError, match="no pkgutil"):
        installer.current()
    with pytest.raises(OperatorError, match="no pkgutil"):
        stage(installer, "1.0.0")
