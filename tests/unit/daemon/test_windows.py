"""The daemon as a service of Windows, as far as another system can show it."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from pawld.daemon.windows import LOG, run_as_service, there
from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.system.notify import Notifier


class Manager(Notifier):
    """Listens to the daemon, and asks it to stop."""

    def __init__(self) -> None:
        super().__init__({})
        self.told: list[str] = []
        self.stop: Callable[[], None] = lambda: None

    def listen(self, stop: Callable[[], None], reload: Callable[[], None]) -> None:
        del reload
        self.stop = stop

    def ready(self, status: str) -> None:
        self.told.append(status)


WRITING = """
import subprocess, sys
from pathlib import Path
from pawld.daemon.windows import write_to
write_to(Path(sys.argv[1]))
print("nobody reads this")
print("the daemon \u2192 speaks", file=sys.stderr)
subprocess.run([sys.executable, "-c", "import sys; print('its child speaks', file=sys.stderr)"], check=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is one on Windows")
def test_another_system_does_not_start_services_of_windows() -> None:
    with pytest.raises(OperatorError, match="for the service manager of Windows") as raised:
        run_as_service(None, [], lambda _: "")
    assert raised.value.reason is Reason.USAGE


def test_without_a_configuration_it_runs_and_waits_for_one(tmp_path: Path) -> None:
    manager, configuration = Manager(), tmp_path / "pawld.toml"
    threading.Timer(0.2, configuration.touch).start()
    assert there(configuration, manager, timedelta(milliseconds=20))
    assert manager.told == ["waits for its configuration"]
    assert there(configuration, manager)
    assert len(manager.told) == 1


def test_the_end_may_be_asked_for_while_it_waits(tmp_path: Path) -> None:
    manager = Manager()
    threading.Timer(0.2, lambda: manager.stop()).start()  # noqa: PLW0108 - it is set later
    assert not there(tmp_path / "pawld.toml", manager, timedelta(seconds=30))


def spoken(log: Path) -> str:
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), **os.environ}
    said = subprocess.run(
        [sys.executable, "-c", WRITING, str(log)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        env=environment,
    )
    assert (said.stdout, said.stderr) == (b"", b"")
    return log.read_text("utf-8")


def test_what_it_and_its_children_say_stands_in_one_log(tmp_path: Path) -> None:
    log = tmp_path / "state" / LOG
    assert spoken(log).splitlines() == ["the daemon \u2192 speaks", "its child speaks"]
    assert len(spoken(log).splitlines()) == 4, "a start does not lose what was said before"


def test_a_large_log_makes_way_at_a_start_and_one_such_is_kept(tmp_path: Path) -> None:
    log = tmp_path / LOG
    for _ in range(2):
        log.write_bytes(b"x" * (5 << 20))
        assert len(spoken(log).splitlines()) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pawld.1.log", "pawld.log"]
