"""A macOS installer package: who signed it is checked, ``installer`` installs it, and the receipt says what is there.

The texts that are read are those that Apple documents and public reports quote; none was recorded on a Mac of this
project yet.
"""

import re
import shlex
import tempfile
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from pawld.errors import OperatorError, RejectedError
from pawld.formats.pkgutil import developer_team
from pawld.install.package_faults import Tool, refuse_other
from pawld.model import Platform
from pawld.reasons import Reason
from pawld.system.process import Finished

_BUSY = re.compile(
    r"installation is already in progress|another installation|PKInstallErrorDomain Code=102", re.IGNORECASE
)
_VERSION = r'<pkg-(?:info|ref)\b(?=[^>]*\s(?:identifier|id)="{}")[^>]*\sversion="([^"]+)"'
_RECEIPT = re.compile(r"^version: (\S+)$", re.MULTILINE)


class MacInstaller:
    """The package manager of macOS.

    Args:
        identifier: the component's, ``com.example.acme``: its receipt tells what is installed.
        platform: what it must be built for.
        team_id: the Developer ID team that must have signed it; None asks for no signature of Apple's.
        limit: how long ``installer`` may take.
    """

    form = "pkg"

    def __init__(
        self,
        identifier: str,
        platform: Platform,
        *,
        team_id: str | None = None,
        limit: timedelta = timedelta(minutes=15),
        run: Callable[..., Finished] | None = None,
    ) -> None:
        self._identifier = identifier
        self._platform = platform
        self._team_id = team_id
        self._tool = Tool("installer", busy=_BUSY, limit=limit, run=run)

    def check(self, package: Path) -> None:
        """Hold identifier and signing team against the agent's."""
        refuse_other("package", (self._identifier, self._identifier), (None, self._platform), Platform("macos", "any"))
        self.version(package)
        if self._team_id is not None:
            self._refuse_other_team(package, self._team_id)

    def version(self, package: Path) -> str:
        """Read the component's version from PackageInfo or Distribution, as ``pkgutil`` unpacks them."""
        with tempfile.TemporaryDirectory() as work:
            place = Path(work) / "expanded"
            finished = self._tool.ask(["pkgutil", "--expand", str(package), str(place)])
            if not finished.ran:
                raise OperatorError(Reason.CONFIG_INVALID, f"This host has no pkgutil: {finished.errors}.")
            if not finished.ok:
                raise RejectedError(Reason.WRONG_EXECUTABLE, f"The build is no installer package: {finished.story}.")
            wanted = re.compile(_VERSION.format(re.escape(self._identifier)))
            for document in (*sorted(place.rglob("PackageInfo")), place / "Distribution"):
                found = wanted.search(document.read_text(encoding="utf-8")) if document.is_file() else None
                if found:
                    return found[1]
        raise RejectedError(Reason.WRONG_EXECUTABLE, f"The package holds no component {self._identifier!r}.")

    def installed(self) -> str | None:
        """Ask for the receipt."""
        finished = self._tool.ask(["pkgutil", "--pkg-info", self._identifier])
        if not finished.ran:
            raise OperatorError(Reason.CONFIG_INVALID, f"This host has no pkgutil: {finished.errors}.")
        found = _RECEIPT.search(finished.output) if finished.ok else None
        return found[1] if found else None

    def install(self, package: Path) -> None:
        """Install onto the running system. A receipt is forgotten first, or an older version could be left out."""
        if self.installed() not in (None, self.version(package)):
            self._tool.ask(["pkgutil", "--forget", self._identifier])
        self._tool.must(self._command(package))

    def way_back(self, package: Path) -> str:
        """Return the same two commands for a shell."""
        forget = shlex.join(["pkgutil", "--forget", self._identifier])
        return f"( {forget} || true ) && {shlex.join(self._command(package))}"

    def _command(self, package: Path) -> Sequence[str]:
        return ["installer", "-pkg", str(package), "-target", "/"]

    def _refuse_other_team(self, package: Path, team_id: str) -> None:
        finished = self._tool.ask(["pkgutil", "--check-signature", str(package)])
        team = developer_team(finished.output)
        if not finished.ok or team is None:
            raise RejectedError(Reason.SIGNATURE_INVALID, f"No Developer ID signed the package: {finished.story}.")
        if team != team_id:
            raise RejectedError(Reason.SIGNATURE_INVALID, f"Team {team} signed the package; this agent's is {team_id}.")
