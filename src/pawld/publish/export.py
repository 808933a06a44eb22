"""One file for hosts behind an air gap: metadata and build of one channel and platform.

The bundle is an uncompressed tar with these members, in this order, and nothing else in it counts as trusted::

    pawld-bundle.json                 {"schema": 1, "product", "channel", "platform", "target", "length", "sha256"}
    metadata/1.root.json …            every root, ascending
    metadata/timestamp.json
    metadata/<N>.snapshot.json
    metadata/<N>.targets.json
    metadata/<N>.<channel>.json
    targets/<product>/<channel>/<sha256>.<platform>    the build

Below ``metadata`` and ``targets`` it is the repository itself, name by name, so a TUF client reads it as it would read
a web server, and the signatures and expiries in it are all the proof there is. The same repository state gives the
same bytes: names, sizes and contents only, no times, no owners.
"""

import io
import json
import tarfile
from pathlib import Path
from typing import IO

from pawld.errors import OperatorError
from pawld.model import Platform, Record
from pawld.publish.publisher import Publisher
from pawld.publish.records import read
from pawld.publish.roles import SNAPSHOT, TARGETS, path_of
from pawld.reasons import Reason
from pawld.system.faults import host_faults
from pawld.system.files import fsync, fsync_directory


def export(publisher: Publisher, product: str, channel: str, platform: Platform, to: Path) -> Record:
    """Write the bundle to *to*, whole or not at all, and return the record of the build in it.

    Raises:
        OperatorError: usage where the channel names no build for the platform, or its bytes are not kept here.
    """
    record = _published(publisher, product, channel, platform)
    build = publisher.layout.blob(record.sha256)
    if not build.exists():
        raise OperatorError(
            Reason.USAGE,
            f"The bytes of {record.version} for {platform} are not kept here; ingest them without --no-copy.",
        )
    staged = to.with_name(f".{to.name}.new")
    with host_faults("Writing the bundle"):
        with staged.open("wb") as file:
            _write(publisher, record, build, file)
            file.flush()
            fsync(file.fileno())
        staged.replace(to)
        fsync_directory(to.absolute().parent)
    return record


def _published(publisher: Publisher, product: str, channel: str, platform: Platform) -> Record:
    metadata = publisher.latest_published(publisher.plan.channel(channel))
    target = metadata.signed.targets.get(path_of(product, channel, platform))
    if target is None:
        raise OperatorError(Reason.USAGE, f"Channel {channel} names no build of {product} for {platform}.")
    return read(target)


def _write(publisher: Publisher, record: Record, build: Path, file: IO[bytes]) -> None:
    target = path_of(record.product, record.channel, record.platform)
    public = publisher.layout.public
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as bundle:
        _add(bundle, "pawld-bundle.json", _contents(record, target))
        for path in publisher.repository.files((SNAPSHOT, TARGETS, record.channel)):
            _add(bundle, path.relative_to(public).as_posix(), path.read_bytes())
        name = publisher.layout.target(target, record.sha256).relative_to(public).as_posix()
        with build.open("rb") as data:
            bundle.addfile(_member(name, record.length), data)


def _contents(record: Record, target: str) -> bytes:
    facts = {
        "schema": 1,
        "product": record.product,
        "channel": record.channel,
        "platform": record.platform.name,
        "target": target,
        "length": record.length,
        "sha256": record.sha256,
    }
    return json.dumps(facts, sort_keys=True).encode()


def _add(bundle: tarfile.TarFile, name: str, data: bytes) -> None:

    bundle.addfile(_member(name, len(data)), io.BytesIO(data))


def _member(name: str, size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member
