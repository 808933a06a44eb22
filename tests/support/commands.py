"""``pawld`` as its users call it: in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

from support.publishing import PASSPHRASE

PAWLD = [sys.executable, "-m", "pawld"]


def release(home: Path, *words: object) -> str:
    """Run ``pawld release`` on the repository in *home*, and return what it says."""
    environment = {**os.environ, "PAWLD_PASSPHRASE": PASSPHRASE, "PAWLD_REPOSITORY": str(home)}
    command = [*PAWLD, "release", *map(str, words)]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def words_for(config: Path, *words: str) -> list[str]:
    """Return the command line for a command with this configuration."""
    return [*PAWLD, "--config", str(config), *words]


def finished(config: Path, *words: str, before: tuple[str, ...] = ()) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; what stands *before* it runs it."""
    return subprocess.run(
        [*before, *words_for(config, *words)], capture_output=True, text=True, timeout=60, check=False, cwd="/"
    )
