"""A copy of this host's state, for what has to work on a host and may change nothing of it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pawld.settings.models import Settings
from pawld.system.faults import host_faults

# SQLite's own rollback journal makes a copy of a write under way whole again.
_FILES = ("pawld.db", "pawld.db-journal", "marks.json", "host-id")
_DIRECTORIES = ("tuf", "tokens")


@contextmanager
def on_a_copy(settings: Settings) -> Iterator[Settings]:
    """Yield the settings with the state in a directory of its own, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="pawld-copy-") as directory:
        state, copy = settings.updater.state_dir, Path(directory)
        with host_faults(f"Copying the state in {state}"):
            _copy(state, copy)
        yield settings.model_copy(update={"updater": settings.updater.model_copy(update={"state_dir": copy})})


def _copy(state: Path, copy: Path) -> None:
    for name in _FILES:
        if (state / name).is_file():
            shutil.copy2(state / name, copy / name)
    for name in _DIRECTORIES:
        if (state / name).is_dir():
            shutil.copytree(state / name, copy / name, symlinks=True)
