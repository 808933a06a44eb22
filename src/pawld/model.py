"""The values that every room passes around: what is wanted, what was promised, what is installed.

Nothing here reads or writes. The signed record's form on the wire is in ``formats.record``.
"""

from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from pathlib import Path

from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Platform:
    """Operating system, CPU and, where it is not the usual one, libc of a host.

    Attributes:
        os: ``linux``, ``macos`` or ``windows``.
        arch: ``x86_64``, ``arm64``, ``x86``, ``armv7``, …
        libc: ``musl`` on such a Linux; None elsewhere, glibc included.
    """

    os: str
    arch: str
    libc: str | None = None

    @property
    def name(self) -> str:
        """The name that records and paths use: ``linux-x86_64``, ``linux-arm64-musl``."""
        return "-".join(part for part in (self.os, self.arch, self.libc) if part)

    @classmethod
    def parse(cls, name: str) -> "Platform":
        """Read a name back; ``ValueError`` where it has not two or three parts."""
        parts = name.split("-")
        if not 2 <= len(parts) <= 3 or not all(parts):  # noqa: PLR2004 - os, arch and perhaps libc
            raise ValueError(f"not a platform: {name!r}")
        return cls(*parts)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Location:
    """Where bytes may be fetched. It says nothing of what they must be.

    Attributes:
        url: absolute, https or loopback.
        headers: credentials, for the origin of *url* alone; never shown.
        final_hosts: hosts that a redirect may end at; empty allows any public one.
        mirror: content-addressed and tried first with short patience.
        named_by: the interface whose answer named *url*, which then may lead no further than a redirect from there;
            empty where the administrator or a signed record named it.
        via: the proxy near this host that it is asked through; empty for the usual way.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    final_hosts: tuple[str, ...] = ()
    mirror: bool = False
    named_by: str = ""
    via: str = ""


@dataclass(frozen=True, slots=True)
class Chunks:
    """A SHA-256 for each *size* bytes of a build; the last chunk may be shorter."""

    size: int
    sha256: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What an archive holds, as its publisher measured it: the cap for the extractor."""

    bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class RampStep:
    """For *lasts*, the rollout grows to *fraction* (0 to 1) of the hosts."""

    fraction: float
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class Rollout:
    """How a release spreads over the fleet, carried in the signed record.

    Attributes:
        salt: what a host's cohort is hashed with, beside its id.
        start: when the ramp begins; None means at once.
        steps: the ramp; empty means every host at *start*.
        paused_at: where time stands still for the ramp.
        halted: nobody new gets it.
    """

    salt: str = ""
    start: datetime | None = None
    steps: tuple[RampStep, ...] = ()
    paused_at: datetime | None = None
    halted: bool = False


