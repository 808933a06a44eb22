"""Records for tests that need one and care about little of it."""

from typing import Any

from pawld.model import Platform, Record


def build_record(**changes: Any) -> Record:
    """A record of acme 1.8.3 on the channel stable for linux-x86_64, with *changes*."""
    facts: dict[str, Any] = {
        "product": "acme",
        "channel": "stable",
        "platform": Platform("linux", "x86_64"),
        "version": "1.8.3",
        "sequence": 1042,
        "length": 12345678,
        "sha256": "0f" * 32,
        "filename": "acme-1.8.3.tar.gz",
        "format": "tar.gz",
    }
    return Record(**facts | changes)
