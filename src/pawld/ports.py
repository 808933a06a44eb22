"""The ports of the lifecycle: one or two verbs each, in the language of updates.

Adapters implement these and take plain values; ``wiring`` chooses them. Values that mean "not now" or "there is none"
are returned; only failures are raised, as ``errors`` says.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Protocol, runtime_checkable

from pawld.formats.slot_manifest import FileEntry
from pawld.formats.tree import ListedFiles
from pawld.model import Hold, Location, NoBuild, Offer, Patch, Pinned, Platform, Question, Record, Slot
from pawld.reasons import Reason
from pawld.values import dataclass


class Clock(Protocol):
    """Time. ``now`` may jump; ``monotonic`` may not, so durations are measured with it."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start; it never falls."""

    def sleep(self, duration: timedelta) -> None:
        """Wait that long."""


class Progress(Protocol):
    """Told of the bytes of one long step, for a person who watches."""

    def start(self, step: str, total: int, done: int = 0) -> None:
        """A step of *total* bytes begins; *done* of them were there before."""

    def advance(self, count: int) -> None:
        """*count* more bytes are done."""

    def finish(self) -> None:
        """The step is over."""


class Pin(Protocol):
    """Says which version this host shall run."""

    def wanted(self, platform: Platform) -> Pinned | Hold | None:
        """Return the order; None means: follow the channel."""


@runtime_checkable
class Ordering(Protocol):
    """A pin that wants to know what became of its order."""

    def concluded(self, reason: Reason, message: str) -> None:
        """Learn how the cycle ended; it never raises, and takes a bounded time."""


class Source(Protocol):
    """Locates releases. Nothing that it says is believed."""

    def describe(self, channel: str, platform: Platform, version: str | None) -> Offer | NoBuild:
        """Return what it offers: *version*, or else the channel's newest."""

    def locate(self, record: Record) -> Sequence[Location] | NoBuild:
        """Return where the bytes of this build may be, best first."""


@dataclass(slots=True)
class Downloaded:
    """Bytes from somewhere, held open. Nothing is proven of them.

    Attributes:
        file: open for reading and writing; verification and unpacking use this very descriptor.
        path: its name, which ends in ``.unverified``.
        origin: scheme and host that the bytes came from, for messages.
    """

    file: BinaryIO
    path: Path
    origin: str


class Verified(ABC):
    """Bytes that are proven to be the build that *record* states. Only ``trust.policy`` makes one.

    The class is abstract so that nobody else can; ``Installer.stage`` takes nothing else, and mypy holds both.
    """

    record: Record

    @abstractmethod
    def seekable(self) -> BinaryIO:
        """Return the whole proven file at its start, for a format that has to seek."""

    @abstractmethod
    def stream(self) -> AbstractContextManager[BinaryIO]:
        """Open the proven bytes in order; no unproven byte ever comes out of it."""

    @abstractmethod
    def confirm(self) -> None:
        """Prove length and digest of the whole; a slot gets its name only after this returned."""

    def listed(self) -> ListedFiles | None:
        """Return the proven list of the files that it unpacks to; None where there is none, or it is not here yet.

        The first call sends for it. ``RejectedError`` (record_invalid) where the publisher signed something else.
        """
        return None

    def let_go(self) -> None:  # noqa: B027 - there may be nothing to let go of
        """Free what is kept on the disk: the slot stands, and only has to be synced, without these bytes then."""


class VerifiedPatch(ABC):
    """A patch that is proven to be one that *record* names. Only ``trust.policy`` makes one.

    It proves nothing yet of what comes out of it: a slot gets its name only after ``confirm`` returned.
    """

    record: Record
    patch: Patch

    @abstractmethod
    def seekable(self) -> BinaryIO:
        """Return the whole proven patch at its start."""

    @abstractmethod
    def confirm(self, files: Sequence[FileEntry], directories: Sequence[str]) -> None:
        """Prove that these files, with the digests of what was written, are the very build that *record* states."""


ChunkProof = Callable[[int, memoryview], bool]
"""Says whether this is the chunk of that number."""

