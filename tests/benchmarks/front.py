"""Debian's nginx on loopback: metadata and a 302 as the vendor has it, the bytes behind it, at full speed or slow.

``/KIND/v2`` is a vendor's interface for one payload; ``/slow/KIND/v2`` is the same over a 100 Mbit/s link.
``/hop/PATH`` redirects whoever knows no vendor to ``/PATH``.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.payloads import VERSION, sha256

SLOW = "12500k"  # bytes a second: 100 Mbit/s

_CONFIG = """
daemon off;
master_process off;
error_log {run}/error.log;
pid {run}/nginx.pid;
events {{ worker_connections 256; }}
http {{
    log_format requests '$request_method $request_uri $status $body_bytes_sent';
    access_log {run}/access.log requests;
    client_body_temp_path {run}; proxy_temp_path {run}; fastcgi_temp_path {run}; uwsgi_temp_path {run};
    scgi_temp_path {run};
    sendfile on; tcp_nopush on; keepalive_timeout 30s;
    types {{}} default_type application/octet-stream;
    server {{
        listen 127.0.0.1:{port};
        root {root};
        location /slow/ {{ alias {root}/; limit_rate {slow}; }}
        location ~ ^/(?<pace>slow/)?hop/(?<rest>.*)$ {{ return 302 http://127.0.0.1:{port}/$pace$rest; }}
        {places}
    }}
}}
"""
_PLACE = """
        location = {at}/v2/agent-releases/latest {{ default_type application/json; return 200 '{document}'; }}
        location = {at}/v2/agent-releases/{version} {{ default_type application/json; return 200 '{document}'; }}
        location = {at}/v2/agent-releases/{version}/download {{ return 302 http://127.0.0.1:{port}{file}; }}
"""


@contextmanager
def served(root: Path, run: Path, payloads: Mapping[str, Path]) -> Iterator[str]:
    """Serve *root*, in which ``/builds/NAME`` are the payloads' bytes; yield the site's URL."""
    run.mkdir(parents=True, exist_ok=True)
    (root / "builds").mkdir(parents=True, exist_ok=True)
    for path in payloads.values():
        link = root / "builds" / path.name
        link.unlink(missing_ok=True)
        os.link(path, link)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    places = "".join(_places(kind, path, port) for kind, path in payloads.items())
    config = run / "nginx.conf"
    config.write_text(_CONFIG.format(run=run, root=root, port=port, slow=SLOW, places=places))
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
    nginx = shutil.which("nginx", path=search) or "nginx"
    with subprocess.Popen([nginx, "-c", str(config), "-p", str(run)], stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _places(kind: str, path: Path, port: int) -> str:
    artifact = {"filename": path.name, "sha256": sha256(path), "size_bytes": path.stat().st_size}
    document = json.dumps({"version": VERSION, "artifacts": {"linux": {"x86_64": artifact}}})
    return "".join(
        _PLACE.format(
            at=f"{prefix}/{kind}", version=VERSION, document=document, port=port, file=f"{prefix}/builds/{path.name}"
        )
        for prefix in ("", "/slow")
    )


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("nginx does not listen")
