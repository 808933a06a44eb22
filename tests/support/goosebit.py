"""goosebit, a third party's DDI server, from PyPI in an environment of its own; installed once and kept.

It has no error threshold of its own: ``watch_over`` pauses a rollout by its API, as a campaign's administrator would.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from urllib.parse import urlencode

import httpcore
from filelock import FileLock
from support.ports import free_port

RELEASE = "goosebit==0.2.12"
_HOME = Path(
    os.environ.get("XDG_CACHE_HOME") or Path(gettempdir()) / f"pawld-tests-{os.getuid() if os.name == 'posix' else 0}"
)
VENV = _HOME / RELEASE.replace("==", "-")
INSTALL_LIMIT = 180  # seconds
_MIGRATIONS = """
[tool.aerich]
tortoise_orm = "goosebit.db.config.TORTOISE_CONF"
location = "{package}/db/migrations"
src_folder = "./."
"""


def missing_goosebit() -> str | None:
    """Install it where it is not there yet; return why it cannot be had, or None."""
    if sys.platform != "linux":
        return "goosebit is only tried on Linux"
    _HOME.mkdir(parents=True, exist_ok=True)
    with FileLock(_HOME / "goosebit.lock"):
        if (VENV / "ready").exists():
            return None
        try:
            _install()
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            return f"{RELEASE} could not be installed: {error}"
    return None


def _install() -> None:
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        [str(VENV / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", RELEASE],
    ):
        subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_LIMIT)
    (VENV / "ready").touch()


class Goosebit:
    """A running server, and its administrator's calls."""

    def __init__(self, url: str) -> None:
        self.url = url
        form = urlencode({"username": "admin@example.com", "password": "correct horse"})
        reply = self._call("POST", "/setup", form.encode(), {"Content-Type": "application/x-www-form-urlencoded"})
        self._head = {"Authorization": f"Bearer {reply['access_token']}"}

    def offer(self, version: str) -> int:
        """Upload software of that version, and roll it out to every device; return the rollout's number."""
        parts = ["--cut", f'Content-Disposition: form-data; name="file"; filename="acme-{version}.swu"', "", ""]
        body = "\r\n".join(parts).encode() + _swu(version) + b"\r\n--cut--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=cut"}
        software = self._call("PUT", "/api/v1/software", body, kind | self._head)["id"]
        rollout = {"name": version, "feed": "default", "software_id": software}
        return int(self._json("PUT", "/api/v1/rollouts", rollout)["id"])

    def rollout(self, number: int) -> dict[str, Any]:
        """Return how a rollout stands."""
        rollouts = self._call("GET", "/api/v1/rollouts", None, self._head)["rollouts"]
        return next(one for one in rollouts if one["id"] == number)

    def watch_over(self, number: int, failures: int) -> None:
        """Pause the rollout where so many devices failed."""
        if self.rollout(number)["failure_count"] >= failures:
            self._json("PATCH", "/api/v1/rollouts", {"ids": [number], "paused": True})

    def devices(self) -> dict[str, dict[str, Any]]:
        """Return what it knows of each device."""
        return {one["id"]: one for one in self._call("GET", "/api/v1/devices", None, self._head)["devices"]}

    def _json(self, method: str, path: str, value: Any) -> dict[str, Any]:
        return self._call(method, path, json.dumps(value).encode(), {"Content-Type": "application/json"} | self._head)

    def _call(self, method: str, path: str, body: bytes | None, head: dict[str, str]) -> dict[str, Any]:
        reply = httpcore.request(method, self.url + path, headers=head, content=body)
        assert reply.status == 200, reply.content
        answer: dict[str, Any] = json.loads(reply.content)
        return answer


@contextmanager
def goosebit_server(folder: Path) -> Iterator[Goosebit]:
    """Run it on an empty database until the block ends."""
    port = free_port()
    package = next((VENV / "lib").glob("python3*/site-packages/goosebit"))
    (folder / "pyproject.toml").write_text(_MIGRATIONS.format(package=package))
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GOOSEBIT_DB_URI": f"sqlite:///{folder}/db.sqlite3",
        "GOOSEBIT_ARTIFACTS_DIR": str(folder / "artifacts"),
        "GOOSEBIT_POLL_TIME": "00:00:30",
    }
    subprocess.run([VENV / "bin/aerich", "upgrade"], cwd=folder, env=environ, check=True, capture_output=True)
    command = [str(VENV / "bin/uvicorn"), "goosebit:app", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url, process, folder / "log")
        yield Goosebit(url)
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(300):
        assert process.poll() is None, f"goosebit ended: {log.read_text()}"
        with suppress(httpcore.NetworkError):
            httpcore.request("GET", f"{url}/docs")
            return
        time.sleep(0.1)
    raise AssertionError("goosebit does not listen")


def _swu(version: str) -> bytes:
    """A cpio archive whose first member is the description that goosebit reads."""
    description = f'software = {{ version = "{version}"; acme = {{ hardware-compatibility = ["linux-x86_64"]; }}; }};'
    return _member(b"sw-description", description.encode()) + _member(b"TRAILER!!!", b"")


def _member(name: bytes, data: bytes) -> bytes:
    fields = [0, 0o100644, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    head = b"070701" + b"".join(b"%08X" % one for one in fields) + name + b"\0"
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)
