"""minisign evidence: a vendor's own signature over the build.

``{"type": "minisign", "key_id": "…", "public_key": "RW…", "signature": "…four lines…" or "url": "https://…"}``. Keys
that the configuration pins count alone; only without them does the record's own ``public_key`` speak.
"""

from collections.abc import Sequence

from pawld.errors import RejectedError
from pawld.model import Evidence, Record
from pawld.ports import Downloaded
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.trust.evidence import missing
from pawld.trust.evidence.attached import attached
from pawld.trust.signatures import Keyring


class MinisignEvidence:
    """Checks by *public_keys*, if there are any."""

    def __init__(self, public_keys: Sequence[str] = (), web: Web | None = None) -> None:
        self._pinned = Keyring(public_keys) if public_keys else None
        self._web = web

    def check(self, record: Record, evidence: Evidence, downloaded: Downloaded) -> str:
        """Verify the whole file in constant memory; return the key's id."""
        keyring = self._pinned or _named(record, evidence)
        downloaded.file.seek(0)
        key_id, _ = keyring.verify(downloaded.file, attached(record, evidence, self._web), record.filename)
        if evidence.facts.get("key_id", key_id).upper() != key_id:
            raise RejectedError(
                Reason.SIGNATURE_INVALID,
                f"{record.filename} is signed by key {key_id}, but the record names {evidence.facts['key_id']}.",
            )
        return key_id


def _named(record: Record, evidence: Evidence) -> Keyring:
    public_key = evidence.facts.get("public_key")
    if public_key is None:
        raise missing(record, "minisign evidence without a public key, and none is pinned here")
    return Keyring([public_key])
