import os
import socket
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pawld.errors import OperatorError, TransientError
from pawld.gates.busy import BusyGate
from pawld.gates.sessions import open_sessions
from pawld.ports import Answer, Broken, Closed, Open
from pawld.reasons import Reason
from pawld.system.liveness import lives
from pawld.system.process import Finished

NOW = datetime(2026, 1, 14, 12, tzinfo=UTC)
AFTER = timedelta(days=14)


def asked(**signal: object) -> Answer:
    gate = BusyGate(max_deferral=AFTER, **signal)  # type: ignore[arg-type]  # a test's own keywords
    answer = gate.check(NOW)
    gate.release()
    return answer


def test_a_command_that_ends_with_0_says_free() -> None:
    assert isinstance(asked(command=["true"]), Open)


def test_a_command_that_ends_otherwise_says_busy_and_why() -> None:
    answer = asked(command=["sh", "-c", "echo two jobs run; exit 1"])
    assert isinstance(answer, Closed)
    assert answer.reason is Reason.HOST_BUSY
    assert "two jobs run" in answer.message
    assert answer.retry_at == NOW + timedelta(minutes=1)


@pytest.mark.parametrize("command", [["/no/such/program"], ["sleep", "9"]], ids=["missing", "hangs"])
def test_a_command_that_gives_no_answer_closes_the_gate(command: list[str]) -> None:
    answer = asked(command=command, limit=timedelta(seconds=0.2))
    assert isinstance(answer, Broken)
    assert answer.reason is Reason.GATE_BROKEN


def test_a_lock_file_that_is_not_there_says_free(tmp_path: Path) -> None:
    assert isinstance(asked(lock_file=tmp_path / "lock"), Open)


@pytest.mark.parametrize("text", ["", "busy\n", "host-17\n"])
def test_a_lock_file_that_names_no_process_says_busy_by_being_there(tmp_path: Path, text: str) -> None:
    (tmp_path / "lock").write_text(text)
    assert isinstance(asked(lock_file=tmp_path / "lock"), Closed)


def test_a_pid_file_says_busy_while_its_process_lives(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    with subprocess.Popen(["sleep", "60"]) as process:
        file.write_text(f" {process.pid}\n")
        answer = asked(lock_file=file)
        assert isinstance(answer, Closed)
        assert str(process.pid) in answer.message
        process.kill()
    assert isinstance(asked(lock_file=file), Open)


def test_a_lock_file_that_cannot_be_read_closes_the_gate(tmp_path: Path) -> None:
    assert isinstance(asked(lock_file=tmp_path), Broken)


def test_a_process_of_another_user_lives_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lives(os.getpid())
    assert not lives(0)
    assert not lives(1 << 70)

    def not_ours(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", not_ours)
    assert lives(1)


def test_a_port_says_busy_while_it_has_a_session() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert isinstance(asked(port=port), Open)
        with socket.create_connection(("127.0.0.1", port)) as client, server.accept()[0]:
            answer = asked(port=port)
            assert isinstance(answer, Closed)
            assert answer.message == f"Port {port} has 1 open sessions."
            assert isinstance(asked(port=client.getsockname()[1]), Closed)
    assert isinstance(asked(port=port), Open)


def test_a_session_over_ipv6_counts() -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("::1", port)), server.accept()[0]:
            assert open_sessions(port) == 1


def test_a_kernel_without_ipv6_is_read_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net/tcp").write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue\n"
        "   0: 0100007F:0016 00000000:0000 0A 00000000:00000000\n"
        "   1: 0100007F:0016 0200007F:C001 01 00000000:00000000\n"
        "   2: 0100007F:0016 0200007F:C002 06 00000000:00000000\n"
        "short\n"
    )
    assert open_sessions(22, proc=tmp_path, system="linux") == 1


def test_a_proc_that_is_not_mounted_closes_the_gate(tmp_path: Path) -> None:
    with pytest.raises(TransientError, match="there is no") as raised:
        open_sessions(22, proc=tmp_path, system="linux")
    assert raised.value.reason is Reason.GATE_BROKEN
    (tmp_path / "net/tcp").mkdir(parents=True)
    with pytest.raises(TransientError, match="cannot be read"):
        open_sessions(22, proc=tmp_path, system="linux")


MACOS = """Active Internet connections (including servers)
Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)
tcp4       0      0  192.168.1.7.22         192.168.1.9.51122      ESTABLISHED
tcp6       0      0  fe80::1%lo0.22         fe80::2%lo0.51123      ESTABLISHED
tcp4       0      0  192.168.1.7.22         192.168.1.9.51000      TIME_WAIT
tcp4       0      0  192.168.1.7.50022      93.184.216.34.443      ESTABLISHED
tcp4       0      0  *.22                   *.*                    LISTEN
udp4       0      0  *.22                   *.*
"""
WINDOWS = """
Aktive Verbindungen

  Proto  Lokale Adresse         Remoteadresse          Status
  TCP    0.0.0.0:3389           0.0.0.0:0              ABHÖREN
  TCP    10.0.0.5:3389          10.0.0.9:51122         HERGESTELLT
  TCP    10.0.0.5:50122         93.184.216.34:443      HERGESTELLT
  TCP    [::]:3389              [::]:0                 ABHÖREN
  TCP    [fe80::1%4]:3389       [fe80::2%4]:51123      HERGESTELLT
"""


@pytest.mark.parametrize(
    ("system", "text", "port", "count"),
    [("darwin", MACOS, 22, 2), ("win32", WINDOWS, 3389, 2), ("darwin", MACOS, 80, 0)],
)
def test_netstat_is_read_where_there_is_no_proc(system: str, text: str, port: int, count: int) -> None:
    def recorded(command: tuple[str, ...]) -> Finished:
        return Finished(command, 0, text, "")

    assert open_sessions(port, system=system, netstat=recorded) == count


def test_a_netstat_that_is_missing_closes_the_gate() -> None:
    with pytest.raises(TransientError, match="cannot be listed"):
        open_sessions(22, system="freebsd14", netstat=lambda command: Finished(command, None, "", "gone", ran=False))


@pytest.mark.parametrize("signals", [{}, {"command": ["true"], "port": 22}])
def test_a_busy_gate_has_one_signal(signals: dict[str, object]) -> None:
    with pytest.raises(OperatorError) as raised:
        asked(**signals)
    assert raised.value.reason is Reason.CONFIG_INVALID
