"""What the publisher signs, the host's own trust engine and source understand, through a whole life of releases."""

import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from support.publishing import LINUX, StillClock, founded, incoming, served, take_in, tar_gz

from pawld.errors import RejectedError
from pawld.install.archive import Limits, unpack
from pawld.model import Question, Record, Unpacked
from pawld.publish.ingest import ingest
from pawld.publish.publication import publish
from pawld.publish.publisher import Publisher
from pawld.publish.records import current
from pawld.publish.release import Conditions
from pawld.publish.rotate import rotate
from pawld.publish.withdraw import withdraw
from pawld.reasons import Reason
from pawld.sources.tuf import TufSource
from pawld.system.http import Web
from pawld.trust.tuf import TufEngine

STABLE = Question("acme-agent", "stable", LINUX)
PIN = Question("acme-agent", "stable", LINUX, version="1.0.0", pinned=True)


def engine(publisher: Publisher, url: str, web: Web, cache: Path) -> TufEngine:
    root = (publisher.layout.metadata / "1.root.json").read_bytes()
    return TufEngine(f"{url}/metadata", root, cache, web=web, clock=StillClock())


def told(trust: TufEngine, question: Question) -> Record:
    record = trust.state(question).record
    assert isinstance(record, Record)
    return record


def test_a_host_follows_releases_pins_withdrawals_and_rotations(tmp_path: Path) -> None:
    publisher = founded(tmp_path / "home", guarded=True)
    take_in(publisher, "1.0.0")
    with served(publisher.layout.public) as url, Web() as web:
        trust = engine(publisher, url, web, tmp_path / "cache")
        assert told(trust, STABLE).version == "1.0.0"
        take_in(publisher, "1.1.0", conditions=Conditions(security_floor="1.0.0"))
        assert (told(trust, STABLE).version, told(trust, STABLE).sequence) == ("1.1.0", 2)
        assert told(trust, PIN).version == "1.0.0"
        withdraw(publisher, "acme-agent", "1.0.0")
        publish(publisher)
        assert told(trust, PIN).withdrawn == ("1.0.0",)
        for role in ("root", "targets", "stable", "snapshot", "timestamp"):
            rotate(publisher, role, [publisher.keyring.named(f"{role}-1")], [publisher.keyring.new(role)])
            publish(publisher)
            assert told(trust, STABLE).version == "1.1.0"


class _Silent:
    """Progress that nobody watches."""

    def start(self, step: str, total: int, done: int = 0) -> None: ...

    def advance(self, count: int) -> None: ...

    def finish(self) -> None: ...


def with_folders(files: dict[str, bytes]) -> bytes:
    """Return a tar with members for the folders too, as GNU tar makes them."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.type, member.size, member.mode = (tarfile.REGTYPE, len(data), 0o755)
            if name.endswith("/"):
                member.type = tarfile.DIRTYPE
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            if name.endswith("/"):
                archive.mkdir(name)
            else:
                archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("form", "pack"),
    [
        ("tar.gz", lambda files: gzip.compress(with_folders(files))),
        ("tar.xz", lambda files: lzma.compress(with_folders(files), preset=1)),
        ("tar.zst", lambda files: zstandard.compress(with_folders(files))),
        ("zip", zipped),
    ],
)
def test_the_hosts_strict_reader_unpacks_exactly_what_the_publisher_measured(
    tmp_path: Path, form: str, pack: Callable[[dict[str, bytes]], bytes]
) -> None:
    data = pack({"bin/": b"", "bin/acme": b"x" * 5000, "share/": b"", "share/empty": b"", "share/a": b"abc"})
    publisher = founded(tmp_path / "home")
    record = ingest(publisher, incoming("1.0.0", filename=f"acme.{form}"), [data], "stable")
    assert record.unpacked == Unpacked(5003, 3)
    (tmp_path / "slot").mkdir(mode=0o700)
    written = unpack(io.BytesIO(data), record.format, tmp_path / "slot", Limits.of(record.unpacked), _Silent())
    assert written.totals == record.unpacked


def test_the_source_locates_the_bytes_where_the_publisher_put_them(tmp_path: Path) -> None:
    publisher = founded(tmp_path / "home")
    take_in(publisher, "1.0.0")
    record = current(publisher, "acme-agent", "stable", LINUX)
    assert record is not None
    with served(publisher.layout.public) as url, Web() as web:
        locations = TufSource(f"{url}/targets").locate(record)
        assert not hasattr(locations, "message")
        with web.get(next(iter(locations))) as answer:
            assert b"".join(answer.blocks()) == tar_gz("1.0.0")


def test_a_host_stops_at_what_its_publisher_forgot_to_refresh(tmp_path: Path) -> None:
    clock = StillClock()
    clock.at = clock.at.replace(year=clock.at.year - 1)
    publisher = founded(tmp_path / "home", clock=clock)
    with served(publisher.layout.public) as url, Web() as web, pytest.raises(RejectedError) as caught:
        engine(publisher, url, web, tmp_path / "cache").state(STABLE)
    assert caught.value.reason is Reason.METADATA_FROZEN
