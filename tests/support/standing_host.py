"""A host on which acme-agent 1.0.0 runs, installed by pawld, while its vendor and its publisher offer 1.1.0.

Everything is real: the command line, the agent's process, and one web server on loopback that is ScalePad's interface,
its content network and the publisher's static host at once. ``web`` can be told to misbehave.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from support.agent_host import AgentHost, Said, stop
from support.ports import free_port
from support.publishing import founded, incoming
from support.static_web import Misbehaviour, StaticWeb, send, static_web

from pawld.demo.program import Release
from pawld.publish.ingest import ingest
from pawld.publish.publication import publish

TOKEN = "not-for-anybody-else-31337"
OLD, NEW = "1.0.0", "1.1.0"
SUPPLY = """
[agents.acme.source]
type = "scalepad"
base_url = "{url}/v2"
token_file = "{home}/acme.token"

[agents.acme.trust]
type = "tuf"
metadata_url = "{url}/metadata"
root_file = "{home}/root.json"
"""


class StandingHost(AgentHost):
    """The host, with its vendor and its publisher.

    Attributes:
        web: every server of theirs.
        builds: the bytes of each version.
    """

    def __init__(self, home: Path, web: StaticWeb) -> None:
        super().__init__(home, SUPPLY.format(home=home, url=web.url), free_port())
        self.web = web
        self.publisher = founded(home / "publisher")
        self.builds: dict[str, bytes] = {}
        self.token = home / "acme.token"
        self.token.touch(mode=0o600)
        self.token.write_text(TOKEN)
        shutil.copy(home / "publisher/public/metadata/1.root.json", home / "root.json")

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
    with static_web({}) as web:
        host = StandingHost(home, web)
        host.release(OLD)
        try:
            said = host.pawld("update")
            assert said.exit == 0, said.errors
            host.release(NEW)
            yield host
        finally:
            stop(home)


__all__ = ["NEW", "OLD", "TOKEN", "Said", "StandingHost", "redirect", "says", "send", "standing_host"]
