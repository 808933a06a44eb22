"""Figures that a rig has to show: a rig that says nothing may have looked at nothing."""

import sys


def tell(line: str) -> None:
    """Print a line that pytest keeps and ``-rA`` shows."""
    sys.stdout.write(f"{line}\n")
