"""A host with an agent of the demonstration's kind: its real process, its configuration, and our command line.

What locates and what proves its builds is for the test to say; here is the rest.
"""

import contextlib
import io
import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.logs import restored_logging
from support.ports import free_port

from pawld.cli.main import main

CONFIG = """
[updater]
state_dir = "{home}/state"
stall = "2s"

[agents.acme]
product = "acme-agent"
root = "{home}/opt/acme-agent"
channel = "stable"

[agents.acme.platform]
os = "linux"
arch = "x86_64"

{supply}

[agents.acme.install]
type = "directory"
reserve = "1MiB"

[agents.acme.service]
type = "command"
start = ["{python}", "{{current}}/bin/acme-agent", "start", "{home}/acme.pid", "{port}"]
stop = ["{python}", "{{current}}/bin/acme-agent", "stop", "{home}/acme.pid"]
is_running = ["{python}", "{{current}}/bin/acme-agent", "status", "{home}/acme.pid"]

[agents.acme.health]
probation = "1s"
checks = [{{ type = "http", url = "http://127.0.0.1:{port}/health", every = "1s" }}]
"""


@dataclass(frozen=True)
class Said:
    """What a command said: exit code, the reason in its document, and what people read."""

    exit: int
    document: dict[str, Any]
    output: str
    errors: str

    @property
    def reason(self) -> dict[str, Any]:
        agents = self.document.get("agents")
        return dict(agents[0]["reason"] if agents else self.document["reason"])


@dataclass
class AgentHost:
    """The host; ``config`` is the text of its configuration file, which a test may change.

    Attributes:
        supply: the tables ``source`` and ``trust``.
        port: where the agent answers when it is asked for its health.
    """

    home: Path
    supply: str
    port: int
    config: str = ""

    def __post_init__(self) -> None:
        words = {"home": self.home, "supply": self.supply, "python": sys.executable, "port": self.port}
        self.config = CONFIG.format(**words)

    @property
    def root(self) -> Path:
        return self.home / "opt" / "acme-agent"

    @property
    def downloads(self) -> Path:
        return self.root / ".pawld"

    def written(self) -> Path:
        """Write the configuration file, and return where it lies."""
        file = self.home / "pawld.toml"
        file.write_text(self.config)
        return file

    def pawld(self, *words: str) -> Said:
        """Run a command in this process, as the shell would."""
        file = self.written()
        output, errors = io.StringIO(), io.StringIO()
        with restored_logging(), redirect_stdout(output), redirect_stderr(errors):
            code = main(["--config", str(file), "--json", *words])
        return Said(code, json.loads(output.getvalue()), output.getvalue(), errors.getvalue())

    def current(self) -> str:
        """What ``current`` leads to, and which slots there are beside it."""
        slots = sorted(one.name for one in (self.root / "versions").iterdir())
        return f"{os.readlink(self.root / 'current')} of {slots}"  # noqa: PTH115 - as it stands there

    def running(self) -> str:
        """The agent's process, and what it answers when it is asked past everything that is ours."""
        pid = (self.home / "acme.pid").read_text()
        os.kill(int(pid), 0)
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
            return f"{pid}: {answer.read().decode().strip()}"


@contextmanager
def agent_host(home: Path, supply: str) -> Iterator[AgentHost]:
    """Set a host up on which nothing is installed yet; whatever runs is stopped at the end."""
    try:
        yield AgentHost(home, supply, free_port())
    finally:
        stop(home)


def stop(home: Path) -> None:
    """End the agent's process, if there is one."""
    with contextlib.suppress(OSError, ValueError):
        os.kill(int((home / "acme.pid").read_text()), 15)
