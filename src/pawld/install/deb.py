"""A Debian package: dpkg installs and owns it, with the administrator's configuration files kept."""

import re
import shlex
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from pawld.errors import OperatorError, RejectedError
from pawld.install.package_faults import Tool, refuse_other
from pawld.model import Platform
from pawld.reasons import Reason
from pawld.system.platform.names import architecture
from pawld.system.process import Finished

_BUSY = re.compile(r"locked by another process|unable to (?:lock|access) the dpkg", re.IGNORECASE)
_EVERY_ARCHITECTURE = "all"


class Dpkg:
    """The package manager of Debian and its kin.

    Args:
        package: its name, as dpkg knows it.
        platform: what it must be built for.
        limit: how long dpkg may take, maintainer scripts included.
        database: dpkg's directory; None for the host's own.
        outside: goes before dpkg, so that it outlives a stop of pawld's own unit.
        run: how programs are run.
    """

    form = "deb"

    def __init__(
        self,
        package: str,
        platform: Platform,
        *,
        limit: timedelta = timedelta(minutes=15),
        database: Path | None = None,
        outside: Sequence[str] = (),
        run: Callable[..., Finished] | None = None,
    ) -> None:
        self._package = package
        self._platform = platform
        self._options = () if database is None else (f"--admindir={database}",)
        self._outside = tuple(outside)
        self._tool = Tool("dpkg", busy=_BUSY, limit=limit, run=run)

    def check(self, package: Path) -> None:
        """Hold name and architecture in the package's control file against the agent and the platform."""
        name, arch, _ = self._control(package)
        built_for = None if arch == _EVERY_ARCHITECTURE else architecture(arch) or arch
        refuse_other("Debian package", (name, self._package), (built_for, self._platform), Platform("linux", "any"))
        self._refuse_held()

    def version(self, package: Path) -> str:
        """Read the version in the package's control file, epoch and revision included."""
        return self._control(package)[2]

    def installed(self) -> str | None:
        """Ask dpkg; a package that is unpacked and not configured is not installed."""
        return next((version for _, state, version in self._known() if state == "installed"), None)

    def install(self, package: Path) -> None:
        """Run ``dpkg --install``, which goes to an older version as well as to a newer one."""
        self._refuse_held()
        self._tool.must([*self._outside, *self._command(package)])

    def way_back(self, package: Path) -> str:
        """Return the same command as ``install`` runs, for a shell."""
        return "DEBIAN_FRONTEND=noninteractive " + shlex.join(self._command(package))

    def _command(self, package: Path) -> list[str]:
        return ["dpkg", *self._options, "--force-confold", "--force-confdef", "--install", str(package)]

    def _control(self, package: Path) -> tuple[str, str, str]:
        form = "${Package}\n${Architecture}\n${Version}\n"
        finished = self._tool.ask(["dpkg-deb", f"--showformat={form}", "--show", str(package)])
        words = finished.output.split()
        if not finished.ok or len(words) != 3:  # noqa: PLR2004 - as asked for
            raise RejectedError(Reason.WRONG_EXECUTABLE, f"The build is no Debian package: {finished.story}.")
        return words[0], words[1], words[2]

    def _known(self) -> list[tuple[str, str, str]]:
        """Return what is wanted, the state and the version of each architecture's package of this name."""
        form = "${db:Status-Want} ${db:Status-Status} ${Version}\n"
        finished = self._tool.ask(["dpkg-query", *self._options, f"--showformat={form}", "--show", self._package])
        if not finished.ran:
            raise OperatorError(Reason.CONFIG_INVALID, f"This host has no dpkg: {finished.errors}.")
        rows = [line.split() for line in finished.output.splitlines()]
        return [(row[0], row[1], row[2]) for row in rows if len(row) == 3]  # noqa: PLR2004 - one never installed has none

    def _refuse_held(self) -> None:
        if any(wanted == "hold" for wanted, _, _ in self._known()):
            raise OperatorError(
                Reason.OWNED_BY_OTHERS,
                f"The package {self._package} is on hold (`apt-mark hold`), so it is left as it is.",
            )
