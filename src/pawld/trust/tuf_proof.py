"""Metadata that is proven before root reads it, on a host that has walls.

A document whose hash is in metadata that is trusted already is proven by that: python-tuf compares before it reads. For
every other one (roots, the timestamp, whatever a snapshot lists without a hash) a child takes it apart, and tells the
signatures and the canonical bytes that they are over. Where enough keys of the role have signed these very bytes, a
document is put together of both, and python-tuf judges that as it judges any.

What is trusted already lies in the cache: python-tuf keeps there what it has verified, before it asks for the next.
"""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from tuf.api.exceptions import RepositoryError, UnsignedMetadataError
from tuf.api.metadata import Metadata, MetaFile, Root, Signature, Snapshot, Targets, Timestamp

from pawld.formats.metadata import MOST_METADATA
from pawld.ports import Clock
from pawld.system.http import Web, shown
from pawld.system.http.hop import Hop
from pawld.system.http.readings import Reading
from pawld.system.http.urls import address_of
from pawld.trust.tuf_fetcher import WebFetcher, escaped

MOST_SIGNATURES = 256  # of one document
LONGEST_SIGNATURE = 32 * 1024  # characters; those of ML-DSA have 9,254
LONGEST_KEY_ID = 256  # characters
LONGEST_APART = 12 * 1024 * 1024  # bytes of a document; a child has memory for some ten times that
_PROVING = frozenset({"sha256", "sha384", "sha512"})  # Python knows weak ones by many names: MD5, md5-sha1, …
_CONTROL = re.compile(rb"[\x00-\x1f]")
_VERSIONED_ROOT = re.compile(r"([0-9]+)\.root")


class ProvenFetcher(WebFetcher):
    """A ``WebFetcher`` whose documents are proven, or about to be by their hash.

    Args:
        metadata_url: what the addresses of all documents begin with.
        cache: what python-tuf keeps, all of it verified.
    """

    def __init__(
        self,
        web: Web,
        clock: Clock,
        deadline: timedelta,
        longest: int = MOST_METADATA,
        *,
        metadata_url: str,
        cache: Path,
    ) -> None:
        super().__init__(web, clock, deadline, longest)
        self._base = f"{metadata_url.removesuffix('/')}/"
        self._trusted = Trusted(cache)

    def download_bytes(self, url: str, max_length: int) -> bytes:
        """Fetch one document; ``RepositoryError`` where nothing proves it."""
        data = super().download_bytes(url, max_length)
        role, authorities = self._trusted.authorities(url.removeprefix(self._base).removesuffix(".json"))
        if authorities is not None:
            data = self.last = self._proven(url, data, role, authorities)
        return data

    def _proven(self, url: str, data: bytes, role: str, authorities: Sequence[Root | Targets]) -> bytes:
        if len(data) > LONGEST_APART:
            raise RepositoryError(
                f"{shown(url)} has {len(data)} bytes; a document that is listed without a hash may have at most "
                f"{LONGEST_APART} where it is read by a process without privileges"
            )
        signatures, canonical = _told(self._web.read(Reading.ENVELOPE, data, Hop("GET", address_of(escaped(url)))), url)
        by_key = {keyid: Signature(keyid, one) for keyid, one in signatures}
        refusal: RepositoryError = RepositoryError(f"nobody who is trusted speaks for {role}")
        for authority in authorities:
            try:
                authority.verify_delegate(role, canonical, by_key)
            except UnsignedMetadataError as error:
                refusal = error
            else:
                return _document(signatures, canonical)
        raise refusal


class Trusted:
    """What is verified by now, and so who may speak for what comes next."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache

    def authorities(self, name: str) -> tuple[str, Sequence[Root | Targets] | None]:
        """Return the role of the document *name*, and who names its keys; None where its hash is signed already."""
        if found := _VERSIONED_ROOT.fullmatch(name):
            before = f"root_history/{int(found[1]) - 1}.root"
            return Root.type, [self._read(before, Root)]
        root: Root = self._read(Root.type, Root)
        if name == Timestamp.type:
            return name, [root]
        role = unquote(name.partition(".")[2] if root.consistent_snapshot else name)
        if _is_hashed(self._listed(role)):
            return role, None
        return role, [root] if role in root.roles else list(self._delegating(role))

    def _listed(self, role: str) -> MetaFile:
        """Return what the role above says of this one's file."""
        if role == Snapshot.type:
            timestamp: Timestamp = self._read(Timestamp.type, Timestamp)
            return timestamp.snapshot_meta
        snapshot: Snapshot = self._read(Snapshot.type, Snapshot)
        try:
            return snapshot.meta[f"{role}.json"]
        except KeyError as error:
            raise RepositoryError(f"the snapshot does not list {role}") from error

    def _delegating(self, role: str) -> Iterator[Targets]:
        """Yield every role that is trusted now and delegates to this one."""
        waiting, seen = [self._read(Targets.type, Targets)], {Targets.type}
        while waiting:
            delegator: Targets = waiting.pop()
            if _delegates(delegator, role):
                yield delegator
            for name in self._cached() - seen:
                if _delegates(delegator, name) and (found := self._verified(name, delegator)):
                    seen.add(name)
                    waiting.append(found)

    def _cached(self) -> set[str]:
        return {unquote(one.stem) for one in self._cache.glob("*.json")}

    def _verified(self, name: str, delegator: Targets) -> Targets | None:
        """Return a kept role as far as it is what is signed today: keys and lists may have changed since."""
        try:
            kept = self._metadata(quote(name, ""))
            delegator.verify_delegate(name, kept.signed_bytes, kept.signatures)
            current = self._listed(name).version == kept.signed.version
        except RepositoryError:
            return None
        return kept.signed if current and isinstance(kept.signed, Targets) else None

    def _read(self, name: str, kind: type[Any]) -> Any:
        signed = self._metadata(name).signed
        if not isinstance(signed, kind):
            raise RepositoryError(f"{name}.json in the cache is of type {signed.type}")
        return signed

    def _metadata(self, name: str) -> "Metadata[Any]":
        return Metadata.from_bytes((self._cache / f"{name}.json").read_bytes())


def _is_hashed(listed: MetaFile) -> bool:
    return not _PROVING.isdisjoint(listed.hashes or {})


def _delegates(delegator: Targets, role: str) -> bool:
    try:
        delegator.get_delegated_role(role)
    except ValueError:
        return False
    return True


def _told(said: Any, url: str) -> tuple[list[tuple[str, str]], bytes]:
    """Read what the child says of a document: it may be anything."""
    match said:
        case [[*signatures], bytes(canonical)] if len(signatures) <= MOST_SIGNATURES:
            return [_signature(one, url) for one in signatures], canonical
    raise RepositoryError(f"{shown(url)} is no signed document")


def _signature(said: Any, url: str) -> tuple[str, str]:
    match said:
        case [str(keyid), str(signature)] if len(keyid) <= LONGEST_KEY_ID and len(signature) <= LONGEST_SIGNATURE:
            return keyid, signature
    raise RepositoryError(f"{shown(url)} has a signature that is none")


def _document(signatures: Sequence[tuple[str, str]], canonical: bytes) -> bytes:
    """Put a document together; canonical JSON has control characters as they are, which no reader of JSON takes."""
    signed = _CONTROL.sub(lambda one: b"\\u%04x" % one[0][0], canonical)
    listed = [{"keyid": keyid, "sig": signature} for keyid, signature in signatures]
    return b'{"signatures":%s,"signed":%s}' % (json.dumps(listed, separators=(",", ":")).encode(), signed)
