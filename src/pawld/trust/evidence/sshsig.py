"""OpenSSH signatures (``ssh-keygen -Y sign``), checked by ``ssh-keygen`` itself.

``{"type": "sshsig", "identity": "release@acme.example", "namespace": "file", "public_key": "ssh-ed25519 AAAA…",
"signature": "-----BEGIN SSH SIGNATURE-----…" or "url": "https://…"}``. The identity and key are those that were pinned.
"""

import os
import re
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from pawld.errors import RejectedError
from pawld.model import Evidence, Record
from pawld.ports import Downloaded
from pawld.reasons import Reason
from pawld.system import process
from pawld.system.http import Web
from pawld.trust.evidence import missing, not_checked
from pawld.trust.evidence.attached import attached

LIMIT = timedelta(minutes=10)  # a build of many GB on a slow disk
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._+-]{0,127}", re.ASCII)
_KEY = re.compile(r"(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|ssh-rsa) [A-Za-z0-9+/=]{16,2048}", re.ASCII)


class SshsigEvidence:
    """Checks with the *program*; *public_key*, where pinned, counts instead of the record's own."""

    def __init__(self, public_key: str | None = None, web: Web | None = None, program: str = "ssh-keygen") -> None:
        self._public_key = public_key
        self._web = web
        self._program = program

    def check(self, record: Record, evidence: Evidence, downloaded: Downloaded) -> str:
        """Verify the whole file from its descriptor; return the key."""
        identity = evidence.facts.get("identity", "")
        namespace = evidence.facts.get("namespace", "file")
        key = self._public_key or evidence.facts.get("public_key", "")
        if not (_PLAIN.fullmatch(identity) and _PLAIN.fullmatch(namespace) and _KEY.fullmatch(key)):
            raise missing(record, "sshsig evidence without a plain identity, namespace and public key")
        signature = attached(record, evidence, self._web)
        with TemporaryDirectory(prefix="pawld-sshsig-") as scratch:
            signers, detached = Path(scratch, "signers"), Path(scratch, "signature")
            signers.write_text(f'{identity} namespaces="{namespace}" {key}\n', encoding="ascii")
            detached.write_bytes(signature)
            finished = self._verify(signers, detached, identity, namespace, downloaded)
        if not finished.ran:
            raise not_checked("sshsig", f"{self._program} is needed, and {finished.errors}; install the OpenSSH client")
        if not finished.ok:
            raise RejectedError(
                Reason.SIGNATURE_INVALID, f"{record.filename} is not signed by {identity}: {finished.story}."
            )
        return key

    def _verify(
        self, signers: Path, signature: Path, identity: str, namespace: str, downloaded: Downloaded
    ) -> process.Finished:
        command = [self._program, "-Y", "verify", "-f", str(signers), "-I", identity, "-n", namespace]
        downloaded.file.seek(0)
        try:
            return process.run([*command, "-s", str(signature)], limit=LIMIT, stdin=downloaded.file)
        finally:
            # The child moved the shared offset behind Python's back; a seek from the end asks the system again.
            downloaded.file.seek(0, os.SEEK_END)
