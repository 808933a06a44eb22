import fcntl
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pawld.gates.package_lock import ASK_AGAIN, PackageLockGate
from pawld.ports import Broken, Closed, Open
from pawld.reasons import Reason

NOW = datetime(2026, 1, 14, tzinfo=UTC)
HOLD = "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.lockf(file, fcntl.LOCK_EX); print(flush=True); input()"


def test_the_gate_is_closed_while_another_process_holds_the_lock_and_names_it(tmp_path: Path) -> None:
    lock = tmp_path / "lock-frontend"
    gate = PackageLockGate(lambda: [tmp_path / "none", lock])
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        answer = gate.check(NOW)
        holder.communicate("\n")
    assert isinstance(answer, Closed)
    assert (answer.reason, answer.retry_at) == (Reason.PACKAGE_MANAGER_BUSY, NOW + ASK_AGAIN)
    assert f"process {holder.pid} (python" in answer.message
    assert isinstance(gate.check(NOW), Open)


def test_asking_takes_no_lock(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.touch()
    assert isinstance(PackageLockGate(lambda: [lock]).check(NOW), Open)
    with lock.open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_lock_that_cannot_be_asked_for_is_broken(tmp_path: Path) -> None:
    gate = PackageLockGate(lambda: [tmp_path])
    answer = gate.check(NOW)
    gate.release()
    assert isinstance(answer, Broken)
    assert str(tmp_path) in answer.message


def test_a_holder_in_another_container_is_told_by_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pawld.gates.package_lock.holder_of", lambda _: 0)
    answer = PackageLockGate(lambda: [tmp_path]).check(NOW)
    assert isinstance(answer, Closed)
    assert "process 0 holds" in answer.message