@dataclass(frozen=True, slots=True)
class Patch:
    """A way from one base, known by its SHA-256, to the same final bytes.

    Attributes:
        from_sha256: the digest of the build that has to stand here.
        target: where the patch lies, relative to where the publisher serves builds.
        engine: what applies it.
        length: bytes of the patch itself; *sha256* is its own digest as well.
    """

    from_sha256: str
    target: str
    engine: str
    length: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something beside the record that must also vouch for the bytes: a kind and its pinned facts."""

    type: str
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def optional(self) -> bool:
        """It counts where a host demands its kind; else nobody looks at it."""
        return self.facts.get("optional") == "yes"


@dataclass(frozen=True, slots=True)
class Record:
    """The signed statement about one build. What it says of the bytes is what they must be.

    Attributes:
        sequence: rises with every release of this product, channel and platform; it decides newer and older.
        length: size of the build in bytes.
        sha256: lower-case hexadecimal digest of the build.
        format: ``tar.gz``, ``tar.zst``, ``tar.xz``, ``zip``, ``file``, ``msi``, ``pkg``, ``deb`` or ``rpm``.
        security_floor: the lowest version that is still safe to run.
        withdrawn: versions or digests that must not be installed any more.
        expires: when this statement is no longer fresh; None where the engine has no such thing.
        statement: digest of the signed statement itself, to name it in a log.
        length_signed: False where the digest alone is signed: *length* is then the most that may come, no more.
        tree_sha256: of what an archive unpacks to (``formats.tree``), so that a patched slot can be proven the same; it
            is the digest of the list of its files too.
    """

    product: str
    channel: str
    platform: Platform
    version: str
    sequence: int
    length: int
    sha256: str
    filename: str
    format: str
    unpacked: Unpacked | None = None
    entrypoint: str | None = None
    chunks: Chunks | None = None
    locations: tuple[Location, ...] = ()
    min_from_version: str | None = None
    min_updater: str | None = None
    security_floor: str | None = None
    withdrawn: tuple[str, ...] = ()
    allow_downgrade_from: tuple[str, ...] = ()
    rollout: Rollout = field(default_factory=Rollout)
    not_before: datetime | None = None
    expires: datetime | None = None
    evidence: tuple[Evidence, ...] = ()
    patches: tuple[Patch, ...] = ()
    length_signed: bool = True
    tree_sha256: str | None = None

    def moved_as(self, patch: Patch) -> "Record":
        """Return what a mover needs to bring *patch* instead of the build; nothing else may read it."""
        return replace(
            self,
            length=patch.length,
            sha256=patch.sha256,
            filename=f"{self.filename}.patch",
            chunks=None,
            length_signed=True,
        )

    @property
    def slot_name(self) -> str:
        """The name of the directory that holds this build: its version, and what it is known by."""
        return f"{self.version}-{self.sha256[:12]}"


@dataclass(frozen=True, slots=True)
class Question:
    """What trust is asked: the record of this product on this channel for this platform.

    Attributes:
        version: the version that a pin or the source named; None asks for the channel's current release.
        filename: what the source calls the file, where an engine finds its record by file name.
        pinned: the version was ordered by a pin, so an archived release may answer.
    """

    product: str
    channel: str
    platform: Platform
    version: str | None = None
    filename: str | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Offer:
    """What a source says of a release. Untrusted: it only locates, and may be contradicted by the record.

    Attributes:
        version: None where the source has no metadata; the record names it then.
    """

    version: str | None = None
    sha256: str | None = None
    length: int | None = None
    filename: str | None = None
    notes_url: str | None = None
    published_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NoBuild:
    """There is no build for this platform; *message* is the sentence that says who said so."""

    message: str


@dataclass(frozen=True, slots=True)
class Pinned:
    """What a pin orders: this version, said by *by*.

    Attributes:
        by: a phrase for the status, such as ``Prefactor deployment 013x…``.
        allow_downgrade: an older version than the installed one is meant.
        facts: what else the pin told, shown by ``status --why``.
        passes_windows: it is not to wait for this host's windows; for every other gate it does.
    """

    version: str
    by: str
    allow_downgrade: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)
    passes_windows: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """A pin orders that this host stays as it is; the channel is not followed.

    Attributes:
        retry_at: when the pin wants to be asked again.
    """

    message: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unconfirmed(Hold):
    """What the pin would order waits for a person to confirm it where it was ordered."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One installed version on disk, complete and never changed.

    Attributes:
        path: the slot's directory.
        sequence: the release sequence that its record had; 0 where it was not known.
        entrypoint: the program in it, relative to *path*.
    """

    path: Path
    version: str
    sha256: str
    sequence: int = 0
    entrypoint: str | None = None
    installed_at: datetime | None = None

    @property
    def name(self) -> str:
        """The directory's name, by which the journal knows the slot."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class Blocked:
    """A build that failed on this host.

    Attributes:
        cause: a reason code.
        until: when it is tested again; None only where a person blocked it for good.
        lifted_by: a sentence: what would lift it sooner.
        times: how often it failed; each time blocks it for longer.
        environment: a fingerprint of the host that it failed on; empty where none was taken.
    """

    version: str
    sha256: str
    cause: str
    until: datetime | None
    lifted_by: str
    message: str = ""
    times: int = 1
    environment: str = ""
