"""``pawld demo`` tells its whole story, proves each scene, and leaves nothing behind."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pawld.cli.main import main

ENDINGS = ["updated", "updated", "digest_mismatch", "rollback_suspected", "rolled_back", "updated"]


def test_the_demo_runs_to_its_end_within_a_minute_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    begun = time.monotonic()
    assert main(["demo", "--json"]) == 0
    scenes = json.loads(capsys.readouterr().out)["scenes"]
    endings = [scene["reason"]["code"] for scene in scenes]
    assert [one for one in endings if one in ENDINGS][: len(ENDINGS)] == ENDINGS
    assert all(scene["proofs"] for scene in scenes)
    assert any("0 credentials went with them" in proof for scene in scenes for proof in scene["proofs"])
    assert time.monotonic() - begun < 60
    assert list(tmp_path.iterdir()) == []
    assert agents_below(tmp_path) == []


def test_a_demo_that_is_interrupted_stops_its_agent_and_removes_its_directory(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "pawld", "demo"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("      the agent answers:"):
                break
        assert agents_below(tmp_path) != []
        process.send_signal(2)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert [one for one in tmp_path.iterdir() if one.name.startswith("pawld-demo-")] == []
    assert agents_below(tmp_path) == []


def agents_below(place: Path) -> list[str]:
    """The command lines of processes that speak of *place*."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(place) in words and "acme-agent run" in words:
            found.append(words)
    return found


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks for processes in /proc")
