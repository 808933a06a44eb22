"""Records in metadata: the targets of a channel's role and of the archive."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from tuf.api.metadata import TargetFile, Targets

from pawld.errors import OperatorError
from pawld.formats.record import read_custom, write_custom
from pawld.model import Platform, Record
from pawld.publish.publisher import Publisher
from pawld.publish.roles import ARCHIVE, archive_path_of, path_of
from pawld.reasons import Reason


def current(publisher: Publisher, product: str, channel: str, platform: Platform) -> Record | None:
    """Return the record that the channel names for this platform, staged changes included."""
    target = publisher.latest(channel).signed.targets.get(path_of(product, channel, platform))
    return read(target) if target is not None else None


def on_channel(publisher: Publisher, channel: str) -> list[Record]:
    """Return every record of the channel, staged changes included."""
    return [read(target) for _, target in sorted(publisher.latest(channel).signed.targets.items())]


def everywhere(publisher: Publisher, product: str) -> Iterator[Record]:
    """Yield the records of *product* on every channel."""
    for channel in publisher.plan.channels:
        yield from (record for record in on_channel(publisher, channel) if record.product == product)


def read(target: TargetFile) -> Record:
    """Return the record that a target states."""
    return read_custom(target.custom, target.length, target.hashes["sha256"])


def sha512_of(publisher: Publisher, record: Record) -> str:
    """Return the build's SHA-512 as the record's target states it."""
    path = path_of(record.product, record.channel, record.platform)
    return str(publisher.latest(record.channel).signed.targets[path].hashes["sha512"])


def put(signed: Targets, record: Record, sha512: str) -> None:
    """State *record* under its channel's path."""
    _put(signed, path_of(record.product, record.channel, record.platform), record, sha512)


def archive(signed: Targets, record: Record, sha512: str) -> None:
    """State *record* in the archive, without chunk digests, patches and rollout: a pin asks for it, one at a time.

    A TUF client reads at most 5 MB of one role, and the archive grows for ever.
    """
    lasting = replace(
        record, chunks=None, patches=(), rollout=replace(record.rollout, start=None, steps=(), paused_at=None)
    )
    _put(signed, archive_path_of(record.product, record.version, record.platform), lasting, sha512)


def state(publisher: Publisher, changed: list[tuple[Record, str]]) -> None:
    """Stage the records (each with its SHA-512) in their channels, and in the archive where that channel feeds it."""
    for channel in sorted({record.channel for record, _ in changed}):
        here = [(record, sha512) for record, sha512 in changed if record.channel == channel]
        metadata = publisher.edited(channel)
        for record, sha512 in here:
            put(metadata.signed, record, sha512)
        publisher.stage(channel, metadata)
        if channel == publisher.plan.archived:
            _state_in_archive(publisher, here)


def _state_in_archive(publisher: Publisher, records: list[tuple[Record, str]]) -> None:
    metadata = publisher.edited(ARCHIVE)
    for record, sha512 in records:
        archive(metadata.signed, record, sha512)
        _warn_of_old_releases(metadata.signed, record)
    publisher.stage(ARCHIVE, metadata)


def _warn_of_old_releases(signed: Targets, newest: Record) -> None:
    """Carry what *newest* says of older releases to their own records, for hosts that pin one of them."""
    for target in list(signed.targets.values()):
        old = read(target)
        if (old.product, old.platform) == (newest.product, newest.platform):
            told = replace(old, withdrawn=newest.withdrawn, security_floor=newest.security_floor)
            _put(signed, target.path, told, target.hashes["sha512"])


def custom_of(record: Record) -> dict[str, Any]:
    """Return the record's signed form; ``OperatorError`` (usage) where it cannot say that."""
    try:
        return write_custom(record)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise OperatorError(Reason.USAGE, f"The record cannot say that: {where}: {first['msg']}.") from error


def _put(signed: Targets, path: str, record: Record, sha512: str) -> None:
    hashes = {"sha256": record.sha256, "sha512": sha512}
    signed.targets[path] = TargetFile(record.length, hashes, path, {"custom": custom_of(record)})
