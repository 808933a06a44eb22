"""What the idle daemon costs: memory and wake-ups, measured on the real one with an hourly check on a local server.

    python tests/benchmarks/idle.py [--minutes 10]

The daemon is started as a service manager would start it, makes its first cycle, and is then left alone. RSS is VmRSS
of its process. A wake-up is a voluntary context switch of any of its threads: each ends one sleep. Both are read from
/proc, which costs the daemon nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from support.configuration import following
from support.publishing import founded, served, take_in

MOST_MEMORY = 30.0  # MB
MOST_WAKE_UPS = 2.0  # a minute
PROBATION = '[agents.acme.health]\nprobation = "1s"'


def main() -> int:
    """Measure, print one JSON document, and fail where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long the idle daemon is watched")
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as directory:
        figures = measured(Path(directory), minutes)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    good = figures["rss_mb"] <= MOST_MEMORY and figures["wake_ups_a_minute"] <= MOST_WAKE_UPS
    return 0 if good else 1


def measured(home: Path, minutes: float) -> dict[str, float]:
    """Return the figures of a daemon that was idle for so long."""
    publisher = founded(home / "publisher")
    take_in(publisher, "1.0.0")
    public = home / "publisher" / "public"
    (home / "root.json").write_bytes((public / "metadata" / "1.root.json").read_bytes())
    with served(public) as url:
        config = home / "pawld.toml"
        config.write_text(following(home, url, updater='check_every = "1h"', rest=PROBATION))
        pawld = [sys.executable, "-P", "-m", "pawld", "--config", str(config)]
        began = time.monotonic()
        daemon = subprocess.Popen([*pawld, "run"])
        try:
            until_listening(home / "state" / "pawld.sock")
            ready = time.monotonic() - began
            subprocess.run([*pawld, "update"], check=True, stdout=subprocess.DEVNULL)
            time.sleep(5)  # what the cycle left to do
            before, held = wake_ups(daemon.pid), resident(daemon.pid)
            time.sleep(minutes * 60)
            return {
                "rss_mb": round(max(held, resident(daemon.pid)) / 1e6, 1),
                "wake_ups_a_minute": round((wake_ups(daemon.pid) - before) / minutes, 2),
                "ready_s": round(ready, 2),
                "threads": len(os.listdir(f"/proc/{daemon.pid}/task")),  # noqa: PTH208 - a count
                "minutes": minutes,
            }
        finally:
            daemon.terminate()
            daemon.wait()


def until_listening(line: Path) -> None:
    """Wait for the daemon's line."""
    end = time.monotonic() + 30
    while not line.exists():
        if time.monotonic() > end:
            raise TimeoutError(line)
        time.sleep(0.02)


def resident(pid: int) -> int:
    """Return VmRSS in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def wake_ups(pid: int) -> int:
    """Return how often the threads of the process went to sleep so far."""
    statuses = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/status")]
    return sum(int(text.partition("\nvoluntary_ctxt_switches:")[2].split()[0]) for text in statuses)


if __name__ == "__main__":
    sys.exit(main())
