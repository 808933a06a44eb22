"""A host on which acme-agent 1.0.0 runs, installed by pawld, while its vendor and its publisher offer 1.1.0.

Everything is real: the command line, the agent's process, and one web server on loopback that is ScalePad's interface,
its content network and the publisher's static host at once. ``web`` can be told to misbehave.
"""

import contextlib
import hashlib
import io
import json
import os
import shutil
import socket
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from support.logs import restored_logging
from support.publishing import founded, incoming
from support.static_web import Misbehaviour, StaticWeb, send, static_web

from pawld.cli.main import main
from pawld.demo.program import Release
from pawld.publish.ingest import ingest
from pawld.publish.publication import publish
from pawld.publish.publisher import Publisher

TOKEN = "not-for-anybody-else-31337"
OLD, NEW = "1.0.0", "1.1.0"
LATEST = "v2/agent-releases/latest"
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

[agents.acme.source]
type = "scalepad"
base_url = "{url}/v2"
token_file = "{home}/acme.token"

[agents.acme.trust]
type = "tuf"
metadata_url = "{url}/metadata"
root_file = "{home}/root.json"

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
class StandingHost:
    """The host; ``config`` is the text of its configuration file, which a test may change."""

    home: Path
    web: StaticWeb
    publisher: Publisher
    port: int
    config: str = ""
    builds: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shutil.copy(self.home / "publisher/public/metadata/1.root.json", self.home / "root.json")
        words = {"home": self.home, "url": self.web.url, "python": sys.executable, "port": self.port}
        self.config = CONFIG.format(**words)
        self.token.touch(mode=0o600)
        self.token.write_text(TOKEN)

    @property
    def token(self) -> Path:
        return self.home / "acme.token"

    @property
    def root(self) -> Path:
        return self.home / "opt" / "acme-agent"

    @property
    def downloads(self) -> Path:
        return self.root / ".pawld"

    def release(self, version: str, build: bytes | None = None, **facts: Any) -> None:
        """Publish a signed record of the build, and have the vendor offer it as the newest."""
        data = build if build is not None else Release(version).packed(os.urandom(200_000))
        self.builds[version] = data
        facts = {"filename": f"acme-agent-{version}.tar.zst", "entrypoint": "bin/acme-agent", "kept": False} | facts
        ingest(self.publisher, incoming(version, **facts), [data], "stable")
        publish(self.publisher)
        for path in (self.home / "publisher/public/metadata").iterdir():
            self.web.files[f"metadata/{path.name}"] = path.read_bytes()
        self.offer(self.metadata(version))
        self.web.files[f"agent/{version}"] = data
        self.web.instead[f"v2/agent-releases/{version}/download"] = redirect(f"{self.web.url}/agent/{version}?sig=abc")

    def metadata(self, version: str, **changes: Any) -> dict[str, Any]:
        """What ScalePad says of a release; *changes* are to its artifact."""
        data = self.builds[version]
        artifact = {
            "filename": f"acme-agent-{version}.tar.zst",
            "content_type": "application/octet-stream",
            "size_bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
            "download_url": f"/v2/agent-releases/{version}/download?platform=linux&arch=x86_64",
        } | changes
        return {
            "channel": "stable",
            "version": version,
            "published_at": "2026-02-24T21:23:53.082Z",
            "notes_url": None,
            "artifacts": {"windows": None, "macos": None, "linux": {"x86_64": artifact}},
        }

    def offer(self, release: dict[str, Any]) -> None:
        """Have the vendor's metadata say this of its newest release."""
        for name in ("latest", release["version"]):
            self.web.files[f"v2/agent-releases/{name}"] = json.dumps(release).encode()

    def answers(self, behaviour: Misbehaviour) -> None:
        """Have the vendor's metadata endpoints behave so."""
        for name in ("latest", NEW):
            self.web.instead[f"v2/agent-releases/{name}"] = behaviour

    def downloads_from(self, behaviour: Misbehaviour) -> None:
        """Have the vendor's download endpoint behave so."""
        self.web.instead[f"v2/agent-releases/{NEW}/download"] = behaviour

    def content(self, behaviour: Misbehaviour) -> None:
        """Have the content network behave so."""
        self.web.instead[f"agent/{NEW}"] = behaviour

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


def redirect(to: str, status: int = 302) -> Misbehaviour:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def says(status: int, body: object = b"", headers: dict[str, str] | None = None) -> Misbehaviour:
    """Answer with this status and body; one that is no bytes goes as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


@contextmanager
def standing_host(home: Path) -> Iterator[StandingHost]:
    """Install 1.0.0 and have it run, offer 1.1.0; stop everything at the end."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with static_web({}) as web:
        host = StandingHost(home, web, founded(home / "publisher"), port)
        host.release(OLD)
        try:
            said = host.pawld("update")
            assert said.exit == 0, said.errors
            host.release(NEW)
            yield host
        finally:
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((home / "acme.pid").read_text()), 15)


__all__ = ["LATEST", "NEW", "OLD", "TOKEN", "Said", "StandingHost", "redirect", "says", "send", "standing_host"]
