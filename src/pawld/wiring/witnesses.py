"""What can check evidence on this host, by type; a checker and its libraries are loaded where they are asked for."""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pawld.model import Evidence, Record
from pawld.ports import Downloaded
from pawld.settings.evidence import EvidenceDemand
from pawld.system.http import Web
from pawld.trust.evidence import EvidenceChecker, Unchecked, check_evidence

KNOWN = ("minisign", "sshsig", "sigstore", "authenticode", "pkgutil")


class Witnesses(Mapping[str, EvidenceChecker]):
    """The checkers, with the keys that the configuration pins."""

    def __init__(self, settings: EvidenceDemand | None, web: Web) -> None:
        self._settings = settings or EvidenceDemand.model_construct()
        self._web = web

    def __getitem__(self, kind: str) -> EvidenceChecker:
        settings, web = self._settings, self._web
        match kind:
            case "minisign":
                from pawld.trust.evidence.minisign import MinisignEvidence

                return MinisignEvidence(settings.minisign.public_keys if settings.minisign else (), web)
            case "sshsig":
                from pawld.trust.evidence.sshsig import SshsigEvidence

                return SshsigEvidence(settings.sshsig.public_key if settings.sshsig else None, web)
            case "sigstore":
                return _sigstore(settings, web)
            case "authenticode":
                return _authenticode(settings)
            case "pkgutil":
                from pawld.trust.evidence.pkgutil import PkgutilEvidence

                return PkgutilEvidence(settings.pkgutil.team_id if settings.pkgutil else None)
            case _:
                raise KeyError(kind)

    def __iter__(self) -> Iterator[str]:
        return iter(KNOWN)

    def __len__(self) -> int:
        return len(KNOWN)


def as_a_host(pinned: Mapping[str, Any], web: Web) -> Callable[[Record, Path], None]:
    """Return what checks all evidence of a record on a file, offered or demanded, with what is *pinned* here."""
    checkers = Witnesses(EvidenceDemand.model_validate(pinned), web)

    def vouch(record: Record, path: Path) -> None:
        whole = replace(record, evidence=tuple(_demanded(one) for one in record.evidence))
        with path.open("rb") as file:
            check_evidence(whole, Downloaded(file, path, path.name), checkers)

    return vouch


def _demanded(evidence: Evidence) -> Evidence:
    return replace(evidence, facts={name: fact for name, fact in evidence.facts.items() if name != "optional"})


def _sigstore(settings: EvidenceDemand, web: Web) -> EvidenceChecker:
    from pawld.trust.evidence.sigstore import SigstoreEvidence

    given = settings.sigstore
    if given is None:
        return Unchecked("sigstore", "trust.evidence.sigstore.trusted_root names no trusted root")
    return SigstoreEvidence(given.trusted_root, identity=given.identity, issuer=given.issuer, web=web)


def _authenticode(settings: EvidenceDemand) -> EvidenceChecker:
    given = settings.authenticode
    leaf = given.leaf_sha256 if given else None
    if sys.platform == "win32":
        from pawld.trust.evidence.windows import WindowsAuthenticodeEvidence

        return WindowsAuthenticodeEvidence(leaf)
    if given is None or given.ca_file is None:
        return Unchecked("authenticode", "trust.evidence.authenticode.ca_file names no certificates for osslsigncode")
    from pawld.trust.evidence.authenticode import AuthenticodeEvidence

    return AuthenticodeEvidence(given.ca_file, leaf)
