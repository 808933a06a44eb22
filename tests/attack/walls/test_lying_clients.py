"""An HTTP client that was turned: it can refuse service and hand over other bytes, and that is all."""

import time
from datetime import timedelta

import pytest
from pytest_httpserver import HTTPServer
from support.liars import USER, lying

from pawld.errors import PawldError, RejectedError, TransientError
from pawld.model import Location
from pawld.reasons import Reason
from pawld.system.http import Body, walled
from pawld.system.http.walled import WalledWeb
from pawld.system.walls import Walls, walls_for

pytestmark = pytest.mark.rig("root")

SHORT = timedelta(seconds=1)
PLACE = Location("https://updates.example.com/build", headers={"Authorization": "Bearer secret"})
BROKEN = {
    "a forged refusal of the build": "for a reason that no client has",
    "a way that leads to nowhere": "another form than it should",
    "a head that is none": "another form than it should",
    "a head of a megabyte": "longer than any it would read",
    "garbage": "announced a frame",
    "no document": "something else than it was asked",
    "a crash": "ended before its time",
    "silence": "silent for too long",
    "privileges kept": "it still has Uid 0 0 0 0",
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walled, "SLACK", timedelta(0))


def fetched(web: WalledWeb) -> None:
    with web.get(PLACE, deadline=SHORT) as answer:
        for _ in answer.blocks():
            pass


def caught(kind: str) -> PawldError:
    with WalledWeb(lying(kind), stall=SHORT) as web, pytest.raises(PawldError) as found:
        fetched(web)
    assert "secret" not in found.value.message
    return found.value


@pytest.mark.parametrize(("kind", "words"), BROKEN.items(), ids=BROKEN.keys())
def test_a_client_that_breaks_the_talk_is_ended_and_blames_no_build(kind: str, words: str) -> None:
    error = caught(kind)
    assert (type(error), error.reason) == (TransientError, Reason.READER_FAILED)
    assert words in error.message


def test_a_sentence_of_its_own_is_cut_and_cannot_move_the_cursor() -> None:
    error = caught("a sentence with control characters")
    assert error.reason is Reason.UNREACHABLE
    assert error.message.isprintable()
    assert len(error.message) <= 1000


def test_a_length_that_is_no_number_of_bytes_is_none() -> None:
    with WalledWeb(lying("a length of five thousand digits"), stall=SHORT) as web, web.get(PLACE) as answer:
        assert Body(answer).read_into(memoryview(bytearray(9))) == 0


def test_a_body_without_end_ends_at_the_deadline() -> None:
    begun = time.monotonic()
    error = caught("an endless body")
    assert error.reason is Reason.READER_FAILED
    assert "longer than it may" in error.message or "took nothing that it was sent" in error.message
    assert time.monotonic() - begun < 10


def test_a_reply_without_end_ends_at_its_limit() -> None:
    with WalledWeb(lying("an endless body"), stall=SHORT) as web, pytest.raises(TransientError) as found:
        web.call("GET", PLACE.url, limit=3 << 20, deadline=SHORT)
    assert found.value.reason is Reason.ANSWER_NOT_UNDERSTOOD
    assert "more than 3145728 bytes" in found.value.message


@pytest.mark.parametrize("kind", ["a body of nothing, again and again", "a head that drips"])
def test_one_that_is_never_silent_and_never_done_ends_at_the_deadline(kind: str) -> None:
    with WalledWeb(lying(kind), stall=SHORT) as web, pytest.raises(TransientError) as found:
        web.call("GET", PLACE.url, deadline=timedelta(seconds=0.3))
    assert found.value.reason is Reason.READER_FAILED
    assert "longer than it may" in found.value.message or "silent for too long" in found.value.message


OTHER = Location("https://other.example.com/metadata.json", headers={"Range": "bytes=0-"})


def test_one_that_another_origin_turned_never_hears_a_secret() -> None:
    """A child is turned by what it reads: so what it was told for one origin, no later answer may hold for another."""
    with WalledWeb(lying("an answer of all that it was ever told")) as web:
        said = b""
        for place in (OTHER, PLACE, OTHER, PLACE, OTHER):
            with web.get(place) as answer:
                heard = answer.whole(1 << 20)
            assert (b"secret" in heard) == (place is PLACE)
            assert (b"other.example.com" in heard) != (place is PLACE)
            said += heard
        assert said.count(b"other.example.com") > 3, "those without secrets share one"
        posted = web.call("POST", "https://third.example.com/", body=b"a password")
        signed = web.call("GET", "https://cdn.example.com/build?signature=1")
        for reply in (posted, signed):
            assert b"updates.example.com" not in reply.body
            assert b"other.example.com" not in reply.body


def first(kind: str, honest: Walls) -> Walls:
    """Return walls whose first child lies."""
    kinds = iter([kind])
    return Walls(
        honest.user,
        honest.uid,
        honest.gid,
        lambda one: lying(kind).command(one) if (kind := next(kinds, "")) else honest.command(one),
    )


def test_a_redirect_that_one_made_up_is_judged_and_asked_by_another() -> None:
    honest = walls_for(USER)
    assert isinstance(honest, Walls)
    with WalledWeb(first("a way that leads anywhere", honest)) as web, pytest.raises(RejectedError) as found:
        fetched(web)
    assert found.value.reason is Reason.REDIRECT_REFUSED
    assert "169.254.169.254" in found.value.message


def test_after_one_that_was_killed_the_next_request_gets_another(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/a").respond_with_data(b"a")
    honest = walls_for(USER)
    assert isinstance(honest, Walls)
    with WalledWeb(first("a crash", honest)) as web:
        with pytest.raises(TransientError):
            web.call("GET", httpserver.url_for("/a"))
        assert web.call("GET", httpserver.url_for("/a")).body == b"a"
