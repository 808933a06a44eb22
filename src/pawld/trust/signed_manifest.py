"""A signed manifest: the record as one JSON file, and a minisign signature over its exact bytes.

It binds as TUF's record does, and expires. What it cannot do: recover from a stolen key without a new configuration.
"""

import json
from typing import Any

from pawld.errors import RejectedError
from pawld.formats.record import read_manifest
from pawld.model import NoBuild, Question
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.trust.engine import Statement, sequence_path
from pawld.trust.sidecar import Sidecar
from pawld.trust.signatures import KeySource

MAX_MANIFEST = 4 * 1024 * 1024  # bytes; 60,000 chunk digests


class SignedManifestEngine:
    """Record from a manifest at *manifest_url*, signed at *signature_url* (default: the same with ``.minisig``).

    Both may name ``{version} {channel} {os} {arch} {platform} {filename}``.
    """

    name = "signed_manifest"

    def __init__(self, manifest_url: str, keys: KeySource, *, web: Web, signature_url: str | None = None) -> None:
        self._sidecar = Sidecar(manifest_url, signature_url, keys, MAX_MANIFEST, web)

    def state(self, question: Question) -> Statement:
        """Fetch, prove, and only then parse."""
        proven = self._sidecar.fetch(question)
        if isinstance(proven, NoBuild):
            return Statement(proven, sequence_path(question))
        return Statement(read_manifest(_json(proven.data)), sequence_path(question), proven.roles)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise RejectedError(Reason.RECORD_INVALID, f"The signed manifest is not valid JSON: {error}.") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that stands twice: two readers may see two documents."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found
