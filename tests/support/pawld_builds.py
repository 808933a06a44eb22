"""Builds of pawld itself: copies of its sources under another version, started by a script in their slot.

Each says in the sentence of a good update who drove it. A broken one qualifies, and then fails as a daemon.
Its bytecode comes along, as in every released form: compiling all of it takes longer than what a cycle does.
"""

import py_compile
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from textwrap import dedent

from support.publishing import LINUX, tar

import pawld
from pawld.model import Platform
from pawld.publish.ingest import Incoming

SOURCES = Path(pawld.__file__).parent
CRASHING = "raise SystemExit(1)"
HANGING = "import time; Notifier().ready('up'); time.sleep(3600)"

LAUNCHER = f"""\
    #!/bin/sh
    slot=$(dirname "$(dirname "$(readlink -f "$0")")")
    export PYTHONPATH="$slot/src" PYTHONDONTWRITEBYTECODE=1
    exec {sys.executable} -P -m pawld "$@"
    """


def watched(*, probation: str, looks: int) -> str:
    """Return the health checks of pawld as its own agent; *looks* of its first ones, one a second, may be bad."""
    return f"""
[agents.pawld.health]
probation = "{probation}"
failures = {looks}
among = {looks}
checks = [{{ type = "service", every = "1s" }}, {{ type = "updater", every = "1s" }}]
"""


@dataclass(frozen=True)
class Form:
    """How a build is started: by its *program*, on a *platform*."""

    platform: Platform
    entrypoint: str
    program: bytes


SCRIPT = Form(LINUX, "bin/pawld", dedent(LAUNCHER).encode())


def build(version: str, daemon: str = "", form: Form = SCRIPT) -> tuple[Incoming, bytes]:
    """Return a build of this pawld as *version*; *daemon* is what its daemon does instead of its work."""
    files = {form.entrypoint: form.program}
    for path in sorted(SOURCES.rglob("*.py")):
        files[f"src/pawld/{path.relative_to(SOURCES)}"] = path.read_bytes()
    _change(files, "__init__.py", f'"{pawld.__version__}"', f'"{version}"')
    _change(files, "lifecycle/swap.py", "which proved itself.", f"which proved itself to {version}.")
    if daemon:
        _change(files, "daemon/start.py", "    _judge(path)\n", f"    {daemon}\n")
    files |= {_place_of_bytecode(name): _bytecode(name, data) for name, data in files.items() if name.endswith(".py")}
    incoming = Incoming("pawld", version, form.platform, f"pawld-{version}.tar.gz", entrypoint=form.entrypoint)
    return incoming, tar(files, "w:gz")


def _change(files: dict[str, bytes], name: str, old: str, new: str) -> None:
    text = files[f"src/pawld/{name}"].decode()
    assert old in text, f"{name} does not hold {old!r} any more"
    files[f"src/pawld/{name}"] = text.replace(old, new, 1).encode()


@cache
def _bytecode(name: str, source: bytes) -> bytes:
    """Compile it once for all builds that have it; Python takes it without a look at the source."""
    with TemporaryDirectory() as directory:
        file, made = Path(directory, "source.py"), Path(directory, "made.pyc")
        file.write_bytes(source)
        unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(file), str(made), dfile=name, doraise=True, invalidation_mode=unchecked)
        return made.read_bytes()


def _place_of_bytecode(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc")
