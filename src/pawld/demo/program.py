"""The demonstration's agent: a small real program that serves a health endpoint, packed as a vendor would pack it."""

import io
import shutil
import sys
import tarfile

import zstandard

from pawld.errors import OperatorError
from pawld.reasons import Reason
from pawld.values import dataclass

BALLAST = 4 * 1024 * 1024  # bytes that do not compress, so that a download can be cut in its middle
_MODE_PROGRAM, _MODE_DATA = 0o755, 0o644

_PROGRAM = '''\
#!/usr/bin/env python3
"""Acme agent: run it with start, stop, status, run or --version."""

import http.server, os, pathlib, signal, subprocess, sys, time

VERSION, HEALTHY = "{version}", {healthy}
SELF = pathlib.Path(__file__).resolve()


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status = 200 if HEALTHY and self.path.startswith("/health") else 500
        body = ("acme-agent " + VERSION + "\\n").encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def running(pid_file):
    try:
        pid = int(pid_file.read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return None
    return pid


def run(pid_file, port):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Health)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    pid_file.write_text(str(os.getpid()))
    server.serve_forever()


def start(pid_file, port):
    if running(pid_file) is None:
        pid_file.unlink(missing_ok=True)
        quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        command = [sys.executable, str(SELF), "run", str(pid_file), str(port)]
        subprocess.Popen(command, start_new_session=True, **quiet)
    for _ in range(100):
        if running(pid_file):
            return 0
        time.sleep(0.05)
    return 1


def stop(pid_file):
    pid = running(pid_file)
    for _ in range(100 if pid else 0):
        if running(pid_file) is None:
            break
        os.kill(pid, signal.SIGTERM)
        time.sleep(0.05)
    pid_file.unlink(missing_ok=True)
    return 0


if sys.argv[1] == "--version":
    print("acme-agent", VERSION)
elif sys.argv[1] == "status":
    pid = running(pathlib.Path(sys.argv[2]))
    print(pid or "")
    sys.exit(0 if pid else 3)
else:
    verb, pid_file = sys.argv[1], pathlib.Path(sys.argv[2])
    sys.exit(stop(pid_file) if verb == "stop" else {{"run": run, "start": start}}[verb](pid_file, int(sys.argv[3])))
'''


def interpreter() -> str:
    """Return the Python that runs the agent: this one, or the host's where pawld is a program of its own.

    Raises:
        OperatorError: usage, where the host has none.
    """
    if not getattr(sys, "frozen", False):
        return sys.executable
    found = shutil.which("python3")
    if found is None:
        raise OperatorError(Reason.USAGE, "The demonstration's agent is a Python program, and here is no python3.")
    return found


@dataclass(frozen=True, slots=True)
class Release:
    """One release of the agent; one with ``healthy`` False answers its health check with 500."""

    version: str
    healthy: bool = True

    @property
    def filename(self) -> str:
        """What the vendor calls the file."""
        return f"acme-agent-{self.version}.tar.zst"

    def packed(self, ballast: bytes) -> bytes:
        """Return the archive: the program, and *ballast* beside it."""
        program = _PROGRAM.format(version=self.version, healthy=self.healthy).encode()
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            _add(archive, "bin/acme-agent", program, _MODE_PROGRAM)
            _add(archive, "share/ballast", ballast, _MODE_DATA)
        return zstandard.ZstdCompressor().compress(packed.getvalue())


def _add(archive: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), mode
    archive.addfile(member, io.BytesIO(data))
