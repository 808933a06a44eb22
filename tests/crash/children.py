"""How the rigs start the process that they hurt."""

import os
from pathlib import Path

TESTS = Path(__file__).parent.parent


def environment() -> dict[str, str]:
    """Return this environment, with the tests importable, and without a coverage that writes files at exit."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_PROCESS")}
    return kept | {"PYTHONPATH": os.pathsep.join([str(TESTS), *filter(None, [kept.get("PYTHONPATH")])])}
