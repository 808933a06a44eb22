"""Hosts for pawld: a configuration, a state that has seen the repository once, and a root to install into."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.environments import environment


class Site(Protocol):
    """What a host needs to know of the yard."""

    site: str
    pawld: Path
    publisher: Path
    sidecar_key: str


@dataclass(frozen=True)
class Host:
    """One host with one agent, whose records list chunks."""

    home: Path
    yard: Site
    product: str
    pace: str = ""

    @property
    def root(self) -> Path:
        return self.home / "root"

    def command(self, verb: str) -> tuple[str, ...]:
        return (str(self.yard.pawld), "--config", str(self.home / "pawld.toml"), verb)

    def fresh(self) -> None:
        """Nothing is installed; the metadata cache is warm, as it is on a host that polls."""
        if not self.home.exists():
            self._configure()
            self._run("check")
            shutil.copytree(self.home / "state", self.home / "state.warm")
        for place, origin in ((self.root, None), (self.home / "state", self.home / "state.warm")):
            shutil.rmtree(place, ignore_errors=True)
            if origin:
                shutil.copytree(origin, place)

    def installed_once(self) -> None:
        """It is installed and up to date."""
        if not self.root.exists():
            self.fresh()
            self._run("update")

    def polled(self) -> Sequence[str]:
        """Return the paths that a check with nothing new asks for, as the server's log has them."""
        self.installed_once()
        log = self.home.parent.parent / "nginx" / "access.log"
        before = log.stat().st_size
        self._run("check")
        with log.open() as file:
            file.seek(before)
            return [line.split('"')[1].split()[1] for line in file if '"GET ' in line]

    def _run(self, verb: str) -> None:
        done = subprocess.run(self.command(verb), env=environment(), capture_output=True, text=True, check=False)
        assert done.returncode in (0, 100), done.stderr

    def _configure(self) -> None:
        self.home.mkdir(parents=True)
        token = self.home / "token"
        token.write_text("benchmark-token-0123456789")
        token.chmod(0o600)
        config = self.home / "pawld.toml"
        config.write_text(self._toml() + self._trust())
        config.chmod(0o600)

    def _toml(self) -> str:
        kind = "file" if self.product == "program" else "directory"
        return f"""
[updater]
state_dir = "{self.home}/state"
[agents.{self.product}]
root = "{self.root}"
[agents.{self.product}.install]
type = "{kind}"
[agents.{self.product}.source]
type = "scalepad"
base_url = "{self.yard.site}{self.pace}/{self.product}/v2"
token_file = "{self.home}/token"
"""

    def _trust(self) -> str:
        return f"""
[agents.{self.product}.trust]
type = "tuf"
metadata_url = "{self.yard.site}/metadata"
root_file = "{self.yard.publisher}/public/metadata/1.root.json"
"""


class SideHost(Host):
    """One host whose agent's builds are proven by a signed checksum file, whole."""

    def _trust(self) -> str:
        return f"""
[agents.{self.product}.trust]
type = "signed_checksums"
public_keys = ["{self.yard.sidecar_key}"]
checksums_url = "{self.yard.site}/side/SHA256SUMS"
"""
