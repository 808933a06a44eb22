"""The dead man's switch of a service whose manager has none: a sleeper that goes back unless it is called off.

It is forked away from pawld, or on Windows started apart from it, so that it fires though pawld be dead. It does not
survive a reboot: ``pawld recover`` at boot does that part. Nor does it survive the end of a unit whose whole control
group is killed; where systemd is in charge of the agent, ``systemd`` arms a timer instead.
"""

import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from pawld.errors import PawldError
from pawld.model import Slot
from pawld.ports import Clock, Service
from pawld.system.apart import leave_behind
from pawld.system.faults import host_faults
from pawld.system.files import make_directory, patiently, staged_name, write_durably
from pawld.system.process import launch

_LOOK_EVERY = timedelta(seconds=1)


class Sleeper:
    """Waits beside a *token* file: while it holds this sleeper's own word at the deadline, *fire* is called."""

    def __init__(self, token: Path, clock: Clock) -> None:
        self._token = token
        self._clock = clock

    def arm(self, deadline: timedelta, fire: Callable[[], None]) -> None:
        """Leave a sleeper behind; one that was armed before is called off. Windows cannot fork: see ``Companion``."""
        if not hasattr(os, "fork"):
            return
        word = secrets.token_hex(16)
        with host_faults("Arming the dead man's switch"):
            make_directory(self._token.parent)
            write_durably(self._token, word.encode())
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            return
        _live_on(lambda: self.wait(word, deadline, fire))  # pragma: no cover - the forked child leaves no figures

    def disarm(self) -> None:
        """Call the sleeper off; it ends by itself within a second."""
        _call_off(self._token)

    def wait(self, word: str, deadline: timedelta, fire: Callable[[], None]) -> bool:
        """Sleep until the deadline, by the clock that cannot jump; return whether it fired."""
        end = self._clock.monotonic() + deadline.total_seconds()
        while self._is_ours(word):
            left = timedelta(seconds=end - self._clock.monotonic())
            if left <= timedelta(0):
                patiently(lambda: self._token.unlink(missing_ok=True))
                fire()
                return True
            self._clock.sleep(min(left, _LOOK_EVERY))
        return False

    def _is_ours(self, word: str) -> bool:
        try:
            return patiently(lambda: self._token.read_text("utf-8")) == word
        except OSError:
            return False


class Companion:
    """A sleeper in a process of its own, that *command* starts with the token as its last word.

    Args:
        about: what it needs to know beyond the deadline and the command of the way back.
    """

    def __init__(self, token: Path, command: Sequence[str], about: Mapping[str, str]) -> None:
        self._token = token
        self._command = tuple(command)
        self._about = about

    def arm(self, deadline: timedelta, rollback: Sequence[str]) -> None:
        """Leave it behind; one that was armed before is called off."""
        word = secrets.token_hex(16)
        order = {"word": word, "seconds": deadline.total_seconds(), "rollback": list(rollback), **self._about}
        with host_faults("Arming the dead man's switch"):
            make_directory(self._token.parent)
            patiently(lambda: write_durably(self._token, json.dumps(order).encode()))
            leave_behind([*self._command, str(self._token)])

    def disarm(self) -> None:
        """Call it off; it ends by itself within a second."""
        _call_off(self._token)


def _call_off(token: Path) -> None:
    with host_faults("Calling the dead man's switch off"):
        patiently(lambda: token.unlink(missing_ok=True))
        staged_name(token).unlink(missing_ok=True)  # of an arming that a full disk broke off


def go_back(service: Service, rollback: Sequence[str], current: Callable[[], Slot | None], *, limit: timedelta) -> None:
    """Stop the agent, run *rollback*, start what is current then. A step that fails keeps no other from being tried."""
    _try(service.stop)
    launch(rollback, limit=limit, line=_line_of(rollback))
    _try(service.stop)  # by the commands of the slot gone back to: those of the one left may have lied
    slot = current()
    if slot is not None:
        _try(lambda: service.start(slot))


def _line_of(command: Sequence[str]) -> str | None:
    """Return the command line where it is for ``cmd.exe``, which takes what stands between its outermost quotes."""
    return f'cmd.exe /d /s /c "{command[2]}"' if command[:2] == ["cmd.exe", "/c"] else None


def _try(step: Callable[[], None]) -> None:
    with suppress(PawldError):
        step()


def _live_on(live: Callable[[], object]) -> None:  # pragma: no cover - the forked child leaves no figures
    """Become nobody's child, hold nothing of pawld's open (a lock above all), and end without its exit handlers."""
    with suppress(BaseException):
        os.setsid()
        if os.fork() == 0:
            os.chdir("/")
            os.closerange(0, min(os.sysconf("SC_OPEN_MAX"), 1 << 16))
            for _ in range(3):
                os.open(os.devnull, os.O_RDWR)
            live()
    os._exit(0)
