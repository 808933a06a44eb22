"""Every attack against a whole host: refused for its reason, nothing outside the slots, the agent still at work.

The updater, its configuration, the servers and the agent are real. The host is one for all of them: what an attack
leaves behind would be seen by the next.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count

import pytest
from support.besieged import Besieged, packed, tarred
from support.moving import cut_after, serving
from support.raw_server import Asked, Handler, Wire
from support.tuf_repository import new_key, soon

from pawld.demo.program import Release
from pawld.lifecycle.high_water import HighWater
from pawld.reasons import Reason

Attack = Callable[[Besieged, str], None]
ATTACKS: dict[str, tuple[Attack, set[Reason]]] = {}
VERSIONS = (f"2.0.{number}" for number in count())


def attack(name: str, *reasons: Reason) -> Callable[[Attack], Attack]:
    def keep(act: Attack) -> Attack:
        ATTACKS[name] = (act, set(reasons))
        return act

    return keep


def content(name: str, answer: Callable[[bytes], Handler], *reasons: Reason) -> None:
    """Register an attack by whoever holds the host that the vendor redirects to."""

    def act(host: Besieged, version: str) -> None:
        host.content = answer(host.offer(version))

    ATTACKS[name] = (act, set(reasons))


def endless(data: bytes) -> Handler:
    def answer(asked: Asked, wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\n\r\n" + data)
        while True:
            wire.send(b"\0" * 65536)

    return answer


def headers(lines: str) -> Callable[[bytes], Handler]:
    def answering(data: bytes) -> Handler:
        def answer(asked: Asked, wire: Wire) -> None:
            wire.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n{lines}\r\n".encode() + data)

        return answer

    return answering


def dripping(data: bytes) -> Handler:
    def answer(asked: Asked, wire: Wire) -> None:
        wire.send(f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode())
        wire.drip(0.2)

    return answer


def redirecting(location: str) -> Callable[[bytes], Handler]:
    return lambda _: lambda _, wire: wire.redirect(location)


content("one changed byte", lambda data: serving(data[:-9] + b"!" + data[-8:]), Reason.DIGEST_MISMATCH)
content("other bytes of the same length", lambda data: serving(bytes(len(data))), Reason.DIGEST_MISMATCH)
content("a longer build", lambda data: serving(data + b"more"), Reason.LENGTH_MISMATCH)
content("a shorter build", lambda data: serving(data[:-4]), Reason.LENGTH_MISMATCH)
content("endless data", endless, Reason.LENGTH_MISMATCH)
content("a body that is always cut", lambda data: cut_after(data, 100, etag=None), Reason.TRANSFER_CUT)
content("a slow drip", dripping, Reason.TRANSFER_STALLED)
content("silence", lambda _: lambda _, wire: wire.wait_for_the_end(), Reason.TIMED_OUT)
content("an encoded body", headers("Content-Encoding: gzip\r\n"), Reason.ENCODING_REFUSED)
content("a flood of headers", headers("X: y\r\n" * 100_000), Reason.ANSWER_NOT_UNDERSTOOD)
content("a way to a cloud's metadata", redirecting("http://169.254.169.254/latest/"), Reason.REDIRECT_REFUSED)
content("a way to plain http", redirecting("http://198.51.100.7/agent"), Reason.REDIRECT_REFUSED)
content("a way to a file", redirecting("file:///etc/passwd"), Reason.REDIRECT_REFUSED)
content("a way with a password", redirecting("https://a:b@198.51.100.7/"), Reason.REDIRECT_REFUSED)
content("a way with a tab in it", redirecting("https://198.51.100.7/\ta"), Reason.REDIRECT_REFUSED)
content("a way in a circle", redirecting("/again"), Reason.REDIRECT_LOOP)


def signed(name: str, reason: Reason, **said: object) -> None:
    """Register an attack by somebody who holds the signing key, or deceived whoever does: the record is the weapon."""

    def act(host: Besieged, version: str) -> None:
        host.offer(version, **said)

    ATTACKS[name] = (act, {reason})


signed("another product's record", Reason.RECORD_MISMATCH, product="other")
signed("another channel's record", Reason.RECORD_MISMATCH, channel="beta")
signed("another platform's record", Reason.RECORD_MISMATCH, platform="macos")
signed("a record of a later schema", Reason.RECORD_INVALID, schema=2)
signed("a record with an unknown field", Reason.RECORD_INVALID, run_as="root")
signed("evidence that nobody can check", Reason.EVIDENCE_MISSING, evidence=[{"type": "oracle"}])
signed("an empty minisign evidence", Reason.EVIDENCE_MISSING, evidence=[{"type": "minisign"}])
signed("other totals than the archive's", Reason.ARCHIVE_REFUSED, unpacked={"bytes": 1, "files": 1})


@attack("an older release, signed anew", Reason.DOWNGRADE_REFUSED, Reason.ROLLBACK_SUSPECTED)
def older_release(host: Besieged, version: str) -> None:
    host.sequence -= 2
    host.offer("0.9.0")
    host.sequence += 2


@attack("a version that was withdrawn", Reason.BUILD_WITHDRAWN)
def withdrawn(host: Besieged, version: str) -> None:
    host.offer(version, revoked=[version])


@attack("a version below the security floor", Reason.BELOW_SECURITY_FLOOR)
def below_the_floor(host: Besieged, version: str) -> None:
    host.offer(version, security_floor="9.0.0")


def archive(name: str, *members: tuple[str, bytes, dict[str, object]], reason: Reason = Reason.ARCHIVE_REFUSED) -> None:
    """Register an archive that is signed and hostile."""

    def act(host: Besieged, version: str) -> None:
        agent = ("bin/acme-agent", b"#!/bin/sh\n", {"mode": 0o755})
        mark = ("share/version", version.encode(), {})
        host.offer(version, tarred(agent, mark, *members), filename=f"acme-{version}.tar.gz")

    ATTACKS[f"an archive with {name}"] = (act, {reason})


archive("a way up", ("../../../canary", b"evil", {}))
archive("a long way up", ("bin/../../../../canary", b"evil", {}))
archive("an absolute path", ("/tmp/pawld-canary", b"evil", {}))
archive("a backslash", ("..\\..\\canary", b"evil", {}))
archive("a link to the outside", ("out", b"", {"type": b"2", "linkname": "../../.."}), ("out/canary", b"evil", {}))
archive("a hard link", ("passwd", b"", {"type": b"1", "linkname": "/etc/passwd"}))
archive("a device", ("null", b"", {"type": b"3"}))
archive("a fifo", ("fifo", b"", {"type": b"6"}))
archive("case twins", ("A", b"1", {}), ("a", b"2", {}))
archive("the slot's manifest", (".pawld-slot.json", b"{}", {}))
archive("a bomb", ("bomb", bytes(64 * 1024 * 1024), {}))
archive(
    "a program for another machine",
    ("bin/x", b"\x7fELF\x02\x01\x01" + bytes(9) + b"\2\0\xf3\0" + bytes(44), {"mode": 0o755}),
    reason=Reason.WRONG_EXECUTABLE,
)


@attack("an older version named by the API", Reason.SOURCE_DISAGREES)
def steered(host: Besieged, version: str) -> None:
    host.offer(version)
    host.vendor.publish("1.0.0", "acme-1.0.0.tar.zst", b"old")


@attack("another digest named by the API", Reason.SOURCE_DISAGREES)
def other_digest(host: Besieged, version: str) -> None:
    host.offer(version)
    host.vendor.lies = {"sha256": "0" * 64}


@attack("a build uploaded anew under the same URL", Reason.DIGEST_MISMATCH, Reason.LENGTH_MISMATCH)
def uploaded_anew(host: Besieged, version: str) -> None:
    host.offer(version)
    host.content = serving(packed(Release(version, healthy=False)))


@attack("metadata signed by a stranger", Reason.THRESHOLD_NOT_MET)
def stranger(host: Besieged, version: str) -> None:
    host.offer(version)
    repository = host.repository
    repository.targets.version += 1
    repository.write("targets", repository.targets, [new_key()])
    repository.snapshot.meta["targets.json"].version = repository.targets.version
    repository.publish_snapshot()


@attack("metadata of last week", Reason.ROLLBACK_SUSPECTED)
def last_week(host: Besieged, version: str) -> None:
    old = host.repository.frozen()
    host.offer(version)
    host.content = silent_about(host)
    host.update()
    host.web.files = old


@attack("metadata of last week, and an empty cache", Reason.ROLLBACK_SUSPECTED)
def last_week_without_cache(host: Besieged, version: str) -> None:
    last_week(host, version)
    for one in (host.home / "state" / "tuf" / "acme").glob("*.json"):
        one.unlink()


@attack("documents of two moments", Reason.ROLLBACK_SUSPECTED, Reason.METADATA_UNTRUSTED)
def mixed(host: Besieged, version: str) -> None:
    old = host.repository.files[f"{host.repository.snapshot.version}.snapshot.json"]
    host.offer(version)
    host.repository.files[f"{host.repository.snapshot.version}.snapshot.json"] = old


@attack("a frozen timestamp", Reason.METADATA_FROZEN)
def frozen(host: Besieged, version: str) -> None:
    host.repository.timestamp.expires = soon(-1)
    host.offer(version)


@attack("endless metadata", Reason.METADATA_UNTRUSTED)
def endless_metadata(host: Besieged, version: str) -> None:
    host.offer(version)
    host.repository.files["timestamp.json"] = b" " * 1_000_000


@attack("a clock set back a year", Reason.CLOCK_SUSPECT)
def clock_back(host: Besieged, version: str) -> None:
    host.offer(version)
    with host.opened() as opened:
        marks = HighWater(opened.database, host.home / "state" / "marks.json")
        marks.raise_to("acme", "clock.floor", int(soon(365).timestamp()))


@attack("a download that is a link", Reason.PERMISSION_DENIED)
def planted_link(host: Besieged, version: str) -> None:
    host.offer(version)
    found = host.repository.targets.targets[host.target].hashes["sha256"]
    (host.root / ".pawld" / f"{found}.unverified").symlink_to(host.home.parent / "canary")


@attack("a release whose agent is sick", Reason.ROLLED_BACK)
def sick(host: Besieged, version: str) -> None:
    host.offer(version, packed(Release(version, healthy=False)))


@attack("a release that says it runs, and cannot be stopped", Reason.ROLLED_BACK)
def liar(host: Besieged, version: str) -> None:
    data = tarred(("bin/acme-agent", f"# {version} does nothing, and calls that a success\n".encode(), {"mode": 0o755}))
    host.offer(version, data, filename=f"acme-{version}.tar.gz")


@attack("a release whose agent does not start", Reason.ROLLED_BACK)
def stillborn(host: Besieged, version: str) -> None:
    data = tarred(("bin/acme-agent", f"raise SystemExit('{version}')\n".encode(), {"mode": 0o755}))
    host.offer(version, data, filename=f"acme-{version}.tar.gz")


def silent_about(host: Besieged) -> Handler:
    return lambda _, wire: wire.answer(503)


@contextmanager
def peace(host: Besieged) -> Iterator[None]:
    """Whatever the attack bent is straight again afterwards, but not what the host learned from it."""
    files = host.web.files
    try:
        yield
    finally:
        host.web.files, host.vendor.lies = files, {}
        host.repository.timestamp.expires = soon(3)
        for one in (host.root / ".pawld").iterdir():
            one.unlink()
        with host.opened() as opened:
            HighWater(opened.database, host.home / "state" / "marks.json").forget("acme", "clock.floor")


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_and_the_agent_works_on(name: str, host: Besieged) -> None:
    act, reasons = ATTACKS[name]
    slots, elsewhere = host.slots(), host.elsewhere()
    with peace(host):
        act(host, next(VERSIONS))

        outcome = host.update()

        assert outcome.reason in reasons, outcome
        assert host.answer == "acme-agent 1.0.0"
        assert host.elsewhere() == elsewhere
        assert (host.home.parent / "canary").read_text() == "nobody writes here"
        installed = (host.root / "current").readlink().name
        assert host.slots()[installed] == slots[installed]
        if outcome.reason is not Reason.ROLLED_BACK:
            assert host.slots() == slots


@pytest.mark.parametrize("version", ["3.0.0"])
def test_an_honest_release_is_taken_after_all_of_it(version: str, host: Besieged) -> None:
    host.offer(version)

    assert host.update().reason is Reason.UPDATED

    assert host.answer == f"acme-agent {version}"
    assert host.unverified() == []
