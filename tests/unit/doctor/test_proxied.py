"""The ways of a host behind a proxy: walked through the real one, and each hop that fails is named."""

from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
from support.authority import Authority
from support.configuration import MINIMAL, loaded
from support.proxies import tunnel_to
from support.raw_server import raw_server

from pawld.doctor.finding import Finding, Level
from pawld.doctor.network import hops
from pawld.reasons import Reason
from pawld.system.clock import SystemClock
from pawld.system.http import Web

NAMES = ("api.example.com", "updates.example.com")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def walked(tmp_path: Path, proxy: str, ca_file: Path | None = None) -> list[Finding]:
    agent = loaded(tmp_path, MINIMAL).agents["acme"]
    with Web(proxy=proxy, ca_file=ca_file) as web:
        return list(hops(web, agent, SystemClock(), proxy))


def test_each_way_is_walked_through_the_proxy_and_the_finding_says_so(authority: Authority, tmp_path: Path) -> None:
    date = {"Date": format_datetime(datetime.now(UTC), usegmt=True)}
    with (
        raw_server(lambda _, wire: wire.answer(200, date), tls=authority.server(*NAMES)) as server,
        raw_server(tunnel_to(server.port)) as proxy,
    ):
        findings = walked(tmp_path, proxy.url.replace("//", "//me:secret@"), authority.ca_file)

    assert [one.level for one in findings] == [Level.OK] * 3, [one.evidence for one in findings]
    assert proxy.targets == [f"{name}:443" for name in NAMES]
    assert {one.name for one in findings} == {"network", "clock"}
    told = [one.evidence for one in findings if one.name == "network"]
    assert all(f"answers 200 through the proxy {proxy.url}" in one for one in told)
    assert not any("secret" in one.evidence for one in findings)


@pytest.mark.parametrize("status", [407, 403])
def test_a_proxy_that_lets_nothing_through_is_the_hop_that_is_named_with_its_answer(
    status: int, tmp_path: Path
) -> None:
    with raw_server(lambda _, wire: wire.answer(status)) as proxy:
        findings = walked(tmp_path, proxy.url)

    assert [(one.level, one.reason) for one in findings] == [(Level.PROBLEM, Reason.UNREACHABLE)] * 2
    assert all(proxy.url in one.evidence and str(status) in one.evidence for one in findings)


def test_a_proxy_that_opens_tls_itself_is_found_by_its_certificate(authority: Authority, tmp_path: Path) -> None:
    with (
        raw_server(lambda _, wire: wire.answer(200), tls=authority.server(*NAMES)) as interceptor,
        raw_server(tunnel_to(interceptor.port)) as proxy,
    ):
        findings = walked(tmp_path, proxy.url)

    assert {one.level for one in findings} == {Level.PROBLEM}
    assert all("certificate" in one.evidence for one in findings)


def test_a_proxy_that_is_not_there_is_the_hop_that_is_named(tmp_path: Path) -> None:
    findings = walked(tmp_path, "http://127.0.0.1:1")

    assert [(one.level, one.reason) for one in findings] == [(Level.PROBLEM, Reason.UNREACHABLE)] * 2
    assert all("through the proxy http://127.0.0.1:1" in one.evidence for one in findings)
