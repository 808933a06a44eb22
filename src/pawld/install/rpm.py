"""An RPM package: rpm installs and owns it, and keeps the administrator's configuration files by its own rules."""

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

# At a terminal rpm would wait for the lock for ever; without one it gives up at once.
_BUSY = re.compile(r"transaction lock on .+\(Resource temporarily unavailable\)|waiting for transaction lock")
# rpm ends with 0 for these; what the old package's %preun and %postun do is not the new one's fault.
_OWN_SCRIPT_FAILED = re.compile(r"(%(?:pre|post|pretrans|posttrans)\(.+ scriptlet failed.*)")
_EVERY_ARCHITECTURE = "noarch"
_VERSION = "%{EPOCHNUM}:%{VERSION}-%{RELEASE}"


class Rpm:
    """The package manager of Fedora, SUSE and their kin; the arguments are those of ``deb.Dpkg``."""

    form = "rpm"

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
        self._options = () if database is None else ("--dbpath", str(database))
        self._outside = tuple(outside)
        self._tool = Tool("rpm", busy=_BUSY, limit=limit, run=run)

    def check(self, package: Path) -> None:
        """Hold name, architecture and system in the package's header against the agent and the platform."""
        name, arch, system, _ = self._header(package)
        built_for = None if arch == _EVERY_ARCHITECTURE else architecture(arch) or arch
        refuse_other("RPM package", (name, self._package), (built_for, self._platform), Platform(system, arch))

    def version(self, package: Path) -> str:
        """Read epoch, version and release in the package's header."""
        return self._header(package)[3]

    def installed(self) -> str | None:
        """Ask rpm; of several that stand side by side the last installed is the one."""
        form = f"%{{INSTALLTIME}} {_VERSION}\\n"
        finished = self._tool.ask(["rpm", *self._options, "--query", "--queryformat", form, self._package])
        if not finished.ran:
            raise OperatorError(Reason.CONFIG_INVALID, f"This host has no rpm: {finished.errors}.")
        rows = [line.split() for line in finished.output.splitlines()] if finished.ok else []
        return max(rows, key=lambda row: int(row[0]))[1] if rows else None

    def install(self, package: Path) -> None:
        """Run ``rpm --upgrade``, which with these options goes to an older version, or over the same one, as well."""
        finished = self._tool.must([*self._outside, *self._command(package)])
        failed = _OWN_SCRIPT_FAILED.search(finished.errors)
        if failed:
            raise RejectedError(Reason.INSTALLER_FAILED, f"rpm installed it, but {failed[1]}.")

    def way_back(self, package: Path) -> str:
        """Return the same command as ``install`` runs, for a shell."""
        return shlex.join(self._command(package))

    def _command(self, package: Path) -> list[str]:
        return ["rpm", *self._options, "--upgrade", "--oldpackage", "--replacepkgs", str(package)]

    def _header(self, package: Path) -> tuple[str, str, str, str]:
        form = f"%{{NAME}}\\n%{{ARCH}}\\n%{{OS}}\\n{_VERSION}\\n"
        finished = self._tool.ask(["rpm", *self._options, "--query", "--queryformat", form, "--package", str(package)])
        words = finished.output.split()
        if not finished.ok or len(words) != 4:  # noqa: PLR2004 - as asked for
            raise RejectedError(Reason.WRONG_EXECUTABLE, f"The build is no RPM package: {finished.story}.")
        return words[0], words[1], words[2], words[3]
