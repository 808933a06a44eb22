"""An update by a real dpkg that loses power in its middle, or whose dpkg outlives the pawld that started it."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from crash.parts import Part, apart, forked
from crash.whole import SIGNED_MANIFEST, House, configured, house_in, installed
from crash.world import NEW, OLD, running_version
from support import packages

from pawld.install import deb
from pawld.model import Platform
from pawld.wiring import packages as wired

pytestmark = pytest.mark.rig("dpkg")
_CUT = "if [ -e {home}/{script} ]; then rm {home}/{script}; kill -9 $(cat {home}/pawld); {then}; fi"
ENDS = {"loses power": "kill -9 $PPID", "outlives pawld": "sleep 1"}


@contextmanager
def deb_house(place: Path, then: str) -> Iterator[House]:
    """A host whose agent is a package with a dpkg of its own; where a file says so, its script kills pawld."""
    home, database = place / "home", place / "dpkg"
    for one in ("updates", "info"):
        (database / one).mkdir(parents=True)
    (database / "status").touch()
    deb.Dpkg = partial(deb.Dpkg, database=database)  # type: ignore[misc,assignment]  # this process ends with the part
    wired._DPKG_LOCKS = (database / "lock-frontend", database / "lock")
    scripts = {one: _CUT.format(home=home, script=one, then=then) for one in ("preinst", "postinst")}
    builds = {}
    for version in (OLD, NEW):
        data = packages.deb(place, version, files={f"{place}/files/agent": version}, scripts=scripts)
        builds[version] = packages.proven(data, version, "deb", sequence=int(version[0]))
    with house_in(place, service=True, releases=builds) as house:
        configured(house, SIGNED_MANIFEST, kind="deb")
        yield house


def _at(house: House) -> tuple[str | None, str, str]:
    """What dpkg has installed, what the pointer leads to, and what runs."""
    dpkg = deb.Dpkg("acme", Platform("linux", "x86_64"))
    return dpkg.installed(), running_version(house.root), house.serves()


def _update(house: House) -> None:
    (house.home / "pawld").write_text(str(os.getpid()))
    house.update()


def _cut(part: Part, *, script: str, then: str) -> list[object]:
    """Update, be killed in that script, and start again until nobody installs any more."""
    with deb_house(part.place, then) as house:
        installed(house)
        (house.home / script).touch()
        assert os.waitstatus_to_exitcode(os.waitpid(forked(partial(_update, house)), 0)[1]) == -9
        first, ran = house.recover(), house.serves()
        end = time.monotonic() + 30
        while house.recover() != "recovered":
            assert time.monotonic() < end
            time.sleep(0.1)
        return [first, bool(ran), _at(house), house.update()]


@pytest.mark.parametrize("script", ["preinst", pytest.param("postinst", marks=pytest.mark.long)])
def test_a_dpkg_that_lost_power_is_run_again_by_the_next_start(script: str, memory: Path) -> None:
    first, _, at, then = apart(partial(_cut, script=script, then=ENDS["loses power"]), memory)

    assert (first, at, then) == ("recovered", (NEW, NEW, NEW), "up_to_date")


@pytest.mark.parametrize("script", [pytest.param("preinst", marks=pytest.mark.long), "postinst"])
def test_a_dpkg_that_outlives_pawld_is_waited_for_and_the_agent_runs_meanwhile(script: str, memory: Path) -> None:
    first, ran, at, then = apart(partial(_cut, script=script, then=ENDS["outlives pawld"]), memory)

    assert (first, ran) == ("package_manager_busy", True)
    assert (at, then) == ((NEW, NEW, NEW), "up_to_date")
