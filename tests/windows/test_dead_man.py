"""The updater dies while a build is on probation on Windows: its companion takes the agent's service back."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.configuration import agent_of
from support.publishing import founded, incoming, released, served, tar
from support.wine import WindowsPython, windows_path

from pawld.model import Platform

pytestmark = [pytest.mark.rig("wine_python"), pytest.mark.timeout(300)]

AGENT = r"""
#include <windows.h>
static SERVICE_STATUS status = {SERVICE_WIN32_OWN_PROCESS, 0, SERVICE_ACCEPT_STOP};
static SERVICE_STATUS_HANDLE manager;
static HANDLE over;
static void say(DWORD state) { status.dwCurrentState = state; SetServiceStatus(manager, &status); }
static DWORD WINAPI hear(DWORD control, DWORD kind, void *data, void *own) {
  if (control == SERVICE_CONTROL_STOP) SetEvent(over);
  return 0;
}
static void WINAPI serve(DWORD count, wchar_t **words) {
  over = CreateEventW(0, 1, 0, 0);
  manager = RegisterServiceCtrlHandlerExW(L"PawldDeadMan", hear, 0);
  say(SERVICE_RUNNING);
  WaitForSingleObject(over, INFINITE);
  say(SERVICE_STOPPED);
}
int main(void) {
  SERVICE_TABLE_ENTRYW table[] = {{L"PawldDeadMan", serve}, {0, 0}};
  return !StartServiceCtrlDispatcherW(table);
}
"""
REST = """[agents.acme.service]
type = "windows"
name = "PawldDeadMan"
[agents.acme.health]
probation = "{probation}"
checks = [{{ type = "service", every = "1s" }}]
"""
# The updater is gone, as by a power cut of its process alone, as soon as it begins to watch; the switch has no margin.
DYING = """
import os, sys
from datetime import timedelta
from pawld.lifecycle import swap
swap._DEAD_MAN_MARGIN = timedelta(0)
if sys.argv[1] == "dies":
    swap.Watch.verdict = lambda *_: os._exit(9)
from pawld.cli.main import main
sys.exit(main(sys.argv[2:]))
"""
STATE = """
from pawld.system.windows_services import HostServices
seen = HostServices().query("PawldDeadMan")
print(seen.state, seen.command_line)
"""


@dataclass(frozen=True)
class Site:
    """The host, and the vendor's publisher."""

    python: WindowsPython
    home: Path
    url: str

    def configure(self, probation: str) -> None:
        root, state, root_file = (
            windows_path(self.home / one) for one in ("acme", "state", "publisher/public/metadata/1.root.json")
        )
        agent = agent_of("acme", root, self.url, root_file, product="acme-agent")
        text = f"[updater]\nstate_dir = '{state}'\n" + agent + REST.format(probation=probation)
        (self.home / "pawld.toml").write_text(text)

    def release(self, version: str) -> None:
        data = tar({"bin/acme.exe": (self.home / "acme.exe").read_bytes(), "version": version.encode()}, "w:gz")
        build = incoming(version, platform=Platform("windows", "x86_64"), entrypoint="bin/acme.exe")
        released(self.home / "publisher", build, data)

    def run(self, how: str, *words: str) -> dict[str, Any]:
        config = windows_path(self.home / "pawld.toml")
        code = ["-c", DYING, how, "--config", config, "--json", *words]
        ended = self.python.run(code, limit=timedelta(minutes=2))
        start = ended.output.find("{")
        told = json.JSONDecoder().raw_decode(ended.output, start)[0] if start >= 0 else {}
        return dict(told.get("agents", [told])[0])

    def service(self) -> tuple[str, str]:
        """Return the state of the service, and the version that it leads to."""
        state, line = self.python.run(["-c", STATE], limit=timedelta(minutes=1)).output.split(maxsplit=1)
        return state, line.partition("versions\\")[2].partition("-")[0]

    def sc(self, *words: str) -> None:
        line = f'. "{self.python.place}/env.sh"; exec wine sc.exe "$@" </dev/null >/dev/null 2>&1'
        subprocess.run(["bash", "-c", line, "bash", *words], check=False, timeout=60)


@pytest.fixture
def site(windows_python: WindowsPython, tmp_path: Path) -> Iterator[Site]:
    (tmp_path / "acme.c").write_text(AGENT)
    words = ["-Os", "-s", "-o", str(tmp_path / "acme.exe"), str(tmp_path / "acme.c"), "-ladvapi32"]
    subprocess.run(["x86_64-w64-mingw32-gcc", *words], check=True)
    home = tmp_path / "publisher"
    founded(home)
    with served(home / "public") as url:
        made = Site(windows_python, tmp_path, url)
        made.sc("create", "PawldDeadMan", "binPath=", windows_path(tmp_path / "acme/current/bin/acme.exe"))
        try:
            made.configure("1s")
            made.release("1.0.0")
            first = made.run("lives", "update")
            assert first["reason"]["code"] == "updated", first["reason"]
            made.release("2.0.0")
            yield made
        finally:
            made.sc("stop", "PawldDeadMan")
            made.sc("delete", "PawldDeadMan")


def test_a_killed_updater_leaves_a_companion_that_brings_the_old_build_back(site: Site) -> None:
    site.configure("4s")
    assert site.run("dies", "update") == {}, "it said nothing"
    assert site.run("lives", "status")["state"] == "probation", "the new one was started, and its time is not over"
    eventually(lambda: site.service() == ("4", "1.0.0"))

    recovered = site.run("lives", "recover")

    assert "the dead man's switch took it back" in recovered["reason"]["message"]
    assert (recovered["state"], recovered["installed"]["version"]) == ("idle", "1.0.0")
    assert [(one["version"], one["cause"]) for one in recovered["blocked"]] == [("2.0.0", "health_failed")]
    assert site.service() == ("4", "1.0.0")


@pytest.mark.long
def test_an_updater_that_lives_calls_it_off(site: Site) -> None:
    site.configure("2s")
    assert site.run("lives", "update")["reason"]["code"] == "updated"
    assert not (site.home / "state" / "deadman" / "acme").exists()
    eventually(lambda: not running(site.home))
    assert site.service() == ("4", "2.0.0")


def eventually(holds: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.2)


def running(home: Path) -> list[Path]:
    """Return the processes of this host that sleep beside the switch of this agent."""
    word = str(home / "state").replace("/", "\\").encode() + b"\\deadman"
    return [one for one in Path("/proc").glob("[0-9]*/cmdline") if word in _words(one)]


def _words(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
