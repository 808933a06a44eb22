"""Measure what an update costs, against the shell and against other updaters, in one interleaved run.

    PYTHONPATH=tests python -m benchmarks [--rounds 7] [--home /dev/shm/pawld-benchmarks] [--ext4] [--also DIR …]

Everything is written to the home, whose file system is named in the table. The tree's lanes run once more on an ext4
with a journal (``--ext4``; takes root) and on other disks (``--also``), in the same rounds. Prints a table and writes
``results.json`` into the home. See the README, "What it costs".
"""

import argparse
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks import environments, payloads, publishing, report
from benchmarks.disk import LOOP, directory_at, kind_of, loop_at
from benchmarks.front import served
from benchmarks.lanes import HERE, Lane, Yard, builds_of, lanes_of, starts_of, tree_on
from benchmarks.meter import Cost, cost_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--home", type=Path, default=Path("/dev/shm/pawld-benchmarks"))
    parser.add_argument("--only", nargs="*", default=(), help="lanes by a part of their name; their floors come along")
    parser.add_argument("--ext4", action="store_true", help="the tree also on an ext4 on a loop device; needs root")
    parser.add_argument("--also", type=Path, nargs="*", default=(), help="the tree also in these directories")
    parser.add_argument("--pawld", type=Path, help="a pawld program to measure instead of this checkout's")
    given = parser.parse_args()
    home = given.home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        yard = stack.enter_context(_yard(home, given.pawld))
        others = {kind: replace(yard, disk=disk) for kind, disk in _others(stack, home, given)}
        lanes = _chosen(lanes_of(yard) + [one for kind in others for one in tree_on(kind, others[kind])], given.only)
        lanes += starts_of(lanes)
        about = report.circumstances(yard.payloads.facts, ", ".join([kind_of(yard.disk), *others]))
        disks = [yard.disk, *(one.disk for one in others.values())]
        costs: list[dict[str, Cost]] = []
        for found in _measured(lanes, given.rounds, disks, home / "lane.log"):
            costs.append(found)
            report.keep(lanes, costs, about, home)
        report.show(lanes, costs, about)


def _others(stack: ExitStack, home: Path, given: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    """Yield the disks beside the home's own, by what the table calls them."""
    if given.ext4:
        yield LOOP, stack.enter_context(loop_at(home / "loop"))
    for place in given.also:
        disk = stack.enter_context(directory_at(place.resolve() / "pawld-benchmark"))
        yield f"{kind_of(disk)} at {place}", disk


@contextmanager
def _yard(home: Path, pawld: Path | None) -> Iterator[Yard]:
    """Build what is missing, and hold the server and the disk."""
    peers = environments.with_packages(home / "peers", environments.PEERS)
    tufup = environments.with_packages(home / "tufup", environments.TUFUP)
    made = payloads.made(home / "payloads", peers / "pip")
    program = pawld or environments.pawld_at(home) / "pawld"
    publisher = publishing.published(program, home, builds_of(made))
    public = publishing.public_of(publisher)
    key = publishing.signed_checksums(public / "side", "tree", made.zst)
    repository = _tufup_repository(home / "tufup-repository", tufup, made.gz)
    for name, place in (("tufup", repository / "repository"), ("wheels", made.wheels)):
        (public / name).unlink(missing_ok=True)
        (public / name).symlink_to(place)
    with directory_at(home / "disk") as disk, served(public, home / "nginx", builds_of(made)) as site:
        yield Yard(disk, site, peers, tufup, program, publisher, repository, key, made)


def _tufup_repository(place: Path, tufup: Path, archive: Path) -> Path:
    if not (place / "done").exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        script = HERE / "peers" / "tufup_repository.py"
        subprocess.run(
            [tufup / "python", script, place, archive], cwd=place, check=True, stdout=sys.stderr, input=b"\n" * 20
        )
        (place / "done").touch()
    return place


def _chosen(lanes: list[Lane], parts: list[str]) -> list[Lane]:
    if not parts:
        return lanes
    chosen = [one for one in lanes if any(part in one.name for part in parts)]
    floors = {one.against for one in chosen}
    return [one for one in lanes if one in chosen or one.name in floors]


def _measured(lanes: list[Lane], rounds: int, disks: list[Path], log: Path) -> Iterator[dict[str, Cost]]:
    """Run every lane once a round, each round in another order; a first round warms the caches and does not count."""
    for number in range(rounds + 1):
        found: dict[str, Cost] = {}
        for lane in random.sample(lanes, len(lanes)):
            lane.ready()
            subprocess.run(["sync", "-f", *map(str, disks)], check=True)
            found[lane.name] = cost_of(lane.command, environments.environment(), log)
            lane.check()
        if number:
            yield found
        print(f"round {number} of {rounds}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
