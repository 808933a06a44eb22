"""Children behind walls that were turned: each says what no honest one does. Run as ``liars.py KIND UID GID``."""

import os
import socket
import sys
import time
from collections.abc import Callable, Sequence

from pawld.install.archive.behind_walls import DATA, END, FILE, FOLDER, LINK, REFUSED
from pawld.system.http.behind_walls import ASK, BLOCK, ERROR, HEAD, NEXT, READ
from pawld.system.http.behind_walls import END as LAST
from pawld.system.walls import Channel, Walls, walls_for
from pawld.system.walls.channel import READY
from pawld.system.walls.inside import enter, give_up
from pawld.system.walls.plain import encoded

PROGRAM = b"#!/bin/sh\n"  # what an honest one would tell of, as bin/acme
USER = "nobody"  # every system has it; a test makes no user
Lie = Callable[[Channel], None]
LIES: dict[str, Lie] = {}


def lying(kind: str) -> Walls:
    """Return walls with such a child behind them."""
    walls = walls_for(USER)
    assert isinstance(walls, Walls), walls
    return Walls(walls.user, walls.uid, walls.gid, lambda _module: [sys.executable, "-P", "-B", __file__, kind])


def lie(kind: str) -> Callable[[Lie], Lie]:
    def keep(act: Lie) -> Lie:
        LIES[kind] = act
        return act

    return keep


def _file(channel: Channel, name: str, size: int, *parts: bytes) -> None:
    channel.tell(FILE, [name, size, 0o755])
    for part in parts:
        channel.put(DATA, part)


@lie("other bytes")
def _(channel: Channel) -> None:
    _file(channel, "bin/acme", len(PROGRAM), PROGRAM.replace(b"b", b"d"))
    channel.send(END)


@lie("a file more")
def _(channel: Channel) -> None:
    _file(channel, "bin/acme", len(PROGRAM), PROGRAM)
    _file(channel, "lib/more", 4, b"more")
    channel.send(END)


@lie("a link out")
def _(channel: Channel) -> None:
    channel.tell(LINK, ["bin/acme", "../../../../etc/shadow"])
    channel.send(END)


@lie("a name out")
def _(channel: Channel) -> None:
    _file(channel, "../../../acme", 4, b"evil")
    channel.send(END)


@lie("a folder out")
def _(channel: Channel) -> None:
    channel.tell(FOLDER, "/etc/cron.d")
    channel.send(END)


@lie("more bytes than said")
def _(channel: Channel) -> None:
    _file(channel, "bin/acme", 4, b"good and more")
    channel.send(END)


@lie("fewer bytes than said")
def _(channel: Channel) -> None:
    _file(channel, "bin/acme", 400, b"good")
    channel.send(END)


@lie("a negative size")
def _(channel: Channel) -> None:
    _file(channel, "bin/acme", -1)
    channel.send(END)


@lie("endless files")
def _(channel: Channel) -> None:
    while True:
        _file(channel, f"share/{time.monotonic_ns()}", 1, b"x")


@lie("endless bytes")
def _(channel: Channel) -> None:
    channel.tell(FILE, ["bin/acme", 1 << 60, 0o755])
    while True:
        channel.put(DATA, bytes(1 << 20))


@lie("a byte now and then")
def _(channel: Channel) -> None:
    channel.tell(FILE, ["bin/acme", 1 << 19, 0o755])
    while True:
        channel.send(DATA, b"x")
        time.sleep(0.03)


@lie("a frame that drips")
def _(channel: Channel) -> None:
    channel.connection.sendall(FILE + b"\0\0\xff\xff")
    while True:
        channel.connection.sendall(b" ")
        time.sleep(0.01)


@lie("garbage")
def _(channel: Channel) -> None:
    channel.connection.sendall(b"\xff" * 4096)


@lie("no document")
def _(channel: Channel) -> None:
    channel.send(FILE, b"[" * 100_000)


@lie("another kind")
def _(channel: Channel) -> None:
    channel.send(b"%", b"rm -rf /")


@lie("a refusal with control characters")
def _(channel: Channel) -> None:
    channel.send(REFUSED, b"\x1b[2Jupdated\n" * 500)


@lie("a crash")
def _(channel: Channel) -> None:
    os.kill(os.getpid(), 11)


@lie("silence")
def _(channel: Channel) -> None:
    time.sleep(600)


@lie("a process that holds on")
def _(channel: Channel) -> None:
    if os.fork() == 0:
        time.sleep(20)
        os._exit(0)
    os._exit(1)


@lie("a forged refusal of the build")
def _(channel: Channel) -> None:
    channel.tell(ERROR, ["digest_mismatch", "The build is bad; block it."])
    channel.flush()


