from pathlib import Path

import pytest
from support.records import build_record
from support.vendors import secret

from pawld.errors import OperatorError
from pawld.model import Location, Offer, Platform
from pawld.reasons import Reason
from pawld.sources.tuf import TufSource

BASE = "https://updates.example.com/targets"
SHA = "0f" * 32


def urls(source: TufSource, **changes: object) -> list[str]:
    places = source.locate(build_record(**changes))
    assert isinstance(places, list)
    return [one.url for one in places]


def test_the_bytes_lie_under_their_digest_in_the_channel_and_in_the_archive() -> None:
    assert urls(TufSource(BASE + "/")) == [
        f"{BASE}/acme/stable/{SHA}.linux-x86_64",
        f"{BASE}/acme/archive/1.8.3/{SHA}.linux-x86_64",
    ]


def test_the_places_that_the_record_lists_come_after() -> None:
    listed = Location("https://cdn.example.com/a", {}, ("cdn.example.com",))
    places = TufSource(BASE, final_hosts=["x.example"]).locate(build_record(locations=(listed,)))
    assert isinstance(places, list)
    assert places[-1] is listed
    assert places[0].final_hosts == ("x.example",)


def test_a_token_goes_to_the_repository_alone(tmp_path: Path) -> None:
    listed = Location("https://cdn.example.com/a")
    places = TufSource(BASE, token=secret(tmp_path, "t0ken")).locate(build_record(locations=(listed,)))
    assert isinstance(places, list)
    assert [dict(one.headers) for one in places] == [{"Authorization": "Bearer t0ken"}] * 2 + [{}]


def test_the_target_may_be_another_path() -> None:
    source = TufSource(BASE, target="/{os}/{arch}/agent", archive="flat")
    assert urls(source) == [f"{BASE}/linux/x86_64/{SHA}.agent", f"{BASE}/{SHA}.flat"]


def test_a_version_cannot_leave_its_place_in_the_url() -> None:
    assert urls(TufSource(BASE), version="1.8.3?a=b#c")[1].endswith(f"/archive/1.8.3%3Fa%3Db%23c/{SHA}.linux-x86_64")


def test_it_offers_nothing_because_the_record_tells_all() -> None:
    assert TufSource(BASE).describe("stable", Platform("linux", "x86_64"), "1.8.3") == Offer()


@pytest.mark.parametrize(("url", "target"), [("http://updates.example.com", "x"), (BASE, "{secret}"), (BASE, "{0}")])
def test_a_wrong_configuration_is_said_at_once(url: str, target: str) -> None:
    with pytest.raises(OperatorError) as caught:
        TufSource(url, target=target)
    assert caught.value.reason is Reason.CONFIG_INVALID
