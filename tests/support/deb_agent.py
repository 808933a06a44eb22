"""A Debian package as the agent of a host with a real systemd and a real dpkg, and its vendor, an nginx there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support import packages
from support.commands import PAWLD, release
from support.serviced import Answered
from support.systemd import SystemdHost
from support.vendor_site import TOKEN, VendorSite

UNIT = "acme-deb.service"
VENDOR = "vendor-of-acme-deb.service"
_PROGRAM = "/usr/lib/acme-deb/agent"
_HEALTH = "/usr/lib/acme-deb/health"
_SERVICE = f"[Service]\nExecStart=/bin/sh {_PROGRAM}\n[Install]\nWantedBy=multi-user.target\n"
_CONFIG = """
[updater]
state_dir = "{home}/state"
[agents.acme]
root = "{home}/opt"
[agents.acme.source]
type = "scalepad"
base_url = "{base_url}"
token_file = "{home}/token"
[agents.acme.trust]
type = "tuf"
metadata_url = "{metadata_url}"
root_file = "{home}/publisher/public/metadata/1.root.json"
[agents.acme.install]
type = "deb"
package = "acme-deb"
reserve = "1MiB"
[agents.acme.service]
type = "systemd"
unit = "acme-deb.service"
[agents.acme.health]
probation = "1s"
checks = [
  {{ type = "service", every = "1s" }},
  {{ type = "command", command = ["/bin/sh", "{health}"], every = "1s" }},
]
"""


@dataclass(frozen=True)
class DebAgent:
    """The package ``acme-deb``, its unit, its vendor and its publisher; *home* is seen by the host too."""

    host: SystemdHost
    home: Path

    @property
    def site(self) -> VendorSite:
        return VendorSite(self.home / "vendor", self.home / "publisher" / "public")

    def found(self) -> None:
        """Set vendor and publisher up; nothing is released or installed yet."""
        (self.home / "token").touch(mode=0o600)
        (self.home / "token").write_text(TOKEN)
        urls = {"base_url": self.site.base_url, "metadata_url": self.site.metadata_url}
        (self.home / "pawld.toml").write_text(_CONFIG.format(home=self.home, health=_HEALTH, **urls))
        release(self.home, "init", "--product", "acme", "--unsafe-single-key", self.home / "publisher")
        started = self.host.run(["systemd-run", f"--unit={VENDOR}", "--collect", *self.site.command])
        assert started.ok, started.story

    def release(self, version: str, *, health: str = "exit 0") -> None:
        """Build the package with dpkg-deb, sign its record, and offer it as the newest."""
        files = {
            f"/lib/systemd/system/{UNIT}": _SERVICE,
            _PROGRAM: f"echo {version} >/run/acme-deb.version\nexec sleep infinity\n",
            _HEALTH: f"{health}\n",
            "/etc/acme-deb.conf": f"# as {version} ships it\n",
        }
        scripts = {"postinst": "systemctl daemon-reload && systemctl enable --quiet acme-deb.service"}
        data = packages.deb(self.home, version, files=files, scripts=scripts, name="acme-deb")
        package = self.home / f"acme-deb_{version}_amd64.deb"
        package.write_bytes(data)
        place = ["--version", version, "--platform", "linux-x86_64", "--channel", "stable", "--patches", "0"]
        release(self.home / "publisher", "ingest", package, *place)
        self.site.publish(version, package.name, data)

    def pawld(self, *words: str, before: tuple[str, ...] = ()) -> Answered:
        """Run a command on the host; what stands *before* it runs it."""
        command = [*before, *PAWLD, "--config", str(self.home / "pawld.toml"), "--json", *words]
        finished = self.host.run(command)
        assert finished.output, finished.story
        return Answered(finished.code, json.loads(finished.output)["agents"][0])

    def installed(self) -> str:
        """State and version, by dpkg's own word."""
        asked = ["dpkg-query", "--showformat=${db:Status-Status} ${Version}", "--show", "acme-deb"]
        return self.host.run(asked).output.strip()

    def running(self) -> str:
        """The unit's state, and the version that its process wrote down when it began."""
        active = self.host.run(["systemctl", "is-active", UNIT]).output.strip()
        return f"{active} {self.host.path('/run/acme-deb.version').read_text().strip()}"

    def pid(self) -> str:
        return self.host.run(["systemctl", "show", "--property=MainPID", "--value", UNIT]).output.strip()


@contextmanager
def deb_agent(host: SystemdHost) -> Iterator[DebAgent]:
    """Set the agent up, and leave nothing of it on the host."""
    agent = DebAgent(host, host.shared / "acme-deb")
    agent.home.mkdir()
    agent.found()
    try:
        yield agent
    finally:
        host.run(["systemctl", "disable", "--quiet", UNIT])
        host.run(["systemctl", "stop", "pawld-deadman-acme.timer", UNIT, VENDOR])
        host.run(["dpkg", "--purge", "acme-deb"])
