"""How much memory another process holds."""

import os
from pathlib import Path

_PROC = Path("/proc")
_RESIDENT = 1  # the second number of statm, in pages: proc_pid_statm(5)


def resident(pid: int, proc: Path = _PROC) -> int | None:
    """Return the bytes that the process holds in memory; None where this system does not tell, or it is gone."""
    try:
        numbers = (proc / str(pid) / "statm").read_text().split()
    except OSError:
        return None
    return int(numbers[_RESIDENT]) * os.sysconf("SC_PAGE_SIZE") if len(numbers) > _RESIDENT else None
