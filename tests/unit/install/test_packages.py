"""Both package managers for real: a database of their own, files below the test's directory."""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import packages
from support.verified import LINUX, ProvenBytes, Quiet, build

from pawld.errors import OperatorError, RejectedError, TransientError
from pawld.install.deb import Dpkg
from pawld.install.packages import PackageContents, PackageInstaller, PackageManager
from pawld.install.pointer import LinkPointer
from pawld.install.rpm import Rpm
from pawld.install.slots import SlotInstaller
from pawld.model import Platform
from pawld.reasons import Reason
from pawld.system.clock import SystemClock


@dataclass
class World:
    """One package manager with a database of its own, and what makes packages for it."""

    form: str
    place: Path
    manager: PackageManager
    database: Path
    lock: Path
    script: Mapping[str, str]
    again: Callable[[Platform], PackageManager]

    @property
    def installer(self) -> PackageInstaller:
        contents = PackageContents(self.manager)
        shelf = SlotInstaller(self.place / "root", contents, LinkPointer(self.place / "root"), SystemClock(), keep=2)
        return PackageInstaller(shelf, self.manager)

    @property
    def agent(self) -> Path:
        return self.place / "files/bin/acme"

    @property
    def configuration(self) -> Path:
        return self.place / "files/etc/acme.conf"

    def package(self, version: str, script: str = "", **options: str) -> bytes:
        files = {str(self.agent): f"acme {version}", str(self.configuration): f"made for {version}"}
        scripts = {self.script["post"]: script} if script else {}
        return getattr(packages, self.form)(self.place, version, files=files, scripts=scripts, **options)  # type: ignore[no-any-return]  # by name

    def proven(self, version: str, script: str = "", **options: str) -> ProvenBytes:
        return packages.proven(self.package(version, script, **options), version, self.form, sequence=int(version[0]))

    def install_by_hand(self, version: str) -> None:
        file = self.place / f"by-hand.{self.form}"
        file.write_bytes(self.package(version))
        self.manager.install(file)


@pytest.fixture(
    params=[pytest.param(one, marks=pytest.mark.rig(rig)) for one, rig in (("deb", "dpkg"), ("rpm", "rpm"))]
)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    return a_deb_world(tmp_path) if request.param == "deb" else an_rpm_world(tmp_path)


def a_deb_world(place: Path) -> World:
    database = place / "dpkg"
    for directory in ("updates", "info"):
        (database / directory).mkdir(parents=True)
    (database / "status").touch()

    def dpkg(platform: Platform) -> Dpkg:
        return Dpkg("acme", platform, database=database)

    return World("deb", place, dpkg(LINUX), database, database / "lock-frontend", {"post": "postinst"}, dpkg)


def an_rpm_world(place: Path) -> World:
    database = place / "rpmdb"
    shell = place / "shell.rpm"
    shell.write_bytes(packages.rpm(place, "1", name="sh", arch="noarch", files={}, fields="Provides: /bin/sh\n"))
    subprocess.run(["rpm", "--dbpath", str(database), "-U", str(shell)], check=True, capture_output=True)

    def rpm(platform: Platform) -> Rpm:
        return Rpm("acme", platform, database=database)

    return World("rpm", place, rpm(LINUX), database, database / ".rpm.lock", {"post": "post"}, rpm)


def test_a_package_is_kept_when_staged_and_installed_when_activated(world: World) -> None:
    slot = world.installer.stage(world.proven("1.0.0"), Quiet())
    assert [one.name for one in slot.path.iterdir() if not one.name.startswith(".")] == [f"package.{world.form}"]
    assert world.installer.current() is None
    assert not world.agent.exists()

    world.installer.activate(slot)

    assert world.agent.read_text() == "acme 1.0.0"
    assert world.installer.current() == slot
    assert world.installer.shelf.current() == slot
    assert world.installer.intact(slot)


def test_an_update_and_the_way_back_keep_what_the_administrator_configured(world: World) -> None:
    old = world.installer.stage(world.proven("1.0.0"), Quiet())
    world.installer.activate(old)
    world.configuration.write_text("by the administrator")

    new = world.installer.stage(world.proven("2.0.0"), Quiet())
    world.installer.activate(new)
    assert (world.agent.read_text(), world.installer.current()) == ("acme 2.0.0", new)

    world.installer.activate(old)
    assert (world.agent.read_text(), world.installer.current()) == ("acme 1.0.0", old)
    assert world.configuration.read_text() == "by the administrator"


