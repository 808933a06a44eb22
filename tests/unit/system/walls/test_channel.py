"""Frames between two ends that trust each other in nothing."""

import socket
import struct
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from pawld.system.walls import BrokenChannelError, Channel
from pawld.system.walls.channel import LONGEST, document_of

SHORT = timedelta(milliseconds=20)


@pytest.fixture
def ends() -> Iterator[tuple[Channel, Channel]]:
    one, other = (Channel(end, timedelta(seconds=20)) for end in socket.socketpair())
    yield one, other
    one.close()
    other.close()


def test_what_is_put_comes_in_order_once_it_is_sent(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    one.put(b"a")
    one.tell(b"b", {"name": "bin/\udcff"})
    one.send(b"c", b"end")
    assert other.receive() == (b"a", b"")
    kind, content = other.receive()
    assert (kind, document_of(content)) == (b"b", {"name": "bin/\udcff"})
    assert other.receive() == (b"c", b"end")


def test_large_and_small_frames_go_through_whatever_the_sockets_hold(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    frames = [bytes([number]) * size for number, size in enumerate((0, 1, 70_000, LONGEST, 3, 300_000, 1))]

    def say() -> None:
        for frame in frames:
            one.put(b"d", frame)
        one.flush()

    sender = threading.Thread(target=say)
    sender.start()
    assert [bytes(other.receive()[1]) for _ in frames] == frames
    sender.join()


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "ended before its time"),
        (b"d\0\0", "ended before its time"),
        (struct.pack(">cI", b"d", 9) + b"short", "ended before its time"),
        (struct.pack(">cI", b"d", LONGEST + 1), f"a frame of {LONGEST + 1} bytes"),
    ],
)
def test_a_talk_that_breaks_off_is_told(ends: tuple[Channel, Channel], raw: bytes, words: str) -> None:
    one, other = ends
    one.connection.sendall(raw)
    one.close()
    with pytest.raises(BrokenChannelError, match=words):
        other.receive()


def test_silence_is_borne_as_long_as_it_is_excused(ends: tuple[Channel, Channel]) -> None:
    _, other = ends
    excuses = [True, True, False]
    other.wait_for(SHORT, lambda: excuses.pop(0))
    with pytest.raises(BrokenChannelError, match="silent"):
        other.receive()
    assert excuses == []


def test_one_who_takes_nothing_is_waited_for_no_longer_than_one_who_says_nothing(
    ends: tuple[Channel, Channel],
) -> None:
    one, _ = ends
    one.wait_for(SHORT)
    with pytest.raises(BrokenChannelError, match="took nothing"):
        one.send(b"d", bytes(LONGEST))


def test_speaking_to_one_who_left_is_told(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    other.close()
    with pytest.raises(BrokenChannelError, match="went away"):
        one.send(b"d")


def test_a_reset_is_told(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    one.send(b"d", b"unread")
    other.close()  # with something unread, which resets the connection
    with pytest.raises(BrokenChannelError, match=r"went away|ended"):
        one.receive()


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 100_000])
def test_what_is_no_document_is_told(content: bytes) -> None:
    with pytest.raises(BrokenChannelError, match="no value"):
        document_of(memoryview(content))
