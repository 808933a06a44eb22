"""The table of exit codes and what is asked of msiexec, anywhere; the real thing is in ``test_msi_real``."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.verified import Quiet, build

from pawld.errors import OperatorError, PawldError, RejectedError, TransientError
from pawld.install.msi import WindowsInstaller
from pawld.install.packages import PackageContents, PackageInstaller
from pawld.install.pointer import FilePointer
from pawld.install.slots import SlotInstaller
from pawld.model import Platform, Slot
from pawld.reasons import Reason
from pawld.system.clock import SystemClock
from pawld.system.process import Finished
from pawld.system.windows_installer import MsiFacts, Product

WINDOWS = Platform("windows", "x86_64")
FAMILY = "{6E0C0F2B-0B7B-4D0E-9C59-2F6B9C1D7A11}"


def package(version: str, *, family: str = FAMILY, template: str = "x64;1033", code: str = "") -> bytes:
    """A package is its facts here, one a line."""
    return "\n".join((code or f"{{{version}}}", family, version, template)).encode()


@dataclass
class FakeWindows:
    """Windows Installer in memory: it runs msiexec's command lines, and knows what they left.

    Attributes:
        codes: what the next runs end with, before everything goes well.
        writes: what each run writes into its log.
    """

    log: Path
    installed: dict[str, MsiFacts] = field(default_factory=dict)
    codes: list[int | None] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    writes: bytes = b""

    def facts(self, package: Path) -> MsiFacts:
        words = package.read_bytes().decode().split("\n")
        if len(words) != 4:
            raise OSError(1620, "it is no package")
        return MsiFacts(*words)

    def related(self, upgrade_code: str) -> Sequence[Product]:
        return [Product(code, one.version) for code, one in self.installed.items() if one.upgrade_code == upgrade_code]

    def start(self, command: Sequence[str], *, limit: timedelta, line: str) -> Finished:
        assert limit == timedelta(minutes=15)
        self.lines.append(line.partition("msiexec.exe")[2].lstrip('" '))
        self.log.write_bytes(self.writes)
        code = self.codes.pop(0) if self.codes else 0
        verb, _, rest = self.lines[-1].partition(" ")
        if code in (0, 3010, 1641) and verb == "/x":
            del self.installed[rest.split()[0]]
        elif code in (0, 3010, 1641):
            facts = self.facts(Path(rest.split('"')[1]))
            older = [one for one, there in self.installed.items() if there.version < facts.version]
            self.installed = {one: there for one, there in self.installed.items() if one not in older}
            self.installed[facts.product_code] = facts
        return Finished(tuple(command), code, "", "" if code is not None else "it took longer than 900 s")


@dataclass
class World:
    windows: FakeWindows
    installer: PackageInstaller
    manager: WindowsInstaller

    def stage(self, version: str, **options: str) -> Slot:
        data = package(version, **options)
        sequence = int(version[0])
        return self.installer.stage(build(data, version, sequence=sequence, form="msi", platform=WINDOWS), Quiet())


def made_at(place: Path, **options: Any) -> World:
    root, log = place / "root", place / "logs/msi.log"
    windows = FakeWindows(log)

    def kept() -> list[Path]:
        return [slot.path / "package.msi" for slot in shelf.slots()]

    manager = WindowsInstaller(WINDOWS, windows, kept, log=log, start=windows.start, **options)
    shelf = SlotInstaller(root, PackageContents(manager), FilePointer(root), SystemClock())
    return World(windows, PackageInstaller(shelf, manager), manager)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return made_at(tmp_path)


def test_a_package_is_installed_silently_and_without_a_restart(world: World) -> None:
    slot = world.stage("1.0.0")
    assert world.installer.current() is None
    world.installer.activate(slot)
    assert world.installer.current() == slot
    line = world.windows.lines[0]
    assert line.startswith(f'/i "{slot.path / "package.msi"}" /qn /norestart /l*v "')
    world.installer.activate(slot)
    assert len(world.windows.lines) == 1, "what is installed is not installed again"


def test_an_update_is_one_run_and_the_way_back_removes_the_newer_one_first(world: World) -> None:
    old, new = world.stage("1.0.0"), world.stage("2.0.0")
    world.installer.activate(old)
    world.installer.activate(new)
    assert [one[:2] for one in world.windows.lines] == ["/i", "/i"]
    world.installer.activate(old)
    assert [one[:9] for one in world.windows.lines[2:]] == ["/x {2.0.0", f'/i "{old.path}'[:9]]
    assert world.installer.current() == old
    assert list(world.windows.installed) == ["{1.0.0}"]


def test_a_rebuilt_package_of_the_same_code_is_installed_over_itself(world: World) -> None:
    world.installer.activate(world.stage("1.0.0", code="{A}"))
    world.installer.activate(world.stage("1.1.0", code="{A}"))
    assert world.windows.lines[-1].endswith("REINSTALL=ALL REINSTALLMODE=vomus")


def test_properties_are_quoted_as_msiexec_reads_them(tmp_path: Path) -> None:
    world = made_at(tmp_path, properties={"INSTALLDIR": r"C:\Program Files\Acme", "SAYS": 'a "word"'})
    world.installer.activate(world.stage("1.0.0"))
    assert world.windows.lines[0].endswith(r'INSTALLDIR="C:\Program Files\Acme" SAYS="a ""word"""')


