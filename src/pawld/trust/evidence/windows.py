"""Authenticode by Windows itself: its own certificates, its own revocation, and the leaf pinned.

``Get-AuthenticodeSignature`` is asked through PowerShell, and answers with a status and the signer's certificate. The
path goes by the environment, where no quoting can turn it into a command.
"""

import hashlib
import json
from base64 import b64decode
from collections.abc import Callable
from datetime import timedelta

from pawld.errors import RejectedError
from pawld.model import Evidence, Record
from pawld.ports import Downloaded
from pawld.reasons import Reason
from pawld.system import process
from pawld.trust.evidence import not_checked
from pawld.trust.evidence.authenticode import check_same_file, pinned_leaf

LIMIT = timedelta(minutes=10)
PATH = "AUTHENTICODE_FILE"
SCRIPT = f"""
$ErrorActionPreference = 'Stop'
$found = Get-AuthenticodeSignature -LiteralPath $env:{PATH}
$leaf = if ($found.SignerCertificate) {{ [Convert]::ToBase64String($found.SignerCertificate.RawData) }} else {{ '' }}
ConvertTo-Json -Compress @{{ status = "$($found.Status)"; leaf = $leaf; message = "$($found.StatusMessage)" }}
"""
COMMAND = ("powershell.exe", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-Command", SCRIPT)


class WindowsAuthenticodeEvidence:
    """Checks by this Windows; *leaf_sha256*, where pinned, counts instead of the record's."""

    def __init__(self, leaf_sha256: str | None = None, run: Callable[..., process.Finished] = process.run) -> None:
        self._leaf = leaf_sha256
        self._run = run

    def check(self, record: Record, evidence: Evidence, downloaded: Downloaded) -> str:
        """Ask for status and leaf; return the leaf's digest."""
        leaf = pinned_leaf(record, evidence, self._leaf)
        check_same_file(downloaded)
        finished = self._run(COMMAND, limit=LIMIT, environment={PATH: str(downloaded.path)})
        if not finished.ran:
            raise not_checked("authenticode", f"{COMMAND[0]} is needed, and {finished.errors}")
        status, found, message = _answer(record, finished)
        if status != "Valid":
            raise _refused(record, f"Windows says {status}: {message}")
        if found != leaf:
            raise _refused(record, f"the certificate {found} signed it, and {leaf} is pinned")
        return leaf


def _answer(record: Record, finished: process.Finished) -> tuple[str, str, str]:
    try:
        facts = json.loads(finished.output)
        leaf = hashlib.sha256(b64decode(facts["leaf"], validate=True)).hexdigest()
        return str(facts["status"]), leaf, str(facts["message"]).rstrip(".")
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(record, finished.story) from error


def _refused(record: Record, why: str) -> RejectedError:
    return RejectedError(
        Reason.SIGNATURE_INVALID, f"The Authenticode signature of {record.filename} is refused: {why}."
    )
