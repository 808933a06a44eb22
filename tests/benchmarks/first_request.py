"""What a start of ``pawld update`` costs until its first request: CPU time of all its threads, at the connection.

    PYTHONPATH=tests python -m benchmarks.first_request [--pawld PATH] [--rounds 9]

Linux alone: the threads' own clocks are read from ``/proc/PID/task/*/schedstat``.
"""

import argparse
import socket
import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks.environments import environment

from pawld.publish.plan import Plan
from pawld.publish.roles import SINGLE
from pawld.publish.setup import Founding, found
from pawld.system.clock import SystemClock

_CONFIG = """
[updater]
state_dir = "{home}/state"
[agents.acme]
root = "{home}/root"
[agents.acme.source]
type = "scalepad"
base_url = "http://127.0.0.1:{port}/v2"
token_file = "{home}/token"
[agents.acme.trust]
type = "tuf"
metadata_url = "http://127.0.0.1:{port}/metadata"
root_file = "{root_file}"
"""


def cpu_at_first_request(command: list[str], listener: socket.socket) -> float:
    """Return the milliseconds of CPU that *command* had used when it connected; it is ended then."""
    with subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        connection, _ = listener.accept()
        clocks = [path.read_text() for path in Path(f"/proc/{process.pid}/task").glob("*/schedstat")]
        process.kill()
        connection.close()
    return sum(int(text.split()[0]) for text in clocks) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pawld", default="pawld")
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, socket.create_server(("127.0.0.1", 0)) as listener:
        home = Path(name)
        roles = dict.fromkeys(("root", "targets", "stable"), SINGLE)
        found(
            home / "publisher",
            Founding(Plan(("acme",), ("stable",), "stable"), roles),
            lambda _: "a" * 16,
            SystemClock(),
        )
        for path, text in (
            (home / "token", "benchmark-token-0123456789"),
            (
                home / "pawld.toml",
                _CONFIG.format(
                    home=home,
                    port=listener.getsockname()[1],
                    root_file=home / "publisher" / "public" / "metadata" / "1.root.json",
                ),
            ),
        ):
            path.write_text(text)
            path.chmod(0o600)
        command = [given.pawld, "--config", str(home / "pawld.toml"), "update"]
        found_ms = [cpu_at_first_request(command, listener) for _ in range(given.rounds)]
    print(f"pawld update, until its first request: {statistics.median(found_ms):.0f} ms CPU (median of {given.rounds})")


if __name__ == "__main__":
    main()
