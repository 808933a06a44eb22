"""A configured host in a folder, driven through the commands' own door; its releases are a real publisher's."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.publishing import founded

from pawld.cli.control import Wish
from pawld.lifecycle.silence import Silence
from pawld.publish.publisher import Publisher
from pawld.publish.serve import server
from pawld.wiring.control import control

NOWHERE = "https://updates.example.invalid"

_CONFIG = """
[updater]
state_dir = "{state}"
host_id = "host-1"
{updater}
[agents.acme]
product = "acme-agent"
root = "{root}"
channel = "stable"
platform = {{ os = "linux", arch = "x86_64" }}
source = {{ type = "tuf" }}
trust = {{ type = "tuf", metadata_url = "{url}/metadata", root_file = "{root_file}" }}
install = {{ type = "directory", reserve = "0B" }}
{agent}
"""


class FleetHost:
    """One host with the agent acme."""

    def __init__(
        self, folder: Path, publisher: Publisher, url: str = NOWHERE, *, updater: str = "", agent: str = ""
    ) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        root_file = folder / "root.json"
        root_file.write_bytes((publisher.layout.metadata / "1.root.json").read_bytes())
        self.config = folder / "pawld.toml"
        text = _CONFIG.format(
            state=folder / "state", root=folder / "acme", url=url, root_file=root_file, updater=updater, agent=agent
        )
        self.config.write_text(text)
        self.config.chmod(0o600)
        self.control = control(self.config)

    def update(self) -> dict[str, Any]:
        """Run one cycle; return the agent's document."""
        return self._one(self.control.update((), Wish(wait=False), Silence()))

    def update_from(self, bundle: Path) -> dict[str, Any]:
        """Run one cycle by a bundle alone."""
        return self._one(self.control.update_from((), bundle, Wish(wait=False), Silence()))

    @property
    def installed(self) -> str | None:
        """What the agent's own files say that it is."""
        program = self.folder / "acme/current/bin/acme"
        return program.read_text().split()[-1] if program.exists() else None

    def _one(self, document: dict[str, Any]) -> dict[str, Any]:
        agent: dict[str, Any] = document["agents"][0]
        return agent


@contextmanager
def publisher_at(folder: Path) -> Iterator[tuple[Publisher, str]]:
    """Yield a publisher, and where a plain web server serves what it publishes."""
    publisher = founded(folder)
    web = server(publisher.layout.public, "127.0.0.1", 0)
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield publisher, f"http://127.0.0.1:{web.server_address[1]}"
    finally:
        web.shutdown()
        thread.join()
        web.server_close()


def code(document: dict[str, Any]) -> str:
    """The reason code of an agent's document."""
    return str(document["reason"]["code"])
