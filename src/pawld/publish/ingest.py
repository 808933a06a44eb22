"""Take in a build: bytes from a file or through the vendor's redirect, measured, recorded, put on a channel.

Nothing that the vendor's interface says of a build is believed; what is signed is what was measured here.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from pawld.errors import OperatorError, RejectedError
from pawld.formats.record import format_of
from pawld.model import Evidence, Location, Platform, Record, Unpacked
from pawld.publish import artifacts
from pawld.publish.builds import Build, Ledger
from pawld.publish.contents import ARCHIVES, Tree, tree_of
from pawld.publish.measure import Measured, chunks_of
from pawld.publish.patching.make import patches_for
from pawld.publish.publisher import Publisher
from pawld.publish.records import custom_of
from pawld.publish.release import PLAIN, Conditions, put_on_channel
from pawld.reasons import Reason
from pawld.values import dataclass

Vouch = Callable[[Record, Path], None]
"""Checks the evidence of a record on the file; raises where it does not hold."""


def _nobody(_record: Record, _path: Path) -> None:
    """Vouch for everything; it is for builds without evidence."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """What the operator says of a build.

    Attributes:
        filename: the name that the vendor gives the file.
        format: None takes it from the file name.
        entrypoint: the program in it; a single program is its own.
        locations: where hosts find the bytes, beside this repository.
        kept: the bytes are served from here too.
        sha256: what the digest must be, where the vendor published one.
        evidence: what hosts shall check beside the record.
    """

    product: str
    version: str
    platform: Platform
    filename: str
    format: str | None = None
    entrypoint: str | None = None
    locations: tuple[Location, ...] = ()
    kept: bool = True
    sha256: str | None = None
    evidence: tuple[Evidence, ...] = ()


def ingest(
    publisher: Publisher,
    incoming: Incoming,
    blocks: Iterable[bytes],
    channel: str,
    conditions: Conditions = PLAIN,
    *,
    patches: int = 0,
    vouch: Vouch = _nobody,
) -> Record:
    """Measure *blocks*, keep them, stage the build on *channel*, and return its record.

    With *patches*, hosts that have one of the newest so many older builds are offered a patch where it saves enough.
    Repeating it with the same bytes changes nothing. Evidence is checked by *vouch* first, as hosts will: nobody shall
    publish what no host takes.

    Raises:
        OperatorError: usage where other bytes were published under this version, or the record cannot say it.
        RejectedError: digest_mismatch, archive_refused; and what *vouch* raises.
    """
    publisher.plan.channel(channel)
    with artifacts.taken_in(publisher.layout, blocks) as (path, measured):
        plain, tree = _build(publisher, incoming, path, measured, channel)
        vouch(plain.record, path)
        build = _with_patches(publisher, plain, path, patches)
        if build.kept:
            artifacts.keep(publisher.layout, path, measured.sha256)
        if tree is not None:
            artifacts.keep_list(publisher.layout, tree)
    records = put_on_channel(publisher, [build], channel, conditions)
    Ledger(publisher.layout.builds).keep(build)
    return records[0]


def _build(
    publisher: Publisher, incoming: Incoming, path: Path, measured: Measured, channel: str
) -> tuple[Build, Tree | None]:
    """Return the build, and what it unpacks to where it is an archive: its digest and its list are of one reading."""
    if incoming.sha256 not in (None, measured.sha256):
        raise RejectedError(
            Reason.DIGEST_MISMATCH,
            f"{incoming.filename} has the SHA-256 {measured.sha256}, not {incoming.sha256}.",
        )
    if not measured.length:
        raise RejectedError(Reason.LENGTH_MISMATCH, f"{incoming.filename} is empty.")
    known = Ledger(publisher.layout.builds).find(incoming.product, incoming.version, incoming.platform)
    if known is not None and known.record.sha256 != measured.sha256:
        raise OperatorError(
            Reason.USAGE,
            f"{incoming.product} {incoming.version} was ingested for {incoming.platform} with other bytes "
            f"(sha256 {known.record.sha256[:12]}…); a build keeps its version for ever, so give this one a new one.",
        )
    format_ = incoming.format or format_of(incoming.filename)
    tree = tree_of(path, incoming.filename, format_, incoming.entrypoint) if format_ in ARCHIVES else None
    record = _measured_record(incoming, path, measured, channel, tree)
    custom_of(record)  # refuses it before anything is kept
    return Build(record, measured.sha512, incoming.kept or (known is not None and known.kept)), tree


def _with_patches(publisher: Publisher, build: Build, path: Path, count: int) -> Build:
    """A build that was ingested before keeps the patches that it has."""
    record = build.record
    known = Ledger(publisher.layout.builds).find(record.product, record.version, record.platform)
    made = known.record.patches if known else ()
    if not made and count:
        made = patches_for(publisher.layout, record, path, count)
    return replace(build, record=replace(record, patches=made))


def _measured_record(incoming: Incoming, path: Path, measured: Measured, channel: str, tree: Tree | None) -> Record:
    format_ = incoming.format or format_of(incoming.filename)
    program = Unpacked(measured.length, 1) if format_ == "file" else None
    return Record(
        product=incoming.product,
        channel=channel,
        platform=incoming.platform,
        version=incoming.version,
        sequence=1,
        length=measured.length,
        sha256=measured.sha256,
        filename=incoming.filename,
        format=format_,
        unpacked=tree.unpacked if tree else program,
        tree_sha256=tree.sha256 if tree else None,
        entrypoint=incoming.entrypoint or (incoming.filename if format_ == "file" else None),
        chunks=chunks_of(path, measured.length),
        locations=tuple(replace(one, headers={}) for one in incoming.locations),
        evidence=incoming.evidence,
    )
