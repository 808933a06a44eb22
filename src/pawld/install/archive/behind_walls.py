"""The reader of archives as a child behind walls: a build comes in, its members go out in frames, and nothing else.

The build is its standard input. By then it may open nothing, start nothing and write to nothing but the one socket; so
whoever takes this reader over with an archive has won the right to say which members that archive holds, and has that
already: the bytes were proven to be the publisher's before they came here.
"""

import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, BinaryIO

from pawld.errors import RejectedError
from pawld.install.archive.ahead import Inflating
from pawld.install.archive.decompress import inflated, load
from pawld.install.archive.forward import Forward
from pawld.install.archive.limits import KiB, Limits, Links, refused
from pawld.install.archive.tar import read_tar
from pawld.install.archive.zip import read_zip
from pawld.model import Unpacked
from pawld.system.walls.channel import BrokenChannelError, Channel, document_of
from pawld.system.walls.inside import enter, leave

ASK, FOLDER, FILE, DATA, LINK, OTHER, END, REFUSED, FAILED = (bytes([one]) for one in b"?pfdloexh")
BLOCK = 256 * KiB  # bytes; a frame holds one
CPU = 3600  # seconds; whoever waits for it ends it sooner


class Relay:
    """Tells of the members instead of writing them; what is wrong with their names is for the other end to say."""

    def __init__(self, channel: Channel, limits: Limits) -> None:
        self.limits = limits
        self._channel = channel

    def folder(self, name: str) -> None:
        """Tell of it."""
        self._channel.tell(FOLDER, name)

    def file(self, name: str, size: int, mode: int, pieces: Iterable[memoryview]) -> None:
        """Tell of it, and send what it holds."""
        self._channel.tell(FILE, (name, size, mode))
        for piece in pieces:
            self._channel.put(DATA, piece)

    def link(self, name: str, target: str) -> None:
        """Tell of it."""
        self._channel.tell(LINK, (name, target))

    def count_other(self) -> None:
        """Tell that there was something."""
        self._channel.put(OTHER)


class _Blocks:
    """Inflates a block when it is asked for: the other process writes the one before meanwhile."""

    def __init__(self, source: Inflating) -> None:
        self._source = source
        self._block = memoryview(bytearray(BLOCK))

    def next(self, used: memoryview | None) -> memoryview:
        del used
        return self._block[: self._source.readinto(self._block)]


def serve(build: BinaryIO, channel: Channel) -> None:
    """Answer one request: tell of every member of *build*, then of its end or of what is wrong with it."""
    kind, content = channel.receive()
    if kind != ASK:
        raise BrokenChannelError("it was asked nothing")
    form, limits = request_of(document_of(content))
    try:
        _read(build, form, Relay(channel, limits))
    except RejectedError as error:
        channel.send(REFUSED, error.message.encode())
    except (OSError, MemoryError) as error:
        channel.send(FAILED, type(error).__name__.encode())
    else:
        channel.send(END)


def request(form: str, limits: Limits) -> list[Any]:
    """Return the request for an archive of this format under these limits."""
    stated = [limits.stated.bytes, limits.stated.files] if limits.stated else None
    caps = [limits.bytes, limits.files, limits.others, limits.ratio, limits.decoder_memory]
    return [form, caps, stated, limits.links.value]


def request_of(document: Any) -> tuple[str, Limits]:
    """Read a request back."""
    form, (most, files, others, ratio, memory), stated, links = document
    return form, Limits(most, files, others, ratio, Unpacked(*stated) if stated else None, Links(links), memory)


def _read(build: BinaryIO, form: str, relay: Relay) -> None:
    container, _, compression = form.partition(".")
    if container == "zip":
        read_zip(build, relay)
    elif container == "tar" and compression in ("gz", "zst", "xz"):
        read_tar(Forward(_Blocks(inflated(build, compression, relay.limits))), relay)
    else:
        raise refused(f"There is no reader for builds in the format {form!r}.")


def main(words: Sequence[str]) -> None:
    """Load what it may need, go behind the walls, and serve."""
    load()
    channel = enter(words, descriptors=0, cpu=CPU)
    with suppress(BrokenChannelError):  # nobody is there who could be told
        serve(sys.stdin.buffer, channel)
    leave(0)


if __name__ == "__main__":
    main(sys.argv[1:])
