"""Which of two versions is newer, by semantic versioning, for those names that are semantic versions.

The signed sequence decides newer and older; versions are compared only with the floors that a record or a pin names.
"""

import semver


def older(version: str, than: str) -> bool | None:
    """Say whether *version* is below *than*; None where either is no semantic version and so has no order."""
    left, right = _parsed(version), _parsed(than)
    if left is None or right is None:
        return None
    return left < right


def same(version: str, other: str) -> bool:
    """Say whether two names mean one version, a leading ``v`` aside."""
    return version.removeprefix("v") == other.removeprefix("v")


def _parsed(version: str) -> semver.Version | None:
    try:
        return semver.Version.parse(version.removeprefix("v"), optional_minor_and_patch=True)
    except ValueError:
        return None
