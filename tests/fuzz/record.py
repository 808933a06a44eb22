"""Coverage-guided fuzzing: ``python tests/fuzz/record.py --seconds 60``. What it looks for stands in ``targets``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from campaign import require_atheris, run

if __name__ == "__main__":
    require_atheris()
    import atheris

    with atheris.instrument_imports(include=["pawld", "urllib"]):
        import targets

    run(targets.record, "record")
