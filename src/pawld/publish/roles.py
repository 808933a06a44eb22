"""Who signs what, for how long, and which paths a role may speak for.

=========  ================  ==========  =====================================================
role       keys / threshold  lifetime    signs
=========  ================  ==========  =====================================================
root       3 / 2             365 d       the keys of the four top roles; offline
targets    3 / 2             180 d       nothing but delegations; offline
a channel  3 / 2             90 d        ``<product>/<channel>/*``; offline, or a KMS and a person
beta       1 / 1             30 d        the same for ``beta``; a build server may hold it
archive    its channel's     90 d        ``<product>/archive/*/*``: old releases, for pins alone
snapshot   1 / 1             7 d         one set of versions; online
timestamp  1 / 1             2 d         the snapshot; online
=========  ================  ==========  =====================================================

In TUF a ``*`` never crosses a ``/`` and a pattern must be as deep as the path, so the depths here are those of
``path_of`` and ``archive_path_of``. Every delegation terminates: no other role is asked about its paths.
"""

from datetime import timedelta

from pawld.model import Platform
from pawld.values import dataclass

ROOT = "root"
TARGETS = "targets"
SNAPSHOT = "snapshot"
TIMESTAMP = "timestamp"
ARCHIVE = "archive"
ONLINE = (SNAPSHOT, TIMESTAMP)
TOP_LEVEL = (ROOT, TARGETS, SNAPSHOT, TIMESTAMP)
RESERVED = (*TOP_LEVEL, ARCHIVE)


@dataclass(frozen=True, slots=True)
class Term:
    """How long a signature lasts, and after which time it should be made anew."""

    lifetime: timedelta
    renew_after: timedelta


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many keys a role has, and how many of them must sign."""

    keys: int
    threshold: int

    def __post_init__(self) -> None:
        if not 1 <= self.threshold <= self.keys:
            raise ValueError("a threshold lies between 1 and the number of keys")


TERMS = {
    ROOT: Term(timedelta(days=365), timedelta(days=270)),
    TARGETS: Term(timedelta(days=180), timedelta(days=135)),
    ARCHIVE: Term(timedelta(days=90), timedelta(days=60)),
    SNAPSHOT: Term(timedelta(days=7), timedelta(days=3)),
    TIMESTAMP: Term(timedelta(hours=48), timedelta(hours=24)),
}
CHANNEL_TERM = Term(timedelta(days=90), timedelta(days=60))
BETA_TERM = Term(timedelta(days=30), timedelta(days=20))

GUARDED = Quorum(3, 2)
SINGLE = Quorum(1, 1)


def term_of(role: str) -> Term:
    """Return the usual term of *role*; every channel but ``beta`` counts as one for customers."""
    if role in TERMS:
        return TERMS[role]
    return BETA_TERM if role == "beta" else CHANNEL_TERM


def quorum_of(role: str) -> Quorum:
    """Return the usual quorum of *role*."""
    return SINGLE if role in (*ONLINE, "beta") else GUARDED


def patterns_of(role: str, products: tuple[str, ...]) -> list[str]:
    """Return the target paths that a delegated *role* may speak for."""
    return [f"{product}/archive/*/*" if role == ARCHIVE else f"{product}/{role}/*" for product in products]


def path_of(product: str, channel: str, platform: Platform) -> str:
    """Return the target that always names the channel's current release for this platform."""
    return f"{product}/{channel}/{platform}"


def archive_path_of(product: str, version: str, platform: Platform) -> str:
    """Return the target under which a release stays, for those who pin it."""
    return f"{product}/{ARCHIVE}/{version}/{platform}"
