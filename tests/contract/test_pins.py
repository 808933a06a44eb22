"""One suite for every pin: what the lifecycle relies on, whoever gives the order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from support.hawkbit import TOKEN as HAWKBIT_TOKEN
from support.hawkbit import FakeHawkbit
from support.vendors import now, secret
from support.vendors_prefactor import DEPLOYMENT_ID, VERSION_ID, FakePrefactor

from pawld.model import Pinned, Platform
from pawld.pins.fixed import FixedPin
from pawld.pins.hawkbit import Campaign, HawkbitPin, Identity
from pawld.pins.prefactor import PrefactorPin
from pawld.ports import Pin
from pawld.system.http import Web
from pawld.vendors.hawkbit import Ddi, DeviceToken

LINUX = Platform("linux", "x86_64")
TOKEN = "prefactor-token"
Make = Callable[..., Pin]


@dataclass
class Servers:
    prefactor: FakePrefactor
    hawkbit: FakeHawkbit


@pytest.fixture
def servers(httpserver: HTTPServer) -> Iterator[Servers]:
    with HTTPServer() as another, FakePrefactor(httpserver) as prefactor, FakeHawkbit(another) as hawkbit:
        hawkbit.deploy("7", "1.8.3")
        yield Servers(prefactor, hawkbit)


def fixed(web: Web, servers: Servers, folder: Path, *, downgrade: bool) -> Pin:
    return FixedPin("1.8.3", allow_downgrade=downgrade)


def deployment(web: Web, servers: Servers, folder: Path, *, downgrade: bool) -> Pin:
    token = secret(folder, TOKEN)
    return PrefactorPin(
        web, token, now, base_url=servers.prefactor.url, deployment_id=DEPLOYMENT_ID, allow_downgrade=downgrade
    )


def agent_version(web: Web, servers: Servers, folder: Path, *, downgrade: bool) -> Pin:
    token = secret(folder, TOKEN)
    return PrefactorPin(
        web, token, now, base_url=servers.prefactor.url, agent_version_id=VERSION_ID, allow_downgrade=downgrade
    )


def campaign(web: Web, servers: Servers, folder: Path, *, downgrade: bool) -> Pin:
    ddi = Ddi(web, servers.hawkbit.url, "DEFAULT", "host-1", DeviceToken(secret(folder, HAWKBIT_TOKEN)), now)
    talk = Campaign(ddi, Identity("acme"), folder / "campaign.json", now, lambda: None)
    return HawkbitPin(talk, allow_downgrade=downgrade)


@pytest.fixture(params=[fixed, deployment, agent_version, campaign], ids=lambda build: build.__name__)
def make(request: pytest.FixtureRequest, web: Web, servers: Servers, tmp_path: Path) -> Make:
    build = request.param

    def made(*, downgrade: bool = False) -> Pin:
        pin: Pin = build(web, servers, tmp_path, downgrade=downgrade)
        return pin

    return made


def ordered(pin: Pin) -> Pinned:
    pinned = pin.wanted(LINUX)
    assert isinstance(pinned, Pinned)
    return pinned


def test_an_order_names_a_version_and_who_gave_it(make: Make) -> None:
    pinned = ordered(make())
    assert pinned.version == "1.8.3"
    assert pinned.by[0].isupper()
    assert all(isinstance(text, str) and text for one in pinned.facts.items() for text in one)


def test_the_same_question_has_the_same_answer(make: Make) -> None:
    pin = make()
    assert pin.wanted(LINUX) == pin.wanted(LINUX)


@pytest.mark.parametrize("downgrade", [False, True])
def test_a_downgrade_is_allowed_only_where_it_was_said(make: Make, downgrade: bool) -> None:
    assert ordered(make(downgrade=downgrade)).allow_downgrade is downgrade


def test_no_secret_is_in_what_it_tells(make: Make) -> None:
    pin = make()
    told = repr(pin.wanted(LINUX)) + repr(pin) + repr(vars(pin))
    assert TOKEN not in told
    assert HAWKBIT_TOKEN not in told
