"""A client without a network answers from a shelf, and for everything else says that it asks nobody."""

from collections.abc import Iterator
from typing import ClassVar

import pytest
from support.wall_threads import Threads

from pawld.errors import TransientError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.http import OfflineWeb, Web
from pawld.system.http.walled import WalledWeb

BASE = "https://updates.example.com/metadata"


class Cupboard:
    files: ClassVar = {"metadata/timestamp.json": b"{}", "metadata/a/b": b"deep", "metadata/1.0+b1": b"+"}

    def size(self, name: str) -> int | None:
        return len(self.files[name]) if name in self.files else None

    def blocks(self, name: str) -> Iterator[bytes]:
        yield self.files[name]


@pytest.fixture
def web() -> OfflineWeb:
    return OfflineWeb(Cupboard(), {BASE: "metadata"}, "the bundle acme.tar", Web())


def test_a_document_is_read_by_whoever_reads_what_comes_from_a_network() -> None:
    walls = Threads()
    with WalledWeb(walls) as reader:  # type: ignore[arg-type]  # of the same form
        web = OfflineWeb(Cupboard(), {BASE: "metadata"}, "the bundle acme.tar", reader)
        assert web.reads_apart
        assert web.fetch(Location(f"{BASE}/timestamp.json")).document == {}
        assert len(walls.started) == 1
    assert not OfflineWeb(Cupboard(), {}, "none", Web()).reads_apart


@pytest.mark.parametrize(("name", "data"), [("timestamp.json", b"{}"), ("a/b", b"deep"), ("1.0%2Bb1", b"+")])
def test_what_lies_there_is_answered_whole(web: OfflineWeb, name: str, data: bytes) -> None:
    with web.get(Location(f"{BASE}/{name}"), headers={"Range": "bytes=1-"}) as answer:
        assert (answer.status, answer.headers["content-length"]) == (200, str(len(data)))
        assert answer.whole(100) == data


def test_it_says_what_it_holds(web: OfflineWeb) -> None:
    assert [web.holds(url) for url in (f"{BASE}/a/b", f"{BASE}/c", "https://elsewhere.example/a/b")] == [
        True,
        False,
        False,
    ]


def test_what_does_not_lie_there_is_a_404(web: OfflineWeb) -> None:
    with web.get(Location(f"{BASE}/2.root.json")) as answer:
        assert answer.status == 404
        assert answer.whole(100) == b""


@pytest.mark.parametrize("url", ["https://elsewhere.example/metadata/x", "https://updates.example.com/other", BASE])
def test_every_other_address_is_asked_by_nobody(web: OfflineWeb, url: str) -> None:
    with pytest.raises(TransientError) as caught, web.get(Location(url)):
        pass
    assert caught.value.reason is Reason.UNREACHABLE
    assert "goes by the bundle acme.tar alone" in caught.value.message
    with pytest.raises(TransientError):
        web.call("POST", url)
