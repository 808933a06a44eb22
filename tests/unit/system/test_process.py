import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from pawld.system import process
from pawld.system.process import launch, run, tail

QUICK = timedelta(milliseconds=300)


def test_a_command_gives_its_code_and_both_its_streams() -> None:
    finished = run([sys.executable, "-c", "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"])
    assert (finished.code, finished.output.strip(), finished.errors.strip(), finished.ok) == (3, "out", "err", False)
    assert finished.story == f"{sys.executable} ended with 3: err"


def test_a_command_is_fed_on_its_stdin() -> None:
    assert run(["cat"], stdin=b"fed").output == "fed"


def test_a_missing_program_never_ran_and_raises_nothing() -> None:
    finished = run(["/no/such/program"])
    assert (finished.code, finished.ran) == (None, False)
    assert "No such file" in finished.errors
    assert "did not end" in finished.story


def test_an_argument_with_a_null_byte_never_ran() -> None:
    assert not run(["true", "a\0b"]).ran


def test_a_command_beyond_its_limit_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    finished = run(["sh", "-c", f"(sleep 0.6; touch {sign}) & sleep 9"], limit=QUICK)
    assert (finished.code, finished.ran) == (None, True)
    assert "took longer than 0.3 s" in finished.errors
    time.sleep(0.5)
    assert not sign.exists()


def test_a_command_that_left_something_holding_its_output_is_not_waited_for_beyond_the_limit() -> None:
    began = time.monotonic()
    finished = run(["sh", "-c", "echo left; setsid sleep 5 & exit 4"], limit=QUICK)
    assert finished.code == 4
    assert time.monotonic() - began < 3


def test_of_much_output_the_last_is_kept() -> None:
    finished = run([sys.executable, "-c", "print('x' * 200000); print('end')"])
    assert len(finished.output) == process.OUTPUT_LIMIT
    assert finished.output.endswith("end\n")


def test_secrets_of_pawld_are_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAWLD_AGENTS__ACME__TOKEN", "hush")
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/notify")
    monkeypatch.setenv("KEPT", "yes")
    told = run(["env"], environment={"ADDED": "too"}).output
    assert "hush" not in told
    assert "NOTIFY_SOCKET" not in told
    assert "KEPT=yes" in told
    assert "ADDED=too" in told


@pytest.mark.parametrize("before", [None, "/opt/lib"])
def test_a_frozen_pawld_does_not_hand_on_its_own_libraries(monkeypatch: pytest.MonkeyPatch, before: str | None) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/pawld/_internal")
    if before:
        monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", before)
    assert process.inherited().get("LD_LIBRARY_PATH") == before


def test_what_a_launched_command_leaves_lives_on_and_writes_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old")
    began = time.monotonic()
    finished = launch(
        ["sh", "-c", "echo started; (sleep 0.4; echo later) & exit 0"], limit=timedelta(seconds=5), log=log
    )
    assert finished.ok
    assert finished.output == "started\n"
    assert time.monotonic() - began < 0.4
    time.sleep(0.6)
    assert log.read_text() == "started\nlater\n"


def test_a_launched_command_that_does_not_end_is_killed() -> None:
    finished = launch(["sleep", "9"], limit=QUICK)
    assert (finished.code, finished.ran) == (None, True)


def test_a_launched_program_that_is_missing_never_ran() -> None:
    assert not launch(["/no/such/program"], limit=QUICK).ran


def test_a_log_that_cannot_be_read_has_no_end(tmp_path: Path) -> None:
    assert tail(tmp_path / "none") == ""
    (tmp_path / "log").write_bytes(b"a" * 70000 + b"end")
    assert tail(tmp_path / "log").endswith("end")
    assert (tmp_path / "log").stat().st_size > process.OUTPUT_LIMIT
