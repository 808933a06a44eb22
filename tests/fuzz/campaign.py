"""What the fuzzing targets share: seeds from ``corpus/NAME``, a stated time, and atheris, without which they say so."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"


def run(target: Callable[[bytes], None], name: str, *, longest: int = 4096, more: Iterable[bytes] = ()) -> None:
    """Fuzz *target* for ``--seconds``; it is told bytes, and raises what is a finding. New inputs are not kept."""
    import atheris  # noqa: PLC0415 - it is not everywhere

    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    seconds = parser.parse_args().seconds
    found = Path(tempfile.mkdtemp(prefix=f"pawld-corpus-{name}-"))
    for number, seed in enumerate(more):
        (found / f"seed{number}").write_bytes(seed)
    places = [str(found), *([str(CORPUS / name)] if (CORPUS / name).is_dir() else [])]
    options = [f"-max_total_time={seconds}", f"-max_len={longest}", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *places, *options], target)
    atheris.Fuzz()


def require_atheris() -> None:
    """Go on where atheris is here (it is built for Linux and macOS alone), or say that nothing is fuzzed, and fail."""
    if find_spec("atheris") is None:
        sys.exit("atheris is not installed, so nothing is fuzzed (pip install atheris)")
