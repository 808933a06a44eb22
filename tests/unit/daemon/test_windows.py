"""The daemon as a service of Windows, as far as another system can show it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pawld.daemon.windows import LOG, run_as_service
from pawld.errors import OperatorError
from pawld.reasons import Reason

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
