"""Where configuration and state lie on each operating system."""

import os
from pathlib import Path, PureWindowsPath


def configuration_file(system: str) -> Path:
    """Return the configuration file's place; *system* is as ``sys.platform`` says it."""
    if system == "win32":
        return Path(str(PureWindowsPath(_program_data(), "pawld", "pawld.toml")))
    if system == "darwin":
        return Path("/Library/Application Support/pawld/pawld.toml")
    return Path("/etc/pawld/pawld.toml")


def state_directory(system: str) -> Path:
    """Return the state's place; only root or SYSTEM writes there."""
    if system == "win32":
        return Path(str(PureWindowsPath(_program_data(), "pawld")))
    if system == "darwin":
        return Path("/Library/Application Support/pawld")
    return Path("/var/lib/pawld")


def _program_data() -> str:
    return os.environ.get("ProgramData") or r"C:\ProgramData"  # noqa: SIM112 - Windows writes it so
