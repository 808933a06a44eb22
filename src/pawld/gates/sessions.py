"""Open TCP sessions on a port of this host: from /proc on Linux, from ``netstat`` elsewhere.

A listening socket is no session, and neither is one that both sides have done with.
"""

import re
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from pawld.errors import TransientError
from pawld.reasons import Reason
from pawld.system.process import Finished, run

_TABLES = ("net/tcp", "net/tcp6")
_ESTABLISHED = "01"  # include/net/tcp_states.h
_NETSTAT = {"darwin": ("netstat", "-an", "-p", "tcp")}
_ANYWHERE = ("netstat", "-an")  # on Windows too, where `-p TCP` leaves IPv6 out
# Windows translates the words of its states, so a session there is whatever has a peer and none of these English ones.
_OVER = frozenset({"LISTEN", "LISTENING", "TIME_WAIT", "CLOSED", "CLOSE_WAIT", "LAST_ACK", "FIN_WAIT_1", "FIN_WAIT_2"})
_ROW = re.compile(r"^\s*tcp\S*\s+(?:\d+\s+\d+\s+)?(\S+)[.:](\d+)\s+(\S+)[.:](\d+|\*)(?:\s+(\S+))?\s*$", re.IGNORECASE)


def open_sessions(
    port: int,
    *,
    proc: Path = Path("/proc"),
    system: str = sys.platform,
    netstat: Callable[[tuple[str, ...]], Finished] | None = None,
) -> int:
    """Count the sessions whose local end is *port*.

    Raises:
        TransientError: ``GATE_BROKEN`` where this host does not tell.
    """
    if system == "linux":
        return sum(_in_table(proc / table, port) for table in _TABLES)
    ask = netstat or _ask
    finished = ask(_NETSTAT.get(system, _ANYWHERE))
    if not finished.ok:
        raise TransientError(Reason.GATE_BROKEN, f"The open sessions cannot be listed: {finished.story}.")
    return sum(_is_session(line, port) for line in finished.output.splitlines())


def _ask(command: tuple[str, ...]) -> Finished:
    return run(command, limit=timedelta(seconds=20))


def _in_table(table: Path, port: int) -> int:
    """Read proc(5) ``/proc/net/tcp``: slot, local address:port, remote, state, all in hexadecimal."""
    try:
        lines = table.read_text().splitlines()[1:]
    except FileNotFoundError:
        if table.name == "tcp6":
            return 0  # a kernel without IPv6
        raise TransientError(Reason.GATE_BROKEN, f"The open sessions cannot be read: there is no {table}.") from None
    except OSError as error:
        raise TransientError(Reason.GATE_BROKEN, f"The open sessions cannot be read: {error}.") from error
    rows = (line.split() for line in lines)
    return sum(row[3] == _ESTABLISHED and int(row[1].rpartition(":")[2], 16) == port for row in rows if len(row) > 3)  # noqa: PLR2004 - the fourth column


def _is_session(line: str, port: int) -> bool:
    row = _ROW.match(line)
    if row is None:
        return False
    _, local, _, peer, state = row.groups()
    return int(local) == port and peer not in ("0", "*") and (state or "").upper() not in _OVER
