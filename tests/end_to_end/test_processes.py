"""Commands as processes of their own: two at once, an interrupt, what goes where, and no secret in any of it."""

import json
import signal
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING

from support.commands import PAWLD, finished, words_for
from support.standing_host import NEW, OLD, TOKEN, StandingHost, says

if TYPE_CHECKING:
    from collections.abc import Iterator


class Holding:
    """A content network that sends half of the build, and the rest when it is told to."""

    def __init__(self, build: bytes) -> None:
        self._build = build
        self.reached, self.go_on = threading.Event(), threading.Event()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("ETag", '"one"')
        handler.send_header("Content-Length", str(len(self._build)))
        handler.end_headers()
        handler.wfile.write(self._build[: len(self._build) // 2])
        self.reached.set()
        self.go_on.wait(120)  # seven starts of pawld may come in between, on a busy machine
        handler.wfile.write(self._build[len(self._build) // 2 :])


@contextmanager
def updating(host: StandingHost) -> "Iterator[tuple[subprocess.Popen[str], Holding]]":
    """An update in a process of its own that has come half of its way."""
    host.config = host.config.replace('stall = "2s"', 'stall = "120s"')
    held = Holding(host.builds[NEW])
    host.content(held)
    words = words_for(host.written(), "update")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert held.reached.wait(60)
        try:
            yield process, held
        finally:
            held.go_on.set()


def test_a_second_updater_is_told_that_the_first_is_at_work_and_others_may_look(own_host: StandingHost) -> None:
    with updating(own_host) as (process, held):
        for words in (["update"], ["rollback"], ["recover"], ["block", NEW]):
            busy = finished(own_host.written(), *words, "--json")
            assert busy.returncode == 75
            reason = json.loads(busy.stdout)["reason"]
            assert reason["code"] == "updater_busy"
            assert str(own_host.home / "state") in reason["message"]
        status = finished(own_host.written(), "status", "--json")
        (agent,) = json.loads(status.stdout)["agents"]
        assert (status.returncode, agent["state"], agent["installed"]["version"]) == (0, "staging", OLD)
        assert finished(own_host.written(), "check").returncode == 100
        held.go_on.set()
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors.count("Traceback")) == (0, 0)
    assert f"Updated to {NEW}" in output
    assert own_host.running().endswith(f"acme-agent {NEW}")


def test_an_interrupted_update_ends_with_130_and_the_next_one_finishes_it(own_host: StandingHost) -> None:
    with updating(own_host) as (process, held):
        process.send_signal(signal.SIGINT)
        held.go_on.set()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert errors.strip().splitlines()[-1].startswith("pawld: interrupted;")
    assert "Traceback" not in errors
    assert own_host.running().endswith(f"acme-agent {OLD}")
    del own_host.web.instead[f"agent/{NEW}"]
    assert finished(own_host.written(), "update").returncode == 0
    assert own_host.running().endswith(f"acme-agent {NEW}")


def test_the_outcome_is_on_stdout_for_people_and_for_programs(host: StandingHost) -> None:
    host.answers(says(500, {"error": {"code": "internal_error", "message": "It broke"}}))
    said = finished(host.written(), "update", "--json")
    assert said.returncode == 75
    assert json.loads(said.stdout)["agents"][0]["reason"]["code"] == "server_error"
    plain = finished(host.written(), "update")
    assert plain.stdout.startswith("acme: ScalePad answered 500 for ")
    assert "(server_error)" in plain.stdout
    assert plain.stderr == ""


def test_a_failure_before_any_agent_is_a_sentence_a_code_and_a_next_step(host: StandingHost) -> None:
    host.config = host.config.replace("channel =", "chanel =")
    said = finished(host.written(), "update")
    assert (said.returncode, said.stdout) == (78, "")
    lines = said.stderr.splitlines()
    assert lines[0].startswith("pawld: ")
    assert 'perhaps "channel" is meant' in lines[0]
    assert lines[1:] == ["reason: config_invalid", "next: Correct the configuration, then run `pawld doctor`."]


def test_without_a_configuration_the_file_that_is_missing_is_named(tmp_path: Path) -> None:
    for words in (["status"], ["update"], ["check"], ["history"], ["config", "show"]):
        said = subprocess.run(
            [*PAWLD, "--config", str(tmp_path / "pawld.toml"), *words], capture_output=True, text=True, check=False
        )
        assert said.returncode == 78
        assert str(tmp_path / "pawld.toml") in said.stderr
        assert "reason: config_missing" in said.stderr


def test_nothing_that_a_whole_update_says_at_debug_level_or_keeps_holds_a_secret(own_host: StandingHost) -> None:
    said = finished(own_host.written(), "-v", "update")
    assert said.returncode == 0, said.stderr
    assert " debug " in said.stderr
    for secret in (TOKEN, "sig=abc", "sig="):
        assert secret not in said.stderr + said.stdout
    kept = [one for one in own_host.home.rglob("*") if one.is_file() and one != own_host.token]
    assert not [one for one in kept if TOKEN.encode() in one.read_bytes() or b"sig=abc" in one.read_bytes()]


def test_where_there_is_no_terminal_nothing_moves_the_cursor(own_host: StandingHost) -> None:
    said = finished(own_host.written(), "update")
    assert said.returncode == 0
    assert not {"\r", "\x1b"} & set(said.stderr + said.stdout)
