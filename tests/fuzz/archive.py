"""Coverage-guided fuzzing of the archive reader: ``python tests/fuzz/archive.py --seconds 60``. It needs ``atheris``.

The bytes are a format's number and an archive; tar is packed here, so that the fuzzer works on headers instead of
checksums of streams. A finding is anything but a clean unpacking or a ``PawldError``, or a file outside the slot.
"""

import argparse
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed, so nothing is fuzzed (pip install atheris)")

sys.path.insert(0, str(Path(__file__).parents[1]))

with atheris.instrument_imports(include=["pawld.install"]):
    import pawld.install.archive.decompress
    import pawld.install.archive.tar
    import pawld.install.archive.zip  # noqa: F401 - imported late otherwise, and then not followed
    from pawld.install.archive import Limits, Links

from support.archives import END, PACKERS, ZipMember, long_name, member, pax, unpacked, zipped

from pawld.errors import PawldError

LIMITS = Limits(bytes=1 << 20, files=50, others=50, links=Links.INSIDE)
SCRATCH = Path(tempfile.mkdtemp(prefix="pawld-fuzz-"))
SEEDS = [
    b"\0" + member("bin/agent", b"code") + END,
    b"\0" + pax([("path", "lib/long"), ("size", "4")]) + member("x", b"code") + END,
    b"\0" + long_name("lib/long") + member("x", b"code") + member("l", kind=b"2", link="lib/long") + END,
    b"\1" + zipped([ZipMember(b"bin/agent", b"code" * 20), ZipMember(b"lib/", mode=0o40755, method=0)]),
    b"\1" + zipped([ZipMember(b"streamed", b"code" * 20, flags=8)]),
    *(bytes([number]) + PACKERS[form](member("a", b"code") + END) for number, form in enumerate(PACKERS, 2)),
]


def one_input(data: bytes) -> None:
    """Unpack one input, and look around."""
    home = SCRATCH / "home"
    home.mkdir()
    kind, content = data[:1], data[1:]
    form = {b"\1": "zip", b"\2": "tar.gz", b"\3": "tar.zst", b"\4": "tar.xz"}.get(kind, "tar.zst")
    packed = content if kind in (b"\1", b"\2", b"\3", b"\4") else PACKERS[form](content)
    with suppress(PawldError):
        unpacked(packed, form, home / "slot", LIMITS)
    found = sorted(path.name for path in [*SCRATCH.iterdir(), *home.iterdir()])
    if found != ["home", "slot"]:
        raise AssertionError(found)
    shutil.rmtree(home)


def main() -> None:
    """Fuzz for the stated time, from the seeds above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    seconds = parser.parse_args().seconds
    corpus = Path(tempfile.mkdtemp(prefix="pawld-corpus-"))
    for number, seed in enumerate(SEEDS):
        (corpus / f"seed{number}").write_bytes(seed)
    atheris.Setup(
        [sys.argv[0], str(corpus), f"-max_total_time={seconds}", "-max_len=16384", "-print_final_stats=1"], one_input
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
