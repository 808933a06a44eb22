"""A signed installer package, by ``pkgutil --check-signature`` of macOS.

``{"type": "pkgutil", "team_id": "ABCDE12345"}``; a team that the configuration pins counts instead. The path must lead
to the very file that was hashed.
"""

import re
from collections.abc import Callable
from datetime import timedelta

from pawld.errors import RejectedError
from pawld.formats.pkgutil import developer_team
from pawld.model import Evidence, Record
from pawld.ports import Downloaded
from pawld.reasons import Reason
from pawld.system import process
from pawld.trust.evidence import missing, not_checked
from pawld.trust.evidence.authenticode import check_same_file

LIMIT = timedelta(minutes=10)
_TEAM_ID = re.compile(r"[A-Z0-9]{10}", re.ASCII)


class PkgutilEvidence:
    """Checks by this macOS; *team_id*, where pinned, counts instead of the record's."""

    def __init__(self, team_id: str | None = None, run: Callable[..., process.Finished] = process.run) -> None:
        self._team_id = team_id
        self._run = run

    def check(self, record: Record, evidence: Evidence, downloaded: Downloaded) -> str:
        """Verify signature and chain, and hold the team against the pinned one; return it."""
        team_id = self._team_id or evidence.facts.get("team_id", "")
        if not _TEAM_ID.fullmatch(team_id):
            raise missing(record, "pkgutil evidence without a team_id")
        check_same_file(downloaded)
        finished = self._run(["pkgutil", "--check-signature", str(downloaded.path)], limit=LIMIT)
        if not finished.ran:
            raise not_checked("pkgutil", f"pkgutil belongs to macOS, and {finished.errors}")
        found = developer_team(finished.output) if finished.ok else None
        if found != team_id:
            who = f"team {found}" if found else f"no Developer ID ({finished.story})"
            raise RejectedError(
                Reason.SIGNATURE_INVALID, f"{record.filename} is signed by {who}; team {team_id} is pinned."
            )
        return team_id