def test_to_activate_what_is_installed_runs_no_script_again(world: World) -> None:
    slot = world.installer.stage(world.proven("1.0.0", f"echo ran >> {world.place}/ran"), Quiet())
    for _ in range(2):
        world.installer.activate(slot)
    assert (world.place / "ran").read_text() == "ran\n"


def test_a_failing_script_refuses_the_build_and_the_old_one_can_be_installed_again(world: World) -> None:
    old = world.installer.stage(world.proven("1.0.0"), Quiet())
    world.installer.activate(old)
    new = world.installer.stage(world.proven("2.0.0", "echo no >&2; exit 7"), Quiet())

    with pytest.raises(RejectedError) as refused:
        world.installer.activate(new)
    assert refused.value.reason is Reason.INSTALLER_FAILED
    assert "exit status 7" in refused.value.message
    assert world.installer.shelf.current() == old, "the pointer moves only after the package manager said yes"

    world.installer.activate(old)
    assert (world.agent.read_text(), world.installer.current()) == ("acme 1.0.0", old)


def test_a_lock_that_somebody_holds_means_try_later_and_changes_nothing(world: World) -> None:
    slot = world.installer.stage(world.proven("1.0.0"), Quiet())
    with world.lock.open("wb") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        with pytest.raises(TransientError) as busy:
            world.installer.activate(slot)
    assert busy.value.reason is Reason.PACKAGE_MANAGER_BUSY
    assert not world.agent.exists()
    world.installer.activate(slot)
    assert world.agent.exists()


