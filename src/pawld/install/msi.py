"""A Windows Installer package: installed silently, and taken back from our own copy.

A package with MajorUpgrade refuses to go to an older version, so on the way back the newer product is removed first.
A restart that Windows wants is told and never done: ``/norestart`` is always given.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from pawld.errors import OperatorError, RejectedError, TransientError
from pawld.install.msi_codes import Ending, meaning_of
from pawld.model import Platform
from pawld.reasons import Reason
from pawld.system.files import make_directory
from pawld.system.process import Finished, launch
from pawld.system.windows_installer import MsiFacts, Product, Products

_UNKNOWN_PRODUCT = 1605
_PROPERTY = re.compile(r"[A-Z_][A-Z0-9_.]*")  # public properties are in capitals
_WIDE = ("x86_64",)
_CPUS = {"x64": _WIDE, "amd64": _WIDE, "intel": ("x86", *_WIDE), "": ("x86", *_WIDE), "arm64": ("arm64",)}
_TELLING = re.compile(r"(?:-- |Error )(?:Error )?\d{4}[.:].*")
_LOG_HEAD = 4 << 20  # bytes of the log that are looked through for the words that tell

Launch = Callable[..., Finished]


class WindowsInstaller:
    """The package manager of Windows.

    Args:
        platform: what a package must be built for.
        products: Windows Installer's own word.
        kept: the packages that are kept; their upgrade code names the family.
        log: where msiexec writes what it did; the last run's is kept.
        properties: public properties for the installation.
        limit: how long one run of msiexec may take.
        start: how programs are run; msiexec hangs on pipes, so it is given none.
    """

    form = "msi"

    def __init__(
        self,
        platform: Platform,
        products: Products,
        kept: Callable[[], Iterable[Path]],
        *,
        log: Path,
        properties: Mapping[str, str] | None = None,
        limit: timedelta = timedelta(minutes=15),
        start: Launch = launch,
    ) -> None:
        self._platform = platform
        self._products = products
        self._kept = kept
        self._log = log
        self._properties = [_assigned(name, value) for name, value in (properties or {}).items()]
        self._limit = limit
        self._start = start
        self._reboot: str | None = None

    def check(self, package: Path) -> None:
        """Hold CPU and family of the package against the platform and the kept ones."""
        facts = self._facts(package)
        cpu = facts.template.partition(";")[0].strip().lower()
        if self._platform.os != "windows" or self._platform.arch not in _CPUS.get(cpu, (cpu,)):
            raise RejectedError(
                Reason.WRONG_EXECUTABLE, f"The package is for Windows on {cpu or 'x86'}; this host is {self._platform}."
            )
        if not facts.upgrade_code:
            raise RejectedError(Reason.INSTALLER_FAILED, "The package has no UpgradeCode, so nothing can follow it.")
        families = self._families()
        if families and facts.upgrade_code.upper() not in families:
            raise RejectedError(
                Reason.WRONG_EXECUTABLE,
                f"The package belongs to {facts.upgrade_code}; this agent's packages to {min(families)}.",
            )

    def version(self, package: Path) -> str:
        """Read its ProductVersion."""
        return self._facts(package).version

    def installed(self) -> str | None:
        """Return the highest installed version of the family of the kept packages."""
        found = [one.version for family in sorted(self._families()) for one in self._products.related(family)]
        return max(found, key=_order, default=None)

    def install(self, package: Path) -> None:
        """Remove what is newer, then install; a product of the same code is installed over itself."""
        facts = self._facts(package)
        self._reboot = None
        related = self._products.related(facts.upgrade_code)
        for one in related:
            if one.code != facts.product_code and _order(one.version) >= _order(facts.version):
                self._remove(one)
        same = any(one.code == facts.product_code for one in related)
        again = ["REINSTALL=ALL", "REINSTALLMODE=vomus"] if same else []
        self._run(f'/i "{package}"', [*self._properties, *again])

    def reboot_needed(self) -> str | None:
        """Return the sentence that tells it, where the last installation ended so."""
        return self._reboot

    def way_back(self, package: Path) -> str:
        """Return lines for cmd.exe that remove every other kept package's product, then install this one."""
        quiet = "/qn /norestart"
        removed = [f'start "" /wait msiexec.exe /x "{one}" {quiet}' for one in self._kept() if one != package]
        words = " ".join([f'/i "{package}" {quiet}', *self._properties])
        return " & ".join([*removed, f'start "" /wait msiexec.exe {words}'])

    def _remove(self, product: Product) -> None:
        self._run(f"/x {product.code}", (), harmless=_UNKNOWN_PRODUCT)

    def _run(self, what: str, properties: Sequence[str], *, harmless: int = 0) -> None:
        """Run msiexec to its end, and raise whatever kept it from ending well."""
        make_directory(self._log.parent)
        windows = os.environ.get("SystemRoot") or r"C:\Windows"  # noqa: SIM112 - Windows writes it so
        program = rf"{windows}\System32\msiexec.exe"
        line = " ".join([f'"{program}" {what} /qn /norestart /l*v "{self._log}"', *properties])
        finished = self._start([program], limit=self._limit, line=line)
        if finished.code is None:
            if finished.ran:
                raise RejectedError(Reason.INSTALLER_FAILED, f"msiexec was ended: {finished.errors}.")
            raise TransientError(Reason.IO_FAILED, f"msiexec could not be run: {finished.errors}.")
        if finished.code != harmless:
            self._judge(finished.code, what)

    def _judge(self, code: int, what: str) -> None:
        ending, reason, told = meaning_of(code)
        sentence = f"msiexec {what[:2]} ended with {code}: {told}."
        match ending:
            case Ending.DONE:
                return
            case Ending.REBOOT:
                self._reboot = "Windows has to be restarted to finish it; pawld does not do that."
            case Ending.LATER:
                raise TransientError(reason, sentence)
            case Ending.OPERATOR:
                raise OperatorError(reason, sentence)
            case Ending.REFUSED:
                raise RejectedError(reason, f"{sentence} {self._words()}Its log is {self._log}.")

    def _words(self) -> str:
        """Return the line of the log that says what failed, if there is one."""
        try:
            with self._log.open("rb") as file:
                data = file.read(_LOG_HEAD)
        except OSError:
            return ""
        text = data.decode("utf-16", "replace") if data[:2] == b"\xff\xfe" else data.decode("utf-8", "replace")
        found = _TELLING.search(text)
        return f"{found[0].strip().removeprefix('-- ').rstrip('.')}. " if found else ""

    def _families(self) -> set[str]:
        found = set()
        for package in self._kept():
            try:
                found.add(self._products.facts(package).upgrade_code.upper())
            except OSError:
                continue  # one that rotted belongs to nobody
        return found - {""}

    def _facts(self, package: Path) -> MsiFacts:
        try:
            return self._products.facts(package)
        except OSError as error:
            raise RejectedError(
                Reason.WRONG_EXECUTABLE, f"The build is no Windows Installer package: {error.strerror}."
            ) from error


def _assigned(name: str, value: str) -> str:
    """Write a property as msiexec reads it: the value in quotes, and a quote in it twice."""
    if not _PROPERTY.fullmatch(name) or not value.isprintable():
        raise OperatorError(
            Reason.CONFIG_INVALID, f"{name!r} is no public property of Windows Installer: they are in capitals."
        )
    doubled = value.replace('"', '""')
    return f'{name}="{doubled}"'


def _order(version: str) -> tuple[int, ...]:
    """Windows Installer looks at three numbers, and at nothing after them."""
    return tuple(int(one) if one.isdigit() else 0 for one in version.split(".")[:3])
