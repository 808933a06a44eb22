"""Windows Installer by its own interface, ``msi.dll``: what a package says of itself, and what is installed."""

import ctypes
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from pawld.values import dataclass

_DONE, _NO_MORE_ITEMS = 0, 259
_TEMPLATE = 7  # PID_TEMPLATE of the summary information: the CPU and the languages
_ROOM = 1024  # characters; product codes have 38, versions fewer

_LIBRARY = "msi"  # by name: a literal in the call would make freezing on Linux bring msitools' library along


@dataclass(frozen=True, slots=True)
class MsiFacts:
    """What a package says of itself.

    Attributes:
        product_code: of this very version.
        upgrade_code: of all versions together; empty where the package has none.
        template: CPU and languages, ``x64;1033``.
    """

    product_code: str
    upgrade_code: str
    version: str
    template: str


@dataclass(frozen=True, slots=True)
class Product:
    """An installed product."""

    code: str
    version: str


class Products(Protocol):
    """Windows Installer's word. Every call raises ``OSError`` with the number that it ended with."""

    def facts(self, package: Path) -> MsiFacts:
        """Read a package."""

    def related(self, upgrade_code: str) -> Sequence[Product]:
        """Return the installed products of this family."""


class HostProducts:  # pragma: no cover - runs under Wine, where no coverage is taken
    """Windows Installer of this host."""

    def __init__(self) -> None:
        if sys.platform != "win32":
            raise OSError("there is no Windows Installer here")
        self._msi: Any = ctypes.WinDLL(_LIBRARY)

    def facts(self, package: Path) -> MsiFacts:
        """Open the package as a database, for reading."""
        with self._handle("MsiOpenDatabaseW", str(package), None) as database:
            words = [self._property(database, name) for name in ("ProductCode", "UpgradeCode", "ProductVersion")]
            return MsiFacts(words[0], words[1], words[2], self._template(database))

    def related(self, upgrade_code: str) -> Sequence[Product]:
        """Ask for one product after the other, until there are no more."""
        found: list[Product] = []
        code = ctypes.create_unicode_buffer(_ROOM)
        while (ended := self._msi.MsiEnumRelatedProductsW(upgrade_code, 0, len(found), code)) != _NO_MORE_ITEMS:
            _must(ended)
            found.append(Product(code.value, self._version(code.value)))
        return found

    def _version(self, product_code: str) -> str:
        text, room = ctypes.create_unicode_buffer(_ROOM), ctypes.c_uint32(_ROOM)
        _must(self._msi.MsiGetProductInfoW(product_code, "VersionString", text, ctypes.byref(room)))
        return text.value

    def _property(self, database: ctypes.c_uint32, name: str) -> str:
        query = f"SELECT `Value` FROM `Property` WHERE `Property` = '{name}'"  # noqa: S608 - three names of our own
        with self._handle("MsiDatabaseOpenViewW", database, query) as view:
            _must(self._msi.MsiViewExecute(view, 0))
            row = ctypes.c_uint32()
            if self._msi.MsiViewFetch(view, ctypes.byref(row)) == _NO_MORE_ITEMS:
                return ""
            try:
                text, room = ctypes.create_unicode_buffer(_ROOM), ctypes.c_uint32(_ROOM)
                _must(self._msi.MsiRecordGetStringW(row, 1, text, ctypes.byref(room)))
                return text.value
            finally:
                self._msi.MsiCloseHandle(row)

    def _template(self, database: ctypes.c_uint32) -> str:
        with self._handle("MsiGetSummaryInformationW", database, None, 0) as summary:
            kind, number, room = ctypes.c_uint32(), ctypes.c_int32(), ctypes.c_uint32(_ROOM)
            text = ctypes.create_unicode_buffer(_ROOM)
            refs = (ctypes.byref(kind), ctypes.byref(number), None, text, ctypes.byref(room))
            _must(self._msi.MsiSummaryInfoGetPropertyW(summary, _TEMPLATE, *refs))
            return text.value

    @contextmanager
    def _handle(self, function: str, *arguments: Any) -> Iterator[ctypes.c_uint32]:
        handle = ctypes.c_uint32()
        _must(getattr(self._msi, function)(*arguments, ctypes.byref(handle)))
        try:
            yield handle
        finally:
            self._msi.MsiCloseHandle(handle)


def _must(ended: int) -> None:  # pragma: no cover - as above
    if ended != _DONE:
        raise OSError(ended, f"Windows Installer answered {ended}")
