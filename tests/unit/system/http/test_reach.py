"""Where a redirect may lead, by address."""

import ipaddress
import socket

import pytest

from pawld.errors import RejectedError
from pawld.reasons import Reason
from pawld.system.http.reach import Reach, after, resolved

PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]
NEAR = ["127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "fd12::1", "::ffff:10.1.2.3", "::ffff:127.0.0.1"]
NEVER = [
    "169.254.169.254",
    "169.254.1.1",
    "fe80::1",
    "fe80::1%lo",
    "fd00:ec2::254",
    "100.100.100.200",
    "168.63.129.16",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "::169.254.169.254",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
]


def allowed(reach: Reach, address: str) -> bool:
    return reach.allows(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_for_every_redirect(address: str) -> None:
    assert allowed(Reach.PUBLIC, address)
    assert allowed(Reach.NEAR, address)


@pytest.mark.parametrize("address", [*NEAR, "100.64.0.1", "64:ff9b::a01:203", "2002:a01:203::1"])
def test_private_ones_only_for_a_redirect_from_there(address: str) -> None:
    assert not allowed(Reach.PUBLIC, address)
    assert allowed(Reach.NEAR, address)


@pytest.mark.parametrize("address", NEVER)
def test_link_local_and_metadata_addresses_for_none(address: str) -> None:
    assert not allowed(Reach.PUBLIC, address)
    assert not allowed(Reach.NEAR, address)
    assert allowed(Reach.ANYWHERE, address)


def test_who_was_public_once_stays_so() -> None:
    near, public = ipaddress.ip_address("10.0.0.1"), ipaddress.ip_address("93.184.216.34")
    assert after(near, Reach.ANYWHERE) is Reach.NEAR
    assert after(public, Reach.ANYWHERE) is Reach.PUBLIC
    assert after(public, Reach.NEAR) is Reach.PUBLIC
    assert after(near, Reach.PUBLIC) is Reach.PUBLIC
    assert after(None, Reach.ANYWHERE) is Reach.PUBLIC


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "localhost"])
def test_odd_spellings_of_loopback_are_seen_through(host: str) -> None:
    with pytest.raises(RejectedError) as caught:
        resolved(host, 443, Reach.PUBLIC)
    assert caught.value.reason is Reason.REDIRECT_REFUSED


def test_one_bad_address_among_good_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: answers)
    with pytest.raises(RejectedError, match=r"which is 10\.0\.0\.1"):
        resolved("rebinding.example", 443, Reach.PUBLIC)
    assert resolved("rebinding.example", 443, Reach.NEAR) == ["93.184.216.34", "10.0.0.1"]
