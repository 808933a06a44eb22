"""Put an ingested build on a channel: its record gets the channel's next sequence, and what hosts must know with it.

A record inherits from the one before it what must not be forgotten: withdrawn versions and the security floor.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from pawld.errors import OperatorError
from pawld.lifecycle.versions import older
from pawld.model import Platform, RampStep, Record, Rollout
from pawld.publish import artifacts
from pawld.publish.builds import Build, Ledger
from pawld.publish.publisher import Publisher
from pawld.publish.records import current, everywhere, state
from pawld.publish.roles import archive_path_of, path_of
from pawld.reasons import Reason
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the publisher says of a release on a channel; None leaves it as it was, or unsaid.

    Attributes:
        ramp: the rollout; empty means every host at *start*.
        start: when it begins; None means at once.
        older_meant: the version may lie below the channel's current one; hosts on that one then go back.
    """

    ramp: tuple[RampStep, ...] = ()
    start: datetime | None = None
    min_from: str | None = None
    min_updater: str | None = None
    security_floor: str | None = None
    not_before: datetime | None = None
    older_meant: bool = False


PLAIN = Conditions()


def promote(
    publisher: Publisher,
    product: str,
    version: str,
    channel: str,
    *,
    platforms: tuple[Platform, ...] = (),
    conditions: Conditions = PLAIN,
) -> list[Record]:
    """Stage *version* on *channel*, for *platforms* or for all that were ingested, and return the records.

    Raises:
        OperatorError: usage where nothing of that version was ingested, or it was withdrawn, or is an older one.
    """
    ledger = Ledger(publisher.layout.builds)
    builds = [one for one in ledger.of_version(product, version) if not platforms or one.record.platform in platforms]
    lacking = set(platforms) - {build.record.platform for build in builds}
    if not builds or lacking:
        what = f" for {', '.join(sorted(map(str, lacking)))}" if lacking else ""
        raise OperatorError(Reason.USAGE, f"{product} {version} was never ingested{what}; see `release ingest`.")
    return put_on_channel(publisher, builds, publisher.plan.channel(channel), conditions)


def put_on_channel(publisher: Publisher, builds: Iterable[Build], channel: str, conditions: Conditions) -> list[Record]:
    """Stage *builds* on *channel*; a build that is there already on the same conditions changes nothing."""
    changed: list[tuple[Record, str]] = []
    records: list[Record] = []
    for build in builds:
        before = current(publisher, build.record.product, channel, build.record.platform)
        record = _record(publisher, build, channel, conditions, before)
        if build.kept:
            _link(publisher, record)
        if record != before:
            changed.append((record, build.sha512))
        records.append(record)
    if changed:
        state(publisher, changed)
    return records


def _record(publisher: Publisher, build: Build, channel: str, conditions: Conditions, before: Record | None) -> Record:
    withdrawn = sorted({one for record in everywhere(publisher, build.record.product) for one in record.withdrawn})
    if {build.record.version, build.record.sha256} & set(withdrawn):
        raise OperatorError(Reason.USAGE, f"{build.record.version} was withdrawn; give the mended build a new version.")
    same = before is not None and before.sha256 == build.record.sha256 and before.version == build.record.version
    if before is not None and not same:
        _refuse_older(build.record, before, conditions)
    kept = before if same and before is not None else build.record
    return replace(
        kept,
        channel=channel,
        sequence=before.sequence + (not same) if before is not None else 1,
        rollout=_rollout(publisher, conditions, kept.rollout if same else Rollout()),
        min_from_version=conditions.min_from or kept.min_from_version,
        min_updater=conditions.min_updater or kept.min_updater,
        security_floor=_floor(build.record, before, conditions),
        not_before=conditions.not_before or kept.not_before,
        evidence=build.record.evidence or kept.evidence,
        withdrawn=tuple(withdrawn),
        allow_downgrade_from=_downgrade(kept, before, conditions),
    )


def _rollout(publisher: Publisher, conditions: Conditions, now: Rollout) -> Rollout:
    if conditions.start is None and not conditions.ramp:
        return now
    return Rollout(start=(conditions.start or publisher.clock.now()).replace(microsecond=0), steps=conditions.ramp)


def _floor(build: Record, before: Record | None, conditions: Conditions) -> str | None:
    """The floor never falls by itself, and no release lies below its own floor."""
    old = before.security_floor if before is not None else None
    floor = conditions.security_floor or old
    if floor is not None and old is not None and older(floor, old):
        raise OperatorError(Reason.USAGE, f"The security floor is {old} already; it cannot fall to {floor}.")
    if floor is not None and older(build.version, floor):
        raise OperatorError(Reason.USAGE, f"{build.version} lies below the security floor {floor}.")
    return floor


def _refuse_older(build: Record, before: Record, conditions: Conditions) -> None:
    if older(build.version, before.version) and not conditions.older_meant:
        raise OperatorError(
            Reason.USAGE,
            f"{build.version} is older than {before.version}, which {before.channel} names for {build.platform}; "
            "say --allow-older if every host shall go back.",
        )


def _downgrade(kept: Record, before: Record | None, conditions: Conditions) -> tuple[str, ...]:
    if before is None or not conditions.older_meant or before.version == kept.version:
        return kept.allow_downgrade_from
    return tuple(sorted({*kept.allow_downgrade_from, *before.allow_downgrade_from, before.version}))


def _link(publisher: Publisher, record: Record) -> None:
    artifacts.link(publisher.layout, record.sha256, path_of(record.product, record.channel, record.platform))
    if record.channel == publisher.plan.archived:
        place = archive_path_of(record.product, record.version, record.platform)
        artifacts.link(publisher.layout, record.sha256, place)