Ended = Callable[[], None]
"""Ends what was begun, without waiting for it."""
Listed = Callable[[], ListedFiles | None]
"""Returns the proven list of a build's files, as ``Verified.listed`` does."""
Bring = Callable[[Callable[[bytes], None]], Ended]
"""Begins to bring a small file, and hands it over in a thread of its own when it is there."""


class Trust(Protocol):
    """Decides what the bytes must be, and whether they are."""

    def record(self, question: Question) -> Record | NoBuild:
        """Return the signed record, fresh and not below any mark."""

    def prove(self, record: Record, downloaded: Downloaded) -> Verified:
        """Check length, digest and evidence of the whole file, from its open descriptor."""

    def prove_chunks(
        self,
        record: Record,
        chunks: Callable[[ChunkProof], Iterator[memoryview]],
        path: Path,
        listing: Bring | None = None,
    ) -> Verified:
        """Wrap chunks that are each checked before they are handed on; the whole is checked by ``confirm``.

        *listing* brings the list of the build's files, where there may be one.
        """

    def prove_patch(self, record: Record, patch: Patch, downloaded: Downloaded) -> VerifiedPatch:
        """Check length and digest of a patch that *record* names, before a byte of it is read for its meaning."""


class Mover(Protocol):
    """Moves bytes from locations to a file of this host. It proves nothing."""

    def fetch(self, record: Record, locations: Sequence[Location], partial: Path, progress: Progress) -> Downloaded:
        """Bring the whole build into *partial*, resuming what is there."""

    def chunks(
        self, record: Record, locations: Sequence[Location], partial: Path, progress: Progress, proof: ChunkProof
    ) -> Iterator[memoryview]:
        """Yield the build's chunks in order, each accepted by *proof*; kept in *partial* for a resume."""

    def beside(self, sha256: str, places: Sequence[Location], limit: int, accept: Callable[[bytes], None]) -> Ended:
        """Bring a file of at most *limit* bytes while something else is done; that it does not come is no fault."""


class Installer(Protocol):
    """Turns proven bytes into a slot, and moves the pointer."""

    def current(self) -> Slot | None:
        """Return the slot that ``current`` leads to."""

    def slots(self) -> Sequence[Slot]:
        """Return every complete slot, newest sequence first."""

    def space_needed(self, record: Record) -> int:
        """Return how many bytes staging takes beside the download."""

    def stage(self, build: Verified, progress: Progress) -> Slot:
        """Make the slot complete and durable beside the others; running it again is harmless."""

    def intact(self, slot: Slot) -> bool:
        """Hash every file of the slot against its manifest."""

    def activate(self, slot: Slot) -> None:
        """Move ``current`` to the slot, atomically and durably; running it again is harmless."""

    def pointing_command(self, slot: Slot) -> Sequence[str]:
        """Return a command that moves ``current`` to the slot without pawld: the dead man's switch runs it."""

    def sweep(self, keep: Iterable[str]) -> int:
        """Remove leftovers, and slots whose names are not in *keep* nor linked nor running; return bytes freed."""


@runtime_checkable
class PatchingInstaller(Installer, Protocol):
    """An installer that can also make a slot out of a patch and another slot."""

    def engines(self) -> Collection[str]:
        """Return the engines of patches that this host can apply."""

    def stage_patched(self, patch: VerifiedPatch, base: Slot, progress: Progress) -> Slot:
        """Make the slot as ``stage`` does; any failure leaves nothing behind, and says nothing against the build."""


@runtime_checkable
class Outliving(Protocol):
    """An installer whose work goes on though pawld died in its middle."""

    def at_work(self) -> str | None:
        """Return who installs something now, as a sentence; None where nobody does."""


@runtime_checkable
class Rebooting(Protocol):
    """An installer whose work may be over only after the next start of the host."""

    def reboot_needed(self) -> str | None:
        """Return the sentence that tells it, where the last ``activate`` ended so."""