def test_a_package_killed_in_the_middle_of_its_script_is_finished_by_doing_it_again(world: World) -> None:
    old = world.installer.stage(world.proven("1.0.0"), Quiet())
    world.installer.activate(old)
    once = f"test -e {world.place}/began && exit 0; touch {world.place}/began; sleep 60"
    new = world.installer.stage(world.proven("2.0.0", once), Quiet())
    with subprocess.Popen(
        ["/bin/sh", "-c", world.manager.way_back(new.path / f"package.{world.form}")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as killed:
        end = time.monotonic() + 10
        while not (world.place / "began").exists() and time.monotonic() < end:
            time.sleep(0.01)
        os.killpg(killed.pid, signal.SIGKILL)
    assert killed.returncode == -signal.SIGKILL
    assert world.installer.shelf.current() == old

    world.installer.activate(new)
    assert (world.agent.read_text(), world.installer.current()) == ("acme 2.0.0", new)
    world.installer.activate(old)
    assert (world.agent.read_text(), world.installer.current()) == ("acme 1.0.0", old)


def test_the_package_manager_is_believed_though_the_pointer_was_not_moved_yet(world: World) -> None:
    old, new = (world.installer.stage(world.proven(one), Quiet()) for one in ("1.0.0", "2.0.0"))
    world.installer.activate(old)
    world.manager.install(new.path / f"package.{world.form}")
    assert world.installer.shelf.current() == old
    assert world.installer.current() == new


def test_what_was_installed_by_hand_is_told_as_what_it_is(world: World) -> None:
    slot = world.installer.stage(world.proven("1.0.0"), Quiet())
    world.installer.activate(slot)
    world.install_by_hand("1.5.0")

    current = world.installer.current()
    assert current is not None
    assert (current.version, current.sha256) == ("1.5.0", "")
    assert current not in world.installer.slots()
    assert world.installer.intact(current), "nothing of ours is damaged"
    world.installer.sweep(())
    assert world.installer.slots() == [slot]


def test_what_was_removed_by_hand_is_not_current(world: World) -> None:
    slot = world.installer.stage(world.proven("1.0.0"), Quiet())
    world.installer.activate(slot)
    remove = {
        "deb": ["dpkg", f"--admindir={world.database}", "-r"],
        "rpm": ["rpm", "--dbpath", str(world.database), "-e"],
    }
    subprocess.run([*remove[world.form], "acme"], check=True, capture_output=True)
    assert world.installer.current() is None


@pytest.mark.parametrize(
    ("options", "told"),
    [({"name": "other"}, "this agent's package is 'acme'"), ({"arch": "{arch}"}, "this host is linux-x86_64")],
)
def test_a_package_of_another_name_or_cpu_never_becomes_a_slot(
    world: World, options: dict[str, str], told: str
) -> None:
    foreign = {"deb": "arm64", "rpm": "aarch64"}[world.form]
    options = {name: value.format(arch=foreign) for name, value in options.items()}
    with pytest.raises(RejectedError, match=told) as refused:
        world.installer.stage(world.proven("1.0.0", **options), Quiet())
    assert refused.value.reason is Reason.WRONG_EXECUTABLE
    assert world.installer.slots() == []


def test_a_package_for_every_cpu_is_for_this_one(world: World) -> None:
    every = {"deb": "all", "rpm": "noarch"}[world.form]
    assert world.installer.stage(world.proven("1.0.0", arch=every), Quiet()).version == "1.0.0"


def test_a_package_is_for_linux_alone(world: World) -> None:
    manager = world.again(Platform("macos", "x86_64"))
    file = world.place / "acme"
    file.write_bytes(world.package("1.0.0"))
    with pytest.raises(RejectedError, match="is for linux on x86_64; this host is macos-x86_64"):
        manager.check(file)


def test_bytes_that_are_no_package_are_refused(world: World) -> None:
    for form, reason in ((world.form, Reason.WRONG_EXECUTABLE), ("zip", Reason.ARCHIVE_REFUSED)):
        with pytest.raises(RejectedError) as refused:
            world.installer.stage(build(b"no package", form=form), Quiet())
        assert refused.value.reason is reason
    assert world.installer.slots() == []


def test_a_kept_package_that_rotted_is_never_handed_to_the_package_manager(world: World) -> None:
    slot = world.installer.stage(world.proven("1.0.0"), Quiet())
    package = slot.path / f"package.{world.form}"
    package.write_bytes(package.read_bytes()[:-1] + b"!")
    with pytest.raises(TransientError) as damaged:
        world.installer.activate(slot)
    assert damaged.value.reason is Reason.SLOT_DAMAGED
    assert not world.agent.exists()
    package.unlink()
    with pytest.raises(TransientError):
        world.installer.activate(slot)


def test_an_unreadable_kept_package_is_nobodys_version(world: World) -> None:
    slot = world.installer.stage(world.proven("1.0.0"), Quiet())
    world.installer.activate(slot)
    (slot.path / f"package.{world.form}").write_bytes(b"rotten")
    current = world.installer.current()
    assert current is not None
    assert (current.version, current.sha256) == ("1.0.0", "")


def test_the_dead_mans_command_goes_back_without_pawld(world: World) -> None:
    old, new = (world.installer.stage(world.proven(one), Quiet()) for one in ("1.0.0", "2.0.0"))
    world.installer.activate(old)
    world.installer.activate(new)
    subprocess.run(world.installer.pointing_command(old), check=True, capture_output=True)
    assert (world.agent.read_text(), world.installer.current()) == ("acme 1.0.0", old)
    assert world.installer.shelf.current() == old


def test_space_is_needed_for_the_kept_package(world: World) -> None:
    proven = world.proven("1.0.0")
    assert world.installer.space_needed(proven.record) >= proven.record.length


@pytest.mark.rig("dpkg")
def test_a_package_on_hold_is_left_as_it_is(tmp_path: Path) -> None:
    world = a_deb_world(tmp_path)
    slot = world.installer.stage(world.proven("1.0.0"), Quiet())
    world.installer.activate(slot)
    selections = [b"acme hold\n", "dpkg", f"--admindir={world.database}", "--set-selections"]
    subprocess.run(selections[1:], input=selections[0], check=True)
    for step in (
        lambda: world.installer.stage(world.proven("2.0.0"), Quiet()),
        lambda: world.manager.install(slot.path / "package.deb"),
    ):
        with pytest.raises(OperatorError, match="on hold") as held:
            step()
        assert held.value.reason is Reason.OWNED_BY_OTHERS
    assert world.installer.current() == slot


@pytest.mark.rig("dpkg")
def test_a_package_whose_need_is_not_met_is_refused_with_the_need(tmp_path: Path) -> None:
    world = a_deb_world(tmp_path)
    slot = world.installer.stage(world.proven("1.0.0", fields="Depends: libfuture (>= 9)\n"), Quiet())
    with pytest.raises(RejectedError, match="depend"):
        world.installer.activate(slot)


def test_a_package_manager_that_is_not_there_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    slot = world.installer.stage(world.proven("1.0.0"), Quiet())
    assert shutil.which("dpkg")
    monkeypatch.setenv("PATH", str(world.place))
    with pytest.raises(OperatorError, match="This host has no"):
        world.manager.installed()
    with pytest.raises((TransientError, OperatorError)):
        world.manager.install(slot.path / f"package.{world.form}")
