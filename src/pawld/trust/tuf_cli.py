"""A plain TUF client on the engine that the updater uses, for running independent client suites against it.

    pawld-tuf-client --metadata-dir D init ROOT
    pawld-tuf-client --metadata-url U --metadata-dir D refresh
    pawld-tuf-client --metadata-url U --metadata-dir D --target-name P --target-dir T --target-base-url B download

It keeps no marks and has no clock floor: such suites turn clocks and repositories back on purpose. It exits with 0 or
1 alone.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from pawld.errors import PawldError, RejectedError
from pawld.reasons import Reason
from pawld.system import faults, files
from pawld.system.clock import SystemClock
from pawld.system.http import Web
from pawld.trust.tuf import LARGE, TufEngine, read_root
from pawld.trust.tuf_cache import trusted_root

DEADLINE = timedelta(minutes=10)


def main(arguments: Sequence[str]) -> int:
    """Run one command; 0 where it did all of it."""
    try:
        options = _parser().parse_args(arguments)
        options.run(options)
    except PawldError as error:
        sys.stderr.write(f"{error.reason.code}: {error.message}\n")
        return 1
    except SystemExit as ended:
        return 1 if ended.code else 0
    return 0


def script() -> None:
    """Be the entry point of ``pawld-tuf-client``."""
    sys.exit(main(sys.argv[1:]))


def _init(options: argparse.Namespace) -> None:
    root = read_root(options.root)
    with faults.host_faults("Keeping the root"):
        files.make_directory(options.metadata_dir)
        files.write_durably(options.metadata_dir / "root.json", root)


def _refresh(options: argparse.Namespace) -> None:
    with Web() as web, _engine(options, web).refreshed():
        pass


def _download(options: argparse.Namespace) -> None:
    with (
        Web() as web,
        _engine(options, web).refreshed(options.target_dir, options.target_base_url) as updater,
        faults.host_faults("Keeping the target"),
    ):
        found = updater.get_targetinfo(options.target_name)
        if found is None:
            raise RejectedError(Reason.NO_BUILD, f"The repository has no target {options.target_name}.")
        files.make_directory(options.target_dir)
        if updater.find_cached_target(found) is None:
            updater.download_target(found)


def _engine(options: argparse.Namespace, web: Web) -> TufEngine:
    root = read_root(trusted_root(options.metadata_dir))
    clock = SystemClock()
    return TufEngine(
        options.metadata_url, root, options.metadata_dir, web=web, clock=clock, deadline=DEADLINE, longest=LARGE
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="pawld-tuf-client", allow_abbrev=False)
    parser.add_argument("--metadata-dir", type=Path, required=True)
    parser.add_argument("--metadata-url", default="")
    parser.add_argument("--target-name", default="")
    parser.add_argument("--target-dir", type=Path, default=Path())
    parser.add_argument("--target-base-url", default="")
    commands = parser.add_subparsers(required=True)
    init = commands.add_parser("init")
    init.add_argument("root", type=Path)
    init.set_defaults(run=_init)
    commands.add_parser("refresh").set_defaults(run=_refresh)
    commands.add_parser("download").set_defaults(run=_download)
    return parser


if __name__ == "__main__":
    script()
