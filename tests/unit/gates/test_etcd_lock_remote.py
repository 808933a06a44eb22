"""The semaphore on a real etcd that asks for a password, and on one behind TLS whose network breaks."""

import contextlib
import ssl
import subprocess
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import trustme
from support.etcd import EtcdServer, etcd_server
from support.vendors import NOW, secret

from pawld.gates.etcd_lock import EtcdLockGate
from pawld.ports import Broken, Closed, Open
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.vendors.etcd import Etcd, Login

pytestmark = pytest.mark.rig("etcd")
HERE, THERE = "10.213.77.1", "10.213.77.2"


def gate_of(web: Web, url: str, host: str, login: Login | None = None, lease: float = 3) -> EtcdLockGate:
    return EtcdLockGate(
        lambda: Etcd(web, [url], login, deadline=timedelta(seconds=1)),
        host,
        key="pawld/remote",
        slots=1,
        lease=timedelta(seconds=lease),
    )


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as web:
        yield web


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[EtcdServer]:
    """An etcd where the user pawld may touch ``pawld/`` alone."""
    with etcd_server(tmp_path / "etcd") as etcd:
        etcd.ask("/v3/auth/user/add", name="root", password="root")
        etcd.ask("/v3/auth/user/grant", user="root", role="root")
        etcd.ask("/v3/auth/role/add", name="updates")
        span = {"permType": "READWRITE", "key": "cGF3bGQv", "range_end": "cGF3bGQw"}  # pawld/ to pawld0
        etcd.ask("/v3/auth/role/grant", name="updates", perm=span)
        etcd.ask("/v3/auth/user/add", name="pawld", password="se3ret-word")
        etcd.ask("/v3/auth/user/grant", user="pawld", role="updates")
        etcd.ask("/v3/auth/enable")
        yield etcd


def test_a_user_signs_in_with_a_password(web: Web, guarded: EtcdServer, tmp_path: Path) -> None:
    login = Login("pawld", secret(tmp_path, "se3ret-word"))
    first, second = (gate_of(web, guarded.url, host, login) for host in ("first", "second"))
    assert isinstance(first.check(NOW), Open)
    time.sleep(1.5)  # the thread that keeps it alive signs in by itself
    assert isinstance(second.check(NOW), Closed)
    assert first.lost() is None
    first.release()
    assert isinstance(second.check(NOW), Open)
    second.release()


def test_a_token_that_the_cluster_forgot_is_asked_for_anew(web: Web, guarded: EtcdServer, tmp_path: Path) -> None:
    client = Etcd(web, [guarded.url], Login("pawld", secret(tmp_path, "se3ret-word")))
    lease = client.grant(timedelta(seconds=30))
    guarded.stop()
    guarded.start()
    assert client.keep_alive(lease)


def test_a_wrong_password_needs_a_person_and_is_not_told(web: Web, guarded: EtcdServer, tmp_path: Path) -> None:
    gate = gate_of(web, guarded.url, "host", Login("pawld", secret(tmp_path, "wr0ng-word")))
    answer = gate.check(NOW)
    assert isinstance(answer, Broken)
    assert answer.reason is Reason.UNAUTHORIZED
    assert "wr0ng-word" not in answer.message
    assert str(tmp_path / "token") in answer.message


def test_a_key_that_the_user_may_not_touch_breaks_the_gate(web: Web, guarded: EtcdServer, tmp_path: Path) -> None:
    login = Login("pawld", secret(tmp_path, "se3ret-word"))
    gate = EtcdLockGate(
        lambda: Etcd(web, [guarded.url], login), "host", key="others", slots=1, lease=timedelta(seconds=3)
    )
    answer = gate.check(NOW)
    assert isinstance(answer, Broken)
    assert answer.reason is Reason.FORBIDDEN


def test_no_password_where_one_is_needed_breaks_the_gate(web: Web, guarded: EtcdServer) -> None:
    answer = gate_of(web, guarded.url, "host").check(NOW)
    assert isinstance(answer, Broken)
    assert "user name is empty" in answer.message


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def namespace() -> Iterator[str]:
    """A network of its own, joined to this one by a pair of interfaces."""
    name = "pawld-etcd"
    with contextlib.suppress(subprocess.CalledProcessError):
        ip("netns", "del", name)
    ip("netns", "add", name)
    try:
        ip("link", "add", "pawld-here", "type", "veth", "peer", "name", "pawld-there", "netns", name)
        ip("addr", "add", f"{HERE}/30", "dev", "pawld-here")
        ip("link", "set", "pawld-here", "up")
        ip("-n", name, "addr", "add", f"{THERE}/30", "dev", "pawld-there")
        for device in ("lo", "pawld-there"):
            ip("-n", name, "link", "set", device, "up")
        yield name
    finally:
        ip("netns", "del", name)


@pytest.fixture
def far(namespace: str, tmp_path: Path) -> Iterator[EtcdServer]:
    """An etcd behind TLS in the other network; ``ca.pem`` is the authority that signed for it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert(THERE).private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    pair = str(tmp_path / "server.pem")
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    (tmp_path / "etcd").mkdir()
    etcd = EtcdServer(
        tmp_path / "etcd",
        host=THERE,
        prefix=["ip", "netns", "exec", namespace],
        tls=["--cert-file", pair, "--key-file", pair],
    )
    etcd.start(context)
    try:
        yield etcd
    finally:
        etcd.stop()


def far_end(namespace: str, state: str) -> None:
    """Cut or join the far end: with the near one down, packets would take this host's way to the rest of the world."""
    ip("-n", namespace, "link", "set", "pawld-there", state)


@pytest.mark.rig("network_namespace")
def test_a_partition_loses_the_lease_and_the_place_goes_to_another_host(
    namespace: str, far: EtcdServer, tmp_path: Path
) -> None:
    with Web(ca_file=tmp_path / "ca.pem") as web, Web() as stranger:
        unknown = gate_of(stranger, far.url, "stranger").check(NOW)
        assert isinstance(unknown, Closed)
        assert unknown.reason is Reason.TLS_FAILED
        holder, other = gate_of(web, far.url, "holder"), gate_of(web, far.url, "other")
        assert isinstance(holder.check(NOW), Open)
        ip("link", "set", "pawld-here", "down")
        time.sleep(1)
        ip("link", "set", "pawld-here", "up")  # a short break costs nothing
        time.sleep(3)
        assert holder.lost() is None
        far_end(namespace, "down")
        cut = other.check(NOW)
        assert isinstance(cut, Closed)
        assert cut.reason in (Reason.UNREACHABLE, Reason.TIMED_OUT)
        end = time.monotonic() + 15
        while holder.lost() is None:
            assert time.monotonic() < end
            time.sleep(0.1)
        far_end(namespace, "up")
        while not isinstance(other.check(NOW), Open):
            assert time.monotonic() < end
            time.sleep(0.2)
        other.release()
        holder.release()
