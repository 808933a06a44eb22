"""One file for hosts behind an air gap: metadata and build of one channel and platform.

The bundle is an uncompressed tar with these members, in this order, and nothing else in it counts as trusted::

    pawld-bundle.json                 {"schema": 1, "product", "channel", "platform", "target", "length", "sha256"}
    metadata/1.root.json …            every root, ascending
    metadata/timestamp.json
    metadata/<N>.snapshot.json
    metadata/<N>.targets.json
    metadata/<N>.<channel>.json
    targets/<product>/<channel>/<sha256>.<platform>    the build

Where the release names a version that it must follow, that one is in it too, from the archive, and so on back: a host
that is too old goes there first, by the same file. Then these stand in it as well::

    metadata/<N>.archive.json
    targets/<product>/archive/<version>/<sha256>.<platform>

Below ``metadata`` and ``targets`` it is the repository itself, name by name, so a TUF client reads it as it would read
a web server, and the signatures and expiries in it are all the proof there is. The same repository state gives the
same bytes: names, sizes and contents only, no times, no owners.
"""

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from pawld.errors import OperatorError
from pawld.lifecycle.steps import MOST_STEPS
from pawld.model import Platform, Record
from pawld.publish.publisher import Publisher
from pawld.publish.records import read
from pawld.publish.roles import ARCHIVE, SNAPSHOT, TARGETS, archive_path_of, path_of
from pawld.reasons import Reason
from pawld.system.faults import host_faults
from pawld.system.files import fsync, fsync_directory


def export(publisher: Publisher, product: str, channel: str, platform: Platform, to: Path) -> Record:
    """Write the bundle to *to*, whole or not at all, and return the record of the build in it.

    Raises:
        OperatorError: usage where the channel names no build for the platform, or its bytes are not kept here.
    """
    record = _published(publisher, product, channel, platform)
    builds = {path_of(product, channel, platform): record, **_steps(publisher, record)}
    for one in builds.values():
        if not publisher.layout.blob(one.sha256).exists():
            raise OperatorError(
                Reason.USAGE,
                f"The bytes of {one.version} for {platform} are not kept here; ingest them without --no-copy.",
            )
    staged = to.with_name(f".{to.name}.new")
    with host_faults("Writing the bundle"):
        with staged.open("wb") as file:
            _write(publisher, record, builds, file)
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


def _steps(publisher: Publisher, record: Record) -> dict[str, Record]:
    """Return the archived releases, by path, that an old host goes through; one that is gone ends the way."""
    found: dict[str, Record] = {}
    while (barrier := record.min_from_version) and len(found) < MOST_STEPS:
        archived = publisher.latest_published(ARCHIVE).signed.targets
        path = archive_path_of(record.product, barrier, record.platform)
        if path not in archived or path in found:
            break
        record = found[path] = read(archived[path])
    return found


def _write(publisher: Publisher, record: Record, builds: Mapping[str, Record], file: IO[bytes]) -> None:
    target = path_of(record.product, record.channel, record.platform)
    public = publisher.layout.public
    roles = (SNAPSHOT, TARGETS, record.channel, *([ARCHIVE] if len(builds) > 1 else []))
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as bundle:
        _add(bundle, "pawld-bundle.json", _contents(record, target))
        for path in publisher.repository.files(roles):
            _add(bundle, path.relative_to(public).as_posix(), path.read_bytes())
        for place, one in builds.items():
            name = publisher.layout.target(place, one.sha256).relative_to(public).as_posix()
            with publisher.layout.blob(one.sha256).open("rb") as data:
                bundle.addfile(_member(name, one.length), data)


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
