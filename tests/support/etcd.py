"""A real etcd of one member, on free loopback ports or wherever it is told."""

import base64
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from ssl import SSLContext
from typing import Any

import httpcore
from support.ports import free_port


class EtcdServer:
    """Can be stopped and started again on the same data."""

    def __init__(
        self, folder: Path, *, host: str = "127.0.0.1", prefix: Sequence[str] = (), tls: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self.client, peer = free_port(), free_port()
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://{host}:{self.client}"
        inside = f"http://127.0.0.1:{peer}"
        self._command = [
            *prefix,
            *(shutil.which("etcd") or "etcd", "--name", "one", "--data-dir", str(folder / "data")),
            *("--listen-client-urls", self.url, "--advertise-client-urls", self.url),
            *("--listen-peer-urls", inside, "--initial-advertise-peer-urls", inside),
            *("--initial-cluster", f"one={inside}", "--logger", "zap", "--log-level", "error"),
            # A lease may be shorter than an election by default; quick beats let tests be quick.
            *("--heartbeat-interval", "50", "--election-timeout", "500", *tls),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, trust: SSLContext | None = None) -> None:
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        for _ in range(300):
            assert self._process.poll() is None, f"etcd ended: {(self.folder / 'log').read_text()}"
            with suppress(httpcore.NetworkError, httpcore.TimeoutException), httpcore.ConnectionPool(trust) as pool:
                reply = pool.request("GET", f"{self.url}/health", extensions={"timeout": {"connect": 1, "read": 1}})
                if b'"true"' in reply.content:
                    return
            time.sleep(0.05)
        raise AssertionError("etcd does not become healthy")

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def ask(self, path: str, **body: object) -> dict[str, Any]:
        """Ask the gateway past what is tested."""
        reply = httpcore.request("POST", self.url + path, content=json.dumps(body).encode())
        assert reply.status == 200, reply.content
        answer: dict[str, Any] = json.loads(reply.content)
        return answer

    def keys(self, prefix: str) -> list[str]:
        """Return every key below *prefix*."""
        first, end = (base64.b64encode(one.encode()).decode() for one in (prefix, prefix + "\x7f"))
        return [
            base64.b64decode(one["key"]).decode()
            for one in self.ask("/v3/kv/range", key=first, range_end=end).get("kvs", [])
        ]


@contextmanager
def etcd_server(folder: Path) -> Iterator[EtcdServer]:
    folder.mkdir(parents=True, exist_ok=True)
    server = EtcdServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
