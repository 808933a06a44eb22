"""A child that gets no signals is asked to end by the end of its input, as on Windows."""

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from subprocess import Popen

import pytest

from pawld.daemon.child import Child, Ending
from pawld.system.ending import ENDS_WITH_INPUT, Apart, Leash, asked_to_end

HOUR = timedelta(hours=1)
AT_WORK = """
import json, os, time
from pawld.system.ending import asked_to_end
asked = []
with asked_to_end(lambda: asked.append("to end")):
    print("", flush=True)
    end = time.monotonic() + 30
    while not asked and time.monotonic() < end:
        time.sleep(0.05)
print(json.dumps({"asked": asked, "passed_on": "PAWLD_ENDS_WITH_INPUT" in os.environ}))
"""


def child(code: str, ended: list[Ending]) -> Child:
    return Child([sys.executable, "-c", code], ended.append, limit=HOUR, leash=Leash(by_input=True))


def test_it_finishes_what_it_is_at_and_tells() -> None:
    ended: list[Ending] = []
    working = child(AT_WORK, ended)
    working.stop()
    working.wait()
    assert ended == [Ending(0, {"asked": ["to end"], "passed_on": False})]


def test_one_that_ends_by_itself_is_not_asked_any_more() -> None:
    ended: list[Ending] = []
    over = child("print('{}')", ended)
    over.wait()
    over.stop()
    assert ended == [Ending(0, {})]


def test_a_program_that_is_missing_leaves_nothing_open() -> None:
    free = os.dup(0)  # the lowest number that a descriptor gets now
    os.close(free)
    with pytest.raises(FileNotFoundError):
        Child(["/nonexistent"], lambda _: None, limit=HOUR, leash=Leash(by_input=True))
    again = os.dup(0)
    os.close(again)
    assert again == free


def test_one_that_is_apart_is_let_go_of_and_goes_on(tmp_path: Path) -> None:
    ended: list[Ending] = []
    go = tmp_path / "go"
    code = f"""
import json, os, pathlib, time
while not pathlib.Path({str(go)!r}).exists():
    time.sleep(0.05)
print(json.dumps({{"within": "PAWLD_WITHIN" in os.environ, "detached": os.environ["PAWLD_DETACHED"]}}))
"""
    started: list[Popen[bytes]] = []

    class Watched(Apart):
        def start(self, command: Sequence[str], environ: Mapping[str, str]) -> Popen[bytes]:
            started.append(super().start(command, environ))
            return started[0]

    apart = Child([sys.executable, "-c", code], ended.append, limit=HOUR, leash=Watched())
    apart.stop()
    apart.wait()
    assert ended == [Ending(0, None, "it goes on, apart from this service")]
    with started[0] as process:
        assert process.poll() is None
        go.touch()
        output, _ = process.communicate(timeout=30)
    assert json.loads(output) == {"within": False, "detached": "1"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such signal")
def test_a_signal_asks_where_there_are_signals_and_counts_for_nothing_afterwards() -> None:
    asked: list[str] = []
    before = signal.getsignal(signal.SIGTERM)
    with asked_to_end(lambda: asked.append("to end"), {}):
        signal.raise_signal(signal.SIGTERM)
    assert asked == ["to end"]
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such signal")
@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP"])
def test_a_person_is_answered_by_an_interrupt_once_what_is_inside_came_to_its_end(name: str) -> None:
    story: list[str] = []
    number = getattr(signal, name)
    before = signal.getsignal(number)

    def work() -> None:
        with asked_to_end(lambda: story.append("asked"), {}):
            signal.raise_signal(number)
            story.append("ended")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert story == ["asked", "ended"]
    assert signal.getsignal(number) is before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows knows no such signal")
def test_a_connection_that_breaks_counts_for_nothing_under_nohup() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with asked_to_end(lambda: pytest.fail("nohup has it ignored"), {}):
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_another_thread_is_never_asked() -> None:
    environ = {ENDS_WITH_INPUT: "1"}

    def listen() -> None:
        with asked_to_end(lambda: None, environ):
            pass

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert environ, "the word is left for the main thread"
