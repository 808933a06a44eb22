"""How msiexec ended, by its exit code: https://learn.microsoft.com/windows/win32/msi/error-codes."""

from enum import Enum
from typing import Final

from pawld.reasons import Reason


class Ending(Enum):
    """What an exit code means for the installation."""

    DONE = "done"
    REBOOT = "reboot"  # done, and files in use are replaced at the next start of Windows
    LATER = "later"
    REFUSED = "refused"
    OPERATOR = "operator"


Meaning = tuple[Ending, Reason, str]

_FAILED = "it did not install"
_CODES: Final[dict[int, Meaning]] = {
    0: (Ending.DONE, Reason.IDLE, "done"),
    3010: (Ending.REBOOT, Reason.NEEDS_REBOOT, "done, and Windows has to be restarted to finish it"),
    1641: (Ending.REBOOT, Reason.NEEDS_REBOOT, "done, and the package itself has begun to restart Windows"),
    1604: (Ending.LATER, Reason.NEEDS_REBOOT, "it was suspended until Windows is restarted"),
    1618: (Ending.LATER, Reason.PACKAGE_MANAGER_BUSY, "another installation is under way"),
    1601: (Ending.LATER, Reason.IO_FAILED, "the Windows Installer service cannot be reached"),
    1612: (Ending.LATER, Reason.IO_FAILED, "the source of an installed product is not there any more"),
    1619: (Ending.LATER, Reason.IO_FAILED, "the kept package cannot be opened"),
    1622: (Ending.LATER, Reason.IO_FAILED, "its log file cannot be written"),
    1631: (Ending.LATER, Reason.IO_FAILED, "the Windows Installer service did not start"),
    1632: (Ending.LATER, Reason.DISK_FULL, "the directory for temporary files is full or cannot be written"),
    112: (Ending.LATER, Reason.DISK_FULL, "there is no space left"),
    5: (Ending.LATER, Reason.PERMISSION_DENIED, "access was denied"),
    1602: (Ending.REFUSED, Reason.INSTALLER_FAILED, "one of its actions cancelled it"),
    1603: (Ending.REFUSED, Reason.INSTALLER_FAILED, "one of its actions failed, and it was undone"),
    1605: (Ending.REFUSED, Reason.INSTALLER_FAILED, "the product is not installed"),
    1613: (Ending.REFUSED, Reason.INSTALLER_FAILED, "it needs a newer Windows Installer"),
    1620: (Ending.REFUSED, Reason.ARCHIVE_REFUSED, "it is no Windows Installer package"),
    1623: (Ending.REFUSED, Reason.INSTALLER_FAILED, "it has no language that this Windows has"),
    1624: (Ending.REFUSED, Reason.INSTALLER_FAILED, "its transforms cannot be applied"),
    1627: (Ending.REFUSED, Reason.ARCHIVE_REFUSED, "a function of the installer failed during its execution"),
    1633: (Ending.REFUSED, Reason.WRONG_EXECUTABLE, "it is not for this kind of CPU"),
    1638: (Ending.REFUSED, Reason.INSTALLER_FAILED, "another version with the same product code is installed"),
    1654: (Ending.REFUSED, Reason.WRONG_EXECUTABLE, "it is not for this version of Windows"),
    1625: (Ending.OPERATOR, Reason.PERMISSION_DENIED, "a policy of this host forbids it"),
    1628: (Ending.OPERATOR, Reason.CONFIG_INVALID, "one of the configured properties is not accepted"),
    1639: (Ending.OPERATOR, Reason.CONFIG_INVALID, "the command line is not understood; look at the properties"),
    1640: (Ending.OPERATOR, Reason.PERMISSION_DENIED, "it may not be installed from a remote session"),
    1643: (Ending.OPERATOR, Reason.PERMISSION_DENIED, "a policy of this host forbids it"),
}


def meaning_of(code: int) -> Meaning:
    """Return what the code stands for; one that is not listed is a failed installation."""
    return _CODES.get(code, (Ending.REFUSED, Reason.INSTALLER_FAILED, _FAILED))
