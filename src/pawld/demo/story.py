"""The story that ``pawld demo`` tells: each scene runs the real updater, and says what proved its ending."""

import os
import random
import secrets
import socket
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from pawld.demo import vendor as vendors
from pawld.demo.program import BALLAST, Release, interpreter
from pawld.demo.publisher import CHANNEL, PRODUCT, Publisher
from pawld.errors import OperatorError, TransientError
from pawld.lifecycle.cycle import Cycle, Outcome
from pawld.ports import Progress
from pawld.reasons import Reason
from pawld.settings import Settings, load
from pawld.system.clock import SystemClock
from pawld.system.platform import detect
from pawld.values import dataclass
from pawld.wiring.host import opened_for_change

AGENT = "acme"
_Result = TypeVar("_Result")

_CONFIG = """\
[updater]
state_dir = "{home}/state"

[agents.acme]
product = "{product}"
root = "{home}/opt/acme-agent"
channel = "{channel}"

[agents.acme.source]
type = "scalepad"
base_url = "{interface}/v2"
token_file = "{home}/acme.token"

[agents.acme.trust]
type = "tuf"
metadata_url = "{metadata}"
root_file = "{root}"

[agents.acme.install]
type = "directory"
qualify = ["{python}", "{{slot}}/bin/acme-agent", "--version"]
reserve = "1MiB"

[agents.acme.service]
type = "command"
start = ["{python}", "{{current}}/bin/acme-agent", "start", "{home}/acme.pid", "{port}"]
stop = ["{python}", "{{current}}/bin/acme-agent", "stop", "{home}/acme.pid"]
is_running = ["{python}", "{{current}}/bin/acme-agent", "status", "{home}/acme.pid"]

[agents.acme.health]
probation = "2s"
checks = [
  {{ type = "service", every = "1s" }},
  {{ type = "http", url = "http://127.0.0.1:{port}/health", every = "1s" }},
  {{ type = "version", command = ["{python}", "{{current}}/bin/acme-agent", "--version"], every = "1s" }},
]
"""


@dataclass(frozen=True, slots=True)
class Scene:
    """One thing that was shown.

    Attributes:
        title: what was tried.
        outcome: how the updater says it ended.
        proofs: what was looked at, beside that.
    """

    title: str
    outcome: Outcome
    proofs: tuple[str, ...]


