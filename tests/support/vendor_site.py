"""A vendor behind nginx: ScalePad's documented interface in front, its content network and a publisher behind.

The interface wants its token and answers ``/download`` with a 302 to a signed address on another port; the content
network refuses whoever brings a credential, and whoever brings no signature.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TOKEN = "vendors-own-token-7f3a9c"

_CONFIG = """
daemon off;
master_process off;
error_log {run}/error.log;
pid {run}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    log_format whole '$server_port "$request" $status $body_bytes_sent auth=$http_authorization';
    access_log {run}/access.log whole;
    client_body_temp_path {run}; proxy_temp_path {run}; fastcgi_temp_path {run}; uwsgi_temp_path {run};
    scgi_temp_path {run};
    sendfile on;
    map $http_authorization $stranger {{ default 1; "Bearer {token}" 0; }}
    server {{
        listen 127.0.0.1:{interface};
        default_type application/json;
        error_page 401 /unauthorized.json;
        error_page 404 /not_found.json;
        root {home}/interface;
        location / {{
            if ($stranger) {{ return 401; }}
            location ~ ^/v2/agent-releases/([^/]+)/download$ {{
                if ($stranger) {{ return 401; }}
                return 302 http://127.0.0.1:{content}/agent/$1?X-Signature=$request_id;
            }}
            location ~ ^/v2/agent-releases/([^/]+)$ {{
                if ($stranger) {{ return 401; }}
                try_files /$1.json =404;
            }}
        }}
        location ~ ^/(unauthorized|not_found).json$ {{ internal; }}
    }}
    server {{
        listen 127.0.0.1:{content};
        if ($http_authorization) {{ return 403; }}
        location ~ ^/agent/([^/]+)$ {{
            if ($arg_x-signature = "") {{ return 403; }}
            alias {home}/content/$1;
        }}
    }}
    server {{
        listen 127.0.0.1:{metadata};
        root {public};
    }}
}}
"""


@dataclass(frozen=True)
class Ports:
    """Where the three servers listen on loopback."""

    interface: int = 8080
    content: int = 8081
    metadata: int = 8082


@dataclass
class VendorSite:
    """The files of the vendor's servers in *home*; *public* is what the publisher serves."""

    home: Path
    public: Path
    ports: Ports = field(default_factory=Ports)

    def __post_init__(self) -> None:
        for name in ("interface", "content", "run"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        self._say("unauthorized", {"error": {"code": "unauthorized", "message": "Authentication required"}})
        self._say("not_found", {"error": {"code": "not_found", "message": "Agent release not found"}})

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.interface}/v2"

    @property
    def metadata_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.metadata}/metadata"

    @property
    def command(self) -> list[str]:
        """The command that runs the servers."""
        config = self.home / "nginx.conf"
        ports = {"interface": self.ports.interface, "content": self.ports.content, "metadata": self.ports.metadata}
        told = _CONFIG.format(home=self.home, run=self.home / "run", public=self.public, token=TOKEN, **ports)
        config.write_text(told)
        return ["nginx", "-c", str(config), "-p", str(self.home / "run")]

    def publish(self, version: str, filename: str, build: bytes) -> None:
        """Offer the build as the newest, with length and digest."""
        (self.home / "content" / version).write_bytes(build)
        url = f"/v2/agent-releases/{version}/download?platform=linux&arch=x86_64"
        artifact = {
            "filename": filename,
            "content_type": "application/octet-stream",
            "size_bytes": len(build),
            "sha256": hashlib.sha256(build).hexdigest(),
            "download_url": url,
        }
        release = {
            "channel": "stable",
            "version": version,
            "published_at": "2026-02-24T21:23:53.082Z",
            "notes_url": None,
            "artifacts": {"windows": None, "macos": None, "linux": {"x86_64": artifact}},
        }
        for name in (version, "latest"):
            self._say(name, release)

    def requests(self) -> list[str]:
        """What the three servers were asked: port, request, status, length, credential."""
        return (self.home / "run" / "access.log").read_text().splitlines()

    def _say(self, name: str, document: dict[str, Any]) -> None:
        (self.home / "interface" / f"{name}.json").write_text(json.dumps(document))
