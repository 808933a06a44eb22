"""Builds of pawld itself: copies of its sources under another version, started by a script in their slot.

Each says in the sentence of a good update who drove it. A broken one qualifies, and then fails as a daemon.
"""

import sys
from pathlib import Path
from textwrap import dedent

from support.publishing import LINUX, tar

import pawld
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


def build(version: str, daemon: str = "") -> tuple[Incoming, bytes]:
    """Return a build of this pawld as *version*; *daemon* is what its daemon does instead of its work."""
    files = {"bin/pawld": dedent(LAUNCHER).encode()}
    for path in sorted(SOURCES.rglob("*.py")):
        files[f"src/pawld/{path.relative_to(SOURCES)}"] = path.read_bytes()
    _change(files, "__init__.py", f'"{pawld.__version__}"', f'"{version}"')
    _change(files, "lifecycle/swap.py", "which proved itself.", f"which proved itself to {version}.")
    if daemon:
        _change(files, "daemon/start.py", "    _judge(path)\n", f"    {daemon}\n")
    incoming = Incoming("pawld", version, LINUX, f"pawld-{version}.tar.gz", entrypoint="bin/pawld")
    return incoming, tar(files, "w:gz")


def _change(files: dict[str, bytes], name: str, old: str, new: str) -> None:
    text = files[f"src/pawld/{name}"].decode()
    assert old in text, f"{name} does not hold {old!r} any more"
    files[f"src/pawld/{name}"] = text.replace(old, new, 1).encode()