@pytest.mark.parametrize(("name", "value"), [("lower", "1"), ("A B", "1"), ("/x", "1"), ("NAME", "a\nb")])
def test_a_property_that_could_be_anything_else_is_refused(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(OperatorError, match="no public property"):
        made_at(tmp_path, properties={name: value})


@pytest.mark.parametrize(
    ("code", "error", "reason"),
    [
        (5, TransientError, Reason.PERMISSION_DENIED),
        (112, TransientError, Reason.DISK_FULL),
        (1601, TransientError, Reason.IO_FAILED),
        (1602, RejectedError, Reason.INSTALLER_FAILED),
        (1603, RejectedError, Reason.INSTALLER_FAILED),
        (1604, TransientError, Reason.NEEDS_REBOOT),
        (1605, RejectedError, Reason.INSTALLER_FAILED),
        (1612, TransientError, Reason.IO_FAILED),
        (1613, RejectedError, Reason.INSTALLER_FAILED),
        (1618, TransientError, Reason.PACKAGE_MANAGER_BUSY),
        (1619, TransientError, Reason.IO_FAILED),
        (1620, RejectedError, Reason.ARCHIVE_REFUSED),
        (1622, TransientError, Reason.IO_FAILED),
        (1623, RejectedError, Reason.INSTALLER_FAILED),
        (1624, RejectedError, Reason.INSTALLER_FAILED),
        (1625, OperatorError, Reason.PERMISSION_DENIED),
        (1627, RejectedError, Reason.ARCHIVE_REFUSED),
        (1628, OperatorError, Reason.CONFIG_INVALID),
        (1631, TransientError, Reason.IO_FAILED),
        (1632, TransientError, Reason.DISK_FULL),
        (1633, RejectedError, Reason.WRONG_EXECUTABLE),
        (1638, RejectedError, Reason.INSTALLER_FAILED),
        (1639, OperatorError, Reason.CONFIG_INVALID),
        (1640, OperatorError, Reason.PERMISSION_DENIED),
        (1643, OperatorError, Reason.PERMISSION_DENIED),
        (1654, RejectedError, Reason.WRONG_EXECUTABLE),
        (4711, RejectedError, Reason.INSTALLER_FAILED),
    ],
)
def test_each_exit_code_means_what_microsoft_documents(
    world: World, code: int, error: type[PawldError], reason: Reason
) -> None:
    old = world.stage("1.0.0")
    world.installer.activate(old)
    new = world.stage("2.0.0")
    world.windows.codes = [code]
    with pytest.raises(error, match=f"msiexec /i ended with {code}: ") as raised:
        world.installer.activate(new)
    assert raised.value.reason is reason
    assert world.installer.current() == old
    assert world.installer.shelf.current() == old


@pytest.mark.parametrize("code", [3010, 1641])
def test_a_reboot_that_is_needed_is_told_and_the_update_is_done(world: World, code: int) -> None:
    slot = world.stage("1.0.0")
    assert world.installer.reboot_needed() is None
    world.windows.codes = [code]
    world.installer.activate(slot)
    assert world.installer.current() == slot
    assert "Windows has to be restarted" in (world.installer.reboot_needed() or "")
    world.installer.activate(world.stage("2.0.0"))
    assert world.installer.reboot_needed() is None


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8"])
def test_a_refusal_brings_the_line_of_the_log_that_tells(world: World, encoding: str) -> None:
    said = "MSI (s) note\r\nProduct: Acme -- Error 1722. There is a problem with this package.\r\nMSI (s) end\r\n"
    slot = world.stage("1.0.0")
    world.windows.codes, world.windows.writes = [1603], said.encode(encoding)
    with pytest.raises(RejectedError, match=r"undone\. Error 1722\. There is a problem with this package\. Its log is"):
        world.installer.activate(slot)


def test_one_that_does_not_end_is_the_packages_fault_and_one_that_is_not_there_the_hosts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    slot = world.stage("1.0.0")
    world.windows.codes = [None]
    with pytest.raises(RejectedError, match="longer than 900 s"):
        world.installer.activate(slot)
    absent = Finished(("msiexec",), None, "", "msiexec: not found", ran=False)
    monkeypatch.setattr(world.manager, "_start", lambda *_, **__: absent)
    with pytest.raises(TransientError, match="could not be run"):
        world.installer.activate(slot)


def test_a_newer_one_that_somebody_removed_meanwhile_is_gone_which_is_what_was_wanted(world: World) -> None:
    old, new = world.stage("1.0.0"), world.stage("2.0.0")
    world.installer.activate(new)
    world.windows.codes = [1605]
    world.manager.install(old.path / "package.msi")
    assert [one[:2] for one in world.windows.lines] == ["/i", "/x", "/i"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"template": "Arm64;1033"}, "for Windows on arm64; this host is windows-x86_64"),
        ({"family": ""}, "no UpgradeCode"),
        ({"family": "{0}"}, r"belongs to \{0\}; this agent's packages to"),
    ],
)
def test_a_package_for_another_cpu_or_of_another_family_never_becomes_a_slot(
    world: World, options: dict[str, str], told: str
) -> None:
    world.stage("1.0.0")
    with pytest.raises(RejectedError, match=told):
        world.stage("2.0.0", **options)
    assert len(world.installer.slots()) == 1


