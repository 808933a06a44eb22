"""`pawld release ingest` tells of the patches that it made, and of why it made none."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support.patches import File, edited, packed, program
from support.publishing import PASSPHRASE, founded

from pawld.cli.main import main
from pawld.publish.patching import make

pytest.importorskip("hdiffpatch")

FIRST = program(1, 100_000)
Ingest = Callable[..., str]


@pytest.fixture
def ingest(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ingest:
    founded(tmp_path / "home")
    monkeypatch.setenv("PAWLD_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("PAWLD_REPOSITORY", str(tmp_path / "home"))

    def ingested(version: str, data: bytes, *more: str) -> str:
        build = tmp_path / f"acme-{version}.tar.gz"
        build.write_bytes(packed({"bin/acme": File(data, 0o755)}))
        words = ["--version", version, "--platform", "linux-x86_64", "--channel", "stable"]
        assert main(["release", "ingest", str(build), *words, *more]) == 0
        said = capsys.readouterr()
        return said.out + said.err

    return ingested


def test_each_patch_is_told_with_what_it_saves(ingest: Ingest) -> None:
    assert "patch from" not in ingest("1.0.0", FIRST)
    assert "% of the build" in ingest("1.1.0", edited(FIRST, 2))
    assert "patch from" not in ingest("1.2.0", edited(FIRST, 3), "--patches", "0")


def test_without_the_engine_it_says_what_to_install(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "ENGINE", "no_such_engine")
    assert "warning: No patches are made: install pawld[delta] for them." in ingest("1.0.0", FIRST)