class Story:
    """A host, a vendor and a publisher in one temporary directory."""

    def __init__(self, home: Path, progress: Progress) -> None:
        self._home = home
        self._progress = progress
        self._port = _free_port()
        platform = detect()
        self._vendor = vendors.Vendor(platform.os, platform.arch)
        self._publisher = Publisher(home / "publisher", platform, SystemClock())
        self._vendor.content_url = vendors.url_of(vendors.serve(vendors.Content, self._vendor))
        self._settings = self._configured(vendors.url_of(vendors.serve(vendors.Interface, self._vendor)))

    def scenes(self) -> Iterator[Scene]:
        """Play the scenes in order; the agent is stopped at the end, whatever happened."""
        try:
            yield self._installed()
            old = self._publisher.photograph()
            yield self._updated()
            yield self._forged()
            yield self._replayed(old)
            yield self._sick()
            yield self._cut()
        finally:
            self._with_cycle(lambda cycle: cycle.agent.service.stop())

    def _installed(self) -> Scene:
        self._release(Release("1.0.0"))
        return self._scene("Install 1.0.0 on a host that has nothing", Reason.UPDATED, "1.0.0")

    def _updated(self) -> Scene:
        self._release(Release("1.1.0"))
        scene = self._scene("Update to 1.1.0 through the vendor's redirect", Reason.UPDATED, "1.1.0")
        followed = f"{self._vendor.redirects} redirects were followed, {self._vendor.leaked} credentials went with them"
        return _with(scene, followed)

    def _forged(self) -> Scene:
        self._release(Release("1.1.1"))
        genuine = self._vendor.builds["1.1.1"]
        self._vendor.builds["1.1.1"] = genuine[:-2000] + bytes([genuine[-2000] ^ 1]) + genuine[-1999:]
        scene = self._scene("Refuse 1.1.1, one byte of which was changed on its way", Reason.DIGEST_MISMATCH, "1.1.0")
        self._vendor.builds["1.1.1"] = genuine
        return _with(scene, f"{len(self._unverified())} unproven files are left on disk")

    def _replayed(self, old: Path) -> Scene:
        with self._publisher.replayed(old):
            return self._scene(
                "Refuse old metadata that is played again, every signature valid", Reason.ROLLBACK_SUSPECTED, "1.1.0"
            )

    def _sick(self) -> Scene:
        self._release(Release("1.2.0", healthy=False))
        scene = self._scene("Take 1.2.0 back, whose health check fails", Reason.ROLLED_BACK, "1.1.0")
        evidence = next((self._home / "state" / "evidence" / AGENT).glob("1.2.0-*/*-findings.txt"))
        return _with(scene, f"evidence is kept in {evidence.relative_to(self._home)}")

    def _cut(self) -> Scene:
        self._release(Release("1.3.0"))
        whole = len(self._vendor.builds["1.3.0"])
        self._vendor.cut_after, self._vendor.sent = whole // 2, 0
        scene = self._scene("Lose the line in the middle of 1.3.0, and resume there", Reason.UPDATED, "1.3.0")
        if self._vendor.sent >= 1.5 * whole:
            raise TransientError(Reason.UNEXPECTED, "The download began anew instead of being resumed.")
        return _with(
            scene, f"the line was lost after {whole // 2} of {whole} bytes; {self._vendor.sent} were sent in all"
        )

    def _scene(self, title: str, expected: Reason, running: str) -> Scene:
        outcome = self._with_cycle(lambda cycle: cycle.update())
        answer = self._health()
        if outcome.reason is not expected or answer != f"{PRODUCT} {running}":
            raise TransientError(
                Reason.UNEXPECTED,
                f"{title}: expected {expected.code} with {running} running, but got {outcome.reason.code} "
                f"({outcome.message}) with {answer!r}.",
            )
        current = os.readlink(self._settings.agents[AGENT].root / "current")  # noqa: PTH115 - as it stands there
        return Scene(title, outcome, (f"current -> {current}", f"the agent answers: {answer}"))

    def _with_cycle(self, act: Callable[[Cycle], _Result]) -> _Result:
        with opened_for_change(self._settings) as host:
            return act(host.cycle(AGENT, self._progress))

    def _release(self, release: Release) -> None:
        build = release.packed(secrets.token_bytes(BALLAST))
        self._publisher.release(release.version, release.filename, build)
        self._vendor.publish(release.version, release.filename, build)

    def _unverified(self) -> list[Path]:
        return list((self._settings.agents[AGENT].root / ".pawld").glob("*.unverified"))

    def _health(self) -> str:
        """Ask the agent itself, past everything that is ours."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/health", timeout=5) as answer:
                return str(answer.read().decode().strip())
        except OSError as error:
            return f"no answer ({error})"

    def _configured(self, interface: str) -> Settings:
        token = self._home / "acme.token"
        token.touch(mode=0o600)
        token.write_text(self._vendor.token)
        config = self._home / "pawld.toml"
        words = {
            "home": self._home,
            "product": PRODUCT,
            "channel": CHANNEL,
            "interface": interface,
            "root": self._publisher.found(),
            "metadata": self._publisher.serve(),
            "python": interpreter(),
            "port": self._port,
        }
        config.write_text(_CONFIG.format(**words), encoding="utf-8")
        return load(config, {})


def _with(scene: Scene, proof: str) -> Scene:
    return Scene(scene.title, scene.outcome, (*scene.proofs, proof))


def _free_port() -> int:
    """Return one that nobody listens on, below those that the system gives to others before the agent starts."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise OperatorError(Reason.USAGE, "The demonstration found no free port on loopback.")
