"""What ``pkgutil --check-signature`` of macOS answers, as public reports quote it; none was recorded on a Mac here."""

import re

_TEAM = re.compile(r"^\s*1\. Developer ID Installer: .+ \(([A-Z0-9]{10})\)\s*$", re.MULTILINE)
_TRUSTED = re.compile(
    r"^\s*Status: signed by a (?:developer )?certificate (?:issued by Apple|trusted by)", re.MULTILINE
)


def developer_team(answer: str) -> str | None:
    """Return the Developer ID team that Apple vouches for; None where nobody signed, or not as such."""
    found = _TEAM.search(answer)
    return found[1] if found and _TRUSTED.search(answer) else None
