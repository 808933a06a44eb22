"""Measure what patches save and cost, on consecutive builds that nobody here made.

    PYTHONPATH=tests python -m benchmarks.delta [--home /dev/shm/pawld-delta] [--rounds 5] [--only NAME …]

Bytes: each patch against those of bsdiff4, hdiffpatch (the whole build, zstd level 19) and ``zstd -19 --patch-from``.
Cost: ``pawld update`` to the new build by its patch against the same by the full build, from loopback, interleaved.
Prints a table and writes ``delta.json`` into the home. It needs the program zstd; bsdiff4 is fetched by pip.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import environments
from benchmarks.delta_pairs import PAIRS, Pair, Side, made
from benchmarks.meter import Cost, cost_of
from support.publishing import founded, incoming, served

from pawld.publish.ingest import ingest
from pawld.publish.measure import blocks_of
from pawld.publish.publication import publish

OTHERS = """
import sys, bsdiff4, hdiffpatch
how, old, new, out = sys.argv[1:]
old, new = open(old, "rb").read(), open(new, "rb").read()
if how == "bsdiff4":
    made = bsdiff4.diff(old, new)
else:
    made = hdiffpatch.diff(old, new, hdiffpatch.ZStdConfig(level=19), validate=False, big_cache_match=True)
open(out, "wb").write(made)
"""
CONFIG = """
[updater]
state_dir = "{home}/state"
[agents.acme-agent]
root = "{home}/root"
channel = "stable"
[agents.acme-agent.platform]
os = "linux"
arch = "x86_64"
[agents.acme-agent.source]
type = "tuf"
[agents.acme-agent.trust]
type = "tuf"
metadata_url = "{url}/metadata"
root_file = "{home}/root.json"
[agents.acme-agent.install]
type = "{kind}"
"""
MEMORY, BYTES, TREE, TIME = 90, 1.03, 0.01, 1.5  # MB, times the best other, of the full build, times the full update


@dataclass(frozen=True)
class Row:
    """What came out for one pair: bytes, seconds and MB."""

    pair: str
    full: int
    patch: int
    bsdiff4: int
    hdiffpatch: int
    zstd: int
    update_full: float
    update_patched: float
    peak: float

    @property
    def best(self) -> int:
        return min(self.bsdiff4, self.hdiffpatch, self.zstd)


class Host:
    """A host with the old build installed, whose publisher offers the new one with or without patches."""

    def __init__(self, home: Path, pawld: Path, pair: Pair, patches: int) -> None:
        self.home, self.pawld, self.pair = home, pawld, pair
        self.publisher = founded(home / "publisher")
        self._release(pair.old, "1.0.0", 0)
        self.patches = patches
        shutil.copy(self.publisher.layout.metadata / "1.root.json", home / "root.json")

    @contextmanager
    def ready(self) -> Iterator["Host"]:
        """Install the old build, then offer the new one while the block lasts."""
        with served(self.publisher.layout.public) as url:
            kind = "file" if self.pair.single else "directory"
            (self.home / "pawld.toml").write_text(CONFIG.format(home=self.home, url=url, kind=kind))
            self.update()
            for name in ("root", "state"):
                shutil.copytree(self.home / name, self.home / f"{name}.old", symlinks=True)
            self.length = self._release(self.pair.new, "1.1.0", self.patches)
            yield self

    def update(self) -> Cost:
        command = [str(self.pawld), "--config", str(self.home / "pawld.toml"), "update"]
        return cost_of(command, environments.environment(), self.home / "log")

    def anew(self) -> Cost:
        for name in ("root", "state"):
            shutil.rmtree(self.home / name)
            shutil.copytree(self.home / f"{name}.old", self.home / name, symlinks=True)
        cost = self.update()
        assert self._way() == bool(self.patches), (self.home / "log").read_text()
        return cost

    def _way(self) -> bool:
        command = [str(self.pawld), "--config", str(self.home / "pawld.toml"), "--json", "status"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environments.environment())
        agent = json.loads(done.stdout)["agents"][0]
        assert agent["installed"]["version"] == "1.1.0", agent
        return any("patch: made from" in one for one in agent["why"])

    def _release(self, side: Side, version: str, patches: int) -> int:
        facts = incoming(version, filename=side.build.name, format=self.pair.format, entrypoint=None)
        record = ingest(self.publisher, facts, blocks_of(side.build), "stable", patches=patches)
        publish(self.publisher)
        return record.patches[0].length if record.patches else 0


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def bytes_of_others(pair: Pair, python: Path, work: Path) -> dict[str, int]:
    """Make the others' patches; over the plain tar where the build is a tree."""
    out, sizes = work / "other", {}
    for how in ("bsdiff4", "hdiffpatch"):
        subprocess.run([python, "-c", OTHERS, how, pair.old.plain, pair.new.plain, out], check=True)
        sizes[how] = out.stat().st_size
    command = ["zstd", "-q", "-f", "-19", "--long=27", f"--patch-from={pair.old.plain}", pair.new.plain, "-o", out]
    subprocess.run(command, check=True)
    return sizes | {"zstd": out.stat().st_size}