@runtime_checkable
class Pointed(Protocol):
    """A service that names the slot by itself, where no link leads it there."""

    def reconcile(self, slot: Slot) -> str | None:
        """Have it start from *slot* from now on; return the sentence that tells it, None where it did already."""


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """What the service manager says of the agent's service.

    Attributes:
        pid: of the main process; None while there is none.
        restarts: how often the manager restarted it by itself since it was started.
        enabled: it will start at boot; None where the manager has no such thing.
    """

    running: bool
    pid: int | None = None
    restarts: int = 0
    enabled: bool | None = None
    detail: str = ""


class Service(Protocol):
    """The agent's service, under whichever manager."""

    def status(self) -> ServiceStatus:
        """Ask the manager, now."""

    def stop(self) -> None:
        """Stop it and wait until it is stopped; one that is stopped already is no error."""

    def start(self, slot: Slot) -> None:
        """Start it from *slot* (re-pointing it where the manager needs that) and wait until it runs."""

    def arm(self, deadline: timedelta, rollback: Sequence[str]) -> None:
        """Have the manager run *rollback* by itself after *deadline*, though pawld be dead by then."""

    def disarm(self) -> None:
        """Take the armed rollback back; one that is not armed is no error."""

    def evidence(self, since: datetime) -> str:
        """Return the service's own log lines since then, as far as the manager keeps them."""


@dataclass(frozen=True, slots=True)
class Healthy:
    """The check holds."""

    detail: str = ""


@dataclass(frozen=True, slots=True)
class Sick:
    """The check fails, by a fault that may be the build's."""

    detail: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """The check could not tell, by a fault that is not the build's: DNS, a 429, a probe that timed out on the way."""

    detail: str


Finding = Healthy | Sick | Unclear


class HealthCheck(Protocol):
    """One thing that must hold while a slot is on probation."""

    name: str
    every: timedelta

    def begin(self) -> None:
        """Note what held before the swap, so that only what got worse counts."""

    def check(self, slot: Slot) -> Finding:
        """Look once."""


@dataclass(frozen=True, slots=True)
class Open:
    """The gate has nothing against a swap now."""

    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Closed:
    """Not now; ask again at *retry_at*, or as the lifecycle sees fit."""

    reason: Reason
    message: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """The gate cannot answer; it counts as closed."""

    message: str
    reason: Reason = Reason.GATE_BROKEN


Answer = Open | Closed | Broken


class Gate(Protocol):
    """May say "not now" to a swap.

    Attributes:
        name: what the status calls it.
        max_deferral: after this long the status turns to an alarm.
    """

    name: str
    max_deferral: timedelta

    def check(self, now: datetime) -> Answer:
        """Answer; a gate that holds a lock takes it here, and asking again while it is held is harmless."""

    def release(self) -> None:
        """Give back whatever ``check`` took; called after the commit, a rollback, and at every start.

        It never raises: what cannot be given back now is given back at the next start.
        """


@runtime_checkable
class Lease(Protocol):
    """A gate whose lock runs out unless somebody keeps it alive."""

    def keep(self) -> None:
        """Go on holding what an earlier process took; it returns at once, and never raises."""

    def lost(self) -> str | None:
        """Return the sentence that tells how the lock was lost while it was held; None where it was not."""


@dataclass(frozen=True, slots=True)
class Event:
    """One move of an agent, as logs, history, metrics and webhooks tell it."""

    at: datetime
    agent: str
    state: str
    reason: Reason
    message: str
    version: str | None = None
    sha256: str | None = None


class Reporter(Protocol):
    """Is told of every event. It never fails and never delays a move."""

    def report(self, event: Event) -> None:
        """Pass the event on, or spool it."""


class MarkStore(Protocol):
    """High-water marks that survive everything but the loss of the disk."""

    def mark(self, agent: str, name: str) -> int | None:
        """Return the highest value that was ever raised to."""

    def raise_to(self, agent: str, name: str, value: int) -> None:
        """Raise the mark, durably; a lower value changes nothing."""

    def forget(self, agent: str, name: str) -> None:
        """Drop a mark; only for metadata roles whose keys a newer root replaced."""
