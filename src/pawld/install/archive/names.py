"""Which names a member of an archive may have.

The rules are the same on every system, so that what the publisher could unpack, every host can: relative, UTF-8 in NFC,
nothing that Windows or macOS would read as another name. They are stricter than any one file system.
"""

import re
import unicodedata
from functools import lru_cache

from pawld.install.archive.limits import named, refused

MAX_COMPONENT = 255  # bytes; NAME_MAX of every file system that matters
MAX_PATH = 512  # bytes below the slot; macOS takes 1024 in all, and Windows API limits are near too
MAX_DEPTH = 32  # directories

_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f\\<>:"|?*]')
_PLAIN = re.compile(r"[a-z0-9_+@=,~-][a-z0-9_+@=,~ .-]*(?<![ .])", re.ASCII)
_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, format (text direction too), surrogates, line breaks

# Windows opens the device, whatever follows the first dot, and takes superscript digits for digits.
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"} | {
    f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789\u00b9\u00b2\u00b3"
}


def relative(name: str) -> str:
    """Return *name* without the ``./`` that tar puts before it; empty for the root itself.

    Only the form as a whole is looked at here; ``key_of`` judges each component.
    """
    begin = 0
    while name.startswith("./", begin):  # a copy each time would cost minutes for a name of a megabyte of them
        begin += 2
    name = name[begin:]
    if name == ".":
        return ""
    if name.startswith("/"):
        raise refused(f"The archive's member {named(name)} has an absolute path.")
    if len(name) * 4 > MAX_PATH and len(name.encode("utf-8", "surrogatepass")) > MAX_PATH:
        raise refused(f"The archive's member {named(name)} has a path longer than {MAX_PATH} bytes.")
    return name


@lru_cache(maxsize=4096)
def key_of(component: str) -> str:
    """Return what *component* is equal to on a file system that ignores case and normal form.

    ``RejectedError`` where no member may be called so.
    """
    if len(component) * 4 > MAX_COMPONENT and len(component.encode("utf-8", "surrogatepass")) > MAX_COMPONENT:
        raise refused(f"The archive has a name longer than {MAX_COMPONENT} bytes: {named(component)}.")
    folded = component.lower()
    if not _PLAIN.fullmatch(folded):
        folded = _unusual(component)
    if folded.split(".", 1)[0].rstrip(" ") in _DEVICES:
        raise refused(f"The archive's member {named(component)} has a name that is a device on Windows.")
    return component if folded == component else folded  # one string in memory, not two, for most of them


def _unusual(component: str) -> str:
    """Judge a name that is not plain ASCII words."""
    if component in ("", ".", ".."):
        raise refused(f"The archive has a path with the component {named(component)}, which could lead elsewhere.")
    if _FORBIDDEN.search(component):
        raise refused(f"The archive's member {named(component)} has a character that is no part of a safe name.")
    if component[-1] in ". ":
        raise refused(f"The archive's member {named(component)} ends in a dot or a space, which Windows drops.")
    if any(unicodedata.category(letter) in _INVISIBLE for letter in component):
        raise refused(f"The archive's member {named(component)} has an invisible character in its name.")
    if not unicodedata.is_normalized("NFC", component):
        raise refused(f"The archive's member {named(component)} has a name that is not in Unicode form NFC.")
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", component).casefold())
