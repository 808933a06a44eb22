"""A mirror that is a forward proxy, as Dragonfly's dfdaemon is: asked for the source's own address, and not believed.

The proxy leads to a TLS server of its own, with a certificate for the source's name, as a dfdaemon does that was given
an authority's key; the host trusts that by ``ca_file``.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from support.authority import Authority
from support.moving import HandClock, Told, cut_after, partial_in, proof_of, record_of, serving
from support.proxies import tunnel_to
from support.raw_server import Handler, RawServer, raw_server

from pawld.download.mover import HttpMover
from pawld.model import Location
from pawld.system.http import Web

DATA = os.urandom(100_000)
WRONG = DATA[:-1] + bytes([DATA[-1] ^ 1])
RECORD = record_of(DATA)
NAME = "cdn.example"


class Network:
    """A source, a proxy near the host, and a mover that knows both."""

    def __init__(self, folder: Path, stack: ExitStack, near: Handler) -> None:
        authority = Authority(folder)
        self.folder = folder
        self.source = stack.enter_context(raw_server(serving(DATA), tls=authority.server(NAME)))
        self.near = stack.enter_context(raw_server(near, tls=authority.server(NAME)))
        self.proxy = stack.enter_context(raw_server(tunnel_to(self.near.port)))
        self.clock = HandClock()
        self.url = f"https://{NAME}:{self.source.port}/targets/acme"
        stall, ca_file = timedelta(seconds=5), authority.ca_file
        self.direct = stack.enter_context(Web(stall=stall, ca_file=ca_file))
        self._opened: Callable[[str], Web] = lambda proxy: stack.enter_context(
            Web(stall=stall, ca_file=ca_file, proxy=proxy)
        )

    def mover(self, *mirrors: str) -> HttpMover:
        bases = mirrors or [f"proxy+{self.proxy.url}"]
        return HttpMover(self.direct, self.clock, mirrors=bases, reserve=0, through=self._opened)

    def fetched(self, mover: HttpMover, location: Location | None = None) -> bytes:
        places = [location or Location(self.url)]
        downloaded = mover.fetch(RECORD, places, partial_in(self.folder, RECORD), Told())
        with downloaded.file as file:
            data = file.read()
        downloaded.path.unlink()
        return data


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Handler], Network]]:
    real = socket.getaddrinfo
    names = {NAME: "127.0.0.1"}
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *more, **how: real(names.get(host, host), *more, **how))
    with ExitStack() as stack:
        yield lambda near: Network(tmp_path, stack, near)


def asked(server: RawServer) -> int:
    return len(server.asked)


def test_the_sources_own_address_is_asked_through_the_proxy(opened: Callable[[Handler], Network]) -> None:
    network = opened(serving(DATA))
    assert network.fetched(network.mover()) == DATA
    assert network.proxy.targets == [f"{NAME}:{network.source.port}"]
    assert network.near.targets == ["/targets/acme"]
    assert asked(network.source) == 0


def test_wrong_bytes_name_the_proxy_which_rests_and_the_source_is_asked(
    opened: Callable[[Handler], Network], caplog: pytest.LogCaptureFixture
) -> None:
    network = opened(serving(WRONG))
    mover = network.mover()
    assert network.fetched(mover) == DATA
    assert f"The mirror {network.proxy.url} is not asked for 60 min: The mirror {network.proxy.url} sent" in caplog.text
    assert network.fetched(mover) == DATA
    assert (asked(network.proxy), asked(network.source)) == (1, 2)


def test_a_wrong_chunk_is_the_proxys_and_not_the_sources(
    opened: Callable[[Handler], Network], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    network = opened(serving(WRONG))
    record = record_of(DATA, chunk=30_000)
    partial = partial_in(tmp_path, record)
    views = network.mover().chunks(record, [Location(network.url)], partial, Told(), proof_of(record))
    assert b"".join(map(bytes, views)) == DATA
    assert f"{network.proxy.url}, asked for https://{NAME}:{network.source.port}, sent other bytes" in caplog.text


def test_what_a_proxy_began_is_not_gone_on_with_from_the_source(opened: Callable[[Handler], Network]) -> None:
    network = opened(cut_after(WRONG, 50_000))
    assert network.fetched(network.mover()) == DATA
    assert "range" not in network.source.asked[0].headers


def test_a_proxy_that_is_gone_costs_no_update(opened: Callable[[Handler], Network]) -> None:
    network = opened(serving(DATA))
    assert network.fetched(network.mover("proxy+http://127.0.0.1:1")) == DATA
    assert asked(network.source) == 1


def test_no_credential_goes_through_a_proxy_that_shares(opened: Callable[[Handler], Network]) -> None:
    network = opened(serving(DATA))
    assert network.fetched(network.mover(), Location(network.url, {"Authorization": "Bearer s"})) == DATA
    assert (asked(network.proxy), asked(network.source)) == (0, 1)


def test_a_mirror_by_digest_and_a_proxy_keep_their_order(opened: Callable[[Handler], Network]) -> None:
    network = opened(serving(DATA))
    with raw_server(lambda _, wire: wire.answer(404)) as mirror:
        assert network.fetched(network.mover(mirror.url, f"proxy+{network.proxy.url}")) == DATA
        assert (asked(mirror), asked(network.proxy), asked(network.source)) == (1, 1, 0)
