"""A whole host: the real command, a configuration, a local release server; and what must hold of it at every moment.

Trust is a signed manifest, so that marks are raised; the agent is a small program that notes which version of it runs.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crash.children import TESTS, environment
from crash.command import a_minute_ago, hurried
from crash.parts import forked
from crash.world import NEW, OLD, RELEASES, fresh, left_over, names_in, running_version
from support.signing import Vendor
from support.static_web import StaticWeb, static_web
from support.verified import ProvenBytes

from pawld.cli.control import Wish
from pawld.formats.record import write_manifest
from pawld.install.pointer import LinkPointer
from pawld.install.shelf import Shelf
from pawld.lifecycle.database import open_database
from pawld.lifecycle.high_water import HighWater
from pawld.lifecycle.silence import Silence
from pawld.lifecycle.swap import Swap
from pawld.wiring.control import control

_HEAD = """
[updater]
state_dir = "{home}/state"
host_id = "host-1"
[agents.acme]
root = "{home}/opt"
[agents.acme.platform]
os = "linux"
arch = "x86_64"
[agents.acme.install]
type = "{kind}"
reserve = "1MiB"
[agents.acme.health]
probation = "{probation}"
{checks}
"""
SIGNED_MANIFEST = """
[agents.acme.source]
type = "manifest"
[agents.acme.trust]
type = "signed_manifest"
manifest_url = "{url}/acme.json"
public_keys = ["{key}"]
"""
_SERVICE = """
[agents.acme.service]
type = "command"
start = ["/bin/sh", "-c", "readlink {{current}} > {home}/running"]
stop = ["/bin/rm", "-f", "{home}/running"]
is_running = ["/usr/bin/test", "-e", "{home}/running"]
"""
_MARK = "sequence.acme/stable/linux-x86_64"
_STATE = {"pawld.db", "pawld.db-journal", "marks.json", "pawld.lock", "deadman", "logs", "evidence", "tuf"}
_LIMIT = 60  # seconds for one command


@dataclass(slots=True)
class House:
    """The host below *home*; its configuration lies beside it, so that a crash cannot touch it."""

    home: Path
    config: Path
    web: StaticWeb
    vendor: Vendor
    service: bool
    releases: Mapping[str, ProvenBytes] = field(default_factory=lambda: RELEASES)

    @property
    def root(self) -> Path:
        """Where the agent's slots lie."""
        return self.home / "opt"

    def publish(self, version: str) -> None:
        """Put a release on the server, signed, as the channel's newest."""
        build = self.releases[version]
        record = replace(build.record, expires=datetime.now(UTC) + timedelta(days=300))
        manifest = json.dumps(write_manifest(record)).encode()
        comment = f"product=acme version={version} channel=stable serial={record.sequence}"
        expires = f"{record.expires:%Y-%m-%dT%H:%M:%SZ}"
        self.web.files["acme.json"] = manifest
        self.web.files["acme.json.minisig"] = self.vendor.sign(manifest, f"{comment} expires={expires}")
        self.web.files[record.filename] = build.seekable().read()

    def command(self, *words: str, variant: str = "good") -> list[str]:
        """Return the command line of one command, as a process of its own."""
        script = str(TESTS / "crash" / "command.py")
        return [sys.executable, "-B", script, variant, "--config", str(self.config), "--json", *words]

    def run(self, *words: str) -> dict[str, Any]:
        """Run a command as a process of its own, to its end; return what it says of the agent."""
        finished = subprocess.run(
            self.command(*words), capture_output=True, timeout=_LIMIT, check=False, env=environment()
        )
        assert finished.stdout, finished.stderr.decode()
        return dict(json.loads(finished.stdout)["agents"][0])

    def update(self) -> str:
        """Run a cycle in this process; return its reason's code."""
        return _code(control(self.config).update([], Wish(), Silence()))

    def recover(self) -> str:
        """Recover in this process."""
        return _code(control(self.config).recover([]))

    def rollback(self) -> str:
        """Roll back in this process."""
        return _code(control(self.config).rollback([]))

    def mark(self) -> int:
        """Return the release sequence that a start of pawld would hold a record against."""
        database = open_database(self.home / "state" / "pawld.db", datetime.now(UTC))
        try:
            return HighWater(database, self.home / "state" / "marks.json").mark("acme", _MARK) or 0
        finally:
            database.close()

    def serves(self) -> str:
        """Return which version the agent's own note says is running; empty while it is stopped."""
        try:
            return (self.home / "running").read_text().strip().removeprefix("versions/").rpartition("-")[0]
        except OSError:
            return ""

    def leftovers(self, version: str) -> list[str]:
        """Return what a finished change to *version* would not have left, beside the previous slot."""
        state = self.home / "state"
        slots = {one.name for one in Shelf(self.root).slots() if one.version in {OLD, NEW}}
        found = set(left_over(self.root, version)) - slots | names_in(state) - _STATE
        return sorted(found | (names_in(state / "deadman") if (state / "deadman").is_dir() else set()))


