"""The rehearsal's agent: a shell script that runs until it is stopped, and says of itself whether it is well."""

import hashlib

from pawld.values import dataclass

_PROGRAM = """\
#!/bin/sh
# {name} {version}, made for a rehearsal by pawld; it does nothing.
case "$1" in
run) while :; do sleep 1; done ;;
start) pid="$2"; setsid "$0" run </dev/null >/dev/null 2>&1 & echo $! >"$pid" ;;
stop) [ ! -e "$2" ] || kill -9 -"$(cat "$2")" 2>/dev/null || kill -9 "$(cat "$2")" 2>/dev/null; rm -f "$2" ;;
status) kill -0 "$(cat "$2" 2>/dev/null)" 2>/dev/null && cat "$2" ;;
health) exit {health} ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Build:
    """One version of it; a sick one fails its health check."""

    name: str
    version: str
    sick: bool = False

    @property
    def data(self) -> bytes:
        """The program."""
        return _PROGRAM.format(name=self.name, version=self.version, health=int(self.sick)).encode()

    @property
    def sha256(self) -> str:
        """What the rehearsal's configuration pins."""
        return hashlib.sha256(self.data).hexdigest()
