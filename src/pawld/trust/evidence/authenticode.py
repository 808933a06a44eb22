"""Authenticode by ``osslsigncode``, with the leaf certificate pinned in the signed record.

``{"type": "authenticode", "leaf_sha256": "…64…"}``; a leaf that the configuration pins counts instead. The program
needs a path: the file lies in a folder that only this updater writes to, and the path must lead to the very file that
was hashed.
"""

import os
import re
from datetime import timedelta
from pathlib import Path

from pawld.errors import RejectedError
from pawld.model import Evidence, Record
from pawld.ports import Downloaded
from pawld.reasons import Reason
from pawld.system import faults, process
from pawld.trust.evidence import missing, not_checked

LIMIT = timedelta(minutes=10)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)


class AuthenticodeEvidence:
    """Checks with *program*; *ca_file* holds the certificates that a chain may end in."""

    def __init__(self, ca_file: Path, leaf_sha256: str | None = None, program: str = "osslsigncode") -> None:
        self._ca_file = ca_file
        self._leaf = leaf_sha256
        self._program = program

    def check(self, record: Record, evidence: Evidence, downloaded: Downloaded) -> str:
        """Verify signature, chain and leaf; return the leaf's digest."""
        leaf = pinned_leaf(record, evidence, self._leaf)
        check_same_file(downloaded)
        command = [self._program, "verify", "-CAfile", str(self._ca_file), "-require-leaf-hash", f"sha256:{leaf}"]
        finished = process.run([*command, "-in", str(downloaded.path)], limit=LIMIT)
        if not finished.ran:
            raise not_checked("authenticode", f"{self._program} is needed, and {finished.errors}; install it")
        if not finished.ok:
            raise RejectedError(
                Reason.SIGNATURE_INVALID,
                f"The Authenticode signature of {record.filename} is refused: {finished.story}.",
            )
        return leaf


def pinned_leaf(record: Record, evidence: Evidence, pinned: str | None) -> str:
    """Return the digest that the signing certificate must have: the *pinned* one, or else the record's."""
    leaf = pinned or evidence.facts.get("leaf_sha256", "").lower()
    if not _SHA256.fullmatch(leaf):
        raise missing(record, "authenticode evidence without the SHA-256 of its leaf certificate")
    return leaf


def check_same_file(downloaded: Downloaded) -> None:
    """Refuse where the path no longer leads to the very file that was hashed."""
    with faults.host_faults("Looking at the download"):
        named, held = downloaded.path.stat(), os.fstat(downloaded.file.fileno())
    if (named.st_dev, named.st_ino) != (held.st_dev, held.st_ino):
        raise RejectedError(Reason.DIGEST_MISMATCH, f"{downloaded.path.name} was replaced while it was being checked.")
