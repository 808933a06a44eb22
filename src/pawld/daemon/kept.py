"""The configuration that the daemon goes by: a copy of the last one that was good.

Cycles read the copy, so that a file that is being edited, or was spoilt, changes nothing before it was judged as a
whole. It holds no secrets; the configuration only names their places.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from pawld.settings.glance import Outline, outline
from pawld.settings.merge import gather
from pawld.system.faults import host_faults
from pawld.system.files import make_directory, write_durably
from pawld.values import dataclass

_DIRECTORY, _FILENAME = "running", "pawld.toml"


@dataclass(frozen=True, slots=True)
class Kept:
    """One good configuration.

    Attributes:
        file: the copy of its main file; the copies of its fragments lie beside it.
    """

    file: Path
    outline: Outline


def keep(path: Path | None, environ: Mapping[str, str]) -> Kept:
    """Copy the configuration of *path* into the state directory and outline it; ``OperatorError`` as ``outline``."""
    seen, original = outline(path, environ), gather(path, environ).file
    copy = seen.state_dir / _DIRECTORY / _FILENAME
    with host_faults(f"Keeping a copy of the configuration in {seen.state_dir}"):
        _copy(original, copy)
    return Kept(copy, outline(copy, environ))


def _copy(original: Path, copy: Path) -> None:
    """Copy the file and its fragments."""
    directory = copy.parent
    make_directory(directory.parent, mode=0o700)
    shutil.rmtree(directory, ignore_errors=True)
    make_directory(directory / "conf.d", mode=0o700)
    for file in (original, *sorted((original.parent / "conf.d").glob("*.toml"))):
        below = Path("conf.d", file.name) if file.parent.name == "conf.d" and file != original else Path(_FILENAME)
        if file.exists():
            write_durably(directory / below, file.read_bytes())
    if not copy.exists():
        write_durably(copy, b"")  # all of it lies in fragments and variables
