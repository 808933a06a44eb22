"""Hosts that get their builds in other ways than the whole one by a signed manifest, and what is done there."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crash.campaigns import Scene
from crash.whole import SIGNED_MANIFEST, Act, House, configured, cut_on_probation, died, house_in, installed, updated
from crash.world import NEW, OLD
from support.patches import File, edited, packed, program
from support.publishing import LINUX, founded, reopened
from support.verified import ProvenBytes, build

from pawld.cli.control import Wish
from pawld.errors import PawldError
from pawld.lifecycle.silence import Silence
from pawld.lifecycle.swap import Swap
from pawld.publish.export import export
from pawld.publish.ingest import Incoming, ingest
from pawld.publish.publication import publish
from pawld.wiring.control import control

_TUF = """
[agents.acme.source]
type = "tuf"
[agents.acme.trust]
type = "tuf"
metadata_url = "{url}/metadata"
root_file = "{root_file}"
"""
_SICK = """checks = [
  { type = "command", command = ["/bin/sh", "-c", "! grep -q version=2.0.0 {current}/etc/agent.conf"], every = "1s" },
]"""
_ROTTEN = "BROKEN: etc/agent.conf has 0 bytes where 14 were installed"
_PROGRAMS = {OLD: program(1, 40_000), NEW: edited(program(1, 40_000), 2)}


def _single(version: str) -> ProvenBytes:
    return build(_PROGRAMS[version], version, sequence=int(version[0]))


def _tree(version: str) -> bytes:
    return packed({"bin/agent": File(_PROGRAMS[version], 0o755), "etc/agent.conf": File(version.encode())})


@dataclass(slots=True)
class TufHouse(House):
    """A host that follows a publisher, which makes a patch from the release before."""

    @property
    def publisher(self) -> Path:
        return self.config.parent / "publisher"

    def publish(self, version: str) -> None:
        publisher = reopened(self.publisher)
        told = Incoming("acme", version, LINUX, f"acme-{version}.tar.gz", entrypoint="bin/agent")
        ingest(publisher, told, [_tree(version)], "stable", patches=1)
        publish(publisher)
        public = publisher.layout.public
        self.web.files.update(
            {str(one.relative_to(public)): one.read_bytes() for one in public.rglob("*") if one.is_file()}
        )

    @property
    def bundle(self) -> Path:
        return self.config.parent / "bundle.tar"

    def carry(self) -> str:
        """Update by the bundle alone."""
        return _code(control(self.config).update_from([], self.bundle, Wish(), Silence()))


@contextmanager
def tuf_house(directory: Path, *, service: bool = False) -> Iterator[House]:
    """A host that follows a TUF repository."""
    with house_in(directory, service=service) as plain:
        house = TufHouse(plain.home, plain.config, plain.web, plain.vendor, service)
        founded(house.publisher, products=("acme",))
        root_file = directory / "root.json"
        shutil.copy(house.publisher / "public/metadata/1.root.json", root_file)
        configured(house, _TUF, root_file=root_file)
        yield house


@contextmanager
def program_house(directory: Path, *, service: bool = False) -> Iterator[House]:
    """A host whose agent is a single program."""
    with house_in(directory, service=service, releases={one: _single(one) for one in (OLD, NEW)}) as house:
        configured(house, SIGNED_MANIFEST, kind="file")
        yield house


@contextmanager
def sick_house(directory: Path, *, service: bool = False) -> Iterator[House]:
    """A host on which the new version is sick."""
    with house_in(directory, service=service) as house:
        configured(house, SIGNED_MANIFEST, checks=_SICK)
        yield house


def _exported(house: House) -> None:
    installed(house)
    assert isinstance(house, TufHouse)
    export(reopened(house.publisher), "acme", "stable", LINUX, house.bundle)


def _carry(house: House) -> str:
    assert isinstance(house, TufHouse)
    return house.carry()


def _taken_back(house: House) -> None:
    """A host that lost the way back from a sick build when it was recorded."""
    installed(house)
    died(house, Swap, "_restore")


def _rotten(house: House) -> None:
    """A host whose current version rotted, and whose service runs."""
    updated(house)
    (house.root / "current/etc/agent.conf").write_bytes(b"")


def _blocked(house: House) -> str:
    return _code(control(house.config).block([], "3.0.0"))


def _unblocked(house: House) -> str:
    """Lift the block, or find none."""
    try:
        return _code(control(house.config).unblock([], "3.0.0"))
    except PawldError as error:
        return error.reason.code


def _block(house: House) -> None:
    updated(house)
    _blocked(house)


def _checked(house: House) -> str:
    return _code(control(house.config).check([]))


def _code(document: dict[str, Any]) -> str:
    return str(document["agents"][0]["reason"]["code"])


def _scene(
    prepare: Callable[[House], None],
    do: Callable[[House], str],
    goal: str,
    report: str,
    house: Callable[..., AbstractContextManager[House]] = house_in,
    after: Callable[[House], str] | None = None,
) -> Scene:
    return Scene(Act(prepare, (), do, goal, report, after), house)


OTHERS = {
    "update by a patch": _scene(installed, House.update, NEW, "updated", tuf_house),
    "update by a bundle": _scene(_exported, _carry, NEW, "updated", tuf_house),
    "update of a program": _scene(installed, House.update, NEW, "updated", program_house),
    "taking back": _scene(installed, House.update, OLD, "rolled_back", sick_house),
    "recovery of a sick build": _scene(cut_on_probation, House.recover, OLD, "recovered", sick_house, House.update),
    "recovery of the way back": _scene(_taken_back, House.recover, OLD, "recovered", sick_house, House.update),
    "mending": Scene(Act(_rotten, (), House.recover, OLD, "recovered", House.recover, found=(OLD, _ROTTEN))),
    "block": _scene(updated, _blocked, NEW, "operator_block"),
    "unblock": _scene(_block, _unblocked, NEW, "idle"),
    "check": _scene(installed, _checked, OLD, "update_available"),
}
