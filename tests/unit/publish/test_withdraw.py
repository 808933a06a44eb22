"""A version that is taken back, and a floor that rises, are told on every channel and in the archive."""

from typing import TYPE_CHECKING

import pytest
from support.publishing import take_in

from pawld.errors import OperatorError
from pawld.formats.record import read_custom
from pawld.model import Record
from pawld.publish.publication import publish
from pawld.publish.release import promote
from pawld.publish.withdraw import raise_floor, withdraw
from pawld.reasons import Reason

if TYPE_CHECKING:
    from conftest import Site


def seen(site: "Site", target: str) -> Record:
    found = site.client().ask(f"acme-agent/{target}/linux-x86_64")
    assert found is not None
    return read_custom(found.custom, found.length, found.hashes["sha256"])


def test_hosts_hear_of_a_withdrawn_version_everywhere(site: "Site") -> None:
    take_in(site.publisher, "1.0.0")
    take_in(site.publisher, "1.1.0")
    take_in(site.publisher, "1.2.0", "beta")
    publisher = site.publisher
    withdraw(publisher, "acme-agent", "1.1.0")
    publish(publisher)
    for target in ("stable", "beta", "archive/1.1.0", "archive/1.0.0"):
        assert seen(site, target).withdrawn == ("1.1.0",)
    assert seen(site, "stable").sequence == 2


def test_a_withdrawn_version_is_remembered_and_never_promoted_again(site: "Site") -> None:
    take_in(site.publisher, "1.0.0")
    take_in(site.publisher, "1.1.0", "beta")
    publisher = site.publisher
    withdraw(publisher, "acme-agent", "1.1.0")
    publish(publisher)
    with pytest.raises(OperatorError, match="withdrawn") as caught:
        promote(site.publisher, "acme-agent", "1.1.0", "stable")
    assert caught.value.reason is Reason.USAGE
    take_in(site.publisher, "1.2.0")
    assert seen(site, "stable").withdrawn == ("1.1.0",)
    assert withdraw(site.publisher, "acme-agent", "1.1.0") == []


def test_an_unknown_version_cannot_be_withdrawn(site: "Site") -> None:
    with pytest.raises(OperatorError) as caught:
        withdraw(site.publisher, "acme-agent", "9.9.9")
    assert caught.value.reason is Reason.USAGE


def test_a_floor_reaches_pins_but_not_a_channel_that_lies_below_it(site: "Site") -> None:
    take_in(site.publisher, "1.0.0", "beta")
    take_in(site.publisher, "1.1.0")
    take_in(site.publisher, "1.2.0")
    publisher = site.publisher
    raise_floor(publisher, "acme-agent", "1.2.0")
    publish(publisher)
    assert [seen(site, one).security_floor for one in ("stable", "archive/1.1.0", "beta")] == ["1.2.0", "1.2.0", None]
    assert raise_floor(site.publisher, "acme-agent", "1.1.0") == []
