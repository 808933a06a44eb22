"""The semaphore on a real etcd."""

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from support.etcd import EtcdServer, etcd_server
from support.vendors import NOW

from pawld.gates.etcd_lock import EtcdLockGate
from pawld.ports import Answer, Closed, Lease, Open
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.vendors.etcd import Etcd

pytestmark = pytest.mark.rig("etcd")
Make = Callable[..., EtcdLockGate]


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer]:
    with etcd_server(tmp_path_factory.mktemp("etcd")) as server:
        yield server


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as web:
        yield web


@pytest.fixture
def make(web: Web, etcd: EtcdServer, request: pytest.FixtureRequest) -> Iterator[Make]:
    """Gates of one semaphore that no other test has."""
    made: list[EtcdLockGate] = []
    key = f"pawld/{request.node.name}"

    def make(host: str, *, slots: int = 1, lease: float = 30, url: str | None = None) -> EtcdLockGate:
        endpoints = [url or etcd.url]
        gate = EtcdLockGate(
            lambda: Etcd(web, endpoints, deadline=timedelta(seconds=10)),
            host,
            key=key,
            slots=slots,
            lease=timedelta(seconds=lease),
        )
        made.append(gate)
        return gate

    yield make
    for gate in made:
        gate.release()


def wait_for(what: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)


def open_now(gate: EtcdLockGate) -> bool:
    return isinstance(gate.check(NOW), Open)


def test_of_24_contenders_for_3_places_3_win_and_the_rest_are_told_by_whom(make: Make) -> None:
    gates = [make(f"host-{number}", slots=3) for number in range(24)]
    with ThreadPoolExecutor(24) as pool:
        answers: list[Answer] = list(pool.map(lambda gate: gate.check(NOW), gates))
    assert sum(isinstance(one, Open) for one in answers) == 3
    refused = [one for one in answers if isinstance(one, Closed)]
    assert len(refused) == 21
    assert {one.reason for one in refused} == {Reason.LOCK_HELD}
    assert all("All 3 places" in one.message for one in refused)
    assert all(one.retry_at == NOW + timedelta(minutes=1) for one in refused)


def test_a_place_that_is_given_back_is_the_next_hosts(make: Make, etcd: EtcdServer) -> None:
    first, second = make("first"), make("second")
    assert open_now(first)
    assert not open_now(second)
    first.release()
    assert open_now(second)
    second.release()
    assert not etcd.keys("pawld/test_a_place_that_is_given_back")


def test_the_same_host_takes_its_own_place_again(make: Make, etcd: EtcdServer) -> None:
    first, again = make("host", slots=2), make("host", slots=2)
    assert open_now(first)
    assert open_now(first)
    assert open_now(again)
    assert len(etcd.keys("pawld/test_the_same_host_takes_its_own_place_again/slot/")) == 1


def test_a_new_process_gives_back_what_an_earlier_one_left(make: Make) -> None:
    assert open_now(make("host", lease=30))
    make("host").release()
    assert open_now(make("other"))


def test_it_is_kept_alive_for_longer_than_its_lease(make: Make) -> None:
    holder = make("holder", lease=2)
    assert open_now(holder)
    time.sleep(3.5)
    assert not open_now(make("other", lease=2))
    assert holder.lost() is None


def test_a_killed_holders_place_is_free_when_its_lease_ends(make: Make, etcd: EtcdServer, tmp_path: Path) -> None:
    program = """
import sys
from datetime import timedelta
from datetime import datetime, UTC
from pawld.gates.etcd_lock import EtcdLockGate
from pawld.system.http import Web
from pawld.vendors.etcd import Etcd
web = Web()
gate = EtcdLockGate(lambda: Etcd(web, [sys.argv[1]]), "killed", key=sys.argv[2], slots=1, lease=timedelta(seconds=2))
print(type(gate.check(datetime.now(UTC))).__name__, flush=True)
sys.stdin.read()
"""
    key = "pawld/test_a_killed_holders_place_is_free_when_its_lease_ends"
    with subprocess.Popen(
        [sys.executable, "-c", program, etcd.url, key], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"Open\n"
        time.sleep(2.5)  # it is kept alive as long as the holder lives
        waiting = make("waiting", lease=2)
        assert not open_now(waiting)
        os.kill(holder.pid, signal.SIGKILL)
    wait_for(lambda: open_now(waiting))


def test_a_process_after_a_crash_in_probation_keeps_what_was_taken_without_waiting_for_it(make: Make) -> None:
    first = make("host", lease=2)
    assert open_now(first)
    first._let_go()  # the process died: nobody keeps the lease alive
    after = make("host", lease=2)
    assert isinstance(after, Lease)
    after.keep()
    time.sleep(3)
    assert not open_now(make("other"))
    assert after.lost() is None
    after.release()
    assert open_now(make("other"))


def test_a_lease_that_ended_before_the_restart_is_told_as_lost(make: Make) -> None:
    after = make("host", lease=2)
    after.keep()
    wait_for(after.lost)
    assert "the cluster had ended it" in (after.lost() or "")


def test_a_cluster_that_stops_and_starts_in_the_middle_loses_no_place(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with etcd_server(tmp_path / "own") as etcd, caplog.at_level(logging.WARNING, "pawld.gates"):
        holder, other = make("holder", lease=4, url=etcd.url), make("other", lease=4, url=etcd.url)
        assert open_now(holder)
        etcd.stop()
        down = other.check(NOW)
        assert isinstance(down, Closed)
        assert down.reason is Reason.UNREACHABLE
        wait_for(lambda: "could not be renewed" in caplog.text)
        etcd.start()
        time.sleep(5)
        assert holder.lost() is None
        assert not open_now(other)
        holder.release()
        assert open_now(other)
        other.release()


def test_a_cluster_that_is_gone_for_longer_than_the_lease_is_told_as_a_lost_lock(make: Make, tmp_path: Path) -> None:
    with etcd_server(tmp_path / "own") as etcd:
        holder = make("holder", lease=2, url=etcd.url)
        assert open_now(holder)
        etcd.stop()
        wait_for(holder.lost)
        assert "could not be renewed for its whole length" in (holder.lost() or "")
        holder.release()  # warns, and does not raise


def test_the_next_endpoint_answers_where_one_is_dead(make: Make, web: Web, etcd: EtcdServer) -> None:
    client = Etcd(web, ["http://127.0.0.1:1", etcd.url])
    lease = client.grant(timedelta(seconds=5))
    assert client.keep_alive(lease)
    client.revoke(lease)
    client.revoke(lease)
    assert not client.keep_alive(lease)
