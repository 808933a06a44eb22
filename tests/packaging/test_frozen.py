"""The program without a Python of the host's: what it answers, what it takes with it, and that it is made the same."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from support.freezing import Frozen

pytestmark = [pytest.mark.rig("freezer"), pytest.mark.timeout(900)]


def answered(program: Path, *arguments: str) -> str:
    bare = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LANG": "C.UTF-8"}
    finished = subprocess.run([str(program), *arguments], capture_output=True, text=True, check=True, env=bare)
    return finished.stdout


def bytes_of(tree: Path) -> dict[str, str]:
    return {
        path.relative_to(tree).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in tree.rglob("*")
        if path.is_file()
    }


def test_two_builds_have_the_same_bytes(frozen: Frozen) -> None:
    assert bytes_of(frozen.one) == bytes_of(frozen.other)


def test_it_tells_its_version_and_every_key_of_its_configuration(frozen: Frozen) -> None:
    assert answered(frozen.program, "--version").startswith("pawld ")
    schema = json.loads(answered(frozen.program, "config", "schema"))
    assert {"updater", "agents"} <= set(schema["$defs"]["Settings"]["properties"])


@pytest.mark.long
def test_it_tells_the_whole_story_by_itself(frozen: Frozen) -> None:
    assert len(json.loads(answered(frozen.program, "--json", "demo"))["scenes"]) == 6


def test_it_is_small_and_holds_no_tests_nor_tools(frozen: Frozen) -> None:
    size = sum(path.stat().st_size for path in frozen.one.rglob("*") if path.is_file())
    assert size < 60 << 20
    inside = {path.name for path in (frozen.one / "_internal").iterdir()}
    assert not inside & {"pytest", "mypy", "hypothesis", "pygments", "click", "coverage", "setuptools"}
