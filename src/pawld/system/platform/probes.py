"""What the host is asked. Each answer may be missing; the rules cope."""

import os
import platform
import sys
from pathlib import Path
from typing import Protocol

from pawld.model import Platform
from pawld.system.platform.elf import HEAD
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Seen:
    """The platform, if the facts suffice, and the facts themselves, for a sentence."""

    platform: Platform | None
    facts: tuple[str, ...]


class Probes(Protocol):
    """Everything that the rules ask of a host."""

    def system(self) -> str:
        """Return the kernel's name: ``Linux``, ``Darwin``, ``Windows`` or another."""

    def machine(self) -> str:
        """Return the CPU as this process is told it."""

    def head(self, path: str) -> bytes:
        """Return the first bytes of a file; none where it cannot be read."""

    def exists(self, path: str) -> bool:
        """Say whether there is such a file."""

    def sysctl(self, name: str) -> str | None:
        """Return macOS's answer; None for a name that this kernel does not have."""

    def environment(self, name: str) -> str | None:
        """Return an environment variable."""

    def native_machine(self) -> int | None:
        """Return the native IMAGE_FILE_MACHINE of Windows."""

    def registry_architecture(self) -> str | None:
        """Return PROCESSOR_ARCHITECTURE of the system's own environment on Windows."""


class HostProbes:
    """The host itself."""

    def system(self) -> str:
        """Return the kernel's name."""
        return platform.system()

    def machine(self) -> str:
        """Return uname's machine, or what Windows tells the interpreter."""
        return platform.machine()

    def head(self, path: str) -> bytes:
        """Return the first bytes of a file; none where it cannot be read."""
        try:
            with Path(path).open("rb") as file:
                return file.read(HEAD)
        except OSError:
            return b""

    def exists(self, path: str) -> bool:
        """Say whether there is such a file."""
        return bool(path) and os.path.exists(path)  # noqa: PTH110 - Path("") would be the working directory

    def sysctl(self, name: str) -> str | None:
        """Ask through the program, which may itself be translated; the hardware's answer is the same."""
        from pawld.system.process import run  # noqa: PLC0415 - on macOS alone

        finished = run(["/usr/sbin/sysctl", "-n", name])
        return finished.output.strip() if finished.ok else None

    def environment(self, name: str) -> str | None:
        """Return an environment variable."""
        return os.environ.get(name)

    def native_machine(self) -> int | None:
        """Ask kernel32's IsWow64Process2; None elsewhere, and before Windows 10 1511."""
        if sys.platform != "win32":
            return None
        import ctypes  # noqa: PLC0415 - on Windows alone

        kernel = ctypes.WinDLL("kernel32")
        if not hasattr(kernel, "IsWow64Process2"):
            return None
        process, native = ctypes.c_ushort(), ctypes.c_ushort()
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        kernel.IsWow64Process2.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
        answered = kernel.IsWow64Process2(kernel.GetCurrentProcess(), ctypes.byref(process), ctypes.byref(native))
        return native.value if answered else None

    def registry_architecture(self) -> str | None:
        """Read the machine's environment, which no emulation redirects."""
        if sys.platform != "win32":
            return None
        import winreg  # noqa: PLC0415 - on Windows alone

        key = r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as opened:
                return str(winreg.QueryValueEx(opened, "PROCESSOR_ARCHITECTURE")[0])
        except OSError:
            return None
