"""The TUF engine: python-tuf's client decides, over our own HTTP client, and our marks look over its shoulder.

It verifies no signature by itself and reads no private part of python-tuf: after a refresh, what is trusted lies in
the cache, and is read from there.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from tuf.api.metadata import TargetFile

from pawld.errors import OperatorError, RejectedError
from pawld.formats.metadata import MOST_METADATA
from pawld.formats.record import read_custom
from pawld.lifecycle import versions
from pawld.model import NoBuild, Question, Record
from pawld.ports import Clock
from pawld.reasons import Reason
from pawld.system import faults
from pawld.system.http import Web, checked_url, shown
from pawld.trust import tuf_cache
from pawld.trust.engine import Statement
from pawld.trust.tuf_chain import Chain, read_chain
from pawld.trust.tuf_client import Updater, UpdaterConfig
from pawld.trust.tuf_errors import tuf_errors
from pawld.trust.tuf_fetcher import WebFetcher
from pawld.trust.tuf_proof import ProvenFetcher

TARGET = "{product}/{channel}/{platform}"
ARCHIVE = "{product}/archive/{version}/{platform}"
DEADLINE = timedelta(minutes=2)
LARGE = 5_000_000  # bytes; the largest document that other TUF clients read

_UNUSABLE = (Reason.IO_FAILED,)  # a cache with this fault is set aside; a full or read-only disk is not the cache's


class TufEngine:
    """Record and chain of one TUF repository.

    Args:
        metadata_url: where the metadata lies; https, or http on loopback.
        root: the packaged root metadata; passed at every start, and walked forward from there.
        cache_dir: python-tuf's own, and nobody else's.
        target: the path of the record, with ``{product} {channel} {platform} {os} {arch}``.
        archive: the path of an archived one, with ``{version}`` too.
        deadline: for a whole refresh.
        longest: the most bytes that one document may have; memory follows it sixfold.
    """

    name = "tuf"

    def __init__(
        self,
        metadata_url: str,
        root: bytes,
        cache_dir: Path,
        *,
        web: Web,
        clock: Clock,
        target: str = TARGET,
        archive: str = ARCHIVE,
        deadline: timedelta = DEADLINE,
        longest: int = MOST_METADATA,
    ) -> None:
        self._url = checked_url(metadata_url, "trust.metadata_url")
        self._root = root
        self._cache = cache_dir
        self._web = web
        self._clock = clock
        self._target = target
        self._archive = archive
        self._deadline = deadline
        self._longest = longest

    def state(self, question: Question) -> Statement:
        """Refresh, and read the target that this question asks for."""
        path = self._path(self._target, question)
        with self.refreshed() as updater:
            found = self._lookup(updater, path)
            archived = question.pinned and not _names(found, question.version)
            if archived:
                path = self._path(self._archive, question)
                found = self._lookup(updater, path)
            chain = read_chain(self._cache, path)
        return Statement(self._record(found, path, chain), path, chain.roles, archived)

    def look_up(self, path: str) -> tuple[TargetFile | None, Chain]:
        """Refresh, and return the target *path* as it is signed, with the chain that leads to it."""
        with self.refreshed() as updater:
            return self._lookup(updater, path), read_chain(self._cache, path)

    @contextmanager
    def refreshed(self, target_dir: Path | None = None, target_base_url: str | None = None) -> Iterator[Updater]:
        """Yield python-tuf's updater with fresh top-level metadata, errors inside translated, the cache locked."""
        fetcher = self._fetcher()
        with tuf_cache.locked(self._cache), tuf_errors(self._url, fetcher, self._cache):
            yield self._refresh(fetcher, target_dir, target_base_url)

    def _fetcher(self) -> WebFetcher:
        if not self._web.reads_apart:
            return WebFetcher(self._web, self._clock, self._deadline, self._longest)
        cache, url = self._cache, self._url
        return ProvenFetcher(self._web, self._clock, self._deadline, self._longest, metadata_url=url, cache=cache)

    def _refresh(self, fetcher: WebFetcher, target_dir: Path | None, target_base_url: str | None) -> Updater:
        try:
            return self._attempt(fetcher, target_dir, target_base_url)
        except OSError as error:
            with faults.host_faults("Using the metadata cache"):
                if faults.reason_of(error) not in _UNUSABLE:
                    raise
                tuf_cache.set_aside(self._cache)
                return self._attempt(fetcher, target_dir, target_base_url)

    def _attempt(self, fetcher: WebFetcher, target_dir: Path | None, target_base_url: str | None) -> Updater:
        updater = Updater(
            str(self._cache),
            self._url,
            target_dir=str(target_dir) if target_dir else None,
            target_base_url=target_base_url,
            fetcher=fetcher,
            config=UpdaterConfig(
                snapshot_max_length=max(LARGE, self._longest), targets_max_length=max(LARGE, self._longest)
            ),
            bootstrap=self._root,
        )
        updater.refresh()
        return updater

    def _lookup(self, updater: Updater, path: str) -> TargetFile | None:
        with faults.host_faults("Keeping the metadata of a delegation"):
            return updater.get_targetinfo(path)

    def _record(self, found: TargetFile | None, path: str, chain: Chain) -> Record | NoBuild:
        if found is None:
            return NoBuild(f"The signed metadata of {shown(self._url)} has no target {path}.")
        sha256 = found.hashes.get("sha256")
        if sha256 is None:
            raise RejectedError(Reason.RECORD_INVALID, f"The signed target {path} has no SHA-256.")
        return read_custom(found.custom, found.length, sha256, chain.expires)

    def _path(self, template: str, question: Question) -> str:
        try:
            return template.format(
                product=question.product,
                channel=question.channel,
                platform=question.platform.name,
                os=question.platform.os,
                arch=question.platform.arch,
                version=question.version or "",
            )
        except (KeyError, IndexError, ValueError) as error:
            raise OperatorError(
                Reason.CONFIG_INVALID, f"trust.target {template!r} has a field that is not known: {error}."
            ) from error


def _names(found: TargetFile | None, version: str | None) -> bool:
    """Whether a target's custom field says this version, for choosing between paths; it is read strictly later."""
    custom = found.custom if found is not None else None
    said = custom.get("version") if isinstance(custom, dict) else None
    return version is None or (isinstance(said, str) and versions.same(said, version))


def read_root(path: Path) -> bytes:
    """Read the packaged root; ``OperatorError`` (config_missing, config_invalid) where it is not there or no root."""
    try:
        data = path.read_bytes()
        kind = json.loads(data)["signed"]["_type"]
    except OSError as error:
        raise OperatorError(
            Reason.CONFIG_MISSING,
            f"The trusted root {path} cannot be read: {error.strerror}. The publisher has it, as metadata/1.root.json.",
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise OperatorError(Reason.CONFIG_INVALID, f"The file {path} is no TUF metadata.") from error
    if kind != "root":
        raise OperatorError(Reason.CONFIG_INVALID, f"The file {path} is TUF metadata of type {kind!r}, not a root.")
    return data
