"""What runs against what: each lane is one command, made ready and checked afterwards."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.hosts import Host, SideHost
from benchmarks.payloads import Payloads, sha256

HERE = Path(__file__).parent
Command = tuple[str, ...]


def nothing() -> None:
    """Nothing to make ready, nothing to check."""


@dataclass(frozen=True)
class Lane:
    """One command under measurement.

    Attributes:
        against: the lane of the same run that it is compared with, round by round.
        start: the lane that does the same without an update; what remains is the work.
    """

    name: str
    command: Command
    against: str | None = None
    start: str | None = None
    ready: Callable[[], None] = nothing
    check: Callable[[], None] = nothing
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Yard:
    """Where everything is.

    Attributes:
        disk: what updates are written to.
        site: the web server's URL.
        peers, tufup: the peers' ``bin`` directories.
        pawld: the program.
        publisher: the publisher's directory.
    """

    disk: Path
    site: str
    peers: Path
    tufup: Path
    pawld: Path
    publisher: Path
    tufup_repository: Path
    sidecar_key: str
    payloads: Payloads

    @property
    def builds(self) -> dict[str, Path]:
        return builds_of(self.payloads)


def builds_of(payloads: Payloads) -> dict[str, Path]:
    """Return the products that are published."""
    return {"tree": payloads.zst, "treegz": payloads.gz, "program": payloads.program}


def lanes_of(yard: Yard) -> list[Lane]:
    """Return every lane."""
    return [*_tree(yard), *_gzip(yard), *_slow(yard), *_program(yard), *_starts(yard)]


def tree_on(kind: str, yard: Yard) -> list[Lane]:
    """Return the lanes of the tree once more, for the disk of this *kind* that *yard* has."""
    return [
        replace(
            one,
            name=f"{one.name}, {kind}",
            against=one.against and f"{one.against}, {kind}",
            start=one.start and f"{one.start}, {kind}",
        )
        for one in _tree(yard)
        if not one.name.startswith("uv ")
    ]


def _tree(yard: Yard) -> list[Lane]:
    return [
        _shell(yard, "floor", "pipelined.sh", "tree", "zstd"),
        _shell(yard, "sequential", "sequential.sh", "tree", "zstd", against="floor"),
        _update(yard, "pawld", Host(yard.disk / "pawld", yard, "tree"), "floor"),
        _update(yard, "pawld, whole-file sidecar", SideHost(yard.disk / "side", yard, "tree"), "floor"),
        _uv(yard, "uv pip install, the same wheels", "tree", against="floor"),
    ]


def _gzip(yard: Yard) -> list[Lane]:
    root, cache = yard.disk / "tufup", yard.disk / "tufup-metadata"
    old, older = yard.disk / "tuf", yard.disk / "tuf-cache"
    metadata = yard.tufup_repository / "repository" / "metadata"
    tufup = (str(yard.tufup / "python"), str(HERE / "peers" / "tufup_client.py"), yard.site, str(cache), str(root))
    tuf = str(yard.peers / "python"), str(HERE / "peers" / "tuf_client.py"), yard.site, _root_file(yard), str(older)

    def ready_tufup() -> None:
        _empty(root, cache)
        cache.mkdir()
        shutil.copy(metadata / "root.json", cache / "root.json")

    return [
        _shell(yard, "floor, gzip", "pipelined.sh", "treegz", "gzip"),
        _update(yard, "pawld, gzip", Host(yard.disk / "pawldgz", yard, "treegz"), "floor, gzip"),
        Lane("tufup 0.10, gzip", tufup, "floor, gzip", ready=ready_tufup, check=lambda: _whole(root, yard.payloads)),
        Lane(
            "python-tuf 7 and tarfile, gzip",
            (*tuf, str(old), "treegz/stable/linux-x86_64"),
            "floor, gzip",
            ready=lambda: _empty(old, older),
            check=lambda: _whole(old, yard.payloads),
        ),
    ]


def _slow(yard: Yard) -> list[Lane]:
    return [
        _shell(yard, "floor, 100 Mbit/s", "pipelined.sh", "tree", "zstd", pace="/slow"),
        _update(yard, "pawld, 100 Mbit/s", Host(yard.disk / "slow", yard, "tree", pace="/slow"), "floor, 100 Mbit/s"),
    ]


def _program(yard: Yard) -> list[Lane]:
    return [
        _shell(yard, "floor, program", "pipelined.sh", "program", "none"),
        _update(yard, "pawld, program", Host(yard.disk / "program", yard, "program"), "floor, program"),
        _uv(yard, "uv pip install, the program's wheel", "program", against="floor, program"),
    ]


def _starts(yard: Yard) -> list[Lane]:
    host = Host(yard.disk / "start", yard, "tree")
    python = str(yard.pawld.parent / "python")
    requests = [f"{yard.site}{path}" for path in host.polled()]
    polling = (str(yard.peers / "python"), str(HERE / "peers" / "polling.py"), *requests)
    return [
        Lane("python -c pass", (python, "-c", "pass")),
        Lane("pawld --version", (str(yard.pawld), "--version"), "python -c pass"),
        Lane("pawld status", host.command("status"), "python -c pass", ready=host.installed_once),
        Lane("httpx, the same requests", polling),
        Lane("pawld check, nothing new", host.command("check"), "httpx, the same requests", ready=host.installed_once),
    ]


def _shell(
    yard: Yard, name: str, script: str, product: str, compression: str, *, against: str | None = None, pace: str = ""
) -> Lane:
    build = yard.builds[product]
    root = yard.disk / name.replace(" ", "-").replace(",", "").replace("/", "")
    url = f"{yard.site}{pace}/hop/builds/{build.name}"
    command = ("bash", str(HERE / "peers" / script), url, sha256(build), str(root), compression)
    return Lane(name, command, against, ready=lambda: _empty(root), check=lambda: _whole(root, yard.payloads, product))


def _update(yard: Yard, name: str, host: "Host", against: str) -> Lane:
    return Lane(
        name,
        host.command("update"),
        against,
        start=f"start of {name}",
        ready=host.fresh,
        check=lambda: _whole(host.root, yard.payloads, host.product),
    )


def starts_of(lanes: list[Lane]) -> list[Lane]:
    """Return the bare starts that updates are freed of: the same command line with ``check``."""
    return [
        Lane(one.start, tuple("check" if word == "update" else word for word in one.command), ready=one.ready)
        for one in lanes
        if one.start
    ]


def _uv(yard: Yard, name: str, product: str, *, against: str) -> Lane:
    root = yard.disk / f"uv-{product}"
    names = ["ruff-*.whl"] if product == "program" else ["*.whl"]
    wheels = [one for pattern in names for one in sorted(yard.payloads.wheels.glob(pattern))]
    urls = [f"{yard.site}/hop/wheels/{one.name}" for one in wheels if product == "program" or "ruff" not in one.name]
    words = ["pip", "install", "--quiet", "--no-cache", "--no-deps", "--no-config", "--target", str(root)]
    python = ["--python", str(yard.peers / "python")]
    return Lane(name, (str(yard.peers / "uv"), *words, *python, *urls), against, ready=lambda: _empty(root))


def _root_file(yard: Yard) -> str:
    return str(yard.publisher / "public" / "metadata" / "1.root.json")


def _empty(*places: Path) -> None:
    for place in places:
        shutil.rmtree(place, ignore_errors=True)


def _whole(root: Path, payloads: Payloads, product: str = "tree") -> None:
    """Count what is there now: a lane that did less than the others must not be quicker for it."""
    found = [path for path in (root / "current").resolve().rglob("*") if path.is_file()]
    expected = payloads.program.stat().st_size if product == "program" else payloads.facts["tree_bytes"]
    size = sum(path.stat().st_size for path in found if path.name != ".pawld-slot.json")
    assert size == expected, f"{root} holds {size} bytes, not {expected}"
