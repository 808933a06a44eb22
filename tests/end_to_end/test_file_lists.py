"""The list of a build's files, on the command line: published at ingest, fetched beside the build, and not missed."""

import io
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from support.configuration import following
from support.logs import restored_logging
from support.publishing import founded, take_in

from pawld.cli.main import main
from pawld.install.integrity import Health, examine

HERE = '[agents.acme.platform]\nos = "linux"\narch = "x86_64"'


class Host:
    """A host that follows a publisher, and reads archives itself."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.publisher = founded(home / "publisher")
        shutil.copy(self.publisher.layout.metadata / "1.root.json", home / "root.json")
        take_in(self.publisher, "1.0.0")

    def update(self) -> dict[str, Any]:
        output = io.StringIO()
        with restored_logging(), redirect_stdout(output), redirect_stderr(io.StringIO()):
            assert main(["--config", str(self.home / "pawld.toml"), "--json", "update"]) == 0
        return dict(json.loads(output.getvalue())["agents"][0])

    def lists(self) -> list[Path]:
        blobs = (self.publisher.layout.targets / "sha256").iterdir()
        return [one for one in blobs if one.read_bytes().startswith(b"pawld-tree-1\n")]

    def health(self) -> Health:
        return examine((self.home / "opt/current").resolve()).health


class Ordered(SimpleHTTPRequestHandler):
    """Hands out builds when a list was asked for; else so small a build would be here before."""

    listed: threading.Event

    def do_GET(self) -> None:
        if self.path.startswith("/targets/acme-agent/"):
            assert self.listed.wait(60)
        super().do_GET()
        if self.path.startswith("/targets/sha256/"):
            self.listed.set()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name for it
        """Say nothing."""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    handler = type("Handler", (Ordered,), {"listed": threading.Event()})
    public = str(made.publisher.layout.public)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=public)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        here = "unsafe_parse_as_root = true"  # behind walls there is no list
        url = f"http://127.0.0.1:{server.server_port}"
        (tmp_path / "pawld.toml").write_text(following(tmp_path, url, updater=here, rest=HERE))
        yield made
        server.shutdown()
        thread.join()


def test_an_update_asks_for_the_list_beside_the_build_and_its_slot_holds(host: Host) -> None:
    assert len(host.lists()) == 1
    assert host.update()["reason"]["code"] == "updated"
    assert host.health() is Health.INTACT


@pytest.mark.parametrize("list_is", ["missing", "changed"])
def test_a_repository_without_a_list_or_with_another_serves_as_before(host: Host, list_is: str) -> None:
    [place] = host.lists()
    if list_is == "missing":
        place.unlink()
    else:
        place.write_bytes(place.read_bytes().replace(b"f ", b"f x"))
    assert host.update()["reason"]["code"] == "updated"
    assert host.health() is Health.INTACT
