"""Sigstore: a bundle that says which identity signed the build, checked without a network.

``{"type": "sigstore", "identity": "https://github.com/acme/agent/…", "issuer": "https://token.actions…", "bundle":
"{…}" or "url": "https://…"}``. Identity and issuer that the configuration pins count instead of the record's. The
trusted root is a file of this host: nothing is asked of Sigstore's servers, neither for keys nor for the log.
"""

from pathlib import Path
from typing import Any

from pawld.errors import OperatorError, RejectedError
from pawld.model import Evidence, Record
from pawld.ports import Downloaded
from pawld.reasons import Reason
from pawld.system.http import Web
from pawld.trust.evidence import missing, not_checked
from pawld.trust.evidence.attached import attached

MAX_BUNDLE = 128 * 1024  # bytes; with a certificate of GitHub's and a log's proof it has 10,000
_EXTRA = "install pawld[sigstore] (pip install 'pawld[sigstore]')"


class SigstoreEvidence:
    """Checks against *trusted_root*, the JSON file that ``cosign trusted-root`` writes and Sigstore's TUF carries."""

    def __init__(
        self, trusted_root: Path, *, identity: str | None = None, issuer: str | None = None, web: Web | None = None
    ) -> None:
        self._trusted_root = trusted_root
        self._identity = identity
        self._issuer = issuer
        self._web = web

    def check(self, record: Record, evidence: Evidence, downloaded: Downloaded) -> str:  # noqa: ARG002 - the port's
        """Verify certificate, log and signature over the digest that the file has proven to have; return who signed."""
        identity = self._identity or evidence.facts.get("identity")
        issuer = self._issuer or evidence.facts.get("issuer")
        if not identity or not issuer:
            raise missing(record, "sigstore evidence without an identity and an issuer, and none are pinned here")
        bundle = attached(record, evidence, self._web, fact="bundle", limit=MAX_BUNDLE)
        verifier = self._verifier()
        try:
            _verify(verifier, bundle, record.sha256, identity, issuer)
        except Exception as error:  # whatever a stranger's bundle provokes is a refusal
            raise RejectedError(
                Reason.SIGNATURE_INVALID,
                f"The Sigstore bundle of {record.filename} is refused for {identity}: {_first_line(error)}.",
            ) from error
        return f"{identity} by {issuer}"

    def _verifier(self) -> Any:
        try:
            from sigstore.models import TrustedRoot  # noqa: PLC0415 - an extra, loaded where a record asks for it
            from sigstore.verify import Verifier  # noqa: PLC0415 - the same
        except ImportError as error:
            raise not_checked("sigstore", _EXTRA) from error
        try:
            return Verifier(trusted_root=TrustedRoot.from_file(str(self._trusted_root)))
        except OSError as error:
            raise OperatorError(
                Reason.CONFIG_MISSING, f"The trusted root {self._trusted_root} cannot be read: {error.strerror}."
            ) from error
        except Exception as error:
            raise OperatorError(
                Reason.CONFIG_INVALID, f"{self._trusted_root} is no trusted root of Sigstore: {_first_line(error)}."
            ) from error


def _verify(verifier: Any, bundle: bytes, sha256: str, identity: str, issuer: str) -> None:
    from sigstore.hashes import Hashed  # noqa: PLC0415 - the same
    from sigstore.models import Bundle  # noqa: PLC0415 - the same
    from sigstore.verify.policy import Identity  # noqa: PLC0415 - the same
    from sigstore_models.common.v1 import HashAlgorithm  # noqa: PLC0415 - the same

    digest = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=bytes.fromhex(sha256))
    verifier.verify_artifact(digest, Bundle.from_json(bundle), Identity(identity=identity, issuer=issuer))


def _first_line(error: Exception) -> str:
    """What a library says may be pages of what it was given."""
    words = str(error).strip().splitlines()
    return f"{type(error).__name__}: {words[0][:200].rstrip('.')}" if words else type(error).__name__