def measured(pair: Pair, home: Path, pawld: Path, python: Path, rounds: int) -> Row:
    """Measure one pair."""
    work = home / "work" / pair.name
    shutil.rmtree(work, ignore_errors=True)
    hosts = {}
    for name, patches in (("full", 0), ("patched", 1)):
        (work / name).mkdir(parents=True)
        hosts[name] = Host(work / name, pawld, pair, patches)
    with hosts["full"].ready() as full, hosts["patched"].ready() as patched:
        costs = [(full.anew(), patched.anew()) for _ in range(rounds)]
        length = patched.length
    others = bytes_of_others(pair, python, work)
    shutil.rmtree(work)
    return Row(
        pair=pair.name,
        full=pair.full,
        patch=length,
        update_full=statistics.median(one.wall for one, _ in costs),
        update_patched=statistics.median(one.wall for _, one in costs),
        peak=max(one.peak for _, one in costs),
        **others,
    )


def show(rows: Sequence[Row]) -> list[str]:
    """Print the table; return what missed its target."""
    head = (
        "pair",
        "full zst",
        "patch",
        "of full",
        "bsdiff4",
        "hdiffpatch",
        "zstd",
        "/ best",
        "update",
        "/ full",
        "peak MB",
    )
    say(" | ".join(head))
    missed = []
    for one in rows:
        to_best, slower = one.patch / one.best, one.update_patched / one.update_full
        share = one.patch / one.full
        say(
            f"{one.pair} | {one.full:,} | {one.patch:,} | {share:.2%} | {one.bsdiff4:,} | {one.hdiffpatch:,} | "
            f"{one.zstd:,} | {to_best:.3f} | {one.update_patched:.2f} s | {slower:.2f} | {one.peak:.0f}"
        )
        few = one.pair == "ansible-core"
        missed += [f"{one.pair}: bytes"] * ((share > TREE) if few else (to_best > BYTES))
        missed += [f"{one.pair}: time"] * (slower > TIME) + [f"{one.pair}: memory"] * (one.peak > MEMORY)
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, default=Path("/dev/shm/pawld-delta"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=[one.name for one in PAIRS])
    parser.add_argument("--pawld", type=Path, default=Path(sys.executable).with_name("pawld"))
    given = parser.parse_args()
    given.home.mkdir(parents=True, exist_ok=True)
    python = environments.with_packages(given.home / "others", ("bsdiff4==1.3.*", "hdiffpatch>=2.6,<3")) / "python"
    rows = []
    for pair in (made(one, given.home, python.with_name("pip")) for one in PAIRS if one.name in given.only):
        rows.append(measured(pair, given.home, given.pawld, python, given.rounds))
        sys.stderr.write(f"{rows[-1]}\n")
    missed = show(rows)
    (given.home / "delta.json").write_text(json.dumps([asdict(one) for one in rows], indent=1))
    say("missed: " + ", ".join(missed) if missed else "every target was met")
    return len(missed)


if __name__ == "__main__":
    sys.exit(main())
