"""pawld's own service in the real manager of Windows, or of Wine: made, asked, stopped at work, and deleted."""

import json
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pawld.service.registration import Style
from pawld.service.registration_windows import WindowsRegistration
from pawld.system import local_line
from pawld.system.own_command import own_command
from pawld.system.windows_services import HostServices

pytestmark = pytest.mark.skipif(sys.platform != "win32", reason="this is not Windows")

NAME = f"PawldTest{uuid.uuid4().hex[:8]}"
SIZE = 50_000
CONFIG = """
[updater]
state_dir = '{state}'
check_every = "1d"
[agents.acme]
root = '{root}'
[agents.acme.source]
type = "manifest"
url = "{url}/acme.tar"
[agents.acme.trust]
type = "pinned_sha256"
version = "1.0.0"
sha256 = {{ "windows-x86_64" = "{sha256}" }}
[agents.acme.install]
type = "directory"
reserve = "1MiB"
"""


class Trickle(BaseHTTPRequestHandler):
    """Sends what takes for ever, a little at a time."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(SIZE))
        self.end_headers()
        for _ in range(SIZE // 10):
            try:
                self.wfile.write(b"0123456789")
            except OSError:
                return
            time.sleep(0.05)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name for it
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Trickle) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def config(tmp_path: Path, url: str) -> Path:
    path = tmp_path / "pawld.toml"
    path.write_text(CONFIG.format(state=tmp_path / "state", root=tmp_path / "acme", url=url, sha256="0" * 64))
    return path


@pytest.fixture
def registration(tmp_path: Path, config: Path) -> Iterator[WindowsRegistration]:
    made = WindowsRegistration(tuple(own_command()), config, tmp_path / "state", name=NAME)
    yield made
    made.uninstall()


def eventually(holds: Callable[[], object], log: Path) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, log.read_text() if log.exists() else "it said nothing"
        time.sleep(0.1)


def state_of(config: Path) -> str:
    asked = subprocess.run(
        [*own_command(), "--config", str(config), "--json", "status"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    return str(json.loads(asked.stdout)["agents"][0]["state"])


def test_it_is_registered_runs_answers_and_records_what_it_was_at_when_it_is_stopped(
    registration: WindowsRegistration, tmp_path: Path, config: Path
) -> None:
    line, log = tmp_path / "state" / local_line.FILENAME, tmp_path / "state" / "pawld.log"
    answers: list[local_line.Document | None] = []
    registration.install(Style.DAEMON)
    seen = HostServices().query(NAME)
    assert (seen.start_type, registration.status().running) == (2, True), "automatic"
    assert "run --service" in seen.command_line
    eventually(lambda: (local_line.ask(line, {"verb": "hello"}) or {}).get("pid") == seen.pid, log)
    update = {"verb": "update", "agents": ["acme"]}
    caller = threading.Thread(target=lambda: answers.append(local_line.ask(line, update, patience=None)))
    caller.start()
    eventually(lambda: state_of(config) == "downloading", log)

    registration.stop()

    caller.join(60)
    assert [(one or {}).get("reason", {}).get("code") for one in answers] == ["interrupted"]
    assert not registration.status().running
    assert not line.exists(), "it hung up"
    assert state_of(config) == "idle"
    assert list((tmp_path / "acme" / ".pawld").glob("*.unverified")), "what came is kept"
    registration.start()
    assert registration.status().running
    registration.uninstall()
    assert registration.status().text == f"there is no service {NAME}"
    assert config.exists()


def test_installing_it_again_brings_the_one_that_is_there_up_to_date(
    registration: WindowsRegistration, config: Path
) -> None:
    registration.install(Style.DAEMON)
    words = (*own_command(), "-v")
    WindowsRegistration(words, config, name=NAME).install(Style.DAEMON)
    assert "-v --config" in HostServices().query(NAME).command_line
    assert registration.status().running


def test_a_bad_configuration_ends_it_and_is_told_in_its_log(
    registration: WindowsRegistration, tmp_path: Path, config: Path
) -> None:
    config.write_text(config.read_text().replace("[updater]", "[updater]\nchek_every = 1"))
    with pytest.raises(Exception, match="did not come up"):
        registration.install(Style.DAEMON)
    assert "chek_every" in (tmp_path / "state" / "pawld.log").read_text()
