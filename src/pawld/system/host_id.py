"""A stable name for this host that tells nobody what machine it is.

The operating system's own id is hashed with ours, as machine-id(5) asks of every application. A host without one is
given a random name, kept in the state directory.
"""

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from pawld.system.files import write_durably
from pawld.system.process import run

_OURS = b"pawld host id 1\n"


def host_id(state_directory: Path, machine_id: Callable[[], str | None] | None = None) -> str:
    """Return this host's name: 32 hexadecimal digits, the same at each call."""
    found = (machine_id or _PROBES.get(sys.platform, _linux))()
    if found:
        return hashlib.sha256(_OURS + found.encode()).hexdigest()[:32]
    return _kept(state_directory / "host-id")


def _kept(file: Path) -> str:
    try:
        kept = file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        kept = ""
    if len(kept) == 32:  # noqa: PLR2004 - as long as the hashed one
        return kept
    fresh = os.urandom(16).hex()
    write_durably(file, fresh.encode())
    return fresh


def _linux() -> str | None:
    for file in (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id")):
        try:
            found = file.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        if found and found != "uninitialized":
            return found
    return None


def _macos() -> str | None:
    output = run(["/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice"]).output
    line = next((one for one in output.splitlines() if "IOPlatformUUID" in one), "")
    return line.split('"')[3] if line.count('"') >= 4 else None  # noqa: PLR2004 - "IOPlatformUUID" = "…"


def _windows() -> str | None:
    key = r"HKLM\SOFTWARE\Microsoft\Cryptography"
    words = run(["reg", "query", key, "/v", "MachineGuid", "/reg:64"]).output.split()
    return words[-1] if words else None


_PROBES: dict[str, Callable[[], str | None]] = {"darwin": _macos, "win32": _windows}
