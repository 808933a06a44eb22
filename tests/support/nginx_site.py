"""A real nginx for one directory, on loopback."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.ports import free_port

_CONFIG = """
daemon off;
master_process off;
error_log {run}/error.log;
pid {run}/nginx.pid;
events {{ worker_connections 64; }}
http {{
    access_log {run}/access.log;
    client_body_temp_path {run}; proxy_temp_path {run}; fastcgi_temp_path {run}; uwsgi_temp_path {run};
    scgi_temp_path {run};
    gzip on; gzip_types *; gzip_min_length 1;
    sendfile on;
    server {{
        listen 127.0.0.1:{port};
        root {root};
        location = /api {{ return 302 http://127.0.0.1:{port}/build; }}
        {locations}
    }}
}}
"""


@contextmanager
def nginx_site(root: Path, run: Path, *, locations: str = "") -> Iterator[str]:
    """Serve *root* until the block ends; yield the URL. *run* is a directory for what nginx writes."""
    port = free_port()
    config = run / "nginx.conf"
    config.write_text(_CONFIG.format(run=run, root=root, port=port, locations=locations))
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin"])
    command = [shutil.which("nginx", path=search) or "nginx", "-c", str(config), "-p", str(run)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        assert process.poll() is None, "nginx ended"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError("nginx does not listen")
