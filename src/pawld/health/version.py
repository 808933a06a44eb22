"""The agent itself names the version that was installed: what runs is what was meant."""

import re

from pawld.health.command import CommandCheck, judged
from pawld.model import Slot
from pawld.ports import Finding, Healthy, Sick

_SHOWN = 200  # characters of an answer that go into a sentence


class VersionCheck(CommandCheck):
    """Runs *command*, whose output must contain the slot's version as a whole word."""

    name = "version"

    def check(self, slot: Slot) -> Finding:
        """Run it once; some programs tell their version on stderr."""
        finished, finding = judged(self._command, self._root, slot, self._limit)
        if not isinstance(finding, Healthy):
            return finding
        said = f"{finished.output}\n{finished.errors}"
        if names_version(said, slot.version):
            return Healthy(f"It says {slot.version}.")
        return Sick(f"The agent should say {slot.version} and says {' '.join(said.split())[:_SHOWN]!r}.")


def names_version(text: str, version: str) -> bool:
    """Say whether *version* stands in *text* by itself: not as a part of ``11.8.30``, ``1.8.3-rc1`` or ``1.8.3.1``.

    A leading ``v`` and a name before it (``acme-1.8.3``) are common and accepted; a full stop may follow.
    """
    before = r"(?:^|(?<![0-9A-Za-z.+_-])|(?<=[A-Za-z][-_]))v?"
    after = r"(?![0-9A-Za-z+_~-]|\.[0-9A-Za-z])"
    return re.search(before + re.escape(version.removeprefix("v")) + after, text) is not None
