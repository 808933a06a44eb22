"""A cycle in a process of its own ends with a document, a code or a signal, and within its limits."""

import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pawld.daemon import child as children
from pawld.daemon.child import Child, Ending, told

HOUR = timedelta(hours=1)


def run(code: str, **limits: Any) -> Ending:
    ended: list[Ending] = []
    given: dict[str, Any] = {"limit": HOUR} | limits
    Child([sys.executable, "-c", code], ended.append, **given).wait()
    return ended[0]


@pytest.fixture(autouse=True)
def looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_LOOK_EVERY", timedelta(milliseconds=50))


def test_what_it_printed_is_its_document() -> None:
    assert run("print('{\"agents\": []}'); raise SystemExit(75)") == Ending(75, {"agents": []})


@pytest.mark.parametrize("printed", ["", "no json", "[1]"])
def test_what_is_no_document_counts_for_nothing(printed: str) -> None:
    assert run(f"print({printed!r})").document is None


def test_one_that_takes_too_long_is_asked_to_end_and_says_why() -> None:
    ending = run("import time; time.sleep(60)", limit=timedelta(seconds=0.1))
    assert ending.code == -signal.SIGTERM
    assert told(ending) == "it took longer than 0.1 s"


def test_one_that_does_not_end_when_asked_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "GRACE", timedelta(seconds=0.2))
    ended: list[Ending] = []
    stubborn = ["sh", "-c", "trap '' TERM; exec sleep 60"]
    Child(stubborn, ended.append, limit=timedelta(seconds=0.5)).wait()
    assert ended[0].code == -signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell what a process holds")
def test_one_that_holds_too_much_memory_is_killed() -> None:
    ending = run("import time; held = bytearray(b'x') * (64 << 20); time.sleep(60)", memory=48 << 20)
    assert ending.code == -signal.SIGKILL
    assert "MiB of memory" in told(ending)


def test_one_whose_own_child_holds_its_output_open_has_ended_all_the_same() -> None:
    began = time.monotonic()
    ended: list[Ending] = []
    Child(["sh", "-c", "sleep 20 & echo {}"], ended.append, limit=HOUR).wait()
    assert ended == [Ending(0, {})]
    assert time.monotonic() - began < 15


def test_one_whose_own_child_holds_its_output_open_ends_when_it_is_told_to() -> None:
    ended: list[Ending] = []
    child = Child(["sh", "-c", "sleep 20 & exec sleep 30"], ended.append, limit=HOUR)
    began = time.monotonic()
    child.stop()
    child.wait()
    assert ended[0].code == -signal.SIGTERM
    assert time.monotonic() - began < 15


def test_one_that_is_told_to_stop_may_finish_its_step(tmp_path: Path) -> None:
    ended: list[Ending] = []
    code = (
        "import signal, time, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('{\"finished\": true}')))\n"
        "print(end='', flush=True); open(sys.argv[1], 'w').close(); time.sleep(60)"
    )
    sign = tmp_path / "ready"
    child = Child([sys.executable, "-c", code, str(sign)], ended.append, limit=HOUR)
    while not sign.exists():
        time.sleep(0.01)
    child.stop()
    child.wait()
    child.stop()
    assert ended == [Ending(0, {"finished": True})]


def test_the_managers_talk_with_the_daemon_is_not_for_a_cycle() -> None:
    environ = {"NOTIFY_SOCKET": "x", "WATCHDOG_USEC": "1", "CREDENTIALS_DIRECTORY": "/c", "PATH": "/bin"}
    ending = run("import os, json; print(json.dumps(dict(os.environ)))", environ=environ)
    assert ending.document is not None
    assert "NOTIFY_SOCKET" not in ending.document
    assert ending.document["CREDENTIALS_DIRECTORY"] == "/c"


def test_endings_are_told_in_words() -> None:
    assert told(Ending(3, None)) == "it ended with 3"
    assert told(Ending(-9, None)) == "it was ended by SIGKILL"
