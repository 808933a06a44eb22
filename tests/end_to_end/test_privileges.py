"""What a person reads who lacks the privilege: a sentence that names the place, exit 77, and no traceback.

The commands run as root by number alone, without its capabilities, so that owners and modes count.
"""

import json
import os
import shutil
from collections.abc import Iterator

import pytest
from support.commands import finished
from support.standing_host import StandingHost

pytestmark = [
    pytest.mark.rig("root"),
    pytest.mark.skipif(shutil.which("setpriv") is None, reason="there is no setpriv"),
]
POWERLESS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
NOBODY = 65534


@pytest.fixture
def foreign_state(host: StandingHost) -> Iterator[StandingHost]:
    """The host, whose state belongs to somebody else."""
    state = host.home / "state"
    paths = [state, *state.rglob("*")]
    mode = state.stat().st_mode
    for path in paths:
        os.chown(path, NOBODY, NOBODY)
    state.chmod(0o700)
    yield host
    state.chmod(mode)
    for path in paths:
        if path.exists():
            os.chown(path, 0, 0)


@pytest.mark.parametrize(
    "words",
    [["update"], ["status"], ["check"], ["history"], ["rollback"], ["recover"], ["block", "1.0"]],
    ids=lambda words: words[0],
)
def test_a_state_that_belongs_to_another_is_told_with_77(foreign_state: StandingHost, words: list[str]) -> None:
    said = finished(foreign_state.written(), *words, before=POWERLESS)
    assert said.returncode == 77, said.stderr
    assert "reason: permission_denied" in said.stderr
    assert "next: Run pawld as root, or correct the owner." in said.stderr
    assert str(foreign_state.home / "state") in said.stderr
    assert "Traceback" not in said.stderr


def test_a_root_that_cannot_be_written_is_told_and_blocks_nothing(host: StandingHost) -> None:
    os.chown(host.root, NOBODY, NOBODY)
    shutil.rmtree(host.downloads, ignore_errors=True)
    try:
        said = finished(host.written(), "update", "--json", before=POWERLESS)
    finally:
        os.chown(host.root, 0, 0)
    (agent,) = json.loads(said.stdout)["agents"]
    assert (said.returncode, agent["reason"]["code"]) == (77, "permission_denied")
    assert str(host.root) in agent["reason"]["message"]
    assert agent["blocked"] == []


def test_a_configuration_that_cannot_be_read_is_told(host: StandingHost) -> None:
    file = host.written()
    os.chown(file, NOBODY, NOBODY)
    file.chmod(0o600)
    try:
        said = finished(file, "update", before=POWERLESS)
    finally:
        file.unlink()
    assert said.returncode in (77, 78), said.stderr
    assert str(file) in said.stderr
    assert "Traceback" not in said.stderr
