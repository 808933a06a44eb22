"""The program that PyInstaller freezes on Windows, from its MSI to its removal: it serves, updates an agent, and stays.

Freezing takes a minute under Wine, so this is a long one.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.configuration import agent_of
from support.publishing import founded, incoming, released, served, tar
from support.windows_host import Host, packed
from support.wine import WindowsPython, windows_path

import pawld
from pawld.model import Platform

pytestmark = [pytest.mark.long, pytest.mark.rig("wine_python"), pytest.mark.timeout(900)]

WINDOWS = Platform("windows", "x86_64")
AGENT = "#include <stdio.h>\nint main(void) { puts(VERSION); return 0; }\n"
REST = r"""qualify = ['{slot}\bin\acme.exe']
[agents.acme.health]
probation = "1s"
checks = [{ type = "version", command = ['{current}\bin\acme.exe'], every = "1s" }]
"""


def agent(place: Path, version: str) -> bytes:
    """Return a build of a native program that prints its version."""
    source, program = place / "acme.c", place / "acme.exe"
    source.write_text(AGENT)
    words = ["-Os", "-s", f'-DVERSION="{version}"', "-o", str(program), str(source)]
    subprocess.run(["x86_64-w64-mingw32-gcc", *words], check=True)
    return tar({"bin/acme.exe": program.read_bytes()}, "w:gz")


def release(home: Path, place: Path, version: str) -> None:
    released(home, incoming(version, platform=WINDOWS, entrypoint="bin/acme.exe"), agent(place, version))


@contextmanager
def serving(home: Path, place: Path) -> Iterator[str]:
    """Serve a repository with one release of the agent."""
    founded(home)
    release(home, place, "1.0.0")
    with served(home / "public") as url:
        yield url


@pytest.fixture
def host(windows_python: WindowsPython, tmp_path: Path) -> Iterator[Host]:
    made = Host(windows_python, tmp_path)
    made.config.parent.mkdir(parents=True, exist_ok=True)
    yield made
    made.remove("0.3.1")
    made.remove("0.3.0")
    subprocess.run(["rm", "-rf", str(made.config.parent), str(made.drive / "acme")], check=True)


def test_the_frozen_program_is_installed_serves_updates_an_agent_is_upgraded_and_goes(
    host: Host, tmp_path: Path
) -> None:
    host.python.install("pyinstaller")
    freezing = host.python.run(["packaging/freeze.py", windows_path(tmp_path)], limit=timedelta(minutes=10))
    assert freezing.ok, freezing.output[-4000:]
    packed(tmp_path / "pawld", tmp_path, "0.3.0")
    (tmp_path / "pawld" / "_internal" / "newer.txt").write_text("there")
    packed(tmp_path / "pawld", tmp_path, "0.3.1")
    home = tmp_path / "publisher"
    with serving(home, tmp_path) as url:
        root = windows_path(home / "public" / "metadata" / "1.root.json")
        config = (
            '[updater]\ncheck_every = "1d"\n' + agent_of("acme", r"C:\acme", url, root, product="acme-agent") + REST
        )
        host.config.write_text(config)

        assert host.install("0.3.0") == 0
        host.eventually(lambda: host.service()[0] == "4")
        assert host.pawld("--version").output.strip() == f"pawld {pawld.__version__}"
        assert installed(host, "update") == ("updated", "1.0.0")
        assert "the daemon does it" in host.pawld("update").errors
        release(home, tmp_path, "1.1.0")
        assert installed(host, "update", "--direct") == ("updated", "1.1.0")
        assert installed(host, "status") == ("updated", "1.1.0")
        assert host.pawld("exec", "acme", "--", "bin\\acme.exe").output.strip() == "1.1.0"

        assert host.install("0.3.1") == 0
        host.restart()
        host.eventually(lambda: host.service()[0] == "4")
        assert (host.program.parent / "_internal/newer.txt").exists()
        assert host.config.read_text() == config
        assert installed(host, "status")[1] == "1.1.0"

    host.stop()
    assert host.remove("0.3.1") == 0
    host.eventually(lambda: host.service() == ["none", "1060"])
    assert not host.program.parent.exists()
    assert host.config.read_text() == config
    assert (host.config.parent / "pawld.db").exists()


def installed(host: Host, *words: str) -> tuple[str, str]:
    """Return the reason that the command gives, and the version that is installed afterwards."""
    told: dict[str, Any] = json.loads(host.pawld("--json", *words).output)["agents"][0]
    return told["reason"]["code"], told["installed"]["version"]
