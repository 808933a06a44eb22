"""The dead man's switch of a service without a manager: a sleeper that goes back unless it is called off.

It is forked away from pawld, so that it fires though pawld be dead. It does not survive a reboot: ``pawld recover`` at
boot does that part. Nor does it survive the end of a unit whose whole control group is killed; where systemd is in
charge of the agent, ``systemd`` arms a timer instead.
"""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from pawld.ports import Clock
from pawld.system.faults import host_faults
from pawld.system.files import make_directory, staged_name, write_durably

_LOOK_EVERY = timedelta(seconds=1)


class Sleeper:
    """Waits beside a *token* file: while it holds this sleeper's own word at the deadline, *fire* is called."""

    def __init__(self, token: Path, clock: Clock) -> None:
        self._token = token
        self._clock = clock

    def arm(self, deadline: timedelta, fire: Callable[[], None]) -> None:
        """Leave a sleeper behind; one that was armed before is called off. Windows has none: recovery does it there."""
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
        with host_faults("Calling the dead man's switch off"):
            self._token.unlink(missing_ok=True)
            staged_name(self._token).unlink(missing_ok=True)  # of an arming that a full disk broke off

    def wait(self, word: str, deadline: timedelta, fire: Callable[[], None]) -> bool:
        """Sleep until the deadline, by the clock that cannot jump; return whether it fired."""
        end = self._clock.monotonic() + deadline.total_seconds()
        while self._is_ours(word):
            left = timedelta(seconds=end - self._clock.monotonic())
            if left <= timedelta(0):
                self._token.unlink(missing_ok=True)
                fire()
                return True
            self._clock.sleep(min(left, _LOOK_EVERY))
        return False

    def _is_ours(self, word: str) -> bool:
        try:
            return self._token.read_text() == word
        except OSError:
            return False


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
