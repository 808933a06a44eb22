"""The signed record's form on the wire: the ``custom`` field of a TUF target, or a signed manifest.

Schema 1 is strict: an unknown field, a wrong type or an unknown schema is refused, never guessed at. Length and digest
of the build come from the TUF target itself there, and from the manifest's own ``length`` and ``sha256`` elsewhere.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from pawld.errors import RejectedError
from pawld.model import Chunks, Evidence, Location, Patch, Platform, RampStep, Record, Rollout, Unpacked
from pawld.reasons import Reason

_F = TypeVar("_F", bound=BaseModel)

MiB = 1024 * 1024
MAX_BUILD = 1 << 40  # bytes; a length beyond it is a mistake or a joke
Format = Literal["tar.gz", "tar.zst", "tar.xz", "zip", "msi", "pkg", "deb", "rpm", "file"]
FORMATS: tuple[Format, ...] = get_args(Format)

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2048)]
TargetPath = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+-]*([./][A-Za-z0-9_+-]+)*$", max_length=512)
]


def _decimal(value: float) -> int | str:
    """Write a number for TUF's canonical JSON, which has no floats: whole, or as a decimal in a string."""
    return int(value) if float(value).is_integer() else repr(value)


Share = Annotated[float, Field(ge=0, le=1, strict=False), PlainSerializer(_decimal)]
Percent = Annotated[float, Field(ge=0, le=100, strict=False), PlainSerializer(_decimal)]
Moment = Annotated[datetime, Field(strict=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


class UnpackedForm(_Strict):
    """``unpacked``: the extractor's caps."""

    bytes: int = Field(ge=0, le=MAX_BUILD)
    files: int = Field(ge=0, le=10_000_000)


class ChunksForm(_Strict):
    """``chunks``: a digest for each *size* bytes."""

    size: int = Field(ge=64 * 1024, le=16 * MiB)
    sha256: list[Sha256] = Field(min_length=1)


class SourceForm(_Strict):
    """One of ``sources``: where the publisher found the bytes, for hosts whose config names no other place."""

    type: Literal["redirect-api", "mirror"]
    url: Text
    final_hosts: list[Text] = []


class RampForm(_Strict):
    """One step of ``rollout.ramp``: *fraction* of the hosts within *seconds*."""

    fraction: Share
    seconds: int = Field(ge=0)


class RolloutForm(_Strict):
    """``rollout``: a fixed *percent*, or a *start* with a *ramp*."""

    salt: str = Field(default="", max_length=128)
    percent: Percent | None = None
    start: Moment | None = None
    ramp: list[RampForm] = []
    paused_at: Moment | None = None
    halted: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> "RolloutForm":
        if self.percent is not None and self.ramp:
            raise ValueError("percent and ramp exclude each other")
        if self.ramp and self.start is None:
            raise ValueError("a ramp needs a start")
        return self


class PatchForm(_Strict):
    """One of ``patches``: a way from a base to the same bytes."""

    from_sha256: Sha256
    target: TargetPath
    engine: Word = "hdiffpatch"
    length: int = Field(ge=1, le=MAX_BUILD)
    sha256: Sha256


class RecordForm(_Strict):
    """The record, schema 1."""

    schema_: Literal[1] = Field(alias="schema")
    product: Word
    channel: Word
    platform: Word
    arch: Word
    libc: Word | None = None
    version: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$")]
    release_seq: int = Field(ge=1, lt=1 << 53)
    filename: Word
    format: Format | None = None
    unpacked: UnpackedForm | None = None
    entrypoint: Text | None = None
    chunks: ChunksForm | None = None
    sources: list[SourceForm] = []
    min_from_version: Text | None = None
    min_updater: Text | None = None
    security_floor: Text | None = None
    revoked: list[Text] = []
    allow_downgrade_from: list[Text] = []
    rollout: RolloutForm = Field(default_factory=RolloutForm)
    not_before: Moment | None = None
    evidence: list[dict[str, str]] = []
    patches: list[PatchForm] = Field([], max_length=16)
    tree_sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _relative_entrypoint(self) -> "RecordForm":
        parts = re.split(r"[/\\]", self.entrypoint or "x")
        if any(part in ("", ".", "..") or ":" in part for part in parts):
            raise ValueError("entrypoint must be a relative path inside the build")
        return self


class ManifestForm(RecordForm):
    """A signed manifest: the record with what TUF would say beside it."""

    length: int = Field(ge=1, le=MAX_BUILD)
    sha256: Sha256
    expires: Moment


def read_custom(custom: Any, length: int, sha256: str, expires: datetime | None = None) -> Record:
    """Read a TUF target's ``custom`` field; ``RejectedError`` (record_invalid) where it is not schema 1 in full."""
    form = _validated(RecordForm, custom)
    return _record(form, length, sha256, expires)


def read_manifest(document: Any) -> Record:
    """Read a signed manifest's JSON value; ``RejectedError`` (record_invalid) as above."""
    form = _validated(ManifestForm, document)
    return _record(form, form.length, form.sha256, _aware(form.expires))


def write_custom(record: Record) -> dict[str, Any]:
    """Return the ``custom`` field that reads back as *record*."""
    return _form(record).model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True) | {
        "schema": 1
    }


def write_manifest(record: Record) -> dict[str, Any]:
    """Return the manifest's JSON value that reads back as *record*; ``ValueError`` where it never expires."""
    if record.expires is None:
        raise ValueError("a manifest must expire")
    return write_custom(record) | {
        "length": record.length,
        "sha256": record.sha256,
        "expires": record.expires.isoformat(),
    }


def format_of(filename: str) -> str:
    """Return the format that a file name says; ``file`` (a single program) where it says none."""
    name = filename.lower()
    if name.endswith(".tgz"):
        return "tar.gz"
    return next((one for one in FORMATS if name.endswith(f".{one}")), "file")


def _validated(form: type[_F], document: Any) -> _F:
    if isinstance(document, dict) and document.get("schema") != 1:
        raise RejectedError(
            Reason.RECORD_INVALID,
            f"The signed record has schema {document.get('schema')!r}; this pawld reads schema 1.",
        )
    try:
        return form.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise RejectedError(
            Reason.RECORD_INVALID, f"The signed record is not valid: {where}: {first['msg']}."
        ) from error


def _record(form: RecordForm, length: int, sha256: str, expires: datetime | None) -> Record:
    record = Record(
        product=form.product,
        channel=form.channel,
        platform=Platform(form.platform, form.arch, form.libc),
        version=form.version,
        sequence=form.release_seq,
        length=length,
        sha256=sha256,
        filename=form.filename,
        format=form.format or format_of(form.filename),
        unpacked=Unpacked(form.unpacked.bytes, form.unpacked.files) if form.unpacked else None,
        entrypoint=form.entrypoint,
        chunks=Chunks(form.chunks.size, tuple(form.chunks.sha256)) if form.chunks else None,
        locations=tuple(Location(one.url, {}, tuple(one.final_hosts), one.type == "mirror") for one in form.sources),
        min_from_version=form.min_from_version,
        min_updater=form.min_updater,
        security_floor=form.security_floor,
        withdrawn=tuple(form.revoked),
        allow_downgrade_from=tuple(form.allow_downgrade_from),
        rollout=_rollout(form.rollout),
        not_before=_aware(form.not_before),
        expires=expires,
        evidence=tuple(Evidence(one.get("type", ""), one) for one in form.evidence),
        patches=tuple(Patch(one.from_sha256, one.target, one.engine, one.length, one.sha256) for one in form.patches),
        tree_sha256=form.tree_sha256,
    )
    _check_chunks(record)
    return record


def _check_chunks(record: Record) -> None:
    """The chunks must add up to the build's length exactly, or the last bytes would be vouched for by none."""
    if record.chunks is None:
        return
    expected = -(-record.length // record.chunks.size)
    if len(record.chunks.sha256) != expected:
        raise RejectedError(
            Reason.RECORD_INVALID,
            f"The signed record lists {len(record.chunks.sha256)} chunk digests where its length needs {expected}.",
        )


def _rollout(form: RolloutForm) -> Rollout:
    steps = tuple(RampStep(step.fraction, timedelta(seconds=step.seconds)) for step in form.ramp)
    if form.percent is not None:
        steps = (RampStep(form.percent / 100, timedelta(0)),)
    return Rollout(form.salt, _aware(form.start), steps, _aware(form.paused_at), form.halted)


def _aware(moment: datetime | None) -> datetime | None:
    """A moment without a zone is UTC, as TUF's are."""
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=UTC)


def _form(record: Record) -> RecordForm:
    return RecordForm(
        schema=1,
        product=record.product,
        channel=record.channel,
        platform=record.platform.os,
        arch=record.platform.arch,
        libc=record.platform.libc,
        version=record.version,
        release_seq=record.sequence,
        filename=record.filename,
        format=TypeAdapter[Format](Format).validate_python(record.format),
        unpacked=UnpackedForm(bytes=record.unpacked.bytes, files=record.unpacked.files) if record.unpacked else None,
        entrypoint=record.entrypoint,
        chunks=ChunksForm(size=record.chunks.size, sha256=list(record.chunks.sha256)) if record.chunks else None,
        sources=[
            SourceForm(type="mirror" if one.mirror else "redirect-api", url=one.url, final_hosts=list(one.final_hosts))
            for one in record.locations
        ],
        min_from_version=record.min_from_version,
        min_updater=record.min_updater,
        security_floor=record.security_floor,
        revoked=list(record.withdrawn),
        allow_downgrade_from=list(record.allow_downgrade_from),
        rollout=_rollout_form(record.rollout),
        not_before=record.not_before,
        evidence=[dict(one.facts) | {"type": one.type} for one in record.evidence],
        patches=[_patch_form(one) for one in record.patches],
        tree_sha256=record.tree_sha256,
    )


def _patch_form(patch: Patch) -> PatchForm:
    return PatchForm(
        from_sha256=patch.from_sha256,
        target=patch.target,
        engine=patch.engine,
        length=patch.length,
        sha256=patch.sha256,
    )


def _rollout_form(rollout: Rollout) -> RolloutForm:
    return RolloutForm(
        salt=rollout.salt,
        start=rollout.start,
        ramp=_ramp(rollout) if rollout.start else [],
        percent=None if rollout.start or not rollout.steps else rollout.steps[0].fraction * 100,
        paused_at=rollout.paused_at,
        halted=rollout.halted,
    )


def _ramp(rollout: Rollout) -> list[RampForm]:
    return [RampForm(fraction=step.fraction, seconds=int(step.lasts.total_seconds())) for step in rollout.steps]
