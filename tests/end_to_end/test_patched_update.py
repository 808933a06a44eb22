"""A whole update by a patch, on the command line: made at ingest, found, proven, applied and told; or in full."""

import io
import json
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from support.configuration import following
from support.logs import restored_logging
from support.patches import File, edited, packed, program
from support.publishing import founded, incoming, served

from pawld.cli.main import main
from pawld.model import Record
from pawld.publish.ingest import ingest
from pawld.publish.publication import publish

pytest.importorskip("hdiffpatch")

PLATFORM = '[agents.acme.platform]\nos = "linux"\narch = "x86_64"'
OLD, NEW = program(1), edited(program(1), 2)
TREES = {
    "1.0.0": packed({"bin/acme": File(OLD, 0o755), "share/words": File(b"words\n")}),
    "1.1.0": packed({"bin/acme": File(NEW, 0o755), "share/words": File(b"words\n"), "more": File(b"more")}),
}
PROGRAMS = {"1.0.0": OLD, "1.1.0": NEW}


class Site:
    """A publisher, its web server, and a host that follows it."""

    def __init__(self, home: Path, builds: dict[str, bytes]) -> None:
        self.home, self.builds = home, builds
        self.single = builds is PROGRAMS
        self.publisher = founded(home / "publisher")
        shutil.copy(self.publisher.layout.metadata / "1.root.json", home / "root.json")

    def release(self, version: str, **options: Any) -> Record:
        facts = {"filename": "acme", "entrypoint": None, "format": "file"} if self.single else {}
        record = ingest(self.publisher, incoming(version, **facts), [self.builds[version]], "stable", **options)
        publish(self.publisher)
        return record

    def pawld(self, *words: str) -> tuple[int, dict[str, Any]]:
        output, errors = io.StringIO(), io.StringIO()
        with restored_logging(), redirect_stdout(output), redirect_stderr(errors):
            code = main(["--config", str(self.home / "pawld.toml"), "--json", *words])
        return code, json.loads(output.getvalue())["agents"][0]

    def why(self) -> list[str]:
        return [one for one in self.pawld("status")[1]["why"] if one.startswith("patch: ")]

    def patch(self, record: Record) -> Path:
        return self.publisher.layout.targets / record.patches[0].target

    def installed(self) -> dict[str, bytes]:
        current = self.home / "acme/current"
        paths = [one for one in current.resolve().rglob("*") if one.is_file() and not one.name.startswith(".")]
        return {one.relative_to(current.resolve()).as_posix(): one.read_bytes() for one in paths}


@pytest.fixture(params=["tree", "program"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, PROGRAMS if request.param == "program" else TREES)
    with served(made.publisher.layout.public) as url:
        kind = "file" if made.single else "directory"
        (tmp_path / "pawld.toml").write_text(following(tmp_path, url, kind=kind, root="acme", rest=PLATFORM))
        made.release("1.0.0")
        assert made.pawld("update")[0] == 0
        yield made


def expected(site: Site) -> dict[str, bytes]:
    return {"acme": NEW} if site.single else {"bin/acme": NEW, "share/words": b"words\n", "more": b"more"}


def test_an_update_takes_the_patch_and_never_asks_for_the_build(site: Site) -> None:
    record = site.release("1.1.0", patches=2)
    assert len(record.patches) == 1
    assert record.patches[0].length < 0.6 * record.length
    for build in site.publisher.layout.targets.rglob(f"*{record.sha256}*"):
        build.unlink()

    code, agent = site.pawld("update")

    assert (code, agent["reason"]["code"]) == (0, "updated")
    assert site.installed() == expected(site)
    assert site.why() == [f"patch: made from 1.0.0 with {record.patches[0].length} bytes in place of {record.length}"]
    assert [one.name for one in (site.home / "acme/.pawld").iterdir()] == ["id"]


@pytest.mark.parametrize("fault", ["missing", "another", "longer"])
def test_a_patch_that_is_not_what_was_signed_leads_to_the_full_build(site: Site, fault: str) -> None:
    path = site.patch(site.release("1.1.0", patches=2))
    data = path.read_bytes()
    path.unlink()
    if fault != "missing":
        path.write_bytes(data + b"more" if fault == "longer" else bytes(len(data)))

    code, agent = site.pawld("update")

    assert (code, agent["reason"]["code"], agent["blocked"]) == (0, "updated", [])
    assert site.installed() == expected(site)
    assert ["failed, so the next way is taken" in one for one in site.why()] == [True]


def test_a_damaged_base_leads_to_the_full_build(site: Site) -> None:
    site.release("1.1.0", patches=2)
    victim = site.home / "acme/current" / ("acme" if site.single else "bin/acme")
    data = bytearray(victim.read_bytes())
    data[5000] ^= 1
    victim.write_bytes(data)

    assert site.pawld("update")[0] == 0

    assert site.installed() == expected(site)
    assert ["holds other bytes than were installed" in one for one in site.why()] == [True]


def test_without_the_engine_the_full_build_is_taken(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.release("1.1.0", patches=2)
    monkeypatch.setattr("pawld.install.patching.engine.ENGINE", "no_such_engine")

    assert site.pawld("update")[0] == 0

    assert site.installed() == expected(site)
    assert site.why() == ["patch: this host has not the engine hdiffpatch, so the full build is taken"]


def test_an_engine_that_dies_leads_to_the_full_build(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.release("1.1.0", patches=2)
    monkeypatch.setattr("sys.executable", "/bin/false")

    assert site.pawld("update")[0] == 0

    assert site.installed() == expected(site)
    assert ["its child process ended with 1" in one for one in site.why()] == [True]


def test_a_host_without_a_base_is_told_that_there_is_no_patch_for_it(site: Site) -> None:
    shutil.rmtree(site.home / "acme")
    site.release("1.1.0", patches=2)
    assert site.pawld("update")[0] == 0
    assert site.why() == ["patch: none is offered from what is installed here, so the full build is taken"]
