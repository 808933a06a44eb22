"""The states of one update, each with exactly its own data, and the moves between them.

    Idle ─► Downloading ─► Verifying ─► Staging ─► Waiting ─► Swapping ─► Probation ─► Idle
      ▲          │             │           │          │          │           │
      └──────────┴─────────────┴───────────┴──────────┘          └─────┬─────┘
                                                                  RollingBack ─► Idle

A state that outlives its process (Swapping, Probation, RollingBack) holds all that ``recover`` needs without network.
"""

from datetime import datetime
from typing import ClassVar

from pawld.reasons import Reason
from pawld.values import dataclass


@dataclass(frozen=True, slots=True)
class Build:
    """The build that an update is about, as the journal remembers it."""

    version: str
    sha256: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Idle:
    """Nothing is under way.

    Attributes:
        reason: how the last cycle ended.
        retry_at: not before then again; None leaves it to the schedule.
    """

    reason: Reason = Reason.IDLE
    message: str = "Nothing was done yet."
    retry_at: datetime | None = None
    state: ClassVar[str] = "idle"


@dataclass(frozen=True, slots=True)
class Downloading:
    """Bytes are on their way; the part that came is kept."""

    build: Build
    state: ClassVar[str] = "downloading"


@dataclass(frozen=True, slots=True)
class Verifying:
    """The whole build is here and is being proven."""

    build: Build
    state: ClassVar[str] = "verifying"


@dataclass(frozen=True, slots=True)
class Staging:
    """Proven bytes are being made into a slot beside the current one."""

    build: Build
    state: ClassVar[str] = "staging"


@dataclass(frozen=True, slots=True)
class Waiting:
    """The slot is complete, and a gate is closed.

    Attributes:
        since: when the first gate closed for this build; the longest deferral counts from there.
    """

    build: Build
    slot: str
    since: datetime
    reason: Reason
    message: str
    retry_at: datetime
    state: ClassVar[str] = "waiting"


@dataclass(frozen=True, slots=True)
class Swapping:
    """The service may be stopped and ``current`` may lead to either slot.

    Attributes:
        previous: the slot to go back to; None at a first install.
        start: the service is to run afterwards; False where an administrator had stopped it.
    """

    build: Build
    slot: str
    previous: str | None
    start: bool
    state: ClassVar[str] = "swapping"


@dataclass(frozen=True, slots=True)
class Probation:
    """``current`` leads to the new slot, which must prove itself.

    Attributes:
        since: when probation began, for people; its length is measured by a clock that cannot jump.
        starts_left: how many more interrupted probations the build is given before it is taken back.
    """

    build: Build
    slot: str
    previous: str | None
    start: bool
    since: datetime
    starts_left: int
    state: ClassVar[str] = "probation"


@dataclass(frozen=True, slots=True)
class RollingBack:
    """The way back: the service may be stopped and ``current`` may lead to either slot.

    Attributes:
        failures: how often the way back itself has failed.
        stuck: why it failed last; *trouble* says it in a sentence.
    """

    build: Build
    slot: str
    previous: str | None
    start: bool
    reason: Reason
    message: str
    failures: int = 0
    stuck: Reason | None = None
    trouble: str = ""
    state: ClassVar[str] = "rolling_back"


State = Idle | Downloading | Verifying | Staging | Waiting | Swapping | Probation | RollingBack

_PREPARING = frozenset({Idle, Downloading, Verifying, Staging, Waiting})

MOVES: dict[type[State], frozenset[type[State]]] = {
    Idle: frozenset({Idle, Downloading, Staging, Waiting, Swapping, RollingBack}),
    Downloading: _PREPARING,
    Verifying: _PREPARING,
    Staging: frozenset({Idle, Downloading, Waiting, Swapping}),
    Waiting: frozenset({Idle, Downloading, Staging, Waiting, Swapping}),
    Swapping: frozenset({Idle, Probation, RollingBack}),
    Probation: frozenset({Idle, Probation, RollingBack}),
    RollingBack: frozenset({Idle, RollingBack}),
}
"""Which state may follow which. A new cycle starts a preparing state over; a swap is only finished or undone."""


def checked_move(old: State, new: State) -> State:
    """Return *new*; ``ValueError`` where the diagram has no such arrow, which is a fault of ours."""
    if type(new) not in MOVES[type(old)]:
        raise ValueError(f"no move from {old.state} to {new.state}")
    return new
