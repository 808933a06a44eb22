"""A real update of a real host by root: what strangers sent is read by a user who may do nothing."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.besieged import Besieged, besieged
from support.commands import finished, words_for
from support.liars import USER
from support.moving import serving
from support.raw_server import Asked, Wire
from support.verified import Quiet
from support.walls import ARCHIVE, HTTP, children

from pawld.demo.program import Release
from pawld.reasons import Reason
from pawld.settings import load
from pawld.system.walls.child import still_held

pytestmark = pytest.mark.rig("root")

NOBODY = 65534


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Besieged]:
    """A host whose administrator named the user."""
    home = tmp_path_factory.mktemp("walls") / "home"
    home.mkdir()
    with besieged(home) as made:
        config = home / "pawld.toml"
        config.write_text(config.read_text().replace("[updater]\n", f'[updater]\nuser = "{USER}"\n'))
        made.be_patient()
        made.settings = load(config, {})
        yield made


class Watch(Quiet):
    """Notes what each child of this process has left: while a server answers it, and while it unpacks."""

    def __init__(self) -> None:
        self.seen: dict[str, set[str]] = {}

    def start(self, step: str, total: int, done: int = 0) -> None:
        del step, total, done
        self.look()

    def look(self) -> None:
        for pid, module in children(os.getpid()).items():
            held = still_held(Path(f"/proc/{pid}/status"), NOBODY, NOBODY)
            self.seen.setdefault(module, set()).add(held)


def test_an_update_is_read_by_a_user_without_any_privilege(host: Besieged) -> None:
    watch = Watch()
    # More than a socket holds: the reader of the archive is still at it when the progress is told that it began.
    data = host.offer("1.1.0", Release("1.1.0").packed(os.urandom(8 << 20)))
    answered = serving(data)

    def answer(asked: Asked, wire: Wire) -> None:
        watch.look()
        answered(asked, wire)

    host.content = answer
    with host.opened() as opened:
        assert opened.cycle("acme", watch).update().reason is Reason.UPDATED
    assert host.answer == "acme-agent 1.1.0"
    assert watch.seen == {HTTP: {""}, ARCHIVE: {""}}
    assert children(os.getpid()) == {}
    owners = {path.lstat().st_uid for path in (host.root, *host.root.rglob("*"))}
    assert owners == {0}, "no file of an agent is another's than root's"


@pytest.mark.long
@pytest.mark.parametrize("module", [HTTP, ARCHIVE])
def test_a_reader_that_is_killed_installs_nothing_and_the_next_update_succeeds(host: Besieged, module: str) -> None:
    version = f"1.2.{(HTTP, ARCHIVE).index(module)}"
    data, before = host.offer(version), host.slots()
    killed: list[int] = []

    def answer(asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data[:100])
        if module == HTTP:
            kill(module, killed)
        wire.send(data[100:])

    good, host.content = host.content, answer
    killer = threading.Thread(target=kill, args=(module, killed))
    if module == ARCHIVE:
        killer.start()
    outcome = host.update()
    if module == ARCHIVE:
        killer.join()
    assert killed
    assert outcome.reason in (Reason.READER_FAILED, Reason.TRANSFER_CUT), outcome
    assert host.slots() == before
    assert not list((host.root / "versions").glob(".staging-*"))
    host.content = good
    assert host.update().reason is Reason.UPDATED


def kill(module: str, killed: list[int]) -> None:
    end = time.monotonic() + 20
    while not killed and time.monotonic() < end:
        for pid, found in children(os.getpid()).items():
            if found == module:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
        time.sleep(0.001)


@pytest.mark.long
def test_readers_end_with_the_root_that_is_killed_and_recover_finds_nothing_of_theirs(host: Besieged) -> None:
    data, before, outside = host.offer("1.3.0"), host.slots(), host.elsewhere()
    asked_for = threading.Event()
    release = threading.Event()

    def answer(asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data[:100])
        asked_for.set()
        release.wait(60)

    good, host.content = host.content, answer
    updater = subprocess.Popen(words_for(host.home / "pawld.toml", "update"), cwd="/", stderr=subprocess.DEVNULL)
    assert asked_for.wait(30)
    mine = children(updater.pid)
    assert HTTP in mine.values()
    updater.kill()
    updater.wait()
    end = time.monotonic() + 20
    while children().keys() & mine.keys():
        assert time.monotonic() < end, "a reader outlives its root"
        time.sleep(0.02)
    release.set()
    assert finished(host.home / "pawld.toml", "recover").returncode == 0
    assert (host.slots(), host.elsewhere()) == (before, outside)
    host.content = good
    assert host.update().reason is Reason.UPDATED


def test_the_doctor_says_who_reads(host: Besieged) -> None:
    said = finished(host.home / "pawld.toml", "doctor")
    assert f"is read by the user {USER}, who may do nothing else" in said.stdout + said.stderr


def test_a_user_whom_nobody_made_is_told_before_anything_is_fetched(host: Besieged, tmp_path: Path) -> None:
    config = tmp_path / "pawld.toml"
    config.write_text((host.home / "pawld.toml").read_text().replace(f'"{USER}"', '"no_such_user"'))
    said = finished(config, "update")
    assert said.returncode == Reason.CONFIG_INVALID.exit
    assert "updater.user is no_such_user, but this host has no user no_such_user." in said.stdout + said.stderr
