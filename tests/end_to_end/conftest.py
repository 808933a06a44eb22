"""One host for the tests of a file: installed once, and put back after each."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.standing_host import TOKEN, StandingHost, standing_host


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandingHost]:
    with standing_host(tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest.fixture
def host(installed: StandingHost, tmp_path: Path) -> Iterator[StandingHost]:
    """The one host, put back afterwards as it was before: 1.0.0 runs, 1.1.0 is offered. For what changes neither."""
    state, web = installed.home / "state", installed.web
    shutil.copytree(state, tmp_path / "state")
    before = installed.config, dict(web.files), dict(web.instead)
    slots, process = installed.current(), installed.running()
    yield installed
    assert (installed.current(), installed.running()) == (slots, process)
    installed.config, web.files, web.instead = before
    installed.token.unlink(missing_ok=True)
    installed.token.touch(mode=0o600)
    installed.token.write_text(TOKEN)
    shutil.rmtree(state)
    shutil.copytree(tmp_path / "state", state)
    shutil.rmtree(installed.downloads, ignore_errors=True)


@pytest.fixture
def own_host(tmp_path: Path) -> Iterator[StandingHost]:
    """A host for a test that changes what runs."""
    with standing_host(tmp_path) as host:
        yield host