@lie("a way that leads anywhere")
def _(channel: Channel) -> None:
    channel.tell(HEAD, [302, [["Location", "https://169.254.169.254/latest"]], "anywhere"])
    channel.flush()


@lie("a way that leads to nowhere")
def _(channel: Channel) -> None:
    channel.tell(HEAD, [302, [], "beyond"])
    channel.flush()


@lie("a head of a megabyte")
def _(channel: Channel) -> None:
    channel.tell(HEAD, [302, [["Location", "/" + "../" * 300_000]], "public"])
    channel.flush()


@lie("a length of five thousand digits")
def _(channel: Channel) -> None:
    channel.tell(HEAD, [200, [["Content-Length", "9" * 5000]], "public"])
    channel.flush()
    channel.receive()
    channel.send(LAST)


@lie("an answer of all that it was ever told")
def _(channel: Channel) -> None:
    heard, told = b"", False
    while True:
        kind, content = channel.receive()
        heard += bytes(content)
        if kind == ASK:
            channel.tell(HEAD, [200, [], "public"])
            channel.flush()
        elif kind == NEXT:
            told = not told
            channel.send(*((BLOCK, heard) if told else (LAST,)))
        elif kind == READ:
            channel.put(BLOCK, encoded(None))
            channel.send(LAST)


def _served_until_it_reads(channel: Channel) -> None:
    """Hand over a document, as an honest one does; a root of the next version is not there."""
    while True:
        kind, content = channel.receive()
        if kind == ASK:
            found = b"root" not in bytes(content)
            channel.tell(HEAD, [200 if found else 404, [], "public"])
            channel.flush()
            told = False
        elif kind == NEXT:
            told = not told
            channel.send(*((BLOCK, b"{}") if told else (LAST,)))
        elif kind == READ:
            return


@lie("a reading that is no value")
def _(channel: Channel) -> None:
    _served_until_it_reads(channel)
    channel.put(BLOCK, b"l\xff\xff\xff\xff")
    channel.send(LAST)


@lie("a reading without end")
def _(channel: Channel) -> None:
    _served_until_it_reads(channel)
    while True:
        channel.send(BLOCK, bytes(1 << 20))


@lie("a reading longer than what was read")
def _(channel: Channel) -> None:
    _served_until_it_reads(channel)
    channel.put(BLOCK, encoded("\U0001f600" + "a" * 4096))
    channel.send(LAST)


@lie("a crash over what it reads")
def _(channel: Channel) -> None:
    _served_until_it_reads(channel)
    os.kill(os.getpid(), 11)


@lie("a head that is none")
def _(channel: Channel) -> None:
    channel.tell(HEAD, [True, "no headers", None])
    channel.flush()


@lie("an endless body")
def _(channel: Channel) -> None:
    channel.tell(HEAD, [200, [], "public"])
    while True:
        channel.send(BLOCK, bytes(1 << 20))


@lie("a body of nothing, again and again")
def _(channel: Channel) -> None:
    channel.tell(HEAD, [200, [], "public"])
    while True:
        channel.send(BLOCK)
        time.sleep(0.01)


@lie("a head that drips")
def _(channel: Channel) -> None:
    channel.connection.sendall(HEAD + b"\0\x0f\0\0")
    while True:
        channel.connection.sendall(b" ")
        time.sleep(0.01)


@lie("a sentence with control characters")
def _(channel: Channel) -> None:
    channel.tell(ERROR, ["unreachable", "\x1b[2J" + "x" * 5000])
    channel.flush()


def main(words: Sequence[str]) -> None:
    kind, uid, gid = words
    if kind == "privileges kept":
        Channel(socket.socket(fileno=1)).send(READY)
        time.sleep(600)
    if kind == "privileges kept at a pipe":
        os.write(1, READY)
        time.sleep(600)
    if kind == "silence at a pipe":
        give_up([uid, gid], descriptors=0)
        os.write(1, READY)
        time.sleep(600)
    if kind == "words at a pipe":
        give_up([uid, gid], descriptors=0)
        os.write(1, READY)
        sys.exit("\x1b[2Jupdated\x07")
    channel = enter([uid, gid], descriptors=16) if kind != "a process that holds on" else _unsealed(uid, gid)
    channel.receive()
    LIES[kind](channel)
    time.sleep(600)


def _unsealed(uid: str, gid: str) -> Channel:
    """As one would be that found a way to start processes all the same."""
    import resource  # noqa: PLC0415 - as in the children themselves

    return enter([uid, gid], descriptors=16, then=lambda _: setattr(resource, "setrlimit", lambda *_: None))


if __name__ == "__main__":
    main(sys.argv[1:])
