"""A publisher's command that is cut, or fails, leaves a repository that clients accept, and is finished by the next."""

import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from itertools import count, product
from pathlib import Path

import pytest
from crash.campaigns import ERRORS
from crash.cuts import PowerCut, calls_of, fault, power_cut
from crash.figures import tell
from crash.parts import Findings, Part, campaign
from crash.world import fresh
from support.publishing import founded, reopened, take_in, tar_gz
from tuf.ngclient import FetcherInterface, Updater

from pawld.errors import PawldError
from pawld.publish.publication import publish
from pawld.publish.refresh import refresh
from pawld.publish.rotate import rotate
from pawld.system.faults import host_faults

STABLE = "acme-agent/stable/linux-x86_64"
BOTH = {tar_gz("1.0.0"), tar_gz("1.1.0")}


class Files(FetcherInterface):
    """Fetches from a directory, as a web server before it would serve it."""

    def __init__(self, public: Path) -> None:
        self.public = public

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = self.public / url.removeprefix("https://updates.example/")
        if not path.exists():
            from tuf.api.exceptions import DownloadHTTPError  # noqa: PLC0415 - of this answer alone

            raise DownloadHTTPError("not found", 404)
        yield path.read_bytes()


def seen(home: Path, cache: Path) -> bytes:
    """Return what a client gets from what is public, with what it knew already in *cache*."""
    (cache / "targets").mkdir(parents=True, exist_ok=True)
    updater = Updater(
        str(cache),
        "https://updates.example/metadata/",
        str(cache / "targets"),
        "https://updates.example/targets/",
        Files(home / "public"),
        bootstrap=(home / "public/metadata/1.root.json").read_bytes(),
    )
    found = updater.get_targetinfo(STABLE)
    assert found is not None
    return Path(updater.download_target(found, str(cache / "build"))).read_bytes()


def _release(home: Path) -> None:
    take_in(reopened(home), "1.1.0")


def _refresh(home: Path) -> None:
    refresh(reopened(home), ("stable",))


def _rotate(home: Path, role: str) -> None:
    publisher = reopened(home)
    out = [publisher.keyring.named(keyid) for keyid in publisher.keys_of(role)]
    rotate(publisher, role, out, [publisher.keyring.new(role)])
    publish(publisher)


COMMANDS: dict[str, Callable[[Path], None]] = {
    "release": _release,
    "refresh": _refresh,
    **{f"rotate {role}": partial(_rotate, role=role) for role in ("root", "targets", "stable", "timestamp")},
}


def _wrong(home: Path, place: Path, known: Path) -> str:
    """Return what a client that knows the repository, or a new one, has against it."""
    for cache, copy in ((known, place / "knew"), (None, place / "new")):
        shutil.rmtree(copy, ignore_errors=True)
        if cache is not None:
            shutil.copytree(cache, copy)
        try:
            if seen(home, copy) not in BOTH:
                return "other bytes"
        except Exception as error:  # noqa: BLE001 - whatever a client says
            return f"{copy.name}: {type(error).__name__}: {error}"
    return ""


def _judged(home: Path, place: Path, command: Callable[[Path], None]) -> str:
    wrong = _wrong(home, place, place / "known")
    if wrong:
        return wrong
    with suppress(PawldError):  # a key that was rotated out cannot be rotated out again
        command(home)
    publish(reopened(home))
    left = reopened(home).staging.roles()
    return _wrong(home, place, place / "known") or (f"still staged: {left}" if left else "")


def _prepared(part: Part) -> tuple[Path, Path]:
    template, home = part.place / "template", part.place / "home"
    founded(template)
    take_in(reopened(template), "1.0.0")
    seen(template, part.place / "known")
    return template, home


def _cut(part: Part, *, name: str, step: int) -> Findings:
    found, command = Findings(), COMMANDS[name]
    template, home = _prepared(part)
    for at in part.mine(count(1, step)):
        fresh(template, home)
        whole = False
        with suppress(PowerCut), power_cut(at):
            command(home)
            whole = True
        found.count("whole" if whole else "points", _judged(home, part.place, command), f"at {at}")
        if whole:
            return found
    return found


def _fail(part: Part, *, name: str, step: int) -> Findings:
    found, command = Findings(), COMMANDS[name]
    template, home = _prepared(part)
    points = len(calls_of(lambda: command(fresh(template, home))))
    for kind, lasting, at in part.mine(product(ERRORS, (False, True), range(1, points + 1, step))):
        fresh(template, home)
        with suppress(PawldError), host_faults("It"), fault(at, getattr(errno, kind), lasting=lasting):
            command(home)
        how = f"{kind} {'lasting' if lasting else 'once'} at {at} of {points}"
        found.count(kind, _judged(home, part.place, command), how)
    return found


def _told(what: str, name: str, found: Findings) -> None:
    tell(f"in-process {what}, {name}: {dict(found.figures)}, bad: {found.bad}")
    assert found.bad == []


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_publishers_command_cut_at_any_call_is_accepted_by_clients_and_finished_by_the_next(
    name: str, memory: Path
) -> None:
    _told("cuts of the publisher", name, campaign(partial(_cut, name=name, step=1), memory))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_fault_of_the_disk_in_a_publishers_command_leaves_what_clients_accept(name: str, memory: Path) -> None:
    _told("faults of the publisher", name, campaign(partial(_fail, name=name, step=11), memory))


def test_a_release_that_is_cut_is_accepted_by_clients_and_finished_by_the_next(memory: Path) -> None:
    _told("cuts of the publisher", "release", campaign(partial(_cut, name="release", step=23), memory))