@dataclass(frozen=True, slots=True)
class Act:
    """One command that is interrupted.

    Attributes:
        prepare: makes the host that it starts from.
        words: its command line; the same as *do* in a process of its own.
        goal: the version that it ends in.
        report: the reason that promises this.
        after: what is done after the next start, where it is not the same again.
        floor: below which the mark of the release sequence must not fall.
        found: what ``current`` may lead to at any moment.
    """

    prepare: Callable[[House], None]
    words: tuple[str, ...]
    do: Callable[[House], str]
    goal: str
    report: str
    after: Callable[[House], str] | None = None
    floor: int = 1
    found: Collection[str] = (OLD, NEW)


def installed(house: House) -> None:
    """A host on the old version, with the new one published."""
    house.publish(OLD)
    assert house.update() == "updated"
    house.publish(NEW)


def updated(house: House) -> None:
    """A host on the new version that has the old one beside it."""
    installed(house)
    assert house.update() == "updated"


def died(house: House, place: type, name: str) -> None:
    """Update, and die where the method *name* would be called, as a killed process does."""

    def die(*_: object, **__: object) -> None:
        os._exit(9)

    def update() -> None:
        setattr(place, name, die)
        house.update()

    assert os.waitstatus_to_exitcode(os.waitpid(forked(update), 0)[1]) == 9


def cut_in_the_swap(house: House) -> None:
    """A host that lost its update between the stop of the old version and the move of ``current``."""
    installed(house)
    died(house, LinkPointer, "move")


def cut_on_probation(house: House) -> None:
    """A host that lost its update while the new version was watched, or would have been."""
    installed(house)
    died(house, Swap, "watch")


ACTS = {
    "update": Act(installed, ("update",), House.update, NEW, "updated"),
    "rollback": Act(updated, ("rollback",), House.rollback, OLD, "operator_rollback", floor=2),
    "recover": Act(cut_in_the_swap, ("recover",), House.recover, NEW, "recovered", House.update),
    "recover on probation": Act(cut_on_probation, ("recover",), House.recover, NEW, "recovered", House.update),
}


def wrong_now(house: House, act: Act, output: bytes = b"") -> str:
    """Return what is wrong with the host as a crash left it; nothing where the invariant holds.

    ``current`` leads to a complete slot, what was reported is there, and no mark has fallen.
    """
    found = running_version(house.root)
    if found not in act.found:
        return found
    if act.report.encode() in output and found != act.goal:
        return f"lost commit: {found}"
    return "" if house.mark() >= act.floor else f"the mark fell to {house.mark()}"


def wrong_after(house: House, act: Act, ends: Collection[str] = ()) -> str:
    """Start pawld again, as a boot would and then as a timer or a person would, and return what is wrong then.

    It may come to one of *ends* as well as to the act's goal.
    """
    for step in (House.recover, act.after or act.do):
        code = step(house)
        if code not in _GOOD:
            return f"{step.__name__} answered {code}"
    found, left = running_version(house.root), house.leftovers(act.goal)
    if found not in {act.goal, *ends} or left:
        return f"not finished: {found} {left}"
    return "" if house.serves() == found or not house.service else f"{found} is current, and {house.serves()!r} runs"


_GOOD = {
    *("updated", "rolled_back", "up_to_date", "recovered", "operator_rollback", "no_previous_slot", "build_blocked"),
    *("operator_block", "idle", "usage", "update_available"),
}


@contextmanager
def house_in(
    directory: Path, *, home: Path | None = None, service: bool = False, probation: str = "1s", **more: Any
) -> Iterator[House]:
    """Build an empty host in *directory*, or at *home*, and serve its releases until the block ends."""
    home = home or directory / "home"
    home.mkdir(parents=True)
    with hurried(), static_web({}) as web:
        house = House(home, directory / "pawld.toml", web, Vendor.new(), service, **more)
        configured(house, SIGNED_MANIFEST, probation=probation)
        yield house


def configured(
    house: House, trust: str, *, kind: str = "directory", probation: str = "1s", checks: str = "", **given: object
) -> None:
    """Write the house's configuration; *trust* are the tables of source and trust."""
    text = _HEAD + trust + (_SERVICE if house.service else "")
    places = {"home": house.home, "url": house.web.url, "key": house.vendor.public_key}
    house.config.write_text(text.format(kind=kind, probation=probation, checks=checks, **places, **given))
    house.config.chmod(0o600)


def prepared(house: House, act: Act, directory: Path) -> Callable[[], object]:
    """Make the host that *act* starts from, and return what makes it anew, quickly, each time."""
    with a_minute_ago():
        act.prepare(house)
    fresh(house.home, directory / "template")
    return lambda: fresh(directory / "template", house.home)


def _code(document: Any) -> str:
    return str(document["agents"][0]["reason"]["code"])