@pytest.mark.parametrize("template", ["Intel;1033", ";1033", "x64;0"])
def test_a_package_for_an_older_cpu_runs_here_too(world: World, template: str) -> None:
    assert world.stage("1.0.0", template=template).version == "1.0.0"


def test_bytes_that_are_no_package_are_refused(world: World) -> None:
    with pytest.raises(RejectedError, match="no Windows Installer package"):
        world.installer.stage(build(b"MZ", form="msi", platform=WINDOWS), Quiet())


def test_a_kept_package_that_rotted_belongs_to_nobody(world: World) -> None:
    slot = world.stage("1.0.0")
    world.installer.activate(slot)
    (slot.path / "package.msi").write_bytes(b"rotten")
    assert world.installer.current() is None


def test_the_dead_mans_lines_remove_the_newer_one_and_install_the_older(world: World) -> None:
    old, new = world.stage("1.0.0"), world.stage("2.0.0")
    command = world.installer.pointing_command(old)
    assert command[:2] == ["cmd.exe", "/c"]
    lines = command[2].split(" & ")
    assert lines[0] == f'start "" /wait msiexec.exe /x "{new.path / "package.msi"}" /qn /norestart'
    assert lines[1].startswith(f'start "" /wait msiexec.exe /i "{old.path / "package.msi"}" /qn /norestart && echo ')
