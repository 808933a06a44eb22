"""The real daemon as a process of this machine, without a service manager: asked, told, spoilt and stopped."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from support.configuration import following
from support.publishing import founded, reopened, served, take_in

from pawld import __version__
from pawld.system.local_line import ask

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and sockets as Unix has them")

REPORT = """
[report]
metrics_listen = "127.0.0.1:{port}"
metrics_file = "{home}/pawld.prom"
log_format = "json"
"""
PROBATION = '[agents.acme.health]\nprobation = "1s"'


@dataclass
class Running:
    """A daemon, its home, and what a test does with them."""

    home: Path
    port: int
    config: str
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(self.words("run"), stderr=log, stdin=subprocess.DEVNULL)
        eventually(lambda: self.hello().get("next"))

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def words(self, *command: str) -> list[str]:
        return [sys.executable, "-P", "-m", "pawld", "--config", str(self.home / "pawld.toml"), *command]

    def pawld(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(self.words("--json", *command), capture_output=True, text=True, check=False, timeout=60)

    def ask(self, *command: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.pawld(*command).stdout)
        return dict(document["agents"][0])

    def hello(self) -> dict[str, Any]:
        return ask(self.home / "state" / "pawld.sock", {"verb": "hello"}) or {}

    def configure(self, text: str) -> None:
        (self.home / "pawld.toml").write_text(text)

    def log(self) -> str:
        return (self.home / "log").read_text()


def eventually(holds: Callable[[], Any], seconds: float = 30) -> Any:
    end = time.monotonic() + seconds
    while not (answer := holds()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return answer


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    home = tmp_path_factory.mktemp("d")
    publisher = founded(home / "publisher")
    take_in(publisher, "1.0.0")
    public = home / "publisher" / "public"
    (home / "root.json").write_bytes((public / "metadata" / "1.root.json").read_bytes())
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with served(public) as url:
        running = Running(home, port, following(home, url, updater=REPORT.format(home=home, port=port), rest=PROBATION))
        running.configure(running.config)
        running.start()
        yield running
        assert running.stop() == 0


def test_it_updates_when_asked_and_says_what_is_next(daemon: Running) -> None:
    assert daemon.ask("update")["reason"]["code"] == "updated"
    seen = daemon.ask("status")
    assert seen["installed"]["version"] == "1.0.0"
    assert seen["next_check"] == daemon.hello()["next"]["acme"]
    assert list(daemon.hello()["good"]) == ["acme"]


def test_it_checks_when_asked_and_changes_nothing(daemon: Running) -> None:
    take_in(reopened(daemon.home / "publisher"), "1.1.0")
    assert daemon.ask("check")["reason"]["code"] == "update_available"
    assert daemon.ask("check", "--direct")["reason"]["code"] == "update_available"
    assert daemon.ask("status")["installed"]["version"] == "1.0.0"


def test_an_agent_that_it_does_not_keep_is_a_mistake_of_the_caller(daemon: Running) -> None:
    finished = daemon.pawld("update", "nobody")
    assert finished.returncode == 2
    assert "nobody" in finished.stderr


def test_its_metrics_are_served_and_written(daemon: Running) -> None:
    with urlopen(f"http://127.0.0.1:{daemon.port}/metrics", timeout=20) as answer:
        page = answer.read().decode()
    assert f'pawld_build_info{{version="{__version__}"}} 1' in page
    assert 'pawld_installed_info{agent="acme",version="1.0.0"' in page
    written = (daemon.home / "pawld.prom").read_text()
    assert 'pawld_outcomes_total{agent="acme",reason="updated"} 1' in written


def test_its_log_is_one_json_document_a_line(daemon: Running) -> None:
    lines = [json.loads(line) for line in daemon.log().splitlines()]
    assert [one["version"] for one in lines if one.get("reason") == "updated"] == ["1.0.0"]


def test_a_bad_configuration_changes_nothing_and_a_good_one_is_read_without_a_restart(daemon: Running) -> None:
    pid = daemon.hello()["pid"]
    daemon.configure(daemon.config + "[agents.acme.nonsense]\n")
    daemon.signal(signal.SIGHUP)
    complaint = eventually(lambda: daemon.hello()["complaint"])
    assert "nonsense" in complaint
    daemon.configure(daemon.config.replace("[report]", 'check_every = "2h"\n[report]'))
    daemon.signal(signal.SIGHUP)
    eventually(lambda: not daemon.hello()["complaint"])
    assert daemon.hello()["pid"] == pid
    moved = daemon.config.replace("/state", "/elsewhere")
    daemon.configure(moved)
    daemon.signal(signal.SIGHUP)
    assert "restart" in eventually(lambda: daemon.hello()["complaint"])
    daemon.configure(daemon.config)
    daemon.signal(signal.SIGHUP)
    eventually(lambda: not daemon.hello()["complaint"])


def test_a_question_that_is_none_is_refused(daemon: Running) -> None:
    answer = ask(daemon.home / "state" / "pawld.sock", {"verb": "dance"})
    assert answer is not None
    assert answer["reason"]["code"] == "updater_busy"


def test_a_cycle_whose_process_dies_is_tried_again_later(daemon: Running) -> None:
    before = daemon.hello()["next"]["acme"]
    asked = subprocess.Popen(daemon.words("update"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    eventually(lambda: (daemon.hello()["at"] or {}).get("verb") == "cycle")
    children = Path(f"/proc/{daemon.hello()['pid']}/task")
    if children.exists():
        killed = [int(pid) for task in children.iterdir() for pid in (task / "children").read_text().split()]
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: "left no answer" in daemon.log())
        assert daemon.hello()["next"]["acme"] != before
    asked.wait(60)
    assert daemon.ask("update")["installed"]["version"] == "1.1.0"


def test_a_stop_is_clean_and_the_next_start_goes_on(daemon: Running) -> None:
    assert daemon.stop() == 0
    assert not (daemon.home / "state" / "pawld.sock").exists()
    assert daemon.ask("status")["next_check"] is None
    daemon.start()
    assert daemon.ask("update")["reason"]["code"] == "up_to_date"


def test_a_daemon_does_not_start_on_a_bad_configuration(tmp_path: Path) -> None:
    (tmp_path / "pawld.toml").write_text("[agents.acme]\nroot = 1\n")
    words = [sys.executable, "-P", "-m", "pawld", "--config", str(tmp_path / "pawld.toml"), "run"]
    finished = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert finished.returncode == 78
    assert "reason: config_invalid" in finished.stderr


def test_without_systemd_the_daemon_does_not_replace_itself_and_says_how_it_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    itself = '[agents.acme.health]\nchecks = [{ type = "updater" }]'
    running = Running(tmp_path, 0, following(tmp_path, "http://127.0.0.1:9", rest=itself))
    (tmp_path / "root.json").touch()
    running.configure(running.config)
    running.start()
    try:
        said = running.ask("update")["reason"]
        assert (said["code"], "`pawld update acme --direct`" in said["message"]) == ("usage", True)
        assert said["message"] in running.log()
        assert not (tmp_path / "opt/current").exists()
    finally:
        assert running.stop() == 0
