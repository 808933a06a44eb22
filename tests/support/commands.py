"""``pawld`` as its users call it: in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.publishing import PASSPHRASE

PAWLD = [sys.executable, "-m", "pawld"]


def release(home: Path, *words: object) -> str:
    """Run ``pawld release`` on the repository in *home*, and return what it says."""
    environment = {**os.environ, "PAWLD_PASSPHRASE": PASSPHRASE, "PAWLD_REPOSITORY": str(home)}
    command = [*PAWLD, "release", *map(str, words)]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def the_agent(document: str) -> dict[str, Any]:
    """Return the only agent of a document that a command printed."""
    (agent,) = json.loads(document)["agents"]
    return dict(agent)
